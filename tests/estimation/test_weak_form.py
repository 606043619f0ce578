"""Regressions of the weak form: integrals of what is sampled at any times."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.estimation.weak_form import operator, regression, spans

RATE = -0.3


def times(seed, samples=60, even=False):
    rng = np.random.default_rng(seed)
    return np.linspace(0, 6, samples) if even else np.r_[0.0, np.sort(rng.uniform(0, 6, samples - 1))]


@given(st.integers(0, 30), st.booleans())
@settings(max_examples=25)
def test_a_law_holds_in_every_window(seed, even):
    """−∫ψ′x dt = θ ∫ψ x dt of x = exp(θt), whatever the times are."""
    t = times(seed, even=even)
    x = np.exp(RATE * t)[:, None]
    for span in spans(len(t)):
        theta, target = regression([(x, x, t)], span, np.ones(1))
        assert np.abs(target[0] - RATE * theta[0, :, 0]).max() <= 1e-3 * np.abs(target).max()
        fitted = np.linalg.lstsq(theta[0], target[0], rcond=None)[0]
        np.testing.assert_allclose(fitted, [RATE], rtol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_operators_are_the_regression(seed):
    t = times(seed)
    x = np.column_stack([np.sin(t), np.cos(t)])
    values, states = operator([t], 12)
    theta, target = regression([(x, x, t)], 12, np.ones(2))
    np.testing.assert_allclose(values @ x, theta[0], atol=1e-14)
    np.testing.assert_allclose((states @ x).T, target, atol=1e-14)


def test_nearly_even_times_are_as_even_ones():
    """Nothing leaps where times differ by what rounding leaves of them, or by a little more."""
    t = times(0, even=True)
    x = np.sin(t)[:, None]
    shift = np.random.default_rng(1).uniform(-1, 1, len(t)) * np.diff(t)[0]
    exact = regression([(x, x, t)], 24, np.ones(1))
    for size in (1e-9, 1e-5):
        moved = t + size * shift
        near = regression([(np.sin(moved)[:, None], np.sin(moved)[:, None], moved)], 24, np.ones(1))
        np.testing.assert_allclose(near[0], exact[0], atol=1e-5)
        np.testing.assert_allclose(near[1], exact[1], atol=1e-5)
