"""The commands: what they write, what they print where, and how they end."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app

FAMILY = ["--family", "linear", "--coupling", "exchangeable"]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture(scope="module")
def circles(tmp_path_factory):
    """Six runs of one exchangeable linear law, as a file."""
    rng = np.random.default_rng(3)
    steps = np.arange(0, 61)

    def law(x, t):
        return 0.4 - 0.05 * x - 0.03 * x.mean(axis=1, keepdims=True)

    signal = ecodyn.integrate(law, rng.uniform(1, 30, (6, 4, 1)), steps).signal
    path = tmp_path_factory.mktemp("data") / "circles.nc"
    ecodyn.Trajectories(signal, steps, settings={"dim": [8, 8, 8, 8, 8, 16]}).save(path)
    return path


def test_help_names_every_command():
    result = run("--help")
    assert result.exit_code == 0
    for command in ("train", "inspect", "fit", "compare", "simulate"):
        assert command in result.output
        assert run(command, "--help").exit_code == 0


def test_train_writes_what_inspect_reads(tmp_path):
    out = tmp_path / "runs.nc"
    result = run("train", "--p", 7, "--dim", 4, "--seeds", "0:2", "--steps", 5, "-o", out)
    assert result.exit_code == 0, result.stderr
    runs = ecodyn.load(out)
    assert runs.shape == (2, 6, 3)
    assert runs.provenance["weight_decay"] == 0.5
    facts = json.loads(run("inspect", out, "--json").stdout)
    assert (facts["runs"], facts["steps"], facts["features"]) == (2, 6, 3)
    assert facts["observables"] == ["signal", "gradient"]
    assert "made by" in run("inspect", out).stderr


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--p", 6], "prime"),
        (["--p", 9], "prime"),
        (["--dim", 0], "dim"),
        (["--seeds", "3:3"], "empty"),
        (["--seeds", "a"], "seeds"),
        (["--dtype", "float8"], "float"),
    ],
)
def test_train_refuses_bad_settings_before_any_work(tmp_path, flags, word):
    result = run("train", *flags, "--steps", 2, "-o", tmp_path / "x.nc")
    assert result.exit_code == 2
    assert word in result.stderr
    assert not list(tmp_path.iterdir())


def test_train_keeps_finished_seeds_when_interrupted(tmp_path):
    """A real SIGINT: exit code 130, and the file has the seeds that were done."""
    out = tmp_path / "runs.nc"
    command = [sys.executable, "-m", "ecodyn.cli", "train", "--p", "23", "--dim", "8", "--seeds", "0:5000"]
    # A shell ignores SIGINT for what it runs in the background, and children inherit that: start from the default.
    child = subprocess.Popen(
        [*command, "--steps", "40", "-o", str(out)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    time.sleep(12)
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == 130, stderr
    assert "missing" in stderr
    assert 0 < ecodyn.load(out).n_runs < 5000


def test_fit_then_simulate(circles, tmp_path):
    law, rollout = tmp_path / "law.json", tmp_path / "rollout.nc"
    result = run("fit", circles, *FAMILY, "-o", law)
    assert result.exit_code == 0, result.stderr
    assert "mean_x" in result.stdout
    assert run("simulate", law, "--from", circles, "--run", 1, "-o", rollout).exit_code == 0
    data, solved = ecodyn.load(circles), ecodyn.load(rollout)
    assert solved.runs.tolist() == [1]
    np.testing.assert_allclose(solved.values[0], data.values[1], rtol=1e-3)
    printed = json.loads(run("simulate", law, "--from", circles, "--run", "1").stdout)
    np.testing.assert_array_equal(np.array(printed["values"]), solved.values)


def test_fit_prints_its_model_as_json(circles):
    document = json.loads(run("fit", circles, *FAMILY, "--json").stdout)
    assert document["family"] == "linear"
    assert len(document["coefficients"][0]) == len(document["terms"]) == 3


def test_fit_takes_parameters_by_name(circles):
    assert run("fit", circles, *FAMILY, "--set", "refine=false", "--set", "ridge=1e-3").exit_code == 0
    result = run("fit", circles, *FAMILY, "--set", "colour=blue")
    assert result.exit_code == 2
    assert "colour" in result.stderr
    assert "ridge" in result.stderr


def test_compare_writes_both_reports_and_one_sentence(circles, tmp_path):
    folder = tmp_path / "report"
    result = run("compare", circles, "--family", "linear,lotka_volterra", "--jobs", 1, "-o", folder)
    assert result.exit_code == 0, result.stderr
    report = json.loads((folder / "report.json").read_text())
    assert report["verdict"]["statement"] == result.stdout.strip()
    assert report["verdict"]["best"] == {"family": "linear", "coupling": "exchangeable"}
    assert result.stdout.strip() in (folder / "report.html").read_text().replace("&#39;", "'")
    assert "lotka_volterra" in result.stderr
    again = run("compare", circles, *FAMILY, "--jobs", 1, "-o", folder)
    assert again.exit_code == 2
    assert "--force" in again.stderr


def test_compare_json_is_alone_on_stdout(circles):
    result = run("compare", circles, *FAMILY, "--jobs", 1, "--window", "10:60", "--window", "0:60", "--json")
    report = json.loads(result.stdout)
    assert report["window"] == [10, 60]
    assert len(report["windows"]) == 2


def test_compare_selects_by_setting_and_run(circles):
    report = json.loads(run("compare", circles, *FAMILY, "--jobs", 1, "--select", "dim=8", "--json").stdout)
    assert report["data"]["runs"] == 5
    report = json.loads(run("compare", circles, *FAMILY, "--jobs", 1, "--runs", "0:4", "--json").stdout)
    assert report["verdict"]["status"] == "undecided"  # four runs can't tell


def test_a_csv_goes_wherever_a_file_goes(circles, tmp_path):
    csv = tmp_path / "circles.csv"
    with pytest.warns(UserWarning, match="dim"):
        ecodyn.load(circles).save(csv)
    laws = [json.loads(run("fit", path, *FAMILY, "--json").stdout) for path in (circles, csv)]
    assert laws[0]["coefficients"] == laws[1]["coefficients"]
    assert run("compare", csv, *FAMILY, "--jobs", 1).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--window", "1000:60"], "before"),
        (["--window", "sixty"], "window"),
        (["--family", "cubic"], "lotka_volterra"),
        (["--coupling", "none"], "exchangeable"),
        (["--protocol", "guess"], "forecast"),
        (["--jobs", "-2"], "jobs"),
        (["--runs", "77"], "77"),
        (["--state", "velocity"], "signal"),
    ],
)
def test_wrong_usage_ends_in_2_with_a_sentence(circles, arguments, word):
    result = run("compare", circles, *arguments)
    assert result.exit_code == 2
    assert word in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_file_is_wrong_usage(tmp_path):
    result = run("compare", tmp_path / "nothing.nc")
    assert result.exit_code == 2
    assert "nothing.nc" in result.stderr


@pytest.mark.parametrize("window", ["2000:3000", "10:11"])
def test_unusable_data_ends_in_3(circles, window):
    result = run("compare", circles, "--window", window, *FAMILY, "--jobs", 1)
    assert result.exit_code == 3
    assert "steps" in result.stderr or "step" in result.stderr


def test_a_file_that_is_none_ends_in_3(tmp_path):
    path = tmp_path / "broken.nc"
    path.write_bytes(b"not a file of trajectories")
    assert run("inspect", path).exit_code == 3
    model = tmp_path / "law.json"
    model.write_text('{"schema": 1')
    assert run("simulate", model, "--from", path).exit_code == 3


def test_constant_signals_leave_nothing_to_explain(tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("step,1,2\n" + "".join(f"{t},1,2\n" for t in range(10)))
    result = run("compare", path, *FAMILY, "--jobs", 1)
    assert result.exit_code == 3
    assert "nothing is left to explain" in result.stderr


def test_a_law_that_blows_up_is_said_not_raised(tmp_path):
    """x' = x² from 1 leaves every bound at t = 1."""
    t = np.linspace(0, 0.8, 40)
    x = np.array([1.0, 0.5])[:, None] / (1 - np.array([1.0, 0.5])[:, None] * t)
    data, law, later = tmp_path / "blow.nc", tmp_path / "law.json", tmp_path / "later.nc"
    ecodyn.Trajectories(x[..., None], t).save(data)
    assert run("fit", data, "--family", "lotka_volterra", "--coupling", "independent", "-o", law).exit_code == 0
    ecodyn.Trajectories(np.ones((2, 40, 1)) * [[[1.0]], [[0.01]]] + 0.01 * t[:, None], t * 3).save(later)
    result = run("simulate", law, "--from", later, "-o", tmp_path / "out.nc")
    assert result.exit_code == 5
    assert "diverged at" in result.stderr
    assert ecodyn.load(tmp_path / "out.nc").n_runs == 1


def test_no_terminal_codes_in_a_pipe(circles):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "ecodyn.cli", "inspect", str(circles)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    assert "\x1b" not in done.stdout + done.stderr
