"""Intervals of means over independent values."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

LEVEL = 0.95


def t_interval(values: Array, level: float = LEVEL) -> tuple[float, float]:
    """The t interval of a mean over independent values; NaN for fewer than two."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    half = float(t.ppf(0.5 + level / 2, n - 1)) * float(np.std(values, ddof=1)) / np.sqrt(n)
    mean = float(np.mean(values))
    return mean - half, mean + half
