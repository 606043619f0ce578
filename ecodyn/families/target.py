"""What is given in y's place: an equation is fitted to runs and has no target, and times there are a mistake."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.trajectories import Trajectories

__all__ = ["check_no_target"]


def check_no_target(X: object, y: object, stacklevel: int = 3) -> None:
    """Refuse times where scikit-learn has its target, and say that any other target is not used.

    Raises
    ------
    ValueError
        y is a time step, or increasing times as many as X has steps.

    Warns
    -----
    DataWarning
        y is anything else but None.
    """
    if y is None:
        return
    if _is_step(y):
        raise ValueError(
            f"expected no y, got the number {y!r}, a time step as PySINDy takes it; pass times by name, "
            f"t=np.arange(len(X)) * {y!r}"
        )
    if _are_times(X, y):
        raise ValueError(
            "expected no y, got increasing numbers, as many as X has steps: times, it seems; pass them by name, t=..."
        )
    warnings.warn("y is ignored: an equation is fitted to runs, which have no target", DataWarning, stacklevel)


def _is_step(y: Any) -> bool:
    return isinstance(y, int | float | np.number) and not isinstance(y, bool)


def _are_times(X: Any, y: Any) -> bool:
    """Whether y is one array of times for all runs, or one for each of them."""
    lengths = _lengths(X)
    if getattr(y, "ndim", 0) == 2 or (isinstance(y, list | tuple) and any(np.ndim(part) == 1 for part in y)):
        return len(y) == len(lengths) and all(_increase(part, n) for part, n in zip(y, lengths, strict=True))
    return _increase(y, max(lengths, default=0))


def _increase(times: Any, count: int) -> bool:
    try:
        numbers = np.asarray(times)
    except ValueError:  # ragged
        return False
    real = numbers.dtype.kind in "iuf" and numbers.shape == (count,) and count > 1
    return real and bool((np.diff(numbers.astype(float)) > 0).all())


def _lengths(X: Any) -> list[int]:
    """Steps of each run."""
    if isinstance(X, Trajectories):
        return X.lengths.tolist()
    if isinstance(X, list | tuple) and len(X) and np.ndim(X[0]) == 2:
        return [len(part) for part in X]
    shape = np.shape(X)
    return [shape[1]] * shape[0] if len(shape) == 3 else [shape[0]] if shape else []
