"""Parts of a formula that are numbers: worked out with floats, so that none grows without bound."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from ecodyn.formulas.grammar import POOLS
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node, Number

__all__ = ["OPERATIONS", "constant"]

OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "abs": abs,
    "min": min,
    "max": max,
    "arctan": math.atan,
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh")},
}


def constant(node: Node, text: str) -> float | None:
    """The value of a part without names; None of one with any, and of means and sums over features.

    Raises
    ------
    FormulaError
        It is no finite number, such as 1/0 or 9**9**9.

    Examples
    --------
    >>> from ecodyn.formulas.grammar import parse
    >>> constant(parse("2**-3 + 1"), ""), constant(parse("a + 1"), "")
    (1.125, None)
    """
    match node:
        case Number(value=value):
            return value
        case Name():
            return None
        case Negative(inner=inner):
            known = constant(inner, text)
            return None if known is None else -known
        case Binary(operation=operation, left=left, right=right):
            return _worked_out(node, text, OPERATIONS[operation], left, right)
        case Call(function=function, arguments=arguments):
            if function in POOLS:
                constant(arguments[0], text)
                return None
            return _worked_out(node, text, _FUNCTIONS[function], *arguments)


def _worked_out(node: Node, text: str, operation: Callable[..., float | complex], *parts: Node) -> float | None:
    values = [constant(part, text) for part in parts]
    if any(value is None for value in values):
        return None
    try:
        found = operation(*values)
    except (ArithmeticError, ValueError):
        found = math.nan
    if isinstance(found, complex) or not math.isfinite(found):
        raise FormulaError.at(text, node.at, "expected a finite number, got an operation on numbers that has none")
    return float(found)
