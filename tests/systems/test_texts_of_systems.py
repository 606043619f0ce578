"""What a system's text may say in any order, and the sentences that others are refused with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.systems import LINEAR, NOT_POLYNOMIAL
from ecodyn.systems.written import Law, flow, units

PARTS = ("x' = u - x", "u = 2*v + b", "v = k*x", "k = 0.5*b", "b = 3")


@settings(max_examples=20, deadline=None)
@given(st.permutations(PARTS))
def test_the_order_of_definitions_does_not_matter(parts):
    law = Law.read("; ".join(parts))
    assert law.parameters == {"b": 3.0, "k": 1.5}
    assert [[p.terms for p in law.polynomials()]] == [[{(1,): 2.0, (0,): 3.0}]]
    x = np.array([[0.0], [2.0]])
    np.testing.assert_allclose(law(x, **law.parameters), 2 * x + 3)


def test_a_delay_may_be_defined_after_it_is_used():
    assert Law.read("x' = -past(x, 2*tau); tau = s; s = 1.5").delays == (3.0,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x' -a*x; a = 1", r"expected x' = EXPRESSION, or NAME = EXPRESSION, got \"x' -a\*x\""),
        ("x' = ", r"expected x' = EXPRESSION, .*got \"x' =\""),
        ("2x = 3; x' = x", "expected x' = EXPRESSION, .*got '2x = 3'"),
        ("x' = 2 x", r"expected an expression such as a\*x - y\*\*2, got '2 x'"),
        ("x' = u; u = v; v = u", "got u, v in a circle"),
        ("x' = u; u = u*x", "got u in a circle"),
        ("a = 1", "an equation of each variable, x' = ..., got 0"),
        ("x' = -past(x, y); y' = x", "delays of numbers and parameters alone, got one of y"),
    ],
)
def test_what_is_no_law_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        _ = Law.read(text).delays


def test_units_have_one_equation():
    with pytest.raises(ValueError, match=r"an equation of the one variable, x' = \.\.\., got 2"):
        units("any", "x' = -x; y' = -y", "any", 3, (0, 1), 1.0)


@pytest.mark.parametrize("text", ["2**x", "x**x", "2.5**(-x)", "k**x"])
def test_powers_of_the_state_are_no_polynomials(text):
    system = flow("any", f"x' = {text}; k = 3", "any", [(0, 1)], 1.0)
    assert (system.family, system.form) == (NOT_POLYNOMIAL, None)
    x = 1.5
    np.testing.assert_allclose(system(np.array([[x]])), [[eval(text, {"x": x, "k": 3.0})]])  # noqa: S307 - texts above


def test_a_plus_in_front_changes_nothing():
    law = Law.read("x' = +x - +(+2*x)")
    assert law(np.array([[3.0]])).tolist() == [[-3.0]]


def test_a_variable_may_stand_still():
    still = flow("still", "x' = 0; y' = 0", "any", [(0, 1), (0, 1)], 1.0)
    equal = units("still", "x' = 0", "any", 3, (0, 1), 1.0)
    for system, size in ((still, 2), (equal, 3)):
        assert system.family == LINEAR
        assert not system.form.coefficients.any()
        rates = system(np.ones((4, size)))
        assert (rates.dtype, rates.tolist()) == (np.float64, [[0.0] * size] * 4)


@pytest.mark.parametrize("count", [1, 3])
def test_ranges_are_as_many_as_variables(count):
    with pytest.raises(ValueError, match=f"any: expected a range .* for each of x, y, got {count}"):
        flow("any", "x' = y; y' = -x", "any", [(0, 1)] * count, 1.0)


@pytest.mark.parametrize("hidden", [2, 3, -1])
def test_something_is_seen(hidden):
    with pytest.raises(ValueError, match=f"any: expected from 0 to 1 of the variables x, y hidden, got {hidden}"):
        flow("any", "x' = y; y' = -x", "any", [(0, 1)] * 2, 1.0, hidden=hidden)
