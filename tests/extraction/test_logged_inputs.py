"""Learning rates that logs hold: said where they vary, and read as inputs where they are asked for."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from ecodyn import UnusableDataError
from ecodyn.cli import app
from ecodyn.errors import DataWarning
from ecodyn.extraction import extract, gather
from ecodyn.logs import LogOptions
from ecodyn.trajectories import load

STEPS = np.arange(0, 60, 5)
RATES = {"a": 0.005 * (1 + np.cos(np.pi * STEPS / 60)), "b": np.where(STEPS < 30, 0.01, 0.001)}
VALUES = {run: np.stack([np.exp(-STEPS / 20) + i, np.sin(STEPS / 9.0)], axis=1) for i, run in enumerate(RATES)}


def table(run, rate="lr"):
    x, y = VALUES[run].T
    return pd.DataFrame({"run": run, "step": STEPS, "epoch": STEPS // 20, rate: RATES[run], "x": x, "y": y})


def run_command(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def csv(folder, rate="lr"):
    pd.concat(table(run, rate) for run in RATES).to_csv(folder / "runs.csv", index=False)
    return folder / "runs.csv", rate


def jsonl(folder, rate="learning_rate"):
    rows = pd.concat(table(run, rate) for run in RATES).to_dict("records")
    (folder / "runs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder / "runs.jsonl", rate


def parquet(folder, rate="train/learning_rate"):
    pytest.importorskip("pyarrow")
    pd.concat(table(run, rate) for run in RATES).to_parquet(folder / "runs.parquet")
    return folder / "runs.parquet", rate


def trainer_state(folder, rate="learning_rate"):
    for run in RATES:
        rows = table(run, rate).drop(columns="run").to_dict("records")
        (folder / run).mkdir()
        (folder / run / "trainer_state.json").write_text(json.dumps({"log_history": rows}))
    return [folder / run / "trainer_state.json" for run in RATES], rate


def mlflow(folder, rate="optimizer/lr"):
    for run in RATES:
        for name, values in table(run, rate).drop(columns=["run", "step", "epoch"]).items():
            file = folder / "mlruns" / "1" / run / "metrics" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(
                "".join(f"1700000000000 {v!r} {s}\n" for s, v in zip(STEPS, map(float, values), strict=True))
            )
        (folder / "mlruns" / "1" / run / "meta.yaml").write_text("lifecycle_stage: active\n")
    (folder / "mlruns" / "1" / "meta.yaml").write_text("name: one\n")
    return folder / "mlruns", rate


def tensorboard(folder, rate="train/lr"):
    writing = pytest.importorskip("torch.utils.tensorboard")
    for run in RATES:
        with writing.SummaryWriter(str(folder / run)) as writer:
            for name, values in table(run, rate).drop(columns=["run", "step", "epoch"]).items():
                for step, value in zip(STEPS, values, strict=True):
                    writer.add_scalar(name, value, int(step))
    return folder, rate


LOGS = [csv, jsonl, parquet, trainer_state, mlflow, pytest.param(tensorboard, marks=pytest.mark.slow)]


@pytest.mark.parametrize("written", LOGS)
def test_a_rate_that_was_logged_is_the_input_of_its_run(tmp_path, written):
    path, rate = written(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = extract(path, inputs={"lr": rate}, input_kind="linear")
    names = [str(run).rpartition("/")[2] for run in runs.runs]  # MLflow's have the experiment before them
    assert sorted(names) == ["a", "b"]
    assert runs.features.tolist() == ["x", "y"]
    tolerance = 1e-6 if written is tensorboard else 1e-12  # which stores single precision
    for run, curve, values in zip(names, runs.inputs["lr"], runs.values, strict=True):
        np.testing.assert_array_equal(curve.times, STEPS)
        np.testing.assert_allclose(curve.values, RATES[run], rtol=tolerance)
        np.testing.assert_allclose(values, VALUES[run], rtol=tolerance, atol=tolerance)
    assert runs.provenance["inputs"] == {"lr": rate}


@pytest.mark.parametrize(
    ("written", "what"),
    [(csv, ""), (jsonl, ""), (trainer_state, ""), (mlflow, " and is taken as a feature")],  # by a name of no logger's
)
def test_a_rate_that_varies_is_said_with_the_option(tmp_path, written, what):
    path, rate = written(tmp_path)
    with pytest.warns(DataWarning, match=rf"varies \({rate}, from .* to 0.01\){what}; .* --input lr={rate}:linear"):
        runs = extract(path)
    assert not runs.inputs
    assert (rate in runs.features) == bool(what)


def test_a_rate_that_varies_is_said_to_commands_on_logs(tmp_path):
    paths, rate = trainer_state(tmp_path)
    with pytest.warns(DataWarning, match=f"--input lr={rate}:linear"):
        assert not gather(paths).trajectories.inputs


def test_a_rate_that_is_asked_for_is_not_said(tmp_path):
    path, rate = mlflow(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert extract(path, options=LogOptions(columns=["x", rate])).features.tolist() == ["x", rate]


def test_a_rate_that_stays_is_not_said(tmp_path):
    pd.concat(table(run).assign(lr=0.01) for run in RATES).to_csv(tmp_path / "runs.csv", index=False)
    with pytest.warns(DataWarning, match="left out") as said:
        extract(tmp_path / "runs.csv")
    assert "--input" not in "".join(str(each.message) for each in said)


def test_steps_that_lack_a_rate_keep_their_values(tmp_path):
    """A rate that is logged at fewer steps is known between them by its kind."""
    frame = table("b").drop(columns="run")
    frame.loc[1::2, "lr"] = np.nan
    frame.to_csv(tmp_path / "run.csv", index=False)
    with pytest.warns(DataWarning, match="read as inputs: lr from lr"):
        runs = extract(tmp_path / "run.csv", inputs={"lr": "lr"}, input_kind="steps")
    assert runs.steps.tolist() == STEPS.tolist()
    np.testing.assert_array_equal(runs.inputs["lr"][0](STEPS), RATES["b"])


def test_what_is_an_input_is_no_feature(tmp_path):
    """A column that nothing tells from a feature but that it is asked for."""
    table("a", "temperature").to_csv(tmp_path / "run.csv", index=False)
    with pytest.warns(DataWarning, match="read as inputs: T from temperature"):
        runs = extract(tmp_path / "run.csv", inputs={"T": "temperature"}, input_kind="linear")
    assert runs.features.tolist() == ["x", "y"]
    np.testing.assert_array_equal(runs.inputs["T"][0].values, RATES["a"])


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        ({"inputs": {"lr": "lr"}}, ValueError, "told how lr goes between the 12 steps .* kind 'steps' .* 'linear'"),
        ({"inputs": {"lr": "rate"}, "input_kind": "linear"}, UnusableDataError, "there is no rate, only run, step"),
        ({"inputs": {"x": "lr"}, "input_kind": "linear"}, ValueError, "'x' can't name an input"),
    ],
)
def test_what_can_not_be_an_input_is_refused(tmp_path, asked, error, said):
    with pytest.raises(error, match=said):
        extract(csv(tmp_path)[0], **asked)


def test_frames_have_no_values_by_steps(tmp_path):
    np.savez(tmp_path / "run.npz", embeddings=np.ones((3, 7, 4)), steps=np.arange(3), p=7, lr=np.ones(3))
    with pytest.raises(UnusableDataError, match="holds no values of lr by their steps; give the input as a table"):
        extract(tmp_path / "run.npz", inputs={"lr": "lr"}, input_kind="linear")


def test_the_command_reads_and_refuses(tmp_path):
    path, _ = csv(tmp_path)
    target = tmp_path / "runs.nc"
    done = run_command("extract", path, "-o", target, "--input", "lr=lr:steps")
    assert done.exit_code == 0
    assert load(target).inputs["lr"][0].kind == "steps"
    for flags, said in (
        (["--input", "lr"], "--input is NAME=SOURCE:KIND"),
        (["--input", "lr=lr"], "expected to be told how lr goes"),
        (["--input", "lr=rate:steps"], "there is no rate, only run"),
        (["--input", "lr=lr:steps", "--input", "lr=x:steps"], "--input lr is given twice"),
    ):
        refused = run_command("extract", path, "-o", tmp_path / "other.nc", *flags)
        assert refused.exit_code in (2, 3)
        assert said in " ".join(refused.stderr.split())


def test_commands_on_logs_read_it_there(tmp_path):
    paths, rate = trainer_state(tmp_path)
    law = ["--family", "linear", "--coupling", "exchangeable", "--columns", "x,y", "--json"]
    done = run_command("fit", *paths, *law, "--input", f"lr={rate}:linear")
    assert done.exit_code == 0
    assert "lr" in done.stdout
    refused = run_command("fit", *paths, *law, "--input", "lr=rate:linear")
    assert refused.exit_code in (2, 3)
