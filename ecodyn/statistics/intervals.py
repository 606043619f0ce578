"""Intervals of means over independent values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from ecodyn.arrays import Array

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval.

    Attributes
    ----------
    mean : over independent values; NaN if there is none
    low, high : its t interval; NaN for fewer than two values
    n : how many independent values (clusters) it is over
    """

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n_clusters": self.n}

    @classmethod
    def of(cls, values: Array, level: float = LEVEL) -> Self:
        """The mean of independent values (n,), NaN left out, with its t interval."""
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(float("nan"), float("nan"), float("nan"), 0)
        return cls(float(np.mean(known)), *t_interval(known, level), len(known))


def t_interval(values: Array, level: float = LEVEL) -> tuple[float, float]:
    """The t interval of a mean over independent values; NaN for fewer than two."""
    from scipy.stats import t

    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    half = float(t.ppf(0.5 + level / 2, n - 1)) * float(np.std(values, ddof=1)) / np.sqrt(n)
    mean = float(np.mean(values))
    return mean - half, mean + half
