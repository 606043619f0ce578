"""best_law of data that pass through states at which some functions have no value, and of uneven times."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ecodyn


def solved(rhs, start, t):
    return solve_ivp(lambda _, x: rhs(x), (t[0], t[-1]), start, t_eval=t, rtol=1e-10, atol=1e-12).y.T


EVEN = np.linspace(0.0, 10.0, 101)


@pytest.mark.parametrize("uneven", [False, True])
def test_a_driven_spring_from_rest(uneven):
    shift = np.random.default_rng(0).uniform(-0.02, 0.02, 101) * (np.arange(101) > 0) if uneven else 0.0
    t = EVEN + shift
    x = solved(lambda x: [x[1], 1 - x[0] - 0.3 * x[1]], [0.0, 0.0], t)
    found = ecodyn.best_law(x, t, resamples=5)
    rollout = found.model.simulate([[0.5, -0.5]], EVEN)
    truth = solved(lambda x: [x[1], 1 - x[0] - 0.3 * x[1]], [0.5, -0.5], EVEN)
    np.testing.assert_allclose(rollout.signal[0], truth, atol=1e-2)


def test_saturation_from_zero():
    x = solved(lambda x: 1 / (1 + x), [0.0], EVEN)
    found = ecodyn.best_law(x, EVEN, resamples=5)
    rollout = found.model.simulate([[0.5]], EVEN)
    truth = solved(lambda x: 1 / (1 + x), [0.5], EVEN)
    np.testing.assert_allclose(rollout.signal[0], truth, rtol=1e-2)


def test_a_parameter_is_printed_to_the_digits_asked_for():
    t = np.linspace(0.0, 12.0, 241)
    x = solved(lambda x: [x[1], -1.5 * np.sin(0.987654321 * x[0])], [2.0, 0.0], t)
    found = ecodyn.best_law(x, t, resamples=5)
    assert "0.9877*x_1" in found.model.lines(4)[1]
    stored = found.model.library.functions[0].parameter
    assert f"{stored:.12g}*x_1" in found.model.lines(12)[1]
