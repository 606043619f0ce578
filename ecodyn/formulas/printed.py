"""A fitted formula as sympy shows it: with its parameters' values, under the names that the formula has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecodyn.formulas.constants import OPERATIONS, constant
from ecodyn.formulas.grammar import POOLS
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node, Number

if TYPE_CHECKING:
    import sympy

__all__ = ["expression_of", "latex_of", "rounded_numbers"]

MOST_WHOLE = 1e6  # numbers up to which whole ones are printed without a point

Means = Callable[[str, "sympy.Expr"], "sympy.Expr"]


def expression_of(statement: Statement, values: Mapping[str, float]) -> sympy.Expr:
    """The right-hand side with its parameters' values; means and sums over features are functions ``mean``, ``sum``.

    Raises
    ------
    FormulaError
        An operation on numbers has no finite value.

    Examples
    --------
    >>> from ecodyn.formulas.statement import statement_of
    >>> expression_of(statement_of("b - a*x + c*mean(x**n)"), {"b": 1.0, "a": 0.5, "c": 0.25, "n": 2.0})
    -0.5*x + 0.25*mean(x**2) + 1
    """
    return _expression(with_values(statement.tree, values), statement, lambda name, inside: means()[name](inside))


@lru_cache(maxsize=1)
def means() -> dict[str, Any]:
    """``mean`` and ``sum`` as functions of sympy, in which numbers can be rounded."""
    import sympy

    def _eval_evalf(self: sympy.Function, prec: int) -> sympy.Expr:
        return self.func(*(argument._evalf(prec) for argument in self.args))

    return {name: type(name, (sympy.Function,), {"nargs": 1, "_eval_evalf": _eval_evalf}) for name in POOLS}


def rounded_numbers(expression: sympy.Expr, precision: int) -> sympy.Expr:
    """Its numbers to so many significant digits; whole ones as they are."""
    import sympy

    return expression.xreplace({number: sympy.Float(number, precision) for number in expression.atoms(sympy.Float)})


def latex_of(statement: Statement, values: Mapping[str, float], digits: int) -> str:
    """The same in LaTeX, numbers to so many digits and means over features as overlines."""
    import sympy

    names: dict[sympy.Symbol, str] = {}

    def named(name: str, inside: sympy.Expr) -> sympy.Expr:
        text = sympy.latex(inside.evalf(digits), symbol_names=names)
        symbol = sympy.Symbol(f"{name}{len(names)}")
        names[symbol] = rf"\overline{{{text}}}" if name == "mean" else rf"\sum_{{j}} {{\left({text}\right)}}_{{j}}"
        return symbol

    expression = _expression(with_values(statement.tree, values), statement, named)
    return str(sympy.latex(expression.evalf(digits), symbol_names=names))


def with_values(node: Node, values: Mapping[str, float]) -> Node:
    """The tree with numbers in place of the names that have values."""
    match node:
        case Name(name=name) if name in values:
            value = values[name]
            return Number(value) if value >= 0 else Negative(Number(-value))
        case Negative(inner=inner):
            return Negative(with_values(inner, values))
        case Binary(operation=operation, left=left, right=right):
            return Binary(operation, with_values(left, values), with_values(right, values))
        case Call(function=function, arguments=arguments):
            return Call(function, tuple(with_values(a, values) for a in arguments))
    return node


def _expression(node: Node, statement: Statement, mean: Means) -> sympy.Expr:
    import sympy

    known = constant(node, statement.text)
    if known is not None:
        return sympy.Integer(int(known)) if known.is_integer() and abs(known) <= MOST_WHOLE else sympy.Float(known, 17)
    match node:
        case Name(name=name):
            return sympy.Symbol(name)
        case Negative(inner=inner):
            return -_expression(inner, statement, mean)
        case Binary(operation=operation, left=left, right=right):
            one, other = _expression(left, statement, mean), _expression(right, statement, mean)
            found: sympy.Expr = OPERATIONS[operation](one, other)
            return found
        case Call(function=function, arguments=arguments):
            parts = [_expression(argument, statement, mean) for argument in arguments]
            return mean(function, parts[0]) if function in POOLS else _called(function, parts)
    raise TypeError(f"no node of a formula: {node!r}")


def _called(function: str, arguments: list[sympy.Expr]) -> sympy.Expr:
    import sympy

    if function in ("min", "max"):
        return getattr(sympy, function.capitalize())(*arguments, evaluate=False)
    return getattr(sympy, {"abs": "Abs", "arctan": "atan"}.get(function, function))(*arguments)
