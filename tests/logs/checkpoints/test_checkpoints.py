"""Folders of checkpoints, one a step; nothing in a file is ever executed."""

import argparse

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.numpy").save_file

T, P, D = 12, 7, 4
STEPS = 5 * np.arange(T)
FRAMES = np.random.default_rng(3).standard_normal((T, P, D))
SIGNAL = np.linalg.norm(np.fft.fft(FRAMES, axis=1), axis=-1)[:, 1:4]


def as_safetensors(folder, name="step_{:06d}"):
    for step, frame in zip(STEPS, FRAMES, strict=True):
        save_file({"embedding.weight": frame}, folder / f"{name.format(step)}.safetensors")


def as_pt(folder, name="{:d}", inside=True):
    for i, (step, frame) in enumerate(zip(STEPS, FRAMES, strict=True)):
        own = {"step": int(step)} if inside else {}
        number = i if inside else step  # what is inside counts
        torch.save({"model": {"embedding.weight": torch.tensor(frame)}} | own, folder / f"{name.format(number)}.pt")


WRITERS = {
    "safetensors, steps in names": as_safetensors,
    "safetensors, unpadded": lambda folder: as_safetensors(folder, "step_{:d}"),
    "safetensors, other numbers": lambda folder: as_safetensors(folder, "v2_step{:d}_p7"),
    "pt, steps inside": as_pt,
    "pt, steps in names": lambda folder: as_pt(folder, "ckpt-{:d}", inside=False),
}
writers = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def refusal(path, options=None):
    with pytest.raises(UnusableDataError) as caught:
        extract(path, Request(p=P), options=options)
    assert str(path) in str(caught.value)
    return str(caught.value)


@writers
@pytest.mark.parametrize("every", [1, 3])
def test_every_kind_gives_the_same_signal(folder, write, every):
    write(folder)
    found = extract(folder, Request(p=P, every=every))
    np.testing.assert_allclose(found.values[0], SIGNAL[::every], rtol=0, atol=1e-10)
    np.testing.assert_array_equal(found.times[0], STEPS[::every])


def test_a_later_file_of_wider_numbers_loses_none(folder):
    for step, dtype in enumerate(["float32", "float64", "float64"]):
        save_file({"w": FRAMES[step].astype(dtype)}, folder / f"step_{step}.safetensors")
    np.testing.assert_array_equal(open_logs(folder)[0].frames.read(np.arange(1, 3)), FRAMES[1:3])
    np.testing.assert_array_equal(open_logs(folder)[0].frames.read(np.arange(3))[1:], FRAMES[1:3])


def test_no_rows(folder):
    as_safetensors(folder)
    assert open_logs(folder)[0].frames.read(np.arange(0)).shape == (0, P, D)


def test_step_in_metadata(folder):
    for i, step in enumerate(STEPS):
        save_file({"w": FRAMES[i]}, folder / f"{i}.safetensors", metadata={"step": str(step)})
    np.testing.assert_array_equal(open_logs(folder)[0].steps, STEPS)


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_no_step_anywhere(folder, suffix):
    path = folder / f"model.{suffix}"
    if suffix == "pt":
        torch.save({"w": torch.tensor(FRAMES[0])}, path)
    else:
        save_file({"w": FRAMES[0]}, path)
    assert "no step" in refusal(folder)


def test_missing_key_lists_what_there_is(folder):
    as_safetensors(folder)
    said = refusal(folder, LogOptions(key="weights"))
    assert all(word in said for word in ("weights", "embedding.weight", "--key"))


def test_another_shape_names_both_files(folder):
    as_safetensors(folder)
    save_file({"embedding.weight": FRAMES[0, :5]}, folder / "step_000025.safetensors")
    said = refusal(folder)
    assert "step_000000" in said
    assert "step_000025" in said


@pytest.mark.parametrize("write", [as_safetensors, as_pt])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.97])
def test_a_truncated_file_is_named(folder, write, share):
    write(folder)
    path = sorted(folder.iterdir())[3]
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert path.name in refusal(folder)


class Touch:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return open, (str(self.canary), "w")


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("alone", [True, False])
def test_nothing_is_executed(folder, tmp_path, zipped, alone):
    canary, own = tmp_path / "canary", Touch(tmp_path / "canary")
    path = folder / "step_5.pt"
    whole = own if alone else {"w": torch.tensor(FRAMES[0]), "x": own}
    torch.save(whole, path, _use_new_zipfile_serialization=zipped)
    for target in (folder, path):
        said = refusal(target, LogOptions(interval=5))
        assert "weights_only" not in said
        assert not canary.exists()
    loaded = torch.load(path, weights_only=False)  # the file is hostile indeed
    (loaded if alone else loaded["x"]).close()
    assert canary.exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_an_object_is_named_and_no_one_advised_to_trust_it(folder, zipped):
    whole = {"w": torch.tensor(FRAMES[0]), "args": argparse.Namespace(lr=0.1)}
    torch.save(whole, folder / "step_5.pt", _use_new_zipfile_serialization=zipped)
    said = refusal(folder)
    assert "argparse.Namespace" in said
    assert "weights_only" not in said
    assert "False" not in said


@pytest.mark.parametrize("kind", ["cycle", "number", "complex"])
def test_what_is_no_tensor_or_number(folder, kind):
    cycle = []
    cycle.append(cycle)
    odd = {"cycle": cycle, "number": 10**400, "complex": torch.tensor(1j)}[kind]
    torch.save({"w": torch.tensor(FRAMES[0]), "x": odd}, folder / "step_5.pt")
    refusal(folder)
