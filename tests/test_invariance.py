"""A verdict depends on the data alone: not on units, zeros, or the order of runs and features."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import ecodyn
from ecodyn import Trajectories
from ecodyn.comparison.scores import noise_share, one_step_r2, score_rollout
from ecodyn.trajectories.scales import own_scales

TIMES = np.linspace(0.0, 10.0, 41)
UNITS = st.floats(-6.0, 6.0).map(lambda power: 10.0**power)
QUICK = settings(max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def runs_of_two_kinds(noise=0.01):
    """Eight runs of two named features: one relaxes linearly, the other grows logistically."""
    rng = np.random.default_rng(0)
    relaxing = 2.0 + (rng.uniform(0.5, 6.0, (8, 1)) - 2.0) * np.exp(-0.5 * TIMES)
    growing = 2.0 / (1.0 + (2.0 / rng.uniform(0.05, 0.3, (8, 1)) - 1.0) * np.exp(-1.2 * TIMES))
    values = np.stack([relaxing, growing], axis=-1)
    return values + noise * rng.standard_normal(values.shape)


VALUES = runs_of_two_kinds()


def named(values, times=TIMES, features=("relaxing", "growing")):
    return Trajectories(values, times, list(features), labels_shared=True)


def compared(data, families=("linear", "lotka_volterra"), couplings=("independent",)):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)
        return ecodyn.compare(data, families=families, couplings=couplings, protocols=["unseen_runs"])


def assert_same_answer(one, other, tolerance=1e-6):
    assert (one.verdict.status, one.verdict.best) == (other.verdict.status, other.verdict.best)
    assert [m.name for m in one.models] == [m.name for m in other.models]
    for a, b in zip(one.models, other.models, strict=True):
        np.testing.assert_allclose(a.skill, b.skill, atol=tolerance, err_msg=str(a.name))
        np.testing.assert_allclose(a.p_value, b.p_value, atol=tolerance, err_msg=str(a.name))


@given(unit=UNITS, zero=st.floats(-100.0, 100.0))
def test_own_scales_follow_the_unit_and_ignore_the_zero(unit, zero):
    moved = VALUES * [1.0, unit] + [zero, 0.0]
    np.testing.assert_allclose(own_scales(named(moved)), own_scales(named(VALUES)) * [1.0, unit], rtol=1e-9)


def test_a_feature_that_does_not_move_counts_for_nothing():
    still = np.concatenate([VALUES, np.full((*VALUES.shape[:2], 1), 7.0)], axis=2)
    with pytest.warns(ecodyn.DataWarning, match="constant"):
        scales = own_scales(named(still, features="abc"))
    assert np.isinf(scales[2])
    with_it = score_rollout(still[0], still[1], TIMES, scales=scales)
    without = score_rollout(VALUES[0], VALUES[1], TIMES, scales=scales[:2])
    assert with_it.skill == pytest.approx(without.skill, rel=1e-12)


def test_exchangeable_features_have_a_scale_in_common():
    assert own_scales(Trajectories(VALUES, TIMES)) is None


@given(unit=UNITS, zero=st.floats(-100.0, 100.0), clock=UNITS)
def test_scores_in_own_scales_bear_any_unit_and_zero(unit, zero, clock):
    def scored(x, t):
        scales = own_scales(named(x, t))
        score = score_rollout(x[0], 0.9 * x[0] + 0.1 * x[1], t, scales=scales)
        slopes = np.gradient(x[1], t, axis=0)
        return [score.skill, *score.curve, noise_share(x[0], t, scales), one_step_r2(slopes, x[0], t, scales)]

    moved = scored(VALUES * [unit, 1.0] + [zero * unit, 0.0], clock * TIMES)
    np.testing.assert_allclose(moved, scored(VALUES, TIMES), rtol=1e-6, atol=1e-9)
