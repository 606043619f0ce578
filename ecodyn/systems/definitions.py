"""The definitions that a system's text is made of: derivatives, x' = ..., and whatever else has a name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ecodyn.arrays import Array
from ecodyn.systems.expressions import delays_in, names_in

__all__ = ["GIVEN", "definitions_in", "delays_of", "in_order"]

GIVEN = ("t", "past")  # what needs no definition


def definitions_in(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Expressions of the variables' derivatives, and of all else, by name.

    Raises
    ------
    ValueError
        A part is no definition, or something is defined twice.

    Examples
    --------
    >>> definitions_in("x' = -a*x; a = 2")
    ({'x': '-a*x'}, {'a': '2'})
    """
    rates: dict[str, str] = {}
    others: dict[str, str] = {}
    for part in filter(None, map(str.strip, re.split(r"[;\n]", text))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if not (name.removesuffix("'").isidentifier() and value):
            raise ValueError(f"expected x' = EXPRESSION, or NAME = EXPRESSION, got {part!r}; write it so")
        if name.removesuffix("'") in {*rates, *others, *GIVEN}:
            raise ValueError(f"expected one definition of each name, got a second one of {name!r}; rename it")
        if name.endswith("'"):
            rates[name[:-1]] = value
        else:
            others[name] = value
    return rates, others


def in_order(definitions: Mapping[str, str]) -> dict[str, str]:
    """Definitions, each after those that it uses, and else as in the text.

    Raises
    ------
    ValueError
        Some are defined by one another in a circle.

    Examples
    --------
    >>> in_order({"u": "2*v", "v": "x"})
    {'v': 'x', 'u': '2*v'}
    """
    ahead = dict(definitions)
    ordered: dict[str, str] = {}
    while ahead:
        name = next((n for n, value in ahead.items() if not names_in(value) & ahead.keys()), None)
        if name is None:
            raise ValueError(
                f"expected definitions that end at numbers and variables, got {', '.join(sorted(ahead))} in a circle; "
                "write one of them without the others, or as a variable"
            )
        ordered[name] = ahead.pop(name)
    return ordered


def delays_of(texts: Iterable[str], parameters: Mapping[str, float | Array]) -> tuple[float, ...]:
    """How long ago the states are that expressions ask for, each once and in order.

    Raises
    ------
    ValueError
        A delay depends on more than parameters.

    Examples
    --------
    >>> delays_of(["past(x, 2*tau) - past(x, tau)"], {"tau": 1.5})
    (1.5, 3.0)
    """
    try:
        return tuple(sorted({float(delay(parameters)) for text in texts for delay in delays_in(text)}))
    except KeyError as error:
        raise ValueError(
            f"expected delays of numbers and parameters alone, got one of {error.args[0]}; define it by numbers"
        ) from error
