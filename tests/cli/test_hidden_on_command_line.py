"""--hidden, --hidden-per-feature and --warm-up: laws with variables that nobody measures, on the command line."""

import json

import numpy as np
import pytest
from command_line import run

from ecodyn.trajectories import Trajectories

FAST = ["--set", "searches=1", "--set", "intervals=12"]
EQUATIONS = "x' = r - a*x; r' = -d*r"


@pytest.fixture(scope="module")
def gains(tmp_path_factory):
    """ẋ = r − 0.3 x, ṙ = −0.1 r, of r that starts at 1 and at 2."""
    path = tmp_path_factory.mktemp("data") / "gains.csv"
    t, r = np.arange(21.0)[:, None], np.array([1.0, 2.0])[:, None, None]
    x = 5 * r * (np.exp(-0.1 * t) - np.exp(-0.3 * t)) + np.array([0.5, 2.0]) * np.exp(-0.3 * t)
    Trajectories(x, t[:, 0]).save(path)
    return path


@pytest.mark.slow
def test_a_law_with_a_warm_up_is_fitted_and_simulated(gains, tmp_path):
    law = ["--formula", f"gain: {EQUATIONS}", "--hidden", "r", "--positive", "all", "--warm-up", "4"]
    result = run("fit", gains, *law, *FAST, "-o", tmp_path / "law.json")
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "law.json").read_text())
    assert (document["kind"], document["hidden"], document["warm_up"]) == ("hidden_formula", ["r"], 4)
    assert document["parameters"] == pytest.approx({"a": 0.3, "d": 0.1}, rel=1e-5)
    again = run("simulate", tmp_path / "law.json", "--from", gains, "-o", tmp_path / "rollout.nc")
    assert again.exit_code == 0, again.output
    assert "after the first 4 steps" in again.stderr
    assert "17 steps (4 to 20)" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--formula", EQUATIONS], "the names of hidden variables"),
        (["--formula", EQUATIONS, "--hidden", "s"], "which none has"),
        (["--formula", EQUATIONS, "--hidden", "r,"], "names with commas between"),
        (["--formula", EQUATIONS, "--hidden", "r", "--hidden-per-feature", "r"], "as both"),
        (["--formula", "b - a*x", "--warm-up", "3"], "with hidden variables, got none"),
        (["--family", "consumer_resource", "--set", "resources=3"], "resources is 1 or 2"),
        (["--family", "consumer_resource", "--set", "uptake=none"], "uptake is"),
    ],
)
def test_what_can_not_be_meant_is_refused(gains, arguments, sentence):
    result = run("fit", gains, *arguments)
    assert result.exit_code in (2, 3), result.output
    assert sentence in " ".join(result.output.replace("│", " ").split())
