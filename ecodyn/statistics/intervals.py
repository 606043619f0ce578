"""Intervals of means over independent values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from ecodyn.arrays import Array

__all__ = ["INTERVAL_LEVEL", "Estimate", "t_interval"]

INTERVAL_LEVEL = 0.95  # of every interval that is printed or drawn, as readers of the field expect without being told


@dataclass(frozen=True)
class Estimate:
    """A mean with its interval.

    Attributes
    ----------
    mean : over independent values; NaN if there is none
    low, high : its t interval; NaN for fewer than two values
    n : how many independent values (clusters) it is over

    Examples
    --------
    >>> from ecodyn.survival import Estimate
    >>> Estimate.of(np.array([1.0, 2.0, 3.0])).mean
    2.0
    """

    mean: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float]:
        """Plain numbers."""
        return {"mean": self.mean, "low": self.low, "high": self.high, "n_clusters": self.n}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`; null, as JSON has it for what is not finite, is NaN."""
        mean, low, high = (np.nan if document[n] is None else float(document[n]) for n in ("mean", "low", "high"))
        return cls(mean, low, high, document["n_clusters"])

    @classmethod
    def of(cls, values: Array, level: float = INTERVAL_LEVEL) -> Self:
        """The mean of independent values (n,), NaN left out, with its t interval."""
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(mean=float("nan"), low=float("nan"), high=float("nan"), n=0)
        low, high = t_interval(known, level)
        return cls(mean=float(np.mean(known)), low=low, high=high, n=len(known))


def t_interval(values: Array, level: float = INTERVAL_LEVEL) -> tuple[float, float]:
    """The t interval of a mean over independent values; NaN for fewer than two."""
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    half = _quantile(0.5 + level / 2, n - 1) * float(np.std(values, ddof=1)) / np.sqrt(n)
    mean = float(np.mean(values))
    return float(mean - half), float(mean + half)


@lru_cache(256)  # asked a thousand times in a comparison, for the same few numbers of clusters
def _quantile(level: float, degrees: int) -> float:
    """Of Student's t."""
    from scipy.stats import t

    return float(t.ppf(level, degrees))
