"""Trajectories out of what users have in their hands: arrays, lists of them, tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.trajectories import Trajectories
from ecodyn.trajectories.values import Numbers

__all__ = ["as_trajectories"]


def as_trajectories(X: Trajectories | Numbers, t: Numbers | None = None) -> Trajectories:
    """Return X as `Trajectories`: X itself, or built from a (step, feature) array or table or a list of them.

    `t` holds the times, one (step,) array for all or a list of them; default 0, 1, ..., T-1. The column
    names of a table (a pandas DataFrame) become the features; names that are text count as shared labels.

    Raises
    ------
    ValueError
        `t` is given beside Trajectories, which carry their times.
    UnusableDataError
        The data break a rule of `Trajectories`.

    Examples
    --------
    >>> as_trajectories([[1.0, 2.0], [1.5, 1.8], [2.0, 1.7]], t=[0, 10, 20])
    Trajectories: 1 run × 3 steps (0 to 20) × 2 features; observables signal; labels not shared
    """
    if isinstance(X, Trajectories):
        if t is not None:
            raise ValueError("Trajectories carry their own times, got t as well; leave t out")
        return X
    parts: Sequence[Any] = cast(Sequence[Any], X) if _is_list_of_runs(X) else [X]
    columns = _columns(parts)
    arrays = [np.asarray(part) for part in parts] if columns is not None else list(parts)
    shared = columns is not None and any(isinstance(name, str) for name in columns)
    return Trajectories(arrays, _default_times(arrays, t), columns, labels_shared=shared)


def _is_list_of_runs(X: Any) -> bool:
    """Whether X holds several runs; a nested list of numbers is one array."""
    if isinstance(X, (list, tuple)):
        return len(X) > 0 and np.ndim(X[0]) >= 2
    return np.ndim(X) == 3


def _columns(parts: Sequence[Any]) -> list[Any] | None:
    """Return the column names that all tables share, or None for arrays."""
    named = [list(part.columns) for part in parts if hasattr(part, "columns")]
    if not named:
        return None
    if any(columns != named[0] for columns in named):
        raise UnusableDataError(
            "the tables have different columns; bring them all to the same columns in the same order"
        )
    if "step" in named[0]:
        raise UnusableDataError("the table has a column step, which is no feature; pass it as t and drop it from X")
    return named[0]


def _default_times(arrays: Sequence[Any], t: Any) -> Any:
    if t is None:
        return np.arange(max(_length(array) for array in arrays))
    return list(t) if not isinstance(t, (list, tuple)) and np.ndim(t) == 2 else t


def _length(array: Any) -> int:
    """First dimension of anything; what has none is refused later, with a sentence."""
    shape = getattr(array, "shape", None) or (len(array) if hasattr(array, "__len__") else 0,)
    return int(shape[0])
