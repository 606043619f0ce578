"""The same weights in every format are the same trajectories; damaged and malicious files are refused."""

import argparse
import os
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch_file

from ecodyn.errors import UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs

T, P, D = 12, 7, 4
FRAMES = np.random.default_rng(0).standard_normal((T, P, D))
STEPS = 5.0 * np.arange(T)


def run_directory(path):
    path.mkdir()
    np.save(path / "embeddings.npy", FRAMES)
    np.save(path / "train_loss.npy", np.zeros(T - 1))


def npz(path):
    np.savez(path, embeddings=FRAMES, steps=STEPS)


def npz_compressed(path):
    np.savez_compressed(path, embeddings=FRAMES, steps=STEPS)


def npy(path):
    np.save(path, FRAMES)


def npy_fortran(path):
    np.save(path, np.asfortranarray(FRAMES))


def safetensors(path):
    save_file({"embeddings": FRAMES, "steps": STEPS}, path)


def pt(path):
    torch.save({"embeddings": torch.from_numpy(FRAMES), "steps": torch.from_numpy(STEPS)}, path)


def safetensors_folder(path):
    path.mkdir()
    for step, frame in zip(STEPS, FRAMES, strict=True):
        save_file({"embed.weight": frame, "head.weight": np.ones((3, 3))}, path / f"step_{step:.0f}.safetensors")


def pt_folder(path):
    path.mkdir()
    for i, (step, frame) in enumerate(zip(STEPS, FRAMES, strict=True)):
        torch.save({"model": {"embedding.weight": torch.from_numpy(frame)}, "step": int(step)}, path / f"{i}.pt")


WRITERS = {
    "a.npz": npz,
    "b.npz": npz_compressed,
    "c.npy": npy,
    "d.npy": npy_fortran,
    "e.safetensors": safetensors,
    "f.pt": pt,
    "g": safetensors_folder,
    "h": pt_folder,
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("every", [1, 3])
def test_the_same_weights_give_the_same_trajectories(tmp_path, name, every):
    WRITERS[name](tmp_path / name)
    runs = extract(tmp_path / name, Request(p=P, every=every), options=LogOptions(interval=5))
    expected = np.linalg.norm(np.fft.fft(FRAMES, axis=1), axis=-1)[::every]
    np.testing.assert_allclose(runs.values[0], expected[:, 1 : P // 2 + 1], rtol=1e-10)
    np.testing.assert_allclose(runs.dc[0], expected[:, 0], rtol=1e-10)
    np.testing.assert_array_equal(runs.steps, STEPS[::every])


def test_a_run_directory_is_the_same_weights_too(tmp_path):
    run_directory(tmp_path / "run")
    np.savez(tmp_path / "stack.npz", embeddings=FRAMES, steps=np.arange(T))
    request = Request(observables=("signal", "circularity"), p=P)
    run = extract(tmp_path / "run", request)
    stack = extract(tmp_path / "stack.npz", request)
    np.testing.assert_array_equal(run.values, stack.values)
    np.testing.assert_array_equal(run.observables["circularity"], stack.observables["circularity"])
    np.testing.assert_array_equal(run.steps, stack.steps)


def test_other_types_of_numbers(tmp_path):
    np.save(tmp_path / "single.npy", FRAMES.astype(np.float32))
    np.save(tmp_path / "whole.npy", (10 * FRAMES).astype(np.int16))
    save_torch_file({"embeddings": torch.from_numpy(FRAMES).to(torch.bfloat16)}, tmp_path / "brain.safetensors")
    for name, scale, rtol in (("single.npy", 1, 1e-6), ("whole.npy", 10, 0.3), ("brain.safetensors", 1, 0.05)):
        runs = extract(tmp_path / name, Request(p=P), options=LogOptions(interval=5))
        expected = scale * np.linalg.norm(np.fft.fft(FRAMES, axis=1), axis=-1)[:, 1 : P // 2 + 1]
        np.testing.assert_allclose(runs.values[0], expected, rtol=rtol)


class Malicious:
    """Unpickling it makes a file."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.system, (f"touch {self.canary}",)


def test_a_malicious_checkpoint_executes_nothing(tmp_path):
    canary = tmp_path / "canary"
    torch.save({"embedding": Malicious(canary)}, tmp_path / "step_1.pt")
    for path in (tmp_path, tmp_path / "step_1.pt"):
        with pytest.raises(UnusableDataError, match="system"):
            extract(path)
    assert not canary.exists()
    torch.load(tmp_path / "step_1.pt", weights_only=False)  # it would have
    assert canary.exists()


def test_a_class_in_a_checkpoint_is_named(tmp_path):
    torch.save({"embedding": torch.ones(P, D), "args": argparse.Namespace(p=7)}, tmp_path / "step_1.pt")
    with pytest.raises(UnusableDataError, match=r"argparse\.Namespace") as refused:
        extract(tmp_path)
    assert "weights_only" not in str(refused.value)
    assert "state_dict" in str(refused.value)


def cut(path, share=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


@pytest.mark.parametrize("name", ["a.npz", "b.npz", "c.npy", "e.safetensors", "f.pt"])
def test_truncated_files_are_refused(tmp_path, name):
    WRITERS[name](tmp_path / name)
    cut(tmp_path / name)
    with pytest.raises(UnusableDataError, match=r"truncated|damaged"):
        extract(tmp_path / name, options=LogOptions(interval=5))


@pytest.mark.parametrize("name", ["x.npy", "x.npz", "x.safetensors", "x.pt"])
@pytest.mark.parametrize(
    "content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", b"just text, no"]
)
def test_what_is_not_what_its_name_says_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableDataError) as refused:
        extract(tmp_path / name, options=LogOptions(interval=5))
    assert "pickle" not in str(refused.value)
    assert ("git-lfs" in str(refused.value)) == content.startswith(b"version")


def test_objects_are_refused_and_never_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([Malicious(tmp_path / "canary")], dtype=object), allow_pickle=True)
    with pytest.raises(UnusableDataError, match="Python objects") as refused:
        extract(tmp_path / "x.npy")
    assert "pickle" not in str(refused.value)
    assert not (tmp_path / "canary").exists()


def test_a_header_that_claims_terabytes_is_refused(tmp_path):
    with (tmp_path / "x.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (10**9, P, D)}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(1000))
    with pytest.raises(UnusableDataError, match="made up"):
        open_logs(tmp_path / "x.npy", LogOptions(interval=1))


@pytest.mark.parametrize("members", [["../embeddings.npy"], ["e.npy", "e.npy"]])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zips_that_no_honest_writer_makes_are_refused(tmp_path, members):
    np.save(tmp_path / "e.npy", FRAMES)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        for member in members:
            archive.write(tmp_path / "e.npy", member)
    with pytest.raises(UnusableDataError, match=r"leaves its folder|2 members"):
        open_logs(tmp_path / "x.npz", LogOptions(interval=1))


def test_steps_keys_and_times_that_lack_are_asked_for(tmp_path):
    np.save(tmp_path / "x.npy", FRAMES)
    with pytest.raises(UnusableDataError, match="--interval"):
        open_logs(tmp_path / "x.npy")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    save_file({"a": np.ones((P, D)), "b": np.ones((P, D))}, folder / "last.safetensors")
    with pytest.raises(UnusableDataError, match=r"a \(7, 4\), b \(7, 4\)"):
        open_logs(folder)
    with pytest.raises(UnusableDataError, match="no 'c'"):
        open_logs(folder, LogOptions(key="c"))
    with pytest.raises(UnusableDataError, match="states no step"):
        open_logs(folder, LogOptions(key="a"))


def test_a_resumed_stack_keeps_what_came_last(tmp_path):
    steps = np.array([0, 5, 10, 15, 20, 10, 15, 20, 25, 30, 35, 40])
    np.savez(tmp_path / "x.npz", embeddings=FRAMES, steps=steps)
    with pytest.warns(UserWarning, match="the last row of a step wins, 3 rows were dropped"):
        runs = extract(tmp_path / "x.npz", Request(p=P))
    kept = [0, 1, 5, 6, 7, 8, 9, 10, 11]
    np.testing.assert_array_equal(runs.steps, steps[kept])
    expected = np.linalg.norm(np.fft.fft(FRAMES[kept], axis=1), axis=-1)[:, 1 : P // 2 + 1]
    np.testing.assert_allclose(runs.values[0], expected, rtol=1e-10)
