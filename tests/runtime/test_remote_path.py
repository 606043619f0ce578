"""Logs at a URL are read as they are on this machine, and of large files only what is needed is fetched."""

import os
import pickle
from pathlib import Path
from typing import ClassVar

import fsspec
import numpy as np
import pytest
import torch
from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractFileSystem
from safetensors.torch import save_file

from ecodyn import extract
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.remote_path import RemotePath

P, DIM, STEPS = 11, 4, 3
BALLAST = 4_000_000  # bytes of another tensor in each file
FEW = 300_000  # of a file, for headers, the tables of a zip, and the embedding


def at(path):
    """Where on this machine."""
    return f"/{path.removeprefix('counted://').lstrip('/')}"


class Counted(AbstractFileSystem):
    """A store that is a folder of this machine, behind a protocol of its own."""

    protocol = "counted"
    fetched: ClassVar = {}

    def ls(self, path, detail=True, **_):
        found = [self._own(entry) for entry in LocalFileSystem().ls(at(path), detail=True)]
        return found if detail else [entry["name"] for entry in found]

    def info(self, path, **_):
        return self._own(LocalFileSystem().info(at(path)))

    def _own(self, entry):
        return {**entry, "name": entry["name"].lstrip("/")}

    def cat_file(self, path, start=None, end=None, **_):
        with Path(at(path)).open("rb") as file:
            file.seek(start)
            data = file.read(end - start)
        self.fetched[at(path)] = self.fetched.get(at(path), 0) + len(data)
        return data

    def get_file(self, path, target, **_):
        Path(target).write_bytes(self.cat_file(path, 0, self.size(path)))


@pytest.fixture
def counted():
    """The URL of a local path; and what was fetched of each file so far."""
    fsspec.register_implementation("counted", Counted, clobber=True)
    Counted.fetched.clear()
    return lambda path: f"counted://{str(path).lstrip('/')}"


def tensors(step, dtype=torch.float32):
    draw = torch.Generator().manual_seed(step)
    embedding = torch.randn(P, DIM, generator=draw).to(dtype)
    return {"ballast": torch.zeros(BALLAST // 4), "embed.weight": embedding, "other": torch.ones(3, 2)}


def safetensors(path, step, dtype):
    save_file(tensors(step, dtype), path.with_suffix(".safetensors"), metadata={"step": str(step)})


def torch_file(path, step, dtype):
    held = {"model": tensors(step, dtype), "step": torch.tensor(step), "config": {"p": P}}
    torch.save(held, path.with_suffix(".pt"))


def archive(path, step, dtype):
    arrays = {name: tensor.float().numpy() for name, tensor in tensors(step, dtype).items()}
    np.savez(path.with_suffix(".npz"), step=step, **arrays)


@pytest.mark.filterwarnings("ignore:set aside beside the checkpoints:ecodyn.DataWarning")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("write", [safetensors, torch_file, archive])
def test_of_a_folder_of_checkpoints_the_embedding_is_fetched(tmp_path, counted, write, dtype):
    for step in range(STEPS):
        write(tmp_path / f"step_{step * 100}", step * 100, dtype)
    (tmp_path / "optimizer.pt").write_bytes(bytes(BALLAST))
    key = "model.embed.weight" if write is torch_file else "embed.weight"
    here, there = extract(tmp_path, p=P, key=key), extract(counted(tmp_path), p=P, key=key)
    np.testing.assert_array_equal(there.values, here.values)
    np.testing.assert_array_equal(there.times, here.times)
    assert len(Counted.fetched) == STEPS
    assert max(Counted.fetched.values()) < FEW


def test_a_stack_in_an_archive_is_fetched_without_what_lies_beside_it(tmp_path, counted):
    frames = np.random.default_rng(0).normal(size=(STEPS, P, DIM))
    np.savez(tmp_path / "run.npz", activations=np.zeros(BALLAST // 8), embeddings=frames, steps=np.arange(STEPS), p=P)
    here, there = extract(tmp_path / "run.npz"), extract(counted(tmp_path / "run.npz"))
    np.testing.assert_array_equal(there.values, here.values)
    assert sum(Counted.fetched.values()) < FEW


def test_tables_and_what_only_a_library_opens_are_read_too(tmp_path, counted):
    steps = np.arange(20)
    lines = ["step,a,b", *(f"{t},{1 + t},{2 + t}" for t in steps)]
    (tmp_path / "run.csv").write_text("\n".join(lines))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(np.random.default_rng(0).normal(size=(STEPS, P, DIM))))
    for name, options in (("run.csv", {}), ("fortran.npy", {"p": P, "interval": 1})):
        here, there = (extract(path, **options) for path in (tmp_path / name, counted(tmp_path / name)))
        np.testing.assert_array_equal(there.values, here.values)


@pytest.mark.parametrize("write", [safetensors, torch_file, archive])
def test_a_damaged_file_is_said_of_its_url(tmp_path, counted, write):
    for step in range(STEPS):
        write(tmp_path / f"step_{step * 100}", step * 100, torch.float32)
    (broken,) = tmp_path.glob("step_100.*")
    broken.write_bytes(broken.read_bytes()[: BALLAST // 2])
    with pytest.raises(UnusableDataError, match=r"step_100\..* is (damaged|truncated)"):
        extract(counted(tmp_path), p=P)


def test_it_looks_around_as_a_path_does(tmp_path, counted):
    (tmp_path / "run" / "0").mkdir(parents=True)
    for name in ("a.npy", "b.txt", "run/c.npy", "run/0/d.npy"):
        (tmp_path / name).write_text(name)
    here, there = tmp_path, RemotePath.at(counted(tmp_path))

    def seen(root, found):
        return sorted(path.relative_to(root).as_posix() for path in found)

    for pattern in ("*", "*.npy", "run/*", "*/*.npy", "0/*"):
        assert seen(there, there.glob(pattern)) == seen(here, here.glob(pattern)), pattern
        assert seen(there, there.rglob(pattern)) == seen(here, here.rglob(pattern)), pattern
    for name in ("a.npy", "run", "run/0", "none"):
        for question in ("exists", "is_dir", "is_file", "is_symlink"):
            assert getattr(there / name, question)() == getattr(here / name, question)(), (name, question)
    file = there / "run" / "c.npy"
    assert (file.read_text(), file.stat().st_size, file.parent.name) == ("run/c.npy", 9, "run")
    assert str(file) == counted(tmp_path / "run" / "c.npy")
    assert pickle.loads(pickle.dumps(file)) == file  # noqa: S301 - a worker is sent it so
    assert Path(os.fspath(file)).read_text() == "run/c.npy"
    with pytest.raises(OSError, match="only read"):
        file.open("w")
    with pytest.raises(FileNotFoundError, match="no file or folder counted://"):
        (there / "none").stat()


def test_what_changed_since_is_seen(tmp_path, counted):
    frames = np.random.default_rng(0).normal(size=(2 * STEPS, P, DIM))
    np.save(tmp_path / "run.npy", frames[:STEPS])
    assert extract(counted(tmp_path / "run.npy"), p=P, interval=1).n_steps == STEPS
    np.save(tmp_path / "run.npy", frames)
    assert extract(counted(tmp_path / "run.npy"), p=P, interval=1).n_steps == 2 * STEPS
