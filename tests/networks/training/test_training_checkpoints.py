"""Checkpoints of a training are a log like any other: what `extract` reads in them is what the training kept."""

import numpy as np
import pytest
from safetensors.numpy import load_file

import ecodyn
from ecodyn.errors import OutputExistsError
from ecodyn.logs import LogOptions
from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import MLP, Transformer
from ecodyn.networks.training import InterruptedTraining, grid, train

SMALL = MLP(p=7, dim=4, width=4)


@pytest.mark.parametrize(
    ("network", "dtype", "key"),
    [
        pytest.param(SMALL, "float64", None, id="mlp"),
        pytest.param(SMALL, "float32", None, id="mlp-float32"),
        # Its unembedding is a matrix of tokens too, and named like one.
        pytest.param(Transformer(p=7, dim=4, heads=2, width=4), "float64", "embedding", id="transformer"),
    ],
)
def test_extract_reads_the_signals_back(tmp_path, network, dtype, key):
    runs = train(network, [0, 3], 11, dtype=dtype, checkpoints=tmp_path / "ck", checkpoint_every=4)
    read = ecodyn.extract(tmp_path / "ck", options=LogOptions(key=key))
    steps = [0, 4, 8, 11]
    assert read.runs.tolist() == ["run_0", "run_3"]
    np.testing.assert_array_equal(read.steps, steps)
    # Spectra are taken in float64 of the same numbers, by an FFT there and by a product with cosines here.
    np.testing.assert_allclose(read.values, runs.values[:, steps], rtol=1e-12)
    np.testing.assert_allclose(read.dc, runs.dc[:, steps], rtol=1e-11)


@pytest.mark.parametrize("network", [SMALL, DeepLinear(modes=3)], ids=["mlp", "deep_linear"])
def test_a_checkpoint_has_every_parameter_of_its_step(tmp_path, network):
    runs = train(network, [5], 6, checkpoints=tmp_path, checkpoint_every=6)
    start = load_file(tmp_path / "run_5" / "step_000000.safetensors")
    drawn = network.draw_one(5)
    assert start.keys() == drawn.keys()
    for name, tensor in drawn.items():
        np.testing.assert_array_equal(start[name], tensor, err_msg=name)
    if runs.embedding is not None:
        last = load_file(tmp_path / "run_5" / "step_000006.safetensors")
        np.testing.assert_array_equal(last["embedding"], runs.embedding[0])


def test_runs_of_a_grid_have_folders_by_their_labels(tmp_path):
    runs = train(grid(MLP, {"p": [5], "dim": [2, 3], "width": [4]}), [7, 8], 2, checkpoints=tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == {f"run_{label}" for label in runs.runs}
    for row, label in enumerate(runs.runs):
        last = load_file(tmp_path / f"run_{label}" / "step_000002.safetensors")
        dim = runs.settings["dim"][row]
        np.testing.assert_array_equal(last["embedding"], runs.embedding[row, :, :dim])


def test_checkpoints_change_no_number(tmp_path):
    assert train(SMALL, [1, 2], 7, checkpoints=tmp_path, checkpoint_every=1) == train(SMALL, [1, 2], 7)


def test_checkpoints_of_an_earlier_training_are_not_written_over(tmp_path):
    train(SMALL, [0], 2, checkpoints=tmp_path / "ck")
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.safetensors")}
    with pytest.raises(OutputExistsError, match="has checkpoints of another training; name another folder"):
        train(SMALL, [1], 2, checkpoints=tmp_path / "ck", folder=tmp_path / "partial")
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.safetensors")} == before
    assert not (tmp_path / "partial").exists()


def test_checkpoints_of_another_training_are_not_mixed_with_these(tmp_path):
    """Neither by resuming, nor by beginning again where the interval differs."""
    train(SMALL, [0], 4, checkpoints=tmp_path / "ck", checkpoint_every=2)
    for options in ({"resume": True}, {"resume": True, "checkpoint_every": 1}, {}):
        with pytest.raises(OutputExistsError, match="of another training"):
            train(SMALL, [0], 4, checkpoints=tmp_path / "ck", folder=tmp_path / "partial", **options)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "ck").write_text("mine")
    with pytest.raises(OutputExistsError, match="is a file, expected a folder for checkpoints"):
        train(SMALL, [0], 2, checkpoints=tmp_path / "ck")


def test_a_bad_interval_is_refused(tmp_path):
    with pytest.raises(ValueError, match="checkpoint_every must be a whole number of at least 1, got 0"):
        train(SMALL, [0], 2, checkpoints=tmp_path / "ck", checkpoint_every=0)
    assert not (tmp_path / "ck").exists()


def test_a_resumed_training_has_the_checkpoints_of_one_that_was_not_stopped(tmp_path, interrupted_at):
    def options(name):
        return {"batch": 1, "checkpoints": tmp_path / name / "ck", "checkpoint_every": 2, "folder": tmp_path / name}

    train(SMALL, [0, 1, 2], 5, **options("whole"))
    with pytest.raises(InterruptedTraining):
        train(SMALL, [0, 1, 2], 5, progress=interrupted_at(8), **options("stopped"))
    train(SMALL, [0, 1, 2], 5, resume=True, **options("stopped"))
    whole, stopped = (
        {file.relative_to(tmp_path / name): file for file in (tmp_path / name / "ck").rglob("*") if file.is_file()}
        for name in ("whole", "stopped")
    )
    assert len(whole) == 3 * 4
    assert whole.keys() == stopped.keys()
    for name in whole:
        assert whole[name].read_bytes() == stopped[name].read_bytes(), name
