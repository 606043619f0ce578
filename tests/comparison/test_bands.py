"""Prediction bands: the coverage they state, and what they do where there is little to go by."""

import math

import numpy as np
import pytest

from ecodyn import Linear
from ecodyn.comparison.bands import HeldOutErrors, rank, worst_error
from ecodyn.families import Shooting

TIMES = np.linspace(0.0, 10.0, 6)


def held_out(worst, clusters=None, elapsed=TIMES):
    worst = np.asarray(worst, dtype=float)
    return HeldOutErrors(elapsed, worst, np.arange(len(worst)) if clusters is None else np.asarray(clusters))


@pytest.mark.parametrize(
    ("runs", "level", "expected"),
    [(9, 0.9, 9), (8, 0.9, None), (19, 0.95, 19), (18, 0.95, None), (15, 0.9, 15), (19, 0.9, 18), (99, 0.8, 80)],
)
def test_the_rank_that_a_level_takes(runs, level, expected):
    assert rank(runs, level) == expected


@pytest.mark.parametrize(("runs", "level"), [(5, 0.5), (5, 0.8), (9, 0.5), (9, 0.9), (16, 0.8), (16, 0.9)])
def test_exchangeable_errors_are_covered_as_often_as_it_says(runs, level):
    """With no ties, a further error is under the m-th of n with probability m/(n + 1) exactly."""
    draws = 4000
    errors = np.random.default_rng(runs).lognormal(size=(draws, runs + 1))
    band = held_out(errors[:, :runs].T, elapsed=np.arange(draws, dtype=float)).band(level)
    covered = float(np.mean(errors[:, -1] <= band.half_width))
    assert band.coverage >= level
    assert covered == pytest.approx(band.coverage, abs=4 * math.sqrt(0.25 / draws))


def test_bands_of_a_fitted_law_cover_trainings_made_afresh(linear_runs):
    """The jackknife in use: each error from a law fitted to the other runs, the new run's from one fitted to all."""
    law, noise, covered, total = Linear(coupling="exchangeable", shooting=Shooting(refine=False)), 0.05, 0, 0
    for seed in range(12):
        data = linear_runs(runs=10, steps=11, seed=seed, noise=noise)
        errors = {}
        for run in range(9):
            model = law.fit(data.select(runs=[r for r in range(9) if r != run])).model_
            rolled = model.simulate(data.values[run : run + 1, 0], data.steps).signal[0]
            errors[run] = (data.steps, worst_error(data.values[run], rolled))
        band = HeldOutErrors.gathered(errors, np.arange(9)).band(0.9)
        model = law.fit(data.select(runs=list(range(9)))).model_
        rolled = model.simulate(data.values[9:, 0], data.steps).signal[0]
        inside = worst_error(data.values[9], rolled) <= band.half_width
        covered, total = covered + int(inside[1:].sum()), total + len(inside) - 1
    # 12 new runs, whose times are correlated: three standard errors of 12 independent ones at 90 %.
    assert covered / total >= 0.9 - 3 * math.sqrt(0.09 / 12)


def test_a_wider_level_is_a_wider_band():
    errors = held_out(np.random.default_rng(0).lognormal(size=(19, 6)))
    widths = [errors.band(level).half_width for level in (0.5, 0.8, 0.95)]
    assert (widths[0] <= widths[1]).all()
    assert (widths[1] <= widths[2]).all()
    np.testing.assert_array_equal(widths[2], errors.worst.max(axis=0))


def test_the_order_of_runs_changes_nothing():
    errors = np.random.default_rng(0).lognormal(size=(12, 6))
    shuffled = np.random.default_rng(1).permutation(errors)
    np.testing.assert_array_equal(held_out(errors).band().half_width, held_out(shuffled).band().half_width)


def test_a_run_s_own_band_knows_nothing_of_it():
    errors = np.random.default_rng(0).lognormal(size=(12, 6))
    changed = errors.copy()
    changed[4] = 1e6
    one, two = (held_out(e).band(without=4) for e in (errors, changed))
    np.testing.assert_array_equal(one.half_width, two.half_width)
    assert one.runs == 11


def test_runs_that_share_an_initialisation_count_once():
    errors = np.random.default_rng(0).lognormal(size=(24, 6))
    clusters = np.repeat(np.arange(12), 2)
    paired = held_out(errors, clusters)
    assert paired.band().runs == 12
    assert paired.band(without=0).runs == 11
    worse_of_each = held_out(np.maximum(errors[::2], errors[1::2]))
    np.testing.assert_array_equal(paired.band().half_width, worse_of_each.band().half_width)


def test_too_few_runs_are_refused_with_what_they_can_give():
    errors = held_out(np.ones((8, 6)))
    with pytest.raises(ValueError, match=r"8/9 = 0.889"):
        errors.band(0.9)
    assert errors.band(errors.highest_level()).coverage == errors.highest_level() == 8 / 9
    with pytest.raises(ValueError, match="between 0 and 1"):
        errors.band(1.0)


def test_rollouts_that_ended_early_widen_the_band_without_end():
    errors = np.ones((9, 6))
    errors[2, 3:] = np.inf
    assert held_out(errors).band(0.9).half_width.tolist() == [1, 1, 1, np.inf, np.inf, np.inf]
    assert held_out(errors).band(0.8).half_width.tolist() == [1] * 6


def test_runs_that_last_less_long_leave_the_band_where_they_end():
    long, short = np.arange(11.0), np.arange(0.0, 6.0)
    errors = {r: (long, np.full(11, 1.0)) if r < 6 else (short, np.full(6, 2.0)) for r in range(12)}
    found = HeldOutErrors.gathered(errors, np.arange(12))
    half = found.band(0.8).half_width
    assert half[:6].tolist() == [2.0] * 6
    assert half[6:].tolist() == [1.0] * 5
    assert np.isnan(found.band(0.9).half_width[6:]).all()  # six runs can't give it


def test_the_worst_error_is_over_features_and_lasts():
    truth = np.zeros((4, 2))
    rollout = np.array([[0.0, 0.0], [1.0, -3.0], [np.inf, 0.0], [0.0, 0.0]])
    assert worst_error(truth, rollout).tolist() == [0.0, 3.0, np.inf, np.inf]
