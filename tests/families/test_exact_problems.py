"""Exact problems, however offset, stiff or nearly dependent their terms are, come out right; a ridge is asked for."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecodyn
from ecodyn import Linear, SINDy, Trajectories
from ecodyn.families.selection import Validated, preferred_ridge

T = np.linspace(0.0, 10.0, 81)
SLOW, FAST = 1.0, 300.0


def found(family, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ecodyn.DataWarning)  # that shooting stopped, as steps would have to be short
        return family.fit(data).model_


def named(runs, times, features):
    return Trajectories(runs, times, features, labels_shared=True)


@pytest.mark.parametrize("zero", [0.0, 100.0, -1000.0])
def test_logistic_growth_about_any_zero(zero):
    """ẋ = 1.2 x (1 − x/2) and y = x + z: from z = 10 on, 1, y and y² are all but dependent."""
    starts = np.array([0.05, 0.1, 0.15, 0.2, 0.3, 0.4])[:, None]
    x = 2 / (1 + (2 / starts - 1) * np.exp(-1.2 * T))
    law = found(SINDy("full", degree=2), named((x + zero)[..., None], T, ["a"]))
    truth = {"1": -1.2 * zero - 0.6 * zero**2, "x_a": 1.2 + 1.2 * zero, "x_a**2": -0.6}
    assert law.selected_terms() == {f"a: {name}" for name, value in truth.items() if value}
    coefficients = dict(zip(law.library.names(), law.coefficients[0], strict=True))
    for name, value in coefficients.items():
        np.testing.assert_allclose(value, truth[name], rtol=5e-4, err_msg=name)


@pytest.mark.parametrize(
    "family",
    [
        SINDy("full", degree=2),
        pytest.param(SINDy("independent", degree=2), marks=pytest.mark.slow),
        pytest.param(Linear("full"), marks=pytest.mark.slow),
    ],
)
def test_stiff_decays_sampled_so_that_both_are_seen(family):
    """x′ = −x and y′ = 150 − 300 y, of whose powers the samples hardly tell: selected, and shot by implicit steps."""
    rng, t = np.random.default_rng(0), np.r_[0.0, np.geomspace(0.1 / FAST, 20.0, 60)]
    runs = [np.c_[a * np.exp(-SLOW * t), b * np.exp(-FAST * t) + 0.5] for a, b in rng.uniform(0.5, 3.0, (8, 2))]
    law = found(family, named(runs, [t] * 8, ["slow", "fast"]))
    assert law.diagnostics.converged
    at = rng.uniform(0.5, 3.0, (20, 2))
    slopes = law.rhs(at[..., None], np.zeros(20))[..., 0]
    # Steps are halved until rollouts move by less than a thousandth, and that is how well slopes can be known.
    np.testing.assert_allclose(slopes[:, 0], -SLOW * at[:, 0], atol=5e-3)
    np.testing.assert_allclose(slopes[:, 1], FAST / 2 - FAST * at[:, 1], rtol=1e-3)
    if family.selects:
        assert np.count_nonzero(law.coefficients) == 3


def validated(ridge, unexplained, size=3.0):
    scores = np.array(unexplained, dtype=float)
    return Validated(ridge, scores[None], np.array([size]), 1)


def test_a_ridge_is_taken_where_it_surely_validates_better():
    rng = np.random.default_rng(0)
    without, with_one = 0.15 + 0.02 * rng.standard_normal((2, 16))
    assert preferred_ridge([validated(None, without), validated(1e-6, with_one / 3)]) == 1
    assert preferred_ridge([validated(None, without), validated(1e-6, without)]) == 0
    assert preferred_ridge([validated(None, without / 3), validated(1e-6, with_one)]) == 0


@given(st.lists(st.floats(0.0, 2.0), min_size=2, max_size=16))
def test_what_validates_alike_is_fitted_without_one(unexplained):
    assert preferred_ridge([validated(None, unexplained), validated(1e-6, unexplained)]) == 0
