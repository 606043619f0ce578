"""--formula and --positive: laws of one's own on the command line."""

import json

import numpy as np
import pytest
from command_line import run

from ecodyn.trajectories import Trajectories

FAST = ["--set", "refine=false"]


@pytest.fixture(scope="module")
def decays(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "decays.csv"
    starts = np.linspace(1, 3, 10).reshape(5, 1, 2)
    noise = 0.01 * np.random.default_rng(0).normal(size=(5, 20, 2))
    Trajectories(starts * np.exp(-0.1 * np.arange(20.0)[:, None]) + noise, np.arange(20.0)).save(path)
    return path


def test_a_formula_is_fitted_and_simulated(decays, tmp_path):
    result = run("fit", decays, "--formula", "decay: -a*x", "--positive", "a", "-o", tmp_path / "law.json")
    assert result.exit_code == 0, result.output
    assert "decay/independent" in result.stderr
    assert "parameter" in result.stderr
    document = json.loads((tmp_path / "law.json").read_text())
    assert (document["kind"], document["formula"]) == ("formula", "-a*x")
    np.testing.assert_allclose(document["parameters"]["a"], 0.1, rtol=0.02)
    again = run("simulate", tmp_path / "law.json", "--from", decays, "-o", tmp_path / "rollout.nc")
    assert again.exit_code == 0, again.output


def test_a_formula_is_compared_beside_families(decays):
    result = run(
        *("compare", decays, "--family", "linear", "--coupling", "independent", "--formula", "decay: -a*x"),
        *("--positive", "a", "--protocol", "unseen_runs", "--folds", "2", "--jobs", "1", "--json"),
    )
    assert result.exit_code == 0, result.output
    models = json.loads(result.stdout)["models"]
    assert {m["family"] for m in models if m["kind"] == "family"} == {"linear", "decay"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fit", "--formula", "b - a*(x"], "got the end of the formula"),
        (["fit", "--formula", "a*x", "--family", "linear"], "the whole law"),
        (["fit", "--formula", "a*x", "--coupling", "exchangeable"], "the whole law"),
        (["fit", "--positive", "a"], "got no formula"),
        (["compare", "--positive", "a"], "got no formula"),
        (["fit", "--formula", "a*x", "--positive", "q"], "got q"),
        (["fit", "--formula", "linear: a*x"], "a name that no family has"),
        (["fit", "--formula", "a*x", "--set", "colour=blue"], "no parameter colour"),
        (["compare", "--family", "+shore"], "unknown family 'shore'"),
        (["fit", "--family", "shore"], "linear_hidden; got shore"),
    ],
)
def test_wrong_usage_is_a_sentence(decays, arguments, sentence):
    command, *options = arguments
    result = run(command, decays, *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_a_caret_stands_under_the_place(decays):
    lines = run("fit", decays, "--formula", "b - a*$x").stderr.splitlines()
    shown, caret = (next(line for line in lines if part in line) for part in ("b - a*$x", "^"))
    assert caret.index("^") == shown.index("$")
