"""Checkpoints in several files: one each, of which only the file that holds the tensor is read."""

import json

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.extraction import Request, extract
from ecodyn.logs import LogOptions, open_logs

torch = pytest.importorskip("torch")
save_file = pytest.importorskip("safetensors.torch").save_file

T, P, D = 3, 7, 4
STEPS = 100 * (1 + np.arange(T))
FRAMES = np.random.default_rng(2).standard_normal((T, P, D))
SUFFIXES = {".safetensors": ("model", save_file), ".bin": ("pytorch_model", torch.save)}


def write(folder, suffix, index=True):
    stem, save = SUFFIXES[suffix]
    for frame, step in zip(FRAMES, STEPS, strict=True):
        held = [{"embed.weight": torch.tensor(frame)}, {"head.weight": torch.ones(2, 2), "bias": torch.ones(2)}]
        place = folder / f"checkpoint-{step}"
        place.mkdir(parents=True)
        names = [f"{stem}-{i:05d}-of-00002{suffix}" for i in (1, 2)]
        for name, tensors in zip(names, held, strict=True):
            save(tensors, place / name)
        if index:
            weight_map = {key: name for name, tensors in zip(names, held, strict=True) for key in tensors}
            (place / f"{stem}{suffix}.index.json").write_text(json.dumps({"weight_map": weight_map}))


def refusal(path, options=None):
    with pytest.raises(UnusableDataError) as refused:
        extract(path, Request(p=P), options=options)
    return str(refused.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("index", [True, False])
def test_shards_are_one_checkpoint(tmp_path, suffix, index):
    write(tmp_path, suffix, index)
    (log,) = open_logs(tmp_path)
    np.testing.assert_array_equal(log.steps, STEPS)
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)
    assert log.remarks == ()
    assert len(log.sources) == (T if index else 2 * T)
    assert "no 'w'" in refusal(tmp_path, LogOptions(key="w"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_only_the_shard_that_holds_the_tensor_is_read(tmp_path, suffix):
    write(tmp_path, suffix)
    for other in tmp_path.glob(f"*/*-00002-of-00002{suffix}"):
        other.write_bytes(b"\x80 of another kind")
    (log,) = open_logs(tmp_path, LogOptions(key="embed.weight"))
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("part", [1, 2])
def test_a_missing_shard_is_named(tmp_path, index, part):
    write(tmp_path, ".safetensors", index)
    (tmp_path / f"checkpoint-200/model-0000{part}-of-00002.safetensors").unlink()
    said = refusal(tmp_path)
    assert "checkpoint-200" in said
    assert "missing" in said


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"weight_map": {}}', '{"weight_map": {"embed.weight": "../x.safetensors"}}']
)
def test_an_index_that_is_none(tmp_path, content):
    write(tmp_path, ".safetensors")
    (tmp_path / "checkpoint-200/model.safetensors.index.json").write_text(content)
    assert "checkpoint-200/model.safetensors.index.json is no index" in refusal(tmp_path)


def test_shards_in_one_folder(tmp_path):
    for frame, step in zip(FRAMES, STEPS, strict=True):
        save_file({"embed.weight": torch.tensor(frame)}, tmp_path / f"step_{step}-00001-of-00002.safetensors")
        save_file({"head": torch.ones(2, 2)}, tmp_path / f"step_{step}-00002-of-00002.safetensors")
    (log,) = open_logs(tmp_path)
    np.testing.assert_array_equal(log.steps, STEPS)
    np.testing.assert_array_equal(log.frames.read(np.arange(T)), FRAMES)


def test_parts_of_every_tensor_are_refused(tmp_path):
    for step in STEPS:
        (tmp_path / f"global_step{step}").mkdir()
        for rank in range(2):
            torch.save({"embed": torch.ones(P, D)}, tmp_path / f"global_step{step}/mp_rank_{rank:02d}_model_states.pt")
    assert "part of every tensor" in refusal(tmp_path)


@pytest.mark.parametrize("index", [True, False])
def test_a_whole_file_beside_shards_is_refused(tmp_path, index):
    write(tmp_path, ".safetensors", index)
    save_file({"embed.weight": torch.ones(P, D)}, tmp_path / "checkpoint-200/model.safetensors")
    assert "has model.safetensors beside shards" in refusal(tmp_path)


def test_a_tensor_in_two_shards_is_refused(tmp_path):
    write(tmp_path, ".bin", index=False)
    torch.save({"embed.weight": torch.ones(P, D)}, tmp_path / "checkpoint-200/pytorch_model-00002-of-00002.bin")
    assert "embed.weight in 2 of 2 shards" in refusal(tmp_path)


class Touch:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return open, (str(self.canary), "w")


@pytest.mark.parametrize(
    "name", ["pytorch_model.bin", "model.ckpt", "model.pth.tar", "pytorch_model-00001-of-00001.bin"]
)
def test_nothing_is_executed_in_any_kind_of_file(tmp_path, name):
    for step in STEPS:
        (tmp_path / f"run/checkpoint-{step}").mkdir(parents=True)
        torch.save(
            {"embed": torch.ones(P, D), "x": Touch(tmp_path / "canary")}, tmp_path / f"run/checkpoint-{step}/{name}"
        )
    said = refusal(tmp_path / "run")
    assert "io.open" in said
    assert "weights_only" not in said
    assert not (tmp_path / "canary").exists()
