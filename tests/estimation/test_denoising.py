"""States without noise: what is smoothed and what stays, and that fits go by it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.estimation import Samples
from ecodyn.estimation.denoising import without_noise
from ecodyn.statistics.smoothing import FEWEST
from ecodyn.systems import SYSTEMS, simulate


def test_clean_states_stay_as_they_are():
    samples = Samples.of(simulate(SYSTEMS["brusselator"], runs=3))
    assert samples.smooth is None
    assert samples.starts is samples.states
    assert not samples.noise.any()


@given(st.integers(0, 1000), st.sampled_from([0.01, 0.05, 0.1]))
@settings(max_examples=10, deadline=None)
def test_the_noise_taken_away_is_what_was_added(seed, size):
    clean = simulate(SYSTEMS["may_leonard"], runs=4, seed=seed)
    noisy = simulate(SYSTEMS["may_leonard"], runs=4, seed=seed, noise=size)
    samples = Samples.of(noisy)
    added = np.mean((noisy.values - clean.values) ** 2, axis=(0, 1)) / samples.scales[0] ** 2
    np.testing.assert_allclose(samples.noise[:, 0], added, rtol=0.5)
    error = samples.smooth[..., 0] * samples.scales[0] - clean.values
    assert np.std(error) < 0.6 * np.std(noisy.values - clean.values)


def test_padding_repeats_the_last_smoothed_state():
    noisy = simulate(SYSTEMS["brusselator"], runs=2, noise=0.05)
    states, times = noisy.values[..., None].copy(), noisy.times.copy()
    states[1, 100:], times[1, 100:] = states[1, 99], times[1, 99]
    smooth = without_noise(states, times, np.array([201, 100]))
    assert (smooth[1, 100:] == smooth[1, 99]).all()
    np.testing.assert_array_equal(smooth[1, :100], without_noise(states[1:, :100], times[1:, :100], np.array([100]))[0])


def test_runs_too_short_for_a_spline_stay():
    states = np.random.default_rng(0).standard_normal((2, FEWEST - 1, 1, 1))
    times = np.tile(np.arange(FEWEST - 1.0), (2, 1))
    assert without_noise(states, times, np.array([FEWEST - 1] * 2)) is None


def test_a_map_s_states_are_its_own_movement():
    x = np.empty((3, 60, 1))
    x[:, 0, 0] = [0.2, 0.3, 0.4]
    for i in range(59):
        x[:, i + 1] = 3.9 * x[:, i] * (1 - x[:, i])
    import ecodyn

    trajectories = ecodyn.Trajectories(x, np.arange(60.0))
    assert Samples.of(trajectories, dynamics="map").smooth is None


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_the_beginning_and_some_of_the_runs_take_their_smoothed_states_along(share):
    samples = Samples.of(simulate(SYSTEMS["brusselator"], runs=3, noise=0.05))
    before = samples.before(share)
    n = int(before.lengths[0])
    np.testing.assert_array_equal(before.smooth[:, :n], samples.smooth[:, :n])
    np.testing.assert_array_equal(samples.take(np.array([2, 0])).smooth, samples.smooth[[2, 0]])
