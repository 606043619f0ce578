"""What follows from the arrays of trajectories: shared times, steps, clusters."""

import numpy as np
import pytest
from trajectory_examples import rich, waves

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories


def test_unequal_lengths_on_one_grid_share_times():
    trajectories = Trajectories([np.random.default_rng(0).random((T, 2)) for T in (3, 5)], np.arange(5) * 2)
    assert trajectories.shares_times
    assert trajectories.steps.tolist() == [0, 2, 4, 6, 8]
    assert trajectories.lengths.tolist() == [3, 5]
    assert np.isnan(trajectories.times[0, 3:]).all()
    assert np.isnan(trajectories.values[0, 3:]).all()


def test_times_that_differ_have_no_steps():
    assert rich().times.shape == (3, 6)
    with pytest.raises(UnusableDataError, match="differ from run to run"):
        _ = rich().steps


def test_clusters_default_to_the_runs():
    assert waves().n_clusters == 3
    assert rich().n_clusters == 2
