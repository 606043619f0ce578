"""Units of parameters, from the formula's dimensions; coordinates that keep to bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.formulas.statement import statement_of
from ecodyn.formulas.transforms import Coordinates
from ecodyn.formulas.units import units_of

SIGNAL, TIME = 8.0, 16.0


@pytest.mark.parametrize(
    ("formula", "state", "expected"),
    [
        ("r*x*(1 - x/K)", "signal", {"r": 1 / TIME, "K": SIGNAL}),
        ("b - a*x + g*x**n/(h + x**n)", "signal", {"b": SIGNAL / TIME, "a": 1 / TIME, "h": SIGNAL**2, "n": 1}),
        ("g*x**n/(x**n + k*mean(x**n))", "signal", {"g": SIGNAL / TIME, "k": 1}),
        ("a*sin(w*t) + c*sqrt(x)", "signal", {"w": 1 / TIME, "a": SIGNAL / TIME, "c": 2 ** (1.5 - 4)}),
        ("a*gradient", "signal,gradient@start", {"a": SIGNAL / TIME / 4}),
        ("-a*velocity - b*x", "signal,velocity", {"a": 1 / TIME, "b": 1 / TIME**2}),
        ("r*x*log(K/x)", "signal", {"r": 1 / TIME, "K": SIGNAL}),
    ],
)
def test_parameters_have_the_units_that_the_equation_needs(formula, state, expected):
    statement = statement_of(formula, state)
    units = units_of(statement, np.array([SIGNAL, 4.0])[: len(statement.channels)], TIME, {"n": 2.0})
    found = dict(zip(statement.parameters, units, strict=True))
    for name, unit in expected.items():
        assert abs(np.log2(found[name] / unit)) <= 0.51, (name, found[name], unit)  # powers of two


@given(st.lists(st.floats(-30, 30), min_size=4, max_size=4))
def test_coordinates_stay_within_bounds_and_come_back(phi):
    bounds = ((0.0, np.inf), (-np.inf, 3.0), (1.0, 8.0), (-np.inf, np.inf))
    coordinates = Coordinates(bounds, (2.0, 0.5, 1.0, 4.0))
    theta = coordinates.outward(np.array(phi))
    for value, (low, high) in zip(theta, bounds, strict=True):
        assert low <= value <= high
    near = coordinates.outward(np.clip(phi, -3, 3))
    np.testing.assert_allclose(coordinates.inward(near), np.clip(phi, -3, 3), rtol=1e-9, atol=1e-9)
    origin = np.array([0.3, -0.2, 1.0, 2.0])
    elsewhere = coordinates.from_origin(origin)
    np.testing.assert_allclose(elsewhere.outward(np.zeros(4)), coordinates.outward(origin), rtol=1e-12)


def test_starts_at_a_bound_are_moved_inside():
    coordinates = Coordinates(((0.0, np.inf), (1.0, 8.0)), (1.0, 1.0))
    assert np.isfinite(coordinates.inward(np.array([0.0, 8.0]))).all()
