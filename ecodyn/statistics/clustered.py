"""Means over observations that are not independent: runs that share an initialisation count once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.statistics.intervals import INTERVAL_LEVEL, Estimate

__all__ = ["ANY", "SHARE", "SKILL", "cluster_means", "clustered_mean", "mean_within"]

ANY = (-np.inf, np.inf)  # what a number of no known bounds can be
SHARE = (0.0, 1.0)  # what a share, a rate or an AUC can be
SKILL = (-np.inf, 1.0)  # of predictions: 1 is all that there is to predict


def cluster_means(values: ArrayLike, clusters: ArrayLike) -> Array:
    """Mean of each cluster's values (cluster, ...), clusters in the order of their labels; NaN where it has none.

    Parameters
    ----------
    values : array (observation, ...); NaN is left out
    clusters : labels (observation,)

    Raises
    ------
    ValueError
        Values and clusters differ in number.
    """
    numbers, labels = np.asarray(values, dtype=float), np.asarray(clusters)
    if numbers.shape[:1] != labels.shape:
        raise ValueError(
            f"expected a cluster for each of {len(numbers)} values, got {labels.shape}; pass one label each"
        )
    known = np.isfinite(numbers)
    means = []
    for label in np.unique(labels):
        own = labels == label
        count = known[own].sum(axis=0)
        total = np.where(known[own], numbers[own], 0.0).sum(axis=0)
        means.append(np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0))
    return np.array(means)


def clustered_mean(
    values: ArrayLike,
    clusters: ArrayLike,
    level: float = INTERVAL_LEVEL,
    *,
    within: tuple[float, float] = ANY,
) -> Estimate:
    """Mean over clusters of their means m_c, with the interval m̄ ± t · sd(m_c)/√C over the C clusters.

    Frequencies of one run, and runs from one initialisation, are not independent; their clusters are.

    Parameters
    ----------
    values : array (observation,); NaN is left out
    clusters : labels (observation,)
    level : of the interval
    within : what the values can be, such as `SHARE`; the interval ends there

    Raises
    ------
    ValueError
        Values and clusters differ in number, or the level is not between 0 and 1.

    Examples
    --------
    >>> from ecodyn.survival import clustered_mean
    >>> clustered_mean([1, 1, 1, 3], clusters=[0, 0, 0, 1]).mean
    2.0
    """
    if not 0 < level < 1:
        raise ValueError(f"expected a level between 0 and 1, got {level}; {INTERVAL_LEVEL} is usual")
    return mean_within(cluster_means(values, clusters), level, within=within)


def mean_within(values: Array, level: float = INTERVAL_LEVEL, *, within: tuple[float, float] = ANY) -> Estimate:
    """The mean of independent values (n,), NaN left out, with its t interval, which ends where ``within`` does."""
    whole = Estimate.of(values, level)
    low, high = np.clip([whole.low, whole.high], *within).tolist()
    return Estimate(mean=whole.mean, low=low, high=high, n=whole.n)
