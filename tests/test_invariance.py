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


@pytest.fixture(scope="module")
def answer():
    return compared(named(VALUES))


@QUICK
@given(first=UNITS, second=UNITS)
def test_units_of_named_features_change_no_verdict(answer, first, second):
    assert_same_answer(compared(named(VALUES * [first, second])), answer)


@QUICK
@given(unit=UNITS, origin=st.floats(-1e3, 1e3))
def test_unit_and_origin_of_time_change_no_verdict(answer, unit, origin):
    assert_same_answer(compared(named(VALUES, unit * (origin + TIMES))), answer)


def test_order_of_runs_and_features_changes_no_verdict(answer):
    turned = named(VALUES[::-1, :, ::-1], features=("growing", "relaxing"))
    assert_same_answer(compared(turned), answer)


@pytest.mark.slow
@pytest.mark.parametrize("couplings", [["independent"], ["full"]])
@pytest.mark.parametrize("units", [[1.0, 1e-6], [1e6, 1.0], [3e-5, 2e4]])
def test_units_change_no_verdict_of_a_selection_or_of_interactions(couplings, units):
    families = ("linear", "lotka_volterra", "sindy")
    assert_same_answer(*(compared(named(VALUES * u), families, couplings) for u in ([1.0, 1.0], units)))


@QUICK
@given(unit=UNITS, clock=UNITS)
def test_coefficients_transform_exactly(unit, clock):
    """ẋ = b + A x in other units: aᵢⱼ uᵢ/(uⱼ τ) and bᵢ uᵢ/τ."""
    law, moved = (
        ecodyn.Linear("full").fit(data).model_.coefficients
        for data in (named(VALUES), named(VALUES * [unit, 1.0], clock * TIMES))
    )
    rows, columns = np.array([unit, 1.0]), np.array([1.0, unit, 1.0])
    np.testing.assert_allclose(moved * clock / rows[:, None] * columns, law, rtol=1e-6, atol=1e-9)


def test_the_zero_of_a_feature_changes_no_skill_of_independent_linear_laws():
    """Laws with a constant are the same ones about any zero."""
    skills = [
        [
            m.skill
            for m in compared(named(VALUES + np.array([zero, 0.0])), ("linear",)).models
            if str(m.name) != "affine_map"
        ]
        for zero in (0.0, 1.0, -10.0)
    ]
    np.testing.assert_allclose(skills[1:], [skills[0]] * 2, atol=1e-6)


@pytest.mark.parametrize("rate", [5.0, 100.0, pytest.param(2000.0, marks=pytest.mark.slow)])
def test_a_stiff_linear_law_is_found_and_named(rate):
    """x₁′ = −x₁ and x₂′ = k/2 − k x₂, sampled so that both are seen."""
    rng, t = np.random.default_rng(0), np.r_[0.0, np.geomspace(0.1 / rate, 20.0, 60)]
    starts = rng.uniform(0.5, 3.0, (8, 2))
    runs = [np.c_[a * np.exp(-t), b * np.exp(-rate * t) + 0.5] for a, b in starts]
    data = Trajectories(runs, [t] * 8, ["slow", "fast"], labels_shared=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)  # that shooting stopped, as steps would have to be short
        law = ecodyn.Linear("independent").fit(data).model_
    np.testing.assert_allclose(law.coefficients[:, 1], [-1.0, -rate], rtol=1e-3)
    verdict = compared(data).verdict
    assert verdict.best.family == "linear"


def test_what_is_a_copy_of_another_is_not_identified():
    """a′ = 0.5 − 0.3 a + 0.2 b, where d is a copy of a: no interval, no claim, and a sentence."""
    rng, t = np.random.default_rng(1), np.linspace(0.0, 12.0, 61)
    runs = []
    for a, b in rng.uniform(0.5, 3.0, (8, 2)):
        with_b = 0.5 / 0.3 + 0.2 * b * np.exp(-0.1 * t) / 0.2
        x = with_b + (a - with_b[0]) * np.exp(-0.3 * t)
        runs.append(np.c_[x, b * np.exp(-0.1 * t), x])
    with pytest.warns(ecodyn.DataWarning, match="identical"):
        data = Trajectories(runs, [t] * 8, list("abd"), labels_shared=True)
    with pytest.warns(ecodyn.DataWarning, match="the terms x_a, x_d vanish or are exact combinations"):
        law = ecodyn.Linear("full").fit(data).model_
    copies, d = law.interaction_terms()[[0, 2]], law.diagnostics
    assert np.isinf(d.variance_inflation[:, copies]).all()
    assert np.isnan(d.low[:, copies]).all()
    assert np.isnan(d.high[:, copies]).all()
    assert not d.identified[:, copies].any()
    np.testing.assert_allclose(law.coefficients[0, copies].sum(), -0.3, atol=1e-3)
