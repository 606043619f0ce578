"""What looks odd in trajectories and is kept: said once."""

import numpy as np
import pytest
from trajectory_examples import waves

from ecodyn.errors import DataWarning
from ecodyn.trajectories import Trajectories


def test_values_odd_are_warned_about_once():
    values = np.random.default_rng(0).uniform(1, 2, (2, 8, 6))
    values[:, :, 0] = 0
    values[0, :, 1] = 3
    values[1, :, 3] = values[1, :, 2]
    values[:, :, 4] *= 1e-13
    with pytest.warns(DataWarning) as caught:
        trajectories = Trajectories(values, np.arange(8))
    assert len(caught) == 1
    text = str(caught[0].message)
    for sentence in (
        "feature 1 is zero throughout in run 0 (2 of 12 series",
        "feature 2 is constant throughout in run 0 (1 of 12 series",
        "features 3 and 4 are identical in run 1",
        "features 5 and",
    ):
        assert sentence in text
    assert len(trajectories.warnings) == 4
    kept = trajectories.select(features=[6]).window(1, 5)  # no warning again, and none left
    assert kept.warnings == ()


def test_values_negative_are_not_warned_about():
    assert Trajectories(-waves().values, np.arange(21)).warnings == ()
