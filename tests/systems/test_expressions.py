import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.systems.expressions import NoPolynomialError, Polynomial, delays_in, expression, names_in

NUMBERS = st.integers(-3, 3).map(str)
LEAVES = st.sampled_from(["x", "y", "a"]) | NUMBERS.map(lambda n: f"({n})")


def combined(inner):
    operations = st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
    powers = st.tuples(inner, st.integers(0, 3)).map(lambda p: f"({p[0]})**{p[1]}")
    return operations | powers | inner.map(lambda e: f"-({e})") | inner.map(lambda e: f"{e}/4")


POLYNOMIALS = st.recursive(LEAVES, combined, max_leaves=6)


def value(polynomial, *at):
    return sum(c * np.prod([v**p for v, p in zip(at, powers, strict=True)]) for powers, c in polynomial.terms.items())


@settings(max_examples=40, deadline=None)
@given(POLYNOMIALS, st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_coefficients_and_values_come_from_one_text(text, x, y):
    law, a = expression(text), 0.5
    u, v = Polynomial.variables(2)
    polynomial = u.lifted(0.0) + law({"x": u, "y": v, "a": a})
    on_arrays = law({"x": np.array([x]), "y": np.array([y]), "a": a})
    by_python = eval(text, {"x": x, "y": y, "a": a})  # noqa: S307 - of texts made above
    size = sum(abs(c) * max(1, abs(x), abs(y)) ** sum(p) for p, c in polynomial.terms.items()) + abs(by_python) + 1
    assert value(polynomial, x, y) == pytest.approx(by_python, abs=1e-12 * size)
    assert float(np.ravel(on_arrays)[0]) == pytest.approx(by_python, abs=1e-12 * size)


def test_terms_that_cancel_are_gone():
    x, y = Polynomial.variables(2)
    assert ((x + y) * (x - y) - x**2).terms == {(0, 2): -1.0}
    assert ((0.1 + 0.2) * x - 0.3 * x + y).terms == {(0, 1): 1.0}


def test_a_mean_of_powers_is_a_moment():
    x = Polynomial.variables(4)[0]
    assert (x * (x**2 - x).mean()).terms == {(1, 0, 1, 0): 1.0, (1, 1, 0, 0): -1.0}
    assert (x * x.mean()).mean().terms == {(0, 2, 0, 0): 1.0}


@pytest.mark.parametrize("text", ["1/x", "x/(1 + x)", "sin(x)", "x**0.5", "x**(-1)", "where(x > 0, x, 0*x)", "abs(x)"])
def test_what_is_no_polynomial_says_so(text):
    with pytest.raises(NoPolynomialError):
        expression(text)({"x": Polynomial.variables(1)[0]})


@pytest.mark.parametrize("text", ["f(x)", "x if x else 1", "[x]", "x.real", "x @ x", "'x'", "x == 1"])
def test_refuses_what_is_no_expression_of_an_equation(text):
    with pytest.raises(ValueError, match="expected sums, products"):
        expression(text)


def test_names_and_delays():
    assert names_in("a*past(x, tau) + sin(y)") == {"a", "past", "x", "tau", "sin", "y"}
    assert [delay({"tau": 2.0}) for delay in delays_in("past(x, tau) + past(x, 2*tau)")] == [2.0, 4.0]
