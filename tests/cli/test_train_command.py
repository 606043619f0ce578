"""`ecodyn train`: what it writes and says, and what it refuses before any work."""

import json

import numpy as np
import pytest
import torch
from command_line import run, same_arrays

import ecodyn
from ecodyn.networks.modular_addition import MLP, FixedDataset, ScaleFrequency
from ecodyn.networks.training import InterruptedTraining, Schedule
from ecodyn.networks.training import train as train_population
from ecodyn.networks.training.partial import partial_folder

TINY = ["--p", 5, "--dim", 2, "--width", 4, "--seeds", "0:2", "--steps", 5]


def train(out, *arguments, jobs=1):
    """`ecodyn train` of networks so small that it takes no time, in this process."""
    return run("train", *TINY, *arguments, "--jobs", jobs, "-o", out)


def test_train_writes_what_inspect_reads(tmp_path):
    out = tmp_path / "runs.nc"
    result = run("train", "--p", 7, "--dim", 4, "--seeds", "0:2", "--steps", 5, "--jobs", 1, "-o", out)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    runs = ecodyn.load(out)
    assert runs.shape == (2, 6, 3)
    assert runs.runs.tolist() == [0, 1]
    assert (runs.provenance["weight_decay"], runs.provenance["width"]) == (0.5, 100)
    facts = json.loads(run("inspect", out, "--json").stdout)
    assert (facts["runs"], facts["steps"], facts["features"]) == (2, 6, 3)
    assert facts["observables"] == ["signal", "gradient"]
    assert facts["curves"] == ["test_accuracy", "test_loss", "train_accuracy", "train_loss"]
    assert facts["embedding"] == [7, 4]
    assert "made by" in run("inspect", out).stderr
    assert list(tmp_path.iterdir()) == [out]


def test_train_is_the_population_of_the_same_settings(tmp_path):
    flags = ["--dense", 1, "--every", 2, "--dtype", "float32", "--optimiser", "sgd", "--momentum", 0.5]
    result = train(tmp_path / "x.nc", *flags, "--learning-rate", 0.1, "--weight-decay", 0, "--train-fraction", 0.6)
    assert result.exit_code == 0, result.stderr
    settings = {"optimiser": "sgd", "momentum": 0.5, "learning_rate": 0.1, "weight_decay": 0.0, "train_fraction": 0.6}
    network = MLP(p=5, dim=2, width=4, **settings)
    same_arrays(
        ecodyn.load(tmp_path / "x.nc"), train_population(network, [0, 1], 5, keep=Schedule(1, 2), dtype="float32")
    )


def test_train_runs_over_grids_and_interventions(tmp_path):
    out = tmp_path / "grid.nc"
    result = train(
        out, "--dim", "2,3", "--intervene", "scale_frequency:k=1,factor=0.5/2", "--intervene", "fixed_dataset:seed=4"
    )
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.runs.tolist() == list(range(8))
    assert runs.settings["dim"].tolist() == [2] * 4 + [3] * 4
    assert runs.settings["scale_frequency_factor"].tolist() == [0.5, 0.5, 2, 2] * 2
    assert runs.settings["seed"].tolist() == [0, 1] * 4
    interventions = (ScaleFrequency(k=1, factor=2.0), FixedDataset(seed=4))
    alone = train_population(MLP(p=5, dim=3, width=4, interventions=interventions), [0, 1], 5)
    np.testing.assert_array_equal(runs.values[6:], alone.values)


@pytest.mark.parametrize(
    ("network", "flags", "varied", "features"),
    [
        ("transformer", ["--p", 5, "--dim", 4, "--width", 4, "--set", "heads=1,2"], ("heads", [1, 1, 2, 2]), 2),
        ("deep_linear", ["--set", "modes=3", "--set", "depth=1,2"], ("depth", [1, 1, 2, 2]), 3),
    ],
)
def test_train_of_other_networks(tmp_path, network, flags, varied, features):
    out = tmp_path / "x.nc"
    result = run("train", "--network", network, *flags, "--seeds", "3,4", "--steps", 4, "--jobs", 1, "-o", out)
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.shape == (4, 5, features)
    assert runs.provenance["network"] == network
    assert runs.settings[varied[0]].tolist() == varied[1]


def test_train_says_its_result_as_json(tmp_path):
    result = train(tmp_path / "x.nc", "--json")
    said = json.loads(result.stdout)
    assert said == {"output": str(tmp_path / "x.nc"), "runs": [0, 1], "shape": [2, 6, 2]}


def test_train_replaces_only_by_force(tmp_path):
    out = tmp_path / "x.nc"
    assert train(out).exit_code == 0
    before = out.read_bytes()
    refused = train(out, "--seeds", "5,6")
    assert refused.exit_code == 2
    assert "exists already" in refused.stderr
    assert "--force" in refused.stderr
    assert out.read_bytes() == before
    assert train(out, "--seeds", "5,6", "--force").exit_code == 0
    assert ecodyn.load(out).runs.tolist() == [5, 6]
    assert list(tmp_path.iterdir()) == [out]


def test_train_writes_checkpoints_that_extract_reads(tmp_path):
    out, again, checkpoints = tmp_path / "x.nc", tmp_path / "again.nc", tmp_path / "ck"
    assert train(out, "--checkpoints", checkpoints, "--checkpoint-every", 2).exit_code == 0
    result = run("extract", checkpoints, "-o", again, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    np.testing.assert_allclose(ecodyn.load(again).values, ecodyn.load(out).values[:, [0, 2, 4, 5]], rtol=1e-12)
    refused = train(tmp_path / "y.nc", "--checkpoints", checkpoints)
    assert refused.exit_code == 2
    assert "has checkpoints of another training" in refused.stderr
    assert sorted(tmp_path.iterdir()) == [again, checkpoints, out]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--p", 6], "prime"),
        (["--p", 9], "9 = 3 × 3"),
        (["--p", 2], "p must be a whole number of at least 3, got 2"),
        (["--dim", 0], "dim must be a whole number of at least 1, got 0"),
        (["--dim", "2,x"], "dim takes whole numbers"),
        (["--dim", "2,2"], "networks must differ"),
        (["--width", "4.5"], "width takes whole numbers"),
        (["--learning-rate", "fast"], "learning_rate takes numbers"),
        (["--learning-rate", "nan"], "learning_rate must be finite"),
        (["--train-fraction", 1], "train_fraction must leave"),
        (["--optimiser", "lion"], "adamw, adam, sgd"),
        (["--momentum", 0.5], "momentum belongs to the optimiser sgd"),
        (["--seeds", "3:3"], "is no numbers"),
        (["--seeds", "a"], "seeds"),
        (["--seeds", "1,1"], "more than once: 1"),
        (["--steps", 0], "steps must be"),
        (["--dense", -1], "dense must be"),
        (["--every", 0], "every"),
        (["--batch", 0], "batch"),
        (["--jobs", -3], "jobs"),
        (["--dtype", "float8"], "float8"),
        (["--device", "tpu"], "device must be cpu"),
        (["--device", "cuda:99"], "torch sees"),
        (["--network", "gru"], "mlp, transformer, deep_linear"),
        (["--network", "deep_linear"], "deep_linear has no setting p, dim, width"),
        (["--network", "transformer", "--set", "heads=3"], "heads must divide dim"),
        (["--set", "colour=blue"], "mlp has no setting colour"),
        (["--set", "test"], "NAME=VALUE"),
        (["--set", "test=maybe"], "true or false"),
        (["--intervene", "prune"], "unknown intervention 'prune'"),
        (["--intervene", "scale_frequency:z=1"], "has no parameter 'z'"),
        (["--intervene", "scale_frequency:k"], "has no parameter 'k'"),
        (["--intervene", "scale_frequency:k=one"], "whole number"),
        (["--intervene", "scale_frequency:k=3"], "p = 5 has the frequencies 1 to 2, got 3"),
        (["--intervene", "keep_frequencies:k=1+9"], "frequencies 1 to 2, got 9"),
        (["--intervene", "fixed_embedding", "--intervene", "fixed_embedding:seed=1"], "2 times"),
        (["--checkpoints", "ck", "--checkpoint-every", 0], "checkpoint-every"),
        (["--set", "interventions=prune"], "mlp has no setting interventions"),
        (["--set", "test=true,false"], "the same observables and curves"),
    ],
)
def test_train_refuses_bad_settings_before_any_work(tmp_path, monkeypatch, flags, said):
    monkeypatch.chdir(tmp_path)
    result = run("train", *TINY, "--jobs", 1, *flags, "-o", tmp_path / "x.nc")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_train_without_a_gpu_says_so(tmp_path):
    result = train(tmp_path / "x.nc", "--device", "cuda")
    assert result.exit_code == 2
    assert "torch sees 0 CUDA devices; use device='cpu'" in result.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("folder/x.nc", "no folder"),
        pytest.param("x.txt", ".nc (netCDF4) or .csv"),
    ],
)
def test_train_refuses_an_output_that_can_not_be_before_any_work(tmp_path, name, said):
    result = train(tmp_path / name)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_train_into_csv_says_what_that_leaves_out(tmp_path):
    result = train(tmp_path / "x.csv")
    assert result.exit_code == 0
    assert "warning: a CSV file holds the signal only" in result.stderr


def test_train_keeps_the_runs_that_did_not_diverge(tmp_path):
    out = tmp_path / "x.nc"
    result = train(out, "--learning-rate", "1e300,0.01", "--json")
    assert result.exit_code == 5
    assert "runs not trained: 0, 1: no longer finite at step 1 (lower the learning rate)" in result.stderr
    assert json.loads(result.stdout)["runs"] == ecodyn.load(out).runs.tolist() == [2, 3]
    assert list(tmp_path.iterdir()) == [out]


def test_train_that_diverges_altogether_writes_nothing(tmp_path):
    result = train(tmp_path / "x.nc", "--learning-rate", "1e300", "--json")
    assert result.exit_code == 4
    assert "no longer finite at step 1" in result.stderr
    assert result.stdout == ""
    assert not list(tmp_path.iterdir())


def test_train_refuses_what_is_not_its_to_go_on_with(tmp_path):
    """Finished batches of an earlier command, of other settings, damaged, or in another process's hands."""
    out, partial = tmp_path / "x.nc", tmp_path / "x.nc.partial"

    def stop(done, total, what):
        if done > 5:
            raise KeyboardInterrupt

    network = MLP(p=5, dim=2, width=4)
    with pytest.raises(InterruptedTraining):
        train_population(network, [0, 1], 5, batch=1, folder=partial, progress=stop)
    for flags, said in (
        ([], "holds 1 of 2 batches of an earlier command that was not finished; go on with resume=True (--resume)"),
        (["--resume", "--steps", 6], "is of a training with other settings (steps: 5 there, 6 now)"),
    ):
        refused = train(out, *flags)
        assert refused.exit_code == 2
        assert said in refused.stderr
    with partial_folder(tmp_path / "y.nc.partial", {"batches": []}, resume=False):
        busy = train(tmp_path / "y.nc")
    assert busy.exit_code == 2
    assert "another process is training into" in busy.stderr
    batch = partial / "batch_00000.safetensors"
    whole = batch.read_bytes()
    batch.write_bytes(whole[:100])
    damaged = train(out, "--resume")
    assert damaged.exit_code == 3
    assert "batch_00000.safetensors is damaged" in damaged.stderr
    batch.write_bytes(whole)
    assert not out.exists()
    assert train(out, "--resume").exit_code == 0
    same_arrays(ecodyn.load(out), train_population(network, [0, 1], 5))
    assert not partial.exists()
