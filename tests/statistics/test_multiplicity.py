"""p-values of several tests, adjusted: by their definitions, and whatever their order."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ecodyn.statistics.multiplicity import CONTROLS, FALSE_DISCOVERY, HOLM, UNCONTROLLED, adjusted

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12).map(np.array)


@settings(max_examples=30)
@given(P_VALUES, st.floats(0.001, 0.5))
def test_holm_rejects_what_its_steps_reject(p_values, level):
    """In order of p, the k-th of m is rejected while all up to it have p·(m − k) ≤ α."""
    m, order = len(p_values), np.argsort(p_values, kind="stable")
    rejected = np.zeros(m, dtype=bool)
    for k, i in enumerate(order):
        if p_values[i] * (m - k) > level:
            break
        rejected[i] = True
    assert ((adjusted(p_values, HOLM) <= level) == rejected).all()


@settings(max_examples=30)
@given(P_VALUES, st.floats(0.001, 0.5))
def test_benjamini_and_hochberg_reject_up_to_the_last_under_the_line(p_values, level):
    m, order = len(p_values), np.argsort(p_values, kind="stable")
    ratios = p_values[order] * m / np.arange(1, m + 1)
    assume(not np.isclose(ratios, level, rtol=1e-9).any())  # a tie with the line is rounding's
    rejected = np.zeros(m, dtype=bool)
    rejected[order[: np.flatnonzero(ratios <= level).max(initial=-1) + 1]] = True
    assert ((adjusted(p_values, FALSE_DISCOVERY) <= level) == rejected).all()


@settings(max_examples=30)
@given(P_VALUES, st.sampled_from(CONTROLS), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_nothing_gets_smaller(p_values, control, random):
    order = list(range(len(p_values)))
    random.shuffle(order)
    found = adjusted(p_values, control)
    np.testing.assert_allclose(adjusted(p_values[order], control), found[order], rtol=1e-12)
    assert (found >= p_values * (1 - 1e-12)).all()
    assert (found <= 1).all()


def test_one_test_is_left_as_it_is_and_an_unknown_control_refused():
    for control in CONTROLS:
        assert adjusted(np.array([0.03]), control).tolist() == [0.03]
    assert adjusted(np.array([0.03, 0.5]), UNCONTROLLED).tolist() == [0.03, 0.5]
    with pytest.raises(ValueError, match="holm, fdr, none"):
        adjusted(np.array([0.1]), "bonferroni")


def test_holm_keeps_false_claims_rare_where_every_null_is_true():
    """20 true nulls: at 10 % in one of ten atlases there is a false claim; uncontrolled in nearly all (88 %)."""
    rng = np.random.default_rng(0)
    draws = rng.uniform(size=(2000, 20))
    any_false = np.mean([adjusted(p, HOLM).min() <= 0.1 for p in draws])
    assert 0.08 < any_false < 0.115  # 1 − 0.995²⁰ = 9.5 %, with a standard error of 0.7 %
    assert np.mean(draws.min(axis=1) <= 0.1) > 0.8
