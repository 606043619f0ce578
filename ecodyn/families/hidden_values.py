"""Starting values of hidden variables that a user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array

__all__ = ["stated_values"]


def stated_values(
    hidden: Mapping[str, ArrayLike], names: Sequence[str], each: Sequence[str], shape: tuple[int, int]
) -> Array:
    """Values (batch, feature, hidden) of a dictionary by name; those of ``each`` may differ from feature to feature."""
    if set(hidden) != set(names):
        raise ValueError(f"hidden= has a value of each of {', '.join(names)}, got {', '.join(map(str, hidden))}")
    columns = []
    for name in names:
        value = np.asarray(hidden[name], dtype=float)
        if not np.isfinite(value).all():
            raise ValueError(f"expected finite starting values of {name}, got {hidden[name]!r:.60}")
        value = value[:, None] if value.ndim == 1 else value
        try:
            columns.append(np.broadcast_to(value, shape))
        except ValueError:
            raise ValueError(
                f"hidden={{'{name}': ...}} is a number, one of each of {shape[0]} starting states, or of shape "
                f"{shape}, got the shape {np.shape(hidden[name])}"
            ) from None
        if name not in each and value.ndim == 2 and (value != value[:, :1]).any():
            raise ValueError(f"{name} is shared by all features, got different values of it")
    return np.stack(columns, axis=-1)
