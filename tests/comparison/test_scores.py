"""Laws of the scores of single rollouts."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from ecodyn.comparison.scores import (
    HORIZONS,
    LARGEST_NOISE_SHARE,
    SMALLEST_UNEXPLAINED,
    WORST_UNEXPLAINED,
    loss,
    noise_share,
    noise_variance,
    one_step_r2,
    order_crossing,
    score_rollout,
    skill_of,
)
from ecodyn.statistics.intervals import t_interval
from ecodyn.survivors.fates import area_under_curve, top_overlap

open_inputs = settings(max_examples=25, deadline=None, derandomize=True, database=None)
seeds = st.integers(0, 2**32 - 1)
IRREGULAR = 2.0 * np.linspace(0, 1, 4001) ** 3  # most samples early


def curves(seed, T=40, K=4):
    """Smooth truth and rollout (step, feature) at irregular times, away from zero."""
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.2, 2.0, T))
    s = (times - times[0]) / (times[-1] - times[0])
    level, change, rate, error = (rng.uniform(a, b, K) for a, b in ((5, 9), (-4, 4), (1, 5), (-0.5, 0.5)))
    truth = level + change * (1 - np.exp(-rate * s[:, None]))
    return truth, truth + error * s[:, None], times


# ------------------------------------------------------------------------------------------------------- skill


@given(seed=seeds)
@open_inputs
def test_perfect_has_skill_one_and_persistence_zero(seed):
    truth, _, times = curves(seed)
    perfect = score_rollout(truth, truth, times)
    assert (perfect.skill, perfect.unexplained, perfect.log_skill) == (1.0, 0.0, 1.0)
    assert perfect.horizons == (1.0,) * 4
    still = score_rollout(truth, np.broadcast_to(truth[:1], truth.shape), times)
    assert still.skill == pytest.approx(0.0, abs=1e-12)
    assert still.unexplained == pytest.approx(1.0)
    assert still.order_crossing == 0.0


def test_time_is_weighted_by_the_trapezoid():
    truth = IRREGULAR[:, None] + 7.0
    rollout = truth + 0.3 * np.sin(IRREGULAR)[:, None]
    # ∫₀² (0.3 sin t)² dt and ∫₀² t² dt
    expected = 1 - 0.09 * (1 - math.sin(4) / 4) / (8 / 3)
    assert skill_of(truth, rollout, IRREGULAR) == pytest.approx(expected, abs=1e-5)
    unweighted = 1 - np.mean((rollout - truth) ** 2) / np.mean((truth - truth[0]) ** 2)
    assert abs(unweighted - expected) > 0.003  # this grid tells the two apart


@given(
    seed=seeds,
    scale=st.floats(1e-6, 1e6),
    sign=st.sampled_from([-1, 1]),
    shift=st.floats(-100, 100),
    unit=st.floats(1e-3, 1e3),
    origin=st.floats(-1e3, 1e3),
)
@open_inputs
def test_skill_knows_no_units(seed, scale, sign, shift, unit, origin):
    truth, rollout, times = curves(seed)
    expected = score_rollout(truth, rollout, times)
    moved = score_rollout(sign * scale * (truth + shift), sign * scale * (rollout + shift), unit * (times + origin))
    assert moved.skill == pytest.approx(expected.skill, abs=1e-7)
    assert moved.horizons == pytest.approx(expected.horizons, abs=1e-6)
    scaled = score_rollout(scale * truth, scale * rollout, times)
    assert scaled.log_skill == pytest.approx(expected.log_skill, abs=1e-9)


@given(seed=seeds)
@open_inputs
def test_skill_does_not_know_the_features_order(seed):
    truth, rollout, times = curves(seed)
    order = np.random.default_rng(seed).permutation(truth.shape[1])
    assert skill_of(truth[:, order], rollout[:, order], times) == pytest.approx(
        skill_of(truth, rollout, times), rel=1e-12
    )


def test_features_count_equally():
    times = np.linspace(0, 1, 200)
    truth = np.stack([times, times], axis=1) + 3.0
    half_right = truth.copy()
    half_right[:, 1] = truth[0, 1]
    assert skill_of(truth, half_right, times) == pytest.approx(0.5)


def test_horizons_are_skills_of_the_beginning():
    times = np.linspace(0, 8, 81)
    truth = times[:, None] + 1.0
    late = np.where(times[:, None] > 4.05, truth - 3.0, truth)
    score = score_rollout(truth, late, times)
    assert score.horizons[:2] == (1.0, 1.0)
    assert score.horizons[2] < 1.0
    assert score.horizons[3] == score.skill


@given(seed=seeds)
@open_inputs
def test_the_curve_is_the_skill_of_each_beginning(seed):
    truth, rollout, times = curves(seed, T=61)
    score = score_rollout(truth, rollout, times)
    for share, skill in zip(HORIZONS, score.curve, strict=True):
        last = int(np.sum(times - times[0] <= share * (times[-1] - times[0]) * (1 + 1e-9)))
        expected = skill_of(truth[: max(2, last)], rollout[: max(2, last)], times[: max(2, last)])
        assert skill == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert score.curve[-1] == score.skill


def test_a_beginning_in_which_nothing_moves_has_no_skill():
    times = np.linspace(0, 1, 41)
    truth = np.maximum(times - 0.5, 0.0)[:, None] + 1.0
    curve = np.array(score_rollout(truth, truth + 0.01 * times[:, None], times).curve)
    assert np.isnan(curve[:10]).all()
    assert np.isfinite(curve[10:]).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_rollout_that_ended_early_is_unfinished(bad):
    truth, rollout, times = curves(3)
    rollout[25:, 1] = bad
    score = score_rollout(truth, rollout, times, "diverged at t=30")
    assert not score.finished
    assert score.status == "diverged at t=30"
    assert score.unexplained == WORST_UNEXPLAINED
    assert np.isnan([score.skill, score.log_skill, *score.horizons, score.order_crossing]).all()
    assert score_rollout(truth, rollout, times).status == "not finite"


def test_unexplained_is_at_most_two():
    truth, rollout, times = curves(4)
    score = score_rollout(truth, rollout + 1e3, times)
    assert score.finished
    assert score.skill < -100
    assert score.unexplained == WORST_UNEXPLAINED


@pytest.mark.parametrize("level", [0.0, 1.0, 1e6, 1e-6])
def test_where_persistence_is_exact_there_is_no_skill(level):
    truth = np.full((10, 3), level)
    score = score_rollout(truth, truth + 0.1, np.arange(10.0))
    assert np.isnan(score.skill)
    assert score.finished  # it is the run that says nothing, not the rollout


# ------------------------------------------------------------------------------------------------------- noise


def smooth(times):
    s = (times - times[0]) / (times[-1] - times[0])
    return 50 + 20 * np.stack([np.exp(-2 * s), np.sin(3 * s), s**2], axis=1)


def grid(regular, T=600):
    rng = np.random.default_rng(11)
    return np.linspace(0, 10, T) if regular else np.cumsum(rng.uniform(0.3, 1.7, T))


@pytest.mark.parametrize("regular", [True, False])
@pytest.mark.parametrize("sigma", [1e-3, 0.1, 2.0])
def test_noise_variance_finds_the_noise_in_a_smooth_signal(sigma, regular):
    times = grid(regular)
    noisy = smooth(times) + np.random.default_rng(5).normal(0, sigma, (len(times), 3))
    assert noise_variance(noisy, times) == pytest.approx(sigma**2, rel=0.15)


@pytest.mark.parametrize("regular", [True, False])
def test_a_smooth_signal_has_no_noise(regular):
    times = grid(regular)
    assert noise_variance(smooth(times), times) < 1e-12


def test_the_fewer_the_samples_the_less_is_said_of_noise():
    assert noise_variance(np.ones((2, 3)), np.arange(2.0)) == 0.0
    assert noise_share(np.ones((5, 3)), np.arange(5.0)) == 0.0


@pytest.mark.parametrize("regular", [True, False])
def test_what_the_truth_leaves_unexplained_is_the_noise_share(regular):
    times = grid(regular, 2000)
    truth = smooth(times)
    noisy = truth + np.random.default_rng(6).normal(0, 3.0, truth.shape)
    noisy[0] = truth[0]  # else the start's own noise is part of persistence's error
    left = score_rollout(noisy, truth, times).unexplained
    assert noise_share(noisy, times) == pytest.approx(left, rel=0.1)


@given(unexplained=st.floats(0, WORST_UNEXPLAINED), noise=st.floats(0, 1e3))
@open_inputs
def test_noise_never_takes_off_more_than_nine_tenths(unexplained, noise):
    least = max(SMALLEST_UNEXPLAINED, (1 - LARGEST_NOISE_SHARE) * unexplained)
    most = max(SMALLEST_UNEXPLAINED, unexplained)
    assert math.log(least) - 1e-9 <= loss(unexplained, noise) <= math.log(most) + 1e-9
    assert loss(unexplained, 0.0) == math.log(most)


def test_loss_has_a_floor_and_ranks():
    assert loss(0.0, 0.0) == loss(1e-9, 0.0) == math.log(SMALLEST_UNEXPLAINED)
    assert loss(0.5, 0.2) == pytest.approx(math.log(0.3))
    assert loss(0.02, 0.5) == pytest.approx(math.log(0.002))


# ------------------------------------------------------------------------------------------------ order, survival


def test_order_crossing_counts_pairs_that_swap():
    stay = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 9.0]])
    assert order_crossing(stay) == 0.0
    assert order_crossing(stay * [[1], [-1]]) == 1.0
    assert order_crossing(np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0]])) == pytest.approx(1 / 3)
    assert order_crossing(np.array([[1.0, 2.0], [2.0, 2.0]])) == 0.0  # they meet, and do not cross
    assert order_crossing(np.array([[1.0], [2.0]])) == 0.0


# Few distinct values, so that ties are common.
labelled = st.lists(st.tuples(st.integers(-2, 2), st.booleans()), min_size=2, max_size=12)


@given(rows=labelled)
@open_inputs
def test_area_under_curve_is_the_chance_of_a_right_order(rows):
    score, alive = np.array([r[0] for r in rows], dtype=float), np.array([r[1] for r in rows])
    assume(alive.any() and not alive.all())
    right = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, yes in zip(score, alive, strict=True)
        for b, no in zip(score, ~alive, strict=True)
        if yes and no
    ]
    assert area_under_curve(score, alive) == pytest.approx(np.mean(right))
    assert area_under_curve(score, alive) == pytest.approx(roc_auc_score(alive, score))
    assert area_under_curve(-score, alive) == pytest.approx(1 - np.mean(right))


def test_area_under_curve_needs_both_fates():
    score = np.arange(4.0)
    assert math.isnan(area_under_curve(score, np.ones(4, dtype=bool)))
    assert math.isnan(area_under_curve(score, np.zeros(4, dtype=bool)))
    assert math.isnan(area_under_curve(np.array([1.0, np.nan]), np.array([True, False])))


def test_top_overlap_is_the_share_of_survivors_among_the_top():
    alive = np.array([True, False, True, False, False])
    assert top_overlap(np.array([5.0, 1, 4, 2, 3]), alive) == 1.0
    assert top_overlap(np.array([5.0, 1, 2, 3, 4]), alive) == 0.5
    assert top_overlap(np.array([1.0, 4, 2, 3, 5]), alive) == 0.0
    assert math.isnan(top_overlap(np.arange(5.0), np.zeros(5, dtype=bool)))


# ------------------------------------------------------------------------------------------- one step, intervals


@given(seed=seeds)
@open_inputs
def test_exact_slopes_of_an_euler_series_have_one_step_r2_of_one(seed):
    rng = np.random.default_rng(seed)
    times = np.cumsum(rng.uniform(0.01, 0.1, 30))
    x = [rng.uniform(1, 5, 3)]
    for h in np.diff(times):
        x.append(x[-1] + h * (2.0 - 0.7 * x[-1]))
    truth = np.array(x)
    assert one_step_r2(2.0 - 0.7 * truth, truth, times) == pytest.approx(1.0, abs=1e-10)
    assert one_step_r2(0.0 * truth, truth, times) < 0.5


def test_one_step_r2_of_what_does_not_change_is_not_a_number():
    assert math.isnan(one_step_r2(np.zeros((5, 2)), np.ones((5, 2)), np.arange(5.0)))


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_t_interval_agrees_with_scipy(level):
    values = np.random.default_rng(7).normal(3, 2, 12)
    expected = stats.t.interval(level, 11, loc=values.mean(), scale=stats.sem(values))
    assert t_interval(values, level) == pytest.approx(expected)


@pytest.mark.parametrize("n", [0, 1])
def test_fewer_than_two_values_have_no_interval(n):
    assert np.isnan(t_interval(np.ones(n))).all()


def test_a_rollout_whose_status_is_not_ok_has_not_finished():
    """The step that crosses the bound may have filled the last output before the rollout was ended."""
    times = np.arange(5.0)
    truth = np.exp(-times)[:, None] * [1.0, 2.0]
    score = score_rollout(truth, truth, times, "diverged at t=4")
    assert not score.finished
    assert score.unexplained == 2


def test_overlap_of_a_rollout_without_an_end_is_unknown():
    alive = np.array([True, True, False])
    assert np.isnan(top_overlap(np.full(3, np.nan), alive))
    assert top_overlap(np.array([3.0, 2.0, 1.0]), alive) == 1
