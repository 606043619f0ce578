"""Many means with their intervals at once, as figures and tables by factor and step want them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.statistics.clustered import ANY, cluster_means, mean_within
from ecodyn.statistics.intervals import Estimate

__all__ = ["Estimates"]


@dataclass(frozen=True, eq=False)
class Estimates:
    """Means over clusters with their t intervals: the arrays of which each place is an `Estimate`.

    Attributes
    ----------
    mean, low, high : arrays of one shape; low and high are NaN where fewer than two clusters have a value
    n : the fewest clusters that any of the means is over

    Examples
    --------
    >>> from ecodyn.statistics.estimates import Estimates
    >>> by_step = Estimates.over(np.array([[1.0, 4.0], [3.0, 8.0]]), clusters=np.array([0, 1]))
    >>> by_step.mean.tolist(), by_step.at(1).mean, by_step.at(1).n
    ([2.0, 6.0], 6.0, 2)
    """

    mean: Array
    low: Array
    high: Array
    n: int

    def at(self, *place: int) -> Estimate:
        """The mean at a place, with its interval."""
        mean, low, high = (float(part[place]) for part in (self.mean, self.low, self.high))
        return Estimate(mean=mean, low=low, high=high, n=self.n)

    def to_json(self) -> dict[str, Array]:
        """The arrays by name."""
        return {"mean": self.mean, "low": self.low, "high": self.high}

    @classmethod
    def over(cls, values: Array, clusters: NDArray[Any], within: tuple[float, float] = ANY) -> Self:
        """Of values (observation, ...), over the clusters (observation,); ``within`` as in `clustered_mean`."""
        means = cluster_means(values, clusters)
        each = [mean_within(column, within=within) for column in means.reshape(len(means), -1).T]
        mean, low, high = (
            np.array([getattr(e, name) for e in each]).reshape(means.shape[1:]) for name in ("mean", "low", "high")
        )
        return cls(mean=mean, low=low, high=high, n=min((e.n for e in each), default=0))

    @classmethod
    def stack(cls, parts: Sequence[Self]) -> Self:
        """Along a new first axis."""
        mean, low, high = (np.stack([getattr(p, name) for p in parts]) for name in ("mean", "low", "high"))
        return cls(mean=mean, low=low, high=high, n=min(p.n for p in parts))
