"""Bands of single features: the coverage they state, whom they know nothing of, and what they are narrower than."""

import math

import numpy as np
import pytest

from ecodyn.comparison.bands import HeldOutErrors, worst_error
from ecodyn.comparison.feature_bands import FeatureErrors

T = np.arange(6.0)
LEVELS = (0.5, 0.8)


def paths(runs, features, seed, times=T):
    """Data and rollouts of some runs, whose errors grow with time and differ from run to run."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(1, 5, (runs, len(times), features))
    errors = rng.lognormal(size=(runs, 1, 1)) * rng.normal(size=truth.shape) * (1 + times[:, None])
    data = {r: (times, truth[r]) for r in range(runs)}
    return data, {r: (times, truth[r] + errors[r]) for r in range(runs)}


def gathered(truth, rollouts, clusters=None, *, named=False):
    count = 1 + max(truth)
    found = FeatureErrors.gathered(
        truth, rollouts, np.arange(count) if clusters is None else np.asarray(clusters), named=named
    )
    assert found is not None
    return found


@pytest.mark.parametrize(("others", "level"), [(3, 0.5), (9, 0.5), (9, 0.8), (15, 0.9)])
def test_features_are_covered_as_often_as_it_says(others, level):
    """Exchangeable errors without ties: of each feature by itself m/(n + 1) at each time."""
    draws, features, covered = 300, 4, []
    for draw in range(draws):
        truth, rollouts = paths(others + 1, features, seed=draw)
        half = gathered(truth, rollouts).half_widths(0, level, T)
        covered.append(np.abs(rollouts[0][1] - truth[0][1]) <= half)
    m = math.ceil((others + 1) * level - 1e-9)
    # a run's times and features share its scale: as if each draw had one value
    assert np.mean(covered) == pytest.approx(m / (others + 1), abs=3 * math.sqrt(0.25 / draws))


@pytest.mark.parametrize("level", LEVELS)
def test_one_feature_s_band_is_no_wider_than_that_of_all(level):
    truth, rollouts = paths(8, 5, seed=1)
    alone = gathered(truth, rollouts).half_widths(2, level, T)
    worst = {r: (T, worst_error(truth[r][1], rollouts[r][1])) for r in truth}
    together = HeldOutErrors.gathered(worst, np.arange(8)).band(level, without=2).half_width
    assert (alone <= together[:, None] + 1e-12).all()
    assert alone.mean() < 0.9 * together.mean()


@pytest.mark.parametrize("named", [False, True])
def test_a_run_s_band_knows_nothing_of_its_own_errors(named):
    truth, rollouts = paths(8, 5, seed=2)
    before = gathered(truth, rollouts, named=named).half_widths(3, 0.8, T)
    rollouts[3] = (T, rollouts[3][1] + 100.0)
    np.testing.assert_array_equal(gathered(truth, rollouts, named=named).half_widths(3, 0.8, T), before)


def test_relabelling_features_of_a_run_moves_their_bands_along():
    truth, rollouts = paths(8, 5, seed=3)
    before = gathered(truth, rollouts).half_widths(0, 0.8, T)
    order = np.random.default_rng(0).permutation(5)
    for r in (0, 4):  # another run's labels have no say
        truth[r], rollouts[r] = (T, truth[r][1][:, order]), (T, rollouts[r][1][:, order])
    np.testing.assert_array_equal(gathered(truth, rollouts).half_widths(0, 0.8, T), before[:, order])


def test_names_hold_a_feature_s_place():
    truth, rollouts = paths(8, 3, seed=4)
    for r in truth:  # the second feature alone is off
        rollouts[r] = (T, truth[r][1] + np.array([0.0, 7.0, 0.0]))
    half = gathered(truth, rollouts, named=True).half_widths(0, 0.8, T)
    np.testing.assert_allclose(half, np.tile([0.0, 7.0, 0.0], (len(T), 1)), atol=1e-12)


def test_runs_that_share_an_initialisation_count_once_and_never_for_one_another():
    truth, rollouts = paths(8, 3, seed=5)
    clusters = [0, 0, 1, 1, 2, 2, 3, 3]
    errors = gathered(truth, rollouts, clusters)
    assert errors.highest_level(0) == 3 / 4
    before = errors.half_widths(0, 0.5, T)
    rollouts[1] = (T, rollouts[1][1] + 50.0)
    np.testing.assert_array_equal(gathered(truth, rollouts, clusters).half_widths(0, 0.5, T), before)


def test_too_few_runs_and_runs_that_are_not_there_are_refused():
    errors = gathered(*paths(3, 2, seed=6))
    with pytest.raises(ValueError, match="2/3"):
        errors.half_widths(0, 0.8, T)
    with pytest.raises(ValueError, match="run 9"):
        errors.half_widths(9, 0.5, T)
    assert FeatureErrors.gathered({}, {}, np.arange(3), named=False) is None


def test_rollouts_that_ended_early_and_runs_that_are_shorter():
    truth, rollouts = paths(3, 2, seed=7)
    ended = rollouts[1][1].copy()
    ended[4:] = np.inf
    rollouts[1] = (T, ended)
    half = gathered(truth, rollouts).half_widths(0, 0.5, T)  # the larger of two
    assert np.isfinite(half[:4]).all()
    assert np.isinf(half[4:]).all()
    truth[2], rollouts[2] = (T[:3], truth[2][1][:3]), (T[:3], rollouts[2][1][:3])
    alone = gathered({r: truth[r] for r in (0, 2)}, {r: rollouts[r] for r in (0, 2)})
    assert np.isnan(alone.half_widths(0, 0.5, T)[3:]).all()
