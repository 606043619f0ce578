"""Functions with a second parameter: the same laws as with one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.equations.function_kinds import TABLE
from ecodyn.equations.functions import KINDS, Function

functions = st.builds(
    lambda kind, p, q, order: Function(kind, order[: KINDS[kind]], p, q),
    st.sampled_from(sorted(name for name, kind in TABLE.items() if kind.parameters[1])),
    st.floats(0.2, 3.0),
    st.floats(0.1, 2.0),
    st.sampled_from([(0, 1), (1, 0)]),
)
states = st.tuples(st.floats(0.3, 2.0), st.floats(0.3, 2.0)).map(lambda x: np.array([x]))


@given(functions, states)
def test_slopes_are_the_derivatives(function, x):
    step = 1e-6
    if abs(float(x[0, function.variables[0]]) - function.shift) < 2 * step:
        return  # a kink has none
    for variable, slope in zip(function.variables, function.slopes(x), strict=True):
        moved = np.eye(2)[variable] * step
        expected = (function.values(x + moved) - function.values(x - moved)) / (2 * step)
        assert np.allclose(slope, expected, rtol=1e-5, atol=1e-6)


@given(functions, states, st.tuples(st.floats(0.01, 100.0), st.floats(0.01, 100.0)).map(np.array))
def test_in_other_units_it_is_the_same_function(function, x, scales):
    other, factor = function.in_units(scales)
    assert np.allclose(other.values(x * scales), factor * function.values(x), rtol=1e-9, atol=1e-12 * factor)


@given(functions, states)
def test_text_and_sympy_say_what_is_computed(function, x):
    import sympy

    symbols = sympy.symbols("a b")
    at = dict(zip(symbols, x[0].tolist(), strict=True))
    value = float(function.values(x)[0])
    assert float(function.expression(symbols).subs(at)) == pytest.approx(value, rel=1e-9, abs=1e-12)
    again = sympy.sympify(function.name(["a", "b"], 17)).subs(at)
    assert float(again) == pytest.approx(value, rel=1e-9, abs=1e-12)
