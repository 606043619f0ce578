"""`--input` and `--no-inputs`: schedules beside the data, on the command line."""

import json

import numpy as np
import pytest
from command_line import help_of, run

import ecodyn
from ecodyn import DataWarning, Trajectories

STEPS = np.arange(40.0)
LINEAR = ["--family", "linear", "--coupling", "independent", "--set", "refine=false"]


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Runs of ẋ = 0.2 − 0.1 x + 0.3 u whose u halves at 12.5, as trajectories, a table and a schedule."""
    monkeypatch.chdir(tmp_path)
    before, after = 0.2 + 0.3, 0.2 + 0.15
    values = []
    for start in (0.5, 2.0, 4.0):
        x = 10 * before + (start - 10 * before) * np.exp(-0.1 * np.minimum(STEPS, 12.5))
        values.append(10 * after + (x - 10 * after) * np.exp(-0.1 * np.maximum(STEPS - 12.5, 0)))
    runs = Trajectories(np.array(values)[..., None], STEPS, ["hare"])
    runs.save("runs.nc")
    table = runs.to_dataframe()
    table["eta"] = np.where(table["step"] < 12.5, 1.0, 0.5)
    table.to_csv("table.csv", index=False)
    (tmp_path / "schedule.csv").write_text("step,lr\n0,1\n12.5,0.5\n")
    return runs


def coefficients(*arguments):
    result = run("fit", *arguments, *LINEAR, "--json")
    assert result.exit_code == 0, result.stderr
    law = json.loads(result.stdout)
    return dict(zip(law["terms"], law["coefficients"][0], strict=True)), result.stderr


def test_fit_with_a_schedule_then_simulate_with_another(files):
    found, _ = coefficients("runs.nc", "--input", "lr=schedule.csv:steps", "-o", "law.json")
    assert found == pytest.approx({"1": 0.2, "x": -0.1, "lr": 0.3}, abs=1e-5)
    assert (
        run("simulate", "law.json", "--from", "runs.nc", "--input", "lr=schedule.csv:steps", "-o", "a.nc").exit_code
        == 0
    )
    np.testing.assert_allclose(ecodyn.load("a.nc").values, files.values, atol=1e-5)
    result = run("simulate", "law.json", "--from", "runs.nc", "--input", "lr=0", "-o", "b.nc")
    assert (result.exit_code, "throughout" in result.stderr) == (0, False)
    rolled = 2 + (files.values[:, :1] - 2) * np.exp(-0.1 * STEPS)[:, None]
    with pytest.warns(DataWarning, match="the input lr is 0 throughout all runs"):
        np.testing.assert_allclose(ecodyn.load("b.nc").values, rolled, atol=1e-4)
    result = run("simulate", "law.json", "--from", "runs.nc", "-o", "c.nc")
    assert result.exit_code == 3
    assert "expected data with the input lr, on which the law depends, got none" in result.stderr


def test_a_column_of_the_table_itself(files):
    found, _ = coefficients("table.csv", "--columns", "hare", "--input", "eta=eta:steps")
    assert set(found) == {"1", "x", "eta"}  # which holds from the step on after the jump: a little off
    assert found["eta"] == pytest.approx(0.3, abs=0.02)


def test_files_carry_inputs_until_they_are_left_out(files):
    files.with_inputs(lr="schedule.csv", kind="steps").save("driven.nc")
    assert coefficients("driven.nc")[0]["lr"] == pytest.approx(0.3, abs=1e-6)
    without, said = coefficients("driven.nc", "--no-inputs")
    assert set(without) == {"1", "x"}
    assert "the inputs lr are left out" in said
    assert "lr (steps)" in run("inspect", "driven.nc").output


def test_extract_writes_them(files):
    assert (
        run(
            "extract", "table.csv", "--columns", "hare", "--input", "lr=schedule.csv:steps", "-j", 1, "-o", "out.nc"
        ).exit_code
        == 0
    )
    assert ecodyn.load("out.nc").inputs["lr"][0].values.tolist() == [1.0, 0.5]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--input", "lr"], "--input is NAME=SOURCE:KIND, such as lr=schedule.csv:steps, got 'lr'"),
        (["--input", "lr=schedule.csv:stairs"], "has the kinds steps and linear, got 'stairs'"),
        (["--input", "lr=nowhere.csv:steps"], "names no file, no column of the data's table and no curve of the data"),
        (["--input", "lr=schedule.csv"], "on the command line lr=SOURCE:steps or lr=SOURCE:linear"),
        (["--input", "lr=schedule.csv:linear"], "up to the end of run 0, t = 39, got its last value at 12.5"),
        (["--input", "lr=1", "--no-inputs"], "--no-inputs leaves all inputs out, got --input lr=1 as well"),
    ],
)
def test_bad_inputs_get_a_sentence(files, arguments, sentence):
    result = run("fit", "runs.nc", *LINEAR, *arguments)
    assert result.exit_code in (2, 3)
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_a_name_of_a_file_and_of_a_column_is_asked_for(files, tmp_path):
    (tmp_path / "eta").write_text("step,eta\n0,1\n")
    result = run("fit", "table.csv", "--columns", "hare", *LINEAR, "--input", "eta=eta:steps")
    assert "may mean the file or what the data have of that name" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize("command", ["fit", "compare"])
def test_help_names_it(command):
    assert "--input" in help_of(command)
