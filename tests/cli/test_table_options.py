"""What the commands are told of a table: its time, its runs, its features, its missing cells."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app

FLAGS = ["--time-column", "year", "--run-column", "who", "--columns", "s_*", "--missing", "interpolate"]
FAMILY = ["--family", "linear", "--coupling", "exchangeable"]


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def runs(linear_runs):
    return linear_runs(runs=6)


@pytest.fixture
def table(tmp_path, runs):
    """The runs as anyone's table: other names, another column, a cell that is missing."""
    frame = runs.to_dataframe().rename(columns={"step": "year", "run": "who"} | {k: f"s_{k}" for k in range(1, 5)})
    frame.loc[20, "s_2"] = np.nan
    frame.assign(epoch=frame["year"] // 7).to_csv(tmp_path / "anyones.csv", index=False)
    return tmp_path / "anyones.csv"


def test_a_table_that_says_too_little_is_refused_with_what_to_say(table):
    result = run("fit", table, *FAMILY)
    assert result.exit_code == 3
    assert "the epoch 0 repeats with different values" in result.stderr
    assert "if epoch is not the time, say what is with --time-column" in result.stderr
    told = run("fit", table, *FAMILY, "--time-column", "year")
    assert told.exit_code == 3
    assert "--run-column (run=) (such as who)" in told.stderr


def test_fit_and_extract_and_inspect_read_what_the_flags_say(table, tmp_path, runs):
    result = run("fit", table, *FLAGS, *FAMILY, "--json")
    assert result.exit_code == 0, result.stderr
    assert "1 missing cells, each between two steps" in result.stderr
    law = json.loads(result.stdout)
    assert law["features"] == [1, 2, 3, 4]
    direct = ecodyn.Linear().fit(runs).model_
    through = json.loads(run("fit", table, *FLAGS, *FAMILY, "--json").stdout)["coefficients"]
    assert np.allclose(through, direct.coefficients, atol=1e-3)

    out = tmp_path / "runs.nc"
    result = run("extract", table, "-o", out, *FLAGS)
    assert result.exit_code == 0, result.stderr
    extracted = ecodyn.load(out)
    assert extracted.shape == runs.shape
    assert np.allclose(extracted.values, runs.values, atol=1e-2)
    assert extracted.provenance["options"]["time_column"] == "year"

    facts = json.loads(run("inspect", table, *FLAGS, "--json").stdout)
    assert (facts["runs"], facts["features"]) == (6, 4)


def test_inspect_of_a_log_gives_the_flags_back(table, tmp_path):
    lines = pd.read_csv(table).to_json(orient="records", lines=True)
    (tmp_path / "log.jsonl").write_text(lines)
    (facts, *_) = json.loads(run("inspect", tmp_path / "log.jsonl", *FLAGS, "--json").stdout)
    assert "--columns 's_*' --time-column year --run-column who --missing interpolate" in facts["command"]


@pytest.mark.parametrize("command", ["compare", "survival", "simulate"])
def test_other_commands_take_the_flags(command, table, tmp_path):
    if command == "simulate":
        assert run("fit", table, *FLAGS, *FAMILY, "-o", tmp_path / "law.json").exit_code == 0
        arguments = [tmp_path / "law.json", "--from", table]
    else:
        arguments = [table, *(FAMILY if command == "compare" else ["--no-laws"])]
    result = run(command, *arguments, *FLAGS)
    assert result.exit_code == 0, result.stderr
    assert "1 missing cells" in result.stderr


@pytest.mark.parametrize("command", ["fit", "extract", "inspect"])
def test_an_unknown_word_for_missing_cells_is_a_usage_error(command, table, tmp_path):
    target = ["-o", tmp_path / "x.nc"] if command == "extract" else []
    result = run(command, table, *target, "--missing", "guess")
    assert result.exit_code == 2
    assert "guess" in result.stderr


def test_netcdf_files_are_no_tables(runs, tmp_path):
    runs.save(tmp_path / "runs.nc")
    result = run("fit", tmp_path / "runs.nc", "--time-column", "year", *FAMILY)
    assert result.exit_code != 0
    assert "is no table" in " ".join(result.stderr.split())
