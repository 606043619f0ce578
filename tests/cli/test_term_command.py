"""--term: terms of one's own beside sindy's monomials, on the command line."""

import json

import numpy as np
import pytest
from command_line import run

from ecodyn.trajectories import Trajectories


@pytest.fixture(scope="module")
def phases(tmp_path_factory):
    """Solutions of ẋ = −sin x, which are 2 arctan(tan(x₀/2) exp(−t))."""
    path, t = tmp_path_factory.mktemp("data") / "phases.csv", np.linspace(0.0, 4.0, 31)
    starts = np.linspace(0.3, 2.8, 8).reshape(4, 1, 2)
    Trajectories(2 * np.arctan(np.tan(starts / 2) * np.exp(-t[:, None])), t).save(path)
    return path


def test_a_term_is_fitted_and_written(phases, tmp_path):
    options = ["--family", "sindy", "--coupling", "independent", "--set", "degree=1", "--set", "thresholds=5"]
    result = run("fit", phases, *options, "--term", "sin(x)", "-o", tmp_path / "law.json")
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "law.json").read_text())
    assert document["library"]["functions"] == [{"formula": "sin(v0)", "variables": [0]}]
    np.testing.assert_allclose(document["coefficients"], [[-1.0]], rtol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fit", "--term", "sin(x)"], "--term is of --family sindy, got linear"),
        (["fit", "--family", "sindy", "--term", "sin(x"], "expected )"),
        (["fit", "--family", "auto", "--term", "sin(x)"], "--family auto chooses all but the data itself"),
        (["compare", "--family", "linear", "--term", "sin(x)"], "--term is of the family sindy, got --family linear"),
    ],
)
def test_what_takes_no_term_is_told(phases, arguments, said):
    command, *options = arguments
    result = run(command, phases, *options)
    assert result.exit_code != 0
    assert said in " ".join(result.stderr.replace("│", " ").split())
