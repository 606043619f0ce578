"""Options of estimators, checked when these are fitted, as scikit-learn has it.

From the command line an option comes as a number, true, false, none or text, whatever the family expects: what is of
the wrong type is refused as what is out of range is.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import TypeGuard

import numpy as np

from ecodyn.runtime.json_values import Json

__all__ = ["check_flag", "check_whole", "is_flag", "is_number", "is_text", "is_whole", "plain_value"]


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is an integer, Python's or NumPy's; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[float]:
    """Whether it is a finite real number, Python's or NumPy's; True and False are none."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no floating-point number can hold
        return False


def is_flag(value: object) -> TypeGuard[bool]:
    """Whether it is True or False, or 1 or 0, which are equal to them."""
    return isinstance(value, bool | np.bool_) or (is_whole(value) and value in (0, 1))


def is_text(value: object, *texts: str) -> bool:
    """Whether it is one of these texts; what is no text at all, such as an array, is none of them."""
    return isinstance(value, str) and value in texts


def check_whole(name: str, value: object, least: int) -> None:
    """Refuse what is no whole number, or too small a one.

    Raises
    ------
    ValueError
        The sentence says which option it is, what it is expected to be, and what came.

    Examples
    --------
    >>> check_whole("intervals", "many", 1)
    Traceback (most recent call last):
    ...
    ValueError: intervals is a whole number of at least 1, got 'many'
    """
    if not is_whole(value) or value < least:
        raise ValueError(f"{name} is a whole number of at least {least}, got {value!r}")


def check_flag(name: str, value: object) -> None:
    """Refuse what is neither True nor False.

    Raises
    ------
    ValueError
        The sentence says which option it is, and what came.

    Examples
    --------
    >>> check_flag("estimate_starts", "maybe")
    Traceback (most recent call last):
    ...
    ValueError: estimate_starts is True or False, got 'maybe'
    """
    if not is_flag(value):
        raise ValueError(f"{name} is True or False, got {value!r}")


def plain_value(value: object) -> Json:
    """An option as JSON can hold it."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str | int | float | bool | type(None)):
        return value
    if isinstance(value, tuple | list):
        return list(value)
    try:
        return repr(value)
    except RuntimeError:  # an estimator that scikit-learn can't show, such as PySINDy's WrappedOptimizer
        return type(value).__name__
