"""What holds data without being an array, a table or a list of them: refused, with how to take the data out."""

from __future__ import annotations

from collections.abc import Iterator, ValuesView
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError

__all__ = ["refuse_containers"]


def refuse_containers(X: Any) -> None:
    """Refuse series, groups, pairs of a label and a group, iterators, and arrays of arrays.

    Raises
    ------
    UnusableDataError
        X is one, or a list with one in it; the sentence says what to pass.
    """
    if hasattr(X, "ngroups"):
        raise UnusableDataError(
            "expected a table or a list of them, got a table in groups; pass the table itself, or a list: "
            "[group for _, group in X]"
        )
    if isinstance(X, Iterator | ValuesView):
        raise UnusableDataError(f"expected an array, a table or a list of them, got a {type(X).__name__}; pass list(X)")
    if _is_series(X):
        raise UnusableDataError(
            "expected a table, got a series, which has no features; if it is one feature of one run, pass X.to_frame()"
        )
    if isinstance(X, np.ndarray) and X.dtype.kind == "O" and any(np.ndim(x) or _is_table(x) for x in X.flat):
        raise UnusableDataError("expected an array of numbers, got one of objects such as arrays; pass list(X)")
    if not isinstance(X, list | tuple):
        return
    if any(map(_is_series, X)):
        raise UnusableDataError(
            "expected arrays or tables in the list, got a series, which may be a run or a feature; if each is a run, "
            "pass [series.to_frame() for series in X], if each is a feature, pandas.concat(X, axis=1)"
        )
    if any(isinstance(part, tuple) and len(part) == 2 and _is_table(part[1]) for part in X):
        raise UnusableDataError(
            "expected tables in the list, got pairs of a label and a table, as groupby gives them; pass a list: "
            "[group for _, group in X], or dict(X), whose keys name the runs"
        )


def _is_table(part: object) -> bool:
    return hasattr(part, "columns") or hasattr(part, "dims")


def _is_series(part: object) -> bool:
    """Whether this is a series of pandas or polars."""
    return hasattr(part, "to_frame") and not hasattr(part, "columns")
