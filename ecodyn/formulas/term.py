"""A candidate term that is a formula without parameters: a function of a library's variables, by their positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.own_functions import or_beyond, units_in
from ecodyn.formulas.compiled import gradient_of
from ecodyn.formulas.grammar import parse
from ecodyn.formulas.printed import expression_of
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node, text_of

if TYPE_CHECKING:
    import sympy

__all__ = ["FormulaTerm", "placeholder", "replaced"]

PLACE = "v"  # before a number: the variable of that place in a term's text


def placeholder(place: int) -> Name:
    """The name by which a term's text calls its variable of this place."""
    return Name(f"{PLACE}{place}")


def replaced(node: Node, part: Callable[[Node], Node | None]) -> Node:
    """The tree with some of its parts replaced: those that ``part`` gives something for."""
    found = part(node)
    if found is not None:
        return found
    match node:
        case Negative(inner=inner):
            return Negative(replaced(inner, part))
        case Binary(operation=operation, left=left, right=right):
            return Binary(operation, replaced(left, part), replaced(right, part))
        case Call(function=function, arguments=arguments):
            return Call(function, tuple(replaced(a, part) for a in arguments))
    return node


@lru_cache(maxsize=256)
def _statement(formula: str) -> Statement:
    """A term's text, whose variables are parameters to it."""
    return Statement(parse(formula), ("signal",))


@dataclass(frozen=True)
class FormulaTerm:
    """g(v0, v1, …) of a library's variables at some positions, in the units of the data.

    Attributes
    ----------
    formula : str
        Its text, in which v0 is the variable at ``variables[0]``, and so on.
    variables : positions among the variables that it is given
    units : what each of them is multiplied by to be in the units of the data; none where it is so already

    Examples
    --------
    >>> saturation = FormulaTerm("v0/(1 + v1)", (0, 1))
    >>> print(saturation.values(np.array([[2.0, 3.0]])), saturation.name(["x", "mean_x"]))
    [0.5] x/(1 + mean_x)
    """

    formula: str
    variables: tuple[int, ...]
    units: tuple[float, ...] = ()

    def _arguments(self, x: Array) -> list[Array]:
        units = self.units or (1.0,) * len(self.variables)
        by_place = [x[..., v] if u == 1.0 else x[..., v] * u for v, u in zip(self.variables, units, strict=True)]
        return [by_place[int(name.removeprefix(PLACE))] for name in _statement(self.formula).parameters]

    def values(self, x: Array) -> Array:
        """Of states (..., variable), (...); ``BEYOND`` where the formula has no value."""
        with np.errstate(all="ignore"):
            (value,) = gradient_of(_statement(self.formula))[0](*self._arguments(x))
        return or_beyond(np.broadcast_to(value, x.shape[:-1]))

    def slopes(self, x: Array) -> tuple[Array, ...]:
        """Derivatives by its variables, each (...)."""
        statement = _statement(self.formula)
        with np.errstate(all="ignore"):
            found = dict(zip(statement.parameters, gradient_of(statement)[1](*self._arguments(x)), strict=True))
            units = self.units or (1.0,) * len(self.variables)
            each = [found[f"{PLACE}{place}"] * unit for place, unit in enumerate(units)]
        return tuple(or_beyond(np.broadcast_to(slope, x.shape[:-1])) for slope in each)

    def in_units(self, scales: Array) -> tuple[FormulaTerm, float]:
        """The same values as a function of variables in units so many times smaller."""
        return replace(self, units=units_in(self.units, self.variables, scales)), 1.0

    def name(self, names: Sequence[str], digits: int = 4) -> str:
        """As text, of variables of these names."""

        def named(node: Node) -> Node | None:
            if not isinstance(node, Name):
                return None
            return Name(names[self.variables[int(node.name.removeprefix(PLACE))]])

        tree = replaced(_statement(self.formula).tree, named)
        summed = isinstance(tree, Negative) or (isinstance(tree, Binary) and tree.operation in "+-")
        return f"({text_of(tree)})" if summed else text_of(tree)  # it stands behind a coefficient and a *

    def expression(self, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        """In sympy, of these variables."""
        import sympy

        found = expression_of(_statement(self.formula), {})
        places = {sympy.Symbol(f"{PLACE}{i}"): symbols[v] for i, v in enumerate(self.variables)}
        return found.xreplace(places)

    def to_json(self) -> dict[str, object]:
        """What a model file holds of it.

        Raises
        ------
        ValueError
            It is in a fit's units.
        """
        if self.units:
            raise ValueError("expected a term in the units of the data, got one in a fit's")
        return {"formula": self.formula, "variables": list(self.variables)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> FormulaTerm:
        """A term of a model file: its text goes through the grammar, and nothing of it is executed.

        Raises
        ------
        ValueError
            It is no formula of so many variables.
        """
        text, variables = document["formula"], tuple(int(v) for v in document["variables"])
        if not isinstance(text, str):
            raise ValueError(f"a term's formula {text!r:.100}")
        statement = _statement(text)
        wanted = {f"{PLACE}{i}" for i in range(len(variables))}
        if set(statement.names) != wanted or statement.environment:
            raise FormulaError(
                f"a term {text!r:.100} of the names {', '.join(statement.names)} and {len(wanted)} places"
            )
        gradient_of(statement)
        return cls(text, variables)
