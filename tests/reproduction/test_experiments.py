import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.reproduction import SCALES
from ecodyn.reproduction.experiments.fate import relative_growth, separating_signal
from ecodyn.reproduction.experiments.laws import fit_linear_map, forecast_skill
from ecodyn.reproduction.experiments.size import STUDY_STEPS, figured_counts, halfway, masked_means
from ecodyn.trajectories import Trajectories


@given(st.floats(0.5, 3.5), st.floats(-3, 3), st.floats(0.5, 5), st.booleans())
def test_half_of_the_way_is_the_middle_of_a_step(place, level, size, up):
    """Of a slope between two plateaus, as sharp as points allow; whichever way it goes, and in any order of points."""
    x = np.random.default_rng(0).permutation(np.linspace(0, 4, 41))
    y = level + (size if up else -size) * np.clip((x - place) / 0.4 + 0.5, 0, 1)
    assert halfway(x, y) == pytest.approx(place, abs=0.05)  # points are 0.1 apart


def test_a_curve_that_does_not_move_has_no_half():
    assert np.isnan(halfway(np.arange(3.0), np.ones(3)))


@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_a_linear_map_is_recovered_and_predicts(offset):
    rng = np.random.default_rng(1)
    rates = np.array([-0.05, -0.02, -0.01])
    mix = rng.normal(size=(3, 3))
    A = mix @ np.diag(rates) @ np.linalg.inv(mix)
    states = [rng.normal(size=3)]
    for _ in range(200):
        states.append(states[-1] + A @ states[-1])
    signal = np.array(states) + offset
    fit = fit_linear_map(signal)
    np.testing.assert_allclose(fit.A, A, atol=1e-8)
    assert fit.r2 == pytest.approx(1.0)
    np.testing.assert_allclose(fit.rollout(signal[0], 200), signal, atol=1e-6)
    assert forecast_skill(signal, np.arange(201.0)) == pytest.approx(1.0, abs=1e-6)


def test_a_rollout_that_explodes_ends():
    growing = np.geomspace(1, 1e5, 100)[:, None] * np.array([1.0, 2.0])
    rollout = fit_linear_map(growing).rollout(growing[-1], 5000)
    assert np.isnan(rollout[-1]).all()
    assert rollout.shape == (5001, 2)


def test_the_study_s_line_goes_through_its_points():
    np.testing.assert_allclose(separating_signal(np.array([-0.002, 0.001])), [92.2, 82.0])


def test_relative_growth_is_the_last_update_over_the_start():
    x = np.array([[4.0, 5, 7, 10], [2, 1, 1, 3]]).T
    runs = Trajectories(x[None], np.arange(4))
    np.testing.assert_allclose(relative_growth(runs, 2), [[2 / 4, 0]])
    np.testing.assert_allclose(relative_growth(runs, 3), [[3 / 4, 2 / 2]])


def test_counts_of_the_figure_are_where_it_has_some():
    found = figured_counts(np.array([0.00215, 0.1, 0.2, 15 * 0.0054 / 15]))
    np.testing.assert_array_equal(found, [29.0, 5.16, np.nan, 7.5])
    small = SCALES["small"]
    as_far = figured_counts(np.array(small.decays) * small.decay_steps / STUDY_STEPS)
    assert np.isfinite(as_far).sum() >= 6


def test_means_are_of_the_chosen():
    values, chosen = np.array([[1.0, 2.0, 9.0], [4.0, 5.0, 6.0]]), np.array([[1, 1, 0], [0, 0, 0]], bool)
    np.testing.assert_array_equal(masked_means(values, chosen), [1.5, np.nan])
