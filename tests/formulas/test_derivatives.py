"""Exact derivatives of formulas against finite differences, and values where these are hard to come by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.equations.clock_drive import Drives
from ecodyn.estimation.samples import Samples
from ecodyn.formulas.common_means import CommonMeans
from ecodyn.formulas.compiled import program_of
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.statement import statement_of
from ecodyn.formulas.transforms import Coordinates
from ecodyn.trajectories import Trajectories

LAWS = [
    ("b - a*x + g*x**n/(x**n + k*mean(x**n))", "signal"),
    ("b - a*x + g*sqrt(mean((x - mean(x))**2))*exp(-x*c) + sum(b*x)", "signal"),
    ("a*x_u*x - b*mean(x*x_u) + sin(w*t)*abs(x - c)", "signal"),
    ("a*x*gradient - b*min(x, c) + max(gradient, b*x)", "signal,gradient@start"),
    ("-a*velocity - b*x + c*mean(velocity*x)*tanh(t)", "signal,velocity"),
    ("a*log(x/(b + 1))*arctan(x) + cos(c*x)*x**-2 + cosh(x/3)*tan(b/9) + sinh(x/2)", "signal"),
]
# b + 1 is positive.
BOUNDS = ((0.0, np.inf), (-1.0, np.inf), (-np.inf, 9.0), (0.0, 8.0), (-np.inf, np.inf))
UNITS = (1.0, 2.0, 0.5, 1.0, 1.0)


def law_of(formula, state="signal"):
    statement = statement_of(formula, state)
    size, channels = len(statement.parameters), len(statement.channels)
    columns = (1,) if statement.features else ()
    return FormulaLaw(statement, columns, Coordinates(BOUNDS[:size], UNITS[:size]), (2.0, 0.5)[:channels], 4.0)


@pytest.mark.parametrize(("formula", "state"), LAWS)
@settings(max_examples=3)
@given(seed=st.integers(0, 10**6))
def test_sensitivities_are_the_finite_differences_of_the_right_hand_side(formula, state, seed):
    law, rng, h = law_of(formula, state), np.random.default_rng(seed), 1e-6
    size, channels, moving = len(law.statement.parameters), len(law.channels), list(law.moving)
    phi = 0.3 * rng.normal(size=(3, 1, size))
    bound, x, t = law.bind(phi), rng.uniform(0.5, 2, (3, 4, channels)), rng.uniform(size=3)
    found = bound.sensitivity(x, t)
    np.testing.assert_allclose(found.value, bound.rhs(x, t), rtol=1e-12)
    directions = rng.normal(size=(3, len(moving), 4, 2))
    product = found.jacobian_times(directions)
    for d in range(2):
        step = np.zeros_like(x)
        step[..., moving] = directions[..., d].swapaxes(1, 2)
        change = (bound.rhs(x + h * step, t) - bound.rhs(x - h * step, t)) / (2 * h)
        np.testing.assert_allclose(product[..., d].swapaxes(1, 2), change[..., moving], rtol=2e-5, atol=1e-6)
    terms = found.terms()
    for p, step in enumerate(h * np.eye(size)):
        change = (law.bind(phi + step).rhs(x, t) - law.bind(phi - step).rhs(x, t)) / (2 * h)
        np.testing.assert_allclose(terms[..., p], change[..., law.fitted[0]], rtol=2e-5, atol=1e-6)


def test_powers_are_none_below_zero_and_exact_at_zero():
    law = FormulaLaw(statement_of("c*x**n - a*x*log(x) + b/x"))
    theta = np.array([[1.0, 2.5, 0.5, 0.0]])
    x = np.array([0.0, -1.0, 2.0]).reshape(1, 3, 1)
    power = program_of(statement_of("c*x**n"))
    with np.errstate(all="ignore"):  # as models are
        value = law.at(theta).rhs(x, np.zeros(1))[0, :, 0]
        found = power.evaluate(np.zeros((1, 1, 1)), theta[:, :2], np.zeros(1))
    assert np.isnan(value[1])
    assert np.isfinite(value[2])
    assert found.value[0, 0] == 0
    # x log x is 0 at 0, and n xⁿ⁻¹ is for n over 1.
    np.testing.assert_array_equal([found.by_channel[-1][0], found.by_parameter[-1][1]], np.zeros((2, 1, 1)))


def test_a_clocks_means_are_those_of_the_runs_and_so_are_their_derivatives():
    rng = np.random.default_rng(0)
    runs = Trajectories(rng.uniform(0.5, 2, (3, 7, 4)), np.arange(7.0))
    samples = Samples.of(runs)
    law = FormulaLaw(statement_of("g*x/(1 + k*mean(x**n))"), (), None, (float(samples.scales[0]),), samples.time_scale)
    data, theta, h = CommonMeans.of(samples), np.array([[0.5, 2.0, 1.7]]), 1e-6
    curve = law.curve(data, theta)
    np.testing.assert_allclose(curve.values[:, 0], (runs.values**1.7).mean(axis=(0, 2)), rtol=1e-12)
    moved = [law.curve(data, theta + np.array([0, 0, s])).values[:, 0] for s in (h, -h)]
    np.testing.assert_allclose(curve.values[:, 3], (moved[0] - moved[1]) / (2 * h), rtol=1e-6)
    driven = law.bind(theta[None], Drives((data,), (1,)))
    x, t = runs.values[0, :1, :, None] / samples.scales, np.zeros(1)
    expected = 0.5 * runs.values[0, 0] / (1 + 2 * curve.values[0, 0]) * law.rate
    np.testing.assert_allclose(driven.rhs(x, t)[0, :, 0], expected, rtol=1e-12)
