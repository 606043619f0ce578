"""Bounds and starts of a formula's parameters, checked when they are used."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ecodyn.families.options import is_number
from ecodyn.formulas.statement import Statement, known_among
from ecodyn.formulas.transforms import Bounds

__all__ = ["checked_bounds", "checked_names", "checked_starts"]


def checked_bounds(bounds: object, statement: Statement) -> dict[str, Bounds]:
    """Bounds by parameter, None for none on a side.

    Raises
    ------
    ValueError
        They are no pairs of numbers, the lower one first, or of no parameter of the formula.
    """
    if bounds is None:
        return {}
    example = "such as {'n': (1, 8), 'b': (0, None)}"
    if not isinstance(bounds, Mapping):
        raise ValueError(f"bounds are a dictionary by parameter, {example}, got {bounds!r}")
    known_among(bounds, statement, "bounds")
    checked = {}
    for name, pair in bounds.items():
        sides = list(pair) if isinstance(pair, tuple | list) else []
        if len(sides) != len(("low", "high")) or not all(s is None or is_number(s) for s in sides):
            raise ValueError(f"bounds of a parameter are (low, high), {example}, got {name}: {pair!r}")
        low, high = (-math.inf if sides[0] is None else sides[0]), (math.inf if sides[1] is None else sides[1])
        if not low < high:
            raise ValueError(f"bounds of a parameter are (low, high) with low under high, got {name}: {pair!r}")
        checked[name] = (float(low), float(high))
    return checked


def checked_starts(starts: object, statement: Statement, bounds: Sequence[Bounds]) -> dict[str, float]:
    """Starts by parameter.

    Raises
    ------
    ValueError
        One is no number, outside its bounds, or of no parameter of the formula.
    """
    if starts is None:
        return {}
    if not isinstance(starts, Mapping):
        raise ValueError(f"starts are a dictionary by parameter, such as {{'n': 2.0}}, got {starts!r}")
    known_among(starts, statement, "starts")
    within = dict(zip(statement.parameters, bounds, strict=True))
    for name, value in starts.items():
        low, high = within[name]
        if not is_number(value) or not low < value < high:
            raise ValueError(f"the start of {name} is a number between {low:g} and {high:g}, got {value!r}")
    return {name: float(value) for name, value in starts.items()}


def checked_names(names: object, option: str) -> tuple[str, ...]:
    """Names of hidden variables.

    Raises
    ------
    ValueError
        They are no list of names.
    """
    if isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(n, str) for n in names):
        raise ValueError(f"{option} is a list of names of hidden variables, such as ['r'], got {names!r}")
    return tuple(names)
