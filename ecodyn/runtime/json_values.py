"""Numbers in JSON: arrays are lists, and what is not finite is null."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias, cast, overload

import numpy as np

from ecodyn.arrays import Array

__all__ = ["Json", "number", "numbers", "pair", "plain", "plain_json"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"  # what json reads and writes


@overload
def plain_json(value: Mapping[str, object]) -> dict[str, Json]: ...
@overload
def plain_json(value: object) -> Json: ...
def plain_json(value: object) -> Json:
    """Plain Python for json: arrays as lists, non-finite numbers as null.

    Examples
    --------
    >>> plain_json({"skill": np.array([0.5, np.nan]), 3: (1, 2)})
    {'skill': [0.5, None], '3': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(k): plain_json(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain_json(value.tolist())
    if isinstance(value, list | tuple | Iterator):
        return [plain_json(v) for v in value]
    if isinstance(value, np.generic):
        return plain_json(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return cast(Json, value)  # anything else is left to the caller's json, and its `default`


def plain(value: object) -> object:
    """A label or number of NumPy's as Python's, which JSON can hold; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def number(value: float | None) -> float:
    """A number that `plain_json` wrote: null is NaN."""
    return float("nan") if value is None else float(value)


def pair(values: Sequence[float | None]) -> tuple[float, float]:
    """Two numbers that `plain_json` wrote, such as a window."""
    first, last = values
    return number(first), number(last)


def numbers(values: list[float | None]) -> Array:
    """An array (n,) that `plain_json` wrote."""
    return np.array([number(v) for v in values], dtype=np.float64)
