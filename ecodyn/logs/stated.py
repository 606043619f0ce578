"""What single numbers beside the arrays of a log state: the number of tokens, and of dimensions."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["stated_shape"]

P_NAMES = ("p",)
D_NAMES = ("d_model", "dim")
FEWEST = {"p": 2, "d": 1}  # what a matrix of tokens has; a "p" of 0.1 is a dropout's


def stated_shape(numbers: Mapping[str, float]) -> tuple[int | None, int | None] | None:
    """(p, d), or one of them and None; None where neither is stated.

    >>> stated_shape({"step": 100, "p": 113, "d_model": 128}), stated_shape({"step": 100}), stated_shape({"p": 0.1})
    ((113, 128), None, None)
    """
    p, d = _first(numbers, P_NAMES, FEWEST["p"]), _first(numbers, D_NAMES, FEWEST["d"])
    return None if p is None and d is None else (p, d)


def _first(numbers: Mapping[str, float], names: tuple[str, ...], least: int) -> int | None:
    for name in names:
        number = float(numbers.get(name, 0.0))
        if number >= least and number.is_integer():
            return int(number)
    return None
