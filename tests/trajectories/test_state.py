"""The channels of a state: the signal first, traits held fixed, and no others than there are."""

import numpy as np
import pytest
from trajectory_examples import rich, waves

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import parse_state


def test_state_is_the_signal_and_the_trait_held_fixed():
    trajectories = rich().window(1, 10)
    assert np.array_equal(trajectories.state()[..., 0], trajectories.values, equal_nan=True)
    state = trajectories.state("signal, gradient@start")
    assert state.shape == (*trajectories.shape, 2)
    for r, length in enumerate(trajectories.lengths):
        assert (state[r, :length, :, 1] == trajectories.values[r, 0] ** 2).all()
        assert np.isnan(state[r, length:]).all()


def test_state_of_a_missing_observable_names_those_present():
    with pytest.raises(UnusableDataError, match="needs gradient, the data have signal"):
        waves().state("signal,gradient@start")


@pytest.mark.parametrize("spec", ["", "gradient", "signal,", "signal,@start", "signal,a@start,a@start", "signal,a,a"])
def test_unknown_states_are_refused(spec):
    with pytest.raises(ValueError, match="state"):
        parse_state(spec)
