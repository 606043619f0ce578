"""``ecodyn survival``: what it writes, what it prints where, and how it ends."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from ecodyn.cli import app
from ecodyn.survival import RULES


def run(*arguments):
    return CliRunner().invoke(app, ["survival", *map(str, arguments)])


@pytest.fixture
def saved(tmp_path, quiet):
    def save(runs):
        path = tmp_path / "runs.nc"
        runs.save(path)
        return path

    return save


def test_sentences_go_to_stdout_and_tables_to_stderr(saved, fated):
    result = run(saved(fated()), "--no-laws")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("At step 40, two_component finds 5")
    assert "Survivors by rule" in result.stderr
    assert "Survivors by rule" not in result.stdout
    assert "…" not in result.stderr  # nothing is cut off where a terminal is narrow


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_a_flag(saved, fated, rule):
    result = run(saved(fated()), "--no-laws", "--rule", rule, "--json")
    stated = json.loads(result.stdout)
    assert stated["rule"] == rule
    assert set(stated["alive"]) == set(RULES)


def test_early_steps_windows_and_runs_are_chosen(saved, traits):
    result = run(saved(traits()), "--early", "2,10", "--window", "5:40", "--runs", "0:4", "--json")
    assert result.exit_code == 0, result.stderr
    stated = json.loads(result.stdout)
    assert {s["step"] for s in stated["predictors"]} == {2, 10}
    assert [laws["window"] for laws in stated["laws"]] == [[5, 40]]
    assert stated["runs"] == [0, 1, 2, 3]


def test_a_folder_is_written_whole_and_not_twice(saved, fated, tmp_path):
    data, folder = saved(fated()), tmp_path / "out"
    assert run(data, "--no-laws", "-o", folder).exit_code == 0
    assert {"survival.json", "survivors.csv", "survival.html", "signals.png"} <= {p.name for p in folder.iterdir()}
    again = run(data, "--no-laws", "-o", folder)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert run(data, "--no-laws", "-o", folder, "--force").exit_code == 0
    assert run(data, "--no-laws", "-o", data).exit_code == 2


def test_a_csv_goes_too(tmp_path, fated):
    runs, path = fated(runs=3), tmp_path / "runs.csv"
    rows = [
        ",".join(map(repr, [run, step, *map(float, x)]))
        for run, values in enumerate(runs.values)
        for step, x in enumerate(values)
    ]
    path.write_text("\n".join([",".join(["run", "step", *map(str, runs.features)]), *rows]))
    result = run(path, "--no-laws")
    assert result.exit_code == 0, result.stderr
    assert "note: the data have no gradient" in result.stderr


@pytest.mark.parametrize(
    ("make", "flags", "code", "words"),
    [
        ("fated", ["--rule", "best"], 2, "unknown survivor rule 'best'; there are twice_mean"),
        ("fated", ["--early", "soon"], 2, "--early is a list of steps"),
        ("fated", ["--at", "7.5"], 3, "no step 7.5: its 41 steps go from 0 to 40"),
        ("fated", ["--early", "3.5"], 3, "run 0 has no step 3.5"),
        (
            "fated",
            ["--early", "0,40"],
            3,
            "before the one at which survivors are told, 40; got 40",
        ),
        ("fated", ["--at", "0"], 3, "expected survivors to be told after the start"),
        ("short", [], 3, "expected survivors to be told after the start, run 0 ends where it begins, at 0"),
        ("three", [], 3, "expected at least 4 features for two groups, got 3"),
        ("one run", [], 0, "one independent run: nothing has an interval"),
        ("no gradient", ["--no-laws"], 0, "the data have no gradient"),
        ("nobody", [], 0, "under two_component nobody survives in all 3 runs; judge at another step"),
        ("all", [], 0, "under two_component all survive in all 3 runs; judge at another step"),
    ],
)
def test_what_is_wrong_is_a_sentence(saved, fated, races, quietly, make, flags, code, words):
    runs = {
        "fated": lambda: fated(runs=4),
        "short": lambda: quietly(np.arange(1.0, 13).reshape(2, 1, 6), [0]),
        "three": lambda: races([[80.0, 80, 80]] * 2, [[80, 70, 5]] * 2),
        "one run": lambda: fated(runs=1),
        "no gradient": lambda: fated(runs=3, observables={}),
        "nobody": lambda: races(np.full((3, 6), 80.0), np.full((3, 6), 5.0)),
        "all": lambda: races(np.full((3, 6), 80.0), np.full((3, 6), 79.0)),
    }[make]()
    result = run(saved(runs), *flags)
    assert result.exit_code == code, result.stderr
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
