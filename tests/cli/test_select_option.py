"""--select takes the words that a settings column has, "none" among them."""

import numpy as np
import pytest
from typer.testing import CliRunner

import ecodyn
from ecodyn.cli import app
from ecodyn.cli.inputs import prepared

SETTING = ["none", "2", "3", "none"]


@pytest.fixture
def populations(tmp_path):
    """Four runs, two of which have no such setting."""
    values = np.random.default_rng(0).uniform(1.0, 2.0, (4, 6, 2))
    path = tmp_path / "populations.nc"
    ecodyn.Trajectories(values, np.arange(6), settings={"kept": SETTING}).save(path)
    return path


@pytest.mark.parametrize("word", ["none", "2"])
def test_a_word_selects_the_runs_that_have_it(populations, word):
    chosen = prepared([populations], window=None, every=1, runs=None, select=[f"kept={word}"])
    assert chosen.runs.tolist() == [r for r, value in enumerate(SETTING) if value == word]


def test_a_word_that_no_run_has_is_refused_with_those_there_are(populations):
    refused = CliRunner().invoke(app, ["compare", str(populations), "--select", "kept=never"])
    assert refused.exit_code == 3
    assert "no run has kept = never, only 2, 3, none" in refused.stderr
