"""JSON that anybody may have written: numbers that float64 and int64 hold, and arrays of nothing but such numbers."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from ecodyn.arrays import Array

__all__ = ["foreign_json", "number_array"]

BITS = 63  # of a whole number in a NumPy array, and its sign


def foreign_json(text: str) -> Any:
    """What a text holds, as `json.loads`, if all numbers in it are finite and whole ones fit into 64 bits.

    Raises
    ------
    ValueError
        It is no JSON, is nested too deeply, or has a number that is none or that nothing here could hold.

    Examples
    --------
    >>> foreign_json('{"step": 1e400}')
    Traceback (most recent call last):
    ...
    ValueError: 1e400 where a finite number belongs
    """
    try:
        return json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("lists within lists, too deep to be read") from None


def number_array(value: object, name: str) -> Array:
    """A nested list of numbers as an array; text, true, null and ragged rows are refused.

    Raises
    ------
    ValueError
        It holds anything else.

    Examples
    --------
    >>> number_array([[1, 2.5]], "coefficients")
    array([[1. , 2.5]])
    >>> number_array([["1"]], "coefficients")
    Traceback (most recent call last):
    ...
    ValueError: coefficients with '1' among them, which is no number
    """
    for item in _items(value):
        if isinstance(item, bool) or not isinstance(item, int | float):
            raise ValueError(f"{name} with {item!r:.60} among them, which is no number")
    return np.array(value, dtype=np.float64)


def _items(value: object) -> list[object]:
    """All that is in nested lists."""
    found, ahead = [], [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, list | tuple):
            ahead.extend(one)
        else:
            found.append(one)
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} where a finite number belongs")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.60} where a finite number belongs")
    return number


def _whole(text: str) -> int:
    number = int(text)  # of more than 4300 digits: a ValueError of Python's own
    if number.bit_length() > BITS:
        raise ValueError(f"{text:.60} where a number of at most {BITS} bits belongs")
    return number
