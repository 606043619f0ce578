"""Functions beside monomials: their derivatives, their units, their text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.equations.functions import KINDS, Function, through_functions, with_functions

functions = st.builds(
    lambda kind, parameter, order: Function(kind, order[: KINDS[kind]], parameter),
    st.sampled_from(sorted(KINDS)),
    st.floats(0.2, 3.0),
    st.sampled_from([(0, 1), (1, 0)]),
)
states = st.tuples(st.floats(0.3, 2.0), st.floats(0.3, 2.0)).map(lambda x: np.array([x]))


@given(functions, states)
def test_slopes_are_the_derivatives(function, x):
    step = 1e-6
    for variable, slope in zip(function.variables, function.slopes(x), strict=True):
        moved = np.eye(2)[variable] * step
        expected = (function.values(x + moved) - function.values(x - moved)) / (2 * step)
        assert np.allclose(slope, expected, rtol=1e-5, atol=1e-6)


@given(functions, states, st.tuples(st.floats(0.01, 100.0), st.floats(0.01, 100.0)).map(np.array))
def test_in_other_units_it_is_the_same_function(function, x, scales):
    other, factor = function.in_units(scales)
    assert np.allclose(other.values(x * scales), factor * function.values(x), rtol=1e-9)


@given(functions, states)
def test_text_and_sympy_say_what_is_computed(function, x):
    import sympy

    symbols = sympy.symbols("a b")
    value = float(function.expression(symbols).subs(dict(zip(symbols, x[0].tolist(), strict=True))))
    assert value == pytest.approx(float(function.values(x)[0]), rel=1e-9)
    again = sympy.sympify(function.name(["a", "b"], 17)).subs(dict(zip(symbols, x[0].tolist(), strict=True)))
    assert float(again) == pytest.approx(value, rel=1e-9)


@given(st.lists(functions, min_size=1, max_size=3), states)
def test_derivatives_through_functions_are_the_chain_rule(some, x):
    weights = np.arange(1.0, 3.0 + len(some))
    step = 1e-6
    units = np.eye(2) * step
    expected = [((with_functions(x + u, some) - with_functions(x - u, some)) @ weights / (2 * step))[0] for u in units]
    assert np.allclose(through_functions(weights[None], x, some)[0], expected, rtol=1e-5, atol=1e-5)
