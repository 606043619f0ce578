"""Expressions of equations that are written as text, and their coefficients where they are polynomials.

One text serves both: it is evaluated on arrays of states, or on polynomials, which gives the coefficients exactly.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "NoPolynomialError", "Polynomial", "delays_in", "expression", "names_in"]

Powers = tuple[int, ...]
Expression = Callable[[Mapping[str, Any]], Any]

CANCELLED = 1e-13  # of the largest coefficient: what is left where two terms cancel is rounding


class NoPolynomialError(ValueError):
    """An expression has a root, a quotient, a function or a comparison of what a state determines."""


class Polynomial:
    """A polynomial in several variables: coefficients by the powers of the variables.

    Examples
    --------
    >>> x, y = Polynomial.variables(2)
    >>> ((x + 2 * y) ** 2 - x * x).terms
    {(1, 1): 4.0, (0, 2): 4.0}
    """

    __array_ufunc__ = None  # NumPy's scalars leave sums and products to this class

    def __init__(self, terms: Mapping[Powers, float], size: int) -> None:
        least = CANCELLED * max((abs(c) for c in terms.values()), default=0.0)
        self.terms = {powers: float(c) for powers, c in terms.items() if abs(c) > least}
        self.size = size

    @classmethod
    def variables(cls, size: int) -> tuple[Polynomial, ...]:
        """Each of so many variables, as a polynomial."""
        return tuple(cls({tuple(int(i == j) for j in range(size)): 1.0}, size) for i in range(size))

    def lifted(self, other: Polynomial | float) -> Polynomial:
        """A number as a polynomial in the same variables."""
        return other if isinstance(other, Polynomial) else Polynomial({(0,) * self.size: other}, self.size)

    def __add__(self, other: Polynomial | float) -> Polynomial:
        terms = dict(self.terms)
        for powers, c in self.lifted(other).terms.items():
            terms[powers] = terms.get(powers, 0.0) + c
        return Polynomial(terms, self.size)

    def __mul__(self, other: Polynomial | float) -> Polynomial:
        terms: dict[Powers, float] = {}
        for p, c in self.terms.items():
            for q, d in self.lifted(other).terms.items():
                powers = tuple(map(operator.add, p, q))
                terms[powers] = terms.get(powers, 0.0) + c * d
        return Polynomial(terms, self.size)

    def __neg__(self) -> Polynomial:
        return self * -1.0

    def __sub__(self, other: Polynomial | float) -> Polynomial:
        return self + -1.0 * self.lifted(other)

    def __rsub__(self, other: float) -> Polynomial:
        return -self + other

    def __truediv__(self, other: Polynomial | float) -> Polynomial:
        if isinstance(other, Polynomial):
            raise NoPolynomialError("a quotient of what a state determines")
        return self * (1.0 / other)

    def __rtruediv__(self, other: float) -> Polynomial:
        raise NoPolynomialError("a quotient of what a state determines")

    def __pow__(self, power: Polynomial | float) -> Polynomial:
        if isinstance(power, Polynomial):
            raise NoPolynomialError("a power whose exponent a state determines")
        if power != int(power) or power < 0:
            raise NoPolynomialError(f"the power {power:g} of what a state determines")
        result = self.lifted(1.0)
        for _ in range(int(power)):
            result = result * self
        return result

    def __rpow__(self, base: float) -> Polynomial:
        raise NoPolynomialError("a power whose exponent a state determines")

    __radd__, __rmul__ = __add__, __mul__

    def mean(self) -> Polynomial:
        """The mean over features, where variable 0 is the feature's own x and variable k ≥ 1 the mean of xᵏ."""
        terms: dict[Powers, float] = {}
        for powers, c in self.terms.items():
            moments = list(powers)
            if moments[0]:
                moments[moments[0]] += 1
                moments[0] = 0
            terms[tuple(moments)] = terms.get(tuple(moments), 0.0) + c
        return Polynomial(terms, self.size)


def expression(text: str) -> Expression:
    """A function of what the names stand for: arrays of a batch, numbers or polynomials.

    Examples
    --------
    >>> expression("r*x*(1 - x/K)")({"x": 2.0, "r": 1.0, "K": 4.0})
    1.0
    """
    return _compiled(_parsed(text))


def names_in(text: str) -> set[str]:
    """Names that an expression uses, those of functions included."""
    return {node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name)}


def delays_in(text: str) -> list[Expression]:
    """The second argument of each ``past(x, delay)``."""
    calls = [node for node in ast.walk(_parsed(text)) if isinstance(node, ast.Call)]
    return [
        _compiled(c.args[1]) for c in calls if isinstance(c.func, ast.Name) and c.func.id == "past" and len(c.args) == 2
    ]


def _parsed(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise ValueError(
            f"expected an expression such as a*x - y**2, got {text.strip()!r} ({error.msg}); mend it"
        ) from error


def _power(base: Any, power: Any) -> Any:
    """Small whole powers by multiplication, which is many times faster than NumPy's."""
    if isinstance(power, int) and 2 <= power <= 4 and not isinstance(base, Polynomial):
        square = base * base
        return square if power == 2 else square * base if power == 3 else square * square
    return base**power


def _mean(x: Any) -> Any:
    return x.mean() if isinstance(x, Polynomial) else x.mean(axis=-1, keepdims=True)


def _of_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of arrays that says so where it is given a polynomial."""

    def guarded(*arguments: Any) -> Any:
        if any(isinstance(a, Polynomial) for a in arguments):
            raise NoPolynomialError("a function of what a state determines")
        return function(*arguments)

    return guarded


FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _of_arrays(getattr(np, name))
    for name in ("sin", "cos", "exp", "log", "sqrt", "tanh", "cosh", "abs", "where", "minimum", "maximum")
} | {"mean": _mean}
"""What may be called, by name; ``past`` beside these."""

_OPERATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: _power,
    ast.Gt: _of_arrays(operator.gt),
    ast.Lt: _of_arrays(operator.lt),
}


def _compiled(node: ast.expr) -> Expression:
    match node:
        case ast.Constant(value=int() | float() as number):
            return lambda known: number
        case ast.Name(id=name):
            return lambda known: known[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            inner = _compiled(operand)
            return lambda known: -inner(known)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _compiled(operand)
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
            type(op) in _OPERATIONS
        ):
            one, other, operation = _compiled(left), _compiled(right), _OPERATIONS[type(op)]
            return lambda known: operation(one(known), other(known))
        case ast.Call(func=ast.Name(id="past"), args=[ast.Name(id=name), argument]):
            delay = _compiled(argument)
            return lambda known: known["past"](name, delay(known))
        case ast.Call(func=ast.Name(id=called), args=args) if called in FUNCTIONS:
            function, arguments = FUNCTIONS[called], [_compiled(a) for a in args]
            return lambda known: function(*(a(known) for a in arguments))
    raise ValueError(
        f"expected sums, products, quotients, powers and {', '.join(FUNCTIONS)} or past(x, delay), "
        f"got {ast.unparse(node)!r}"
    )
