"""Prediction bands: how far a rollout on a training not seen is off, by how far rollouts on other held-out runs were.

A run's error at elapsed time s is its worst over features, e_r(s) = max_k |rollout_rk(s) − x_rk(s)|. The band of a
further run is rollout ± the m-th smallest of n other runs' errors, m = ⌈(n + 1)·level⌉ (Vovk, Gammerman and Shafer
2005; with one score a run, so that time points and features need not be independent). If the n + 1 errors are
exchangeable, then at each time s all features of the further run lie in the band with probability at least
m/(n + 1) ≥ level. It is a statement at one time at a time, all features together; not of the whole curve at once.

What it takes: with n other runs no level above n/(n + 1) can be had, so that 90 % need 9 others and 95 % need 19.
What it leaves out: held-out errors come of laws fitted to overlapping runs (the jackknife of Barber et al. 2021, which
has no guarantee for every conceivable estimator; its provable variant, jackknife+, would promise 2·level − 1). A few
coefficients fitted to many runs hardly move with one run, which is when the two agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

BAND_LEVEL = 0.90  # the highest round one that ten runs can give: each has nine others


@dataclass(frozen=True, kw_only=True)
class Band:
    """Half the width of a band over time: rollout ± ``half_width``.

    Attributes
    ----------
    elapsed : array (time,), since the rollout's start
    half_width : array (time,); infinite where so many rollouts ended early, NaN where too few runs last so long
    level : coverage asked for; ``coverage``, m/(n + 1), is what it comes to where all runs last
    runs : independent runs it rests on, n
    """

    elapsed: Array
    half_width: Array
    level: float
    coverage: float
    runs: int

    def at(self, elapsed: Array) -> Array:
        """Half widths at other times, by straight lines; NaN beyond the last."""
        return np.asarray(np.interp(elapsed, self.elapsed, self.half_width, right=np.nan))

    def to_json(self) -> dict[str, object]:
        """What report.json says of it."""
        return dict(vars(self))


@dataclass(frozen=True)
class HeldOutErrors:
    """The errors of one model's rollouts on held-out runs, each the worst over features.

    Attributes
    ----------
    elapsed : times (time,) since a rollout's start, of the run that lasts longest
    worst : array (run, time); infinite from where a rollout ended early, NaN after a run's own end
    clusters : array (run,), equal for runs that share an initialisation: these count once, with their worst
    """

    elapsed: Array
    worst: Array
    clusters: NDArray[Any]

    @classmethod
    def gathered(cls, errors: Mapping[int, tuple[Array, Array]], clusters: NDArray[Any]) -> HeldOutErrors:
        """From (elapsed times, errors) by run, on the times of the run that lasts longest."""
        elapsed = max((times for times, _ in errors.values()), key=lambda times: float(times[-1]))
        runs = sorted(errors)
        worst = np.array([_on(elapsed, *errors[run]) for run in runs])
        return cls(elapsed, worst, np.asarray(clusters)[runs])

    def highest_level(self, without: int | None = None) -> float:
        """The highest level that these runs can give a band: n/(n + 1)."""
        n = len(self._scores(without))
        return n / (n + 1)

    def band(self, level: float = BAND_LEVEL, *, without: int | None = None) -> Band:
        """The band for a rollout on a further run.

        Parameters
        ----------
        level : coverage, between 0 and 1
        without : position of a run whose own errors (and its cluster's) are left out: the band for that very run

        Raises
        ------
        ValueError
            The level is above what so few runs can give.
        """
        scores = self._scores(without)
        n, wanted = len(scores), rank(len(scores), level)
        if wanted is None:
            raise ValueError(
                f"expected a level up to {n}/{n + 1} = {n / (n + 1):.3g}, the most that {n} other runs can give, "
                f"got {level:g}; ask for less, or add runs (90 % need 9 others)"
            )
        half = np.array([_smallest(column, level) for column in scores.T])
        return Band(elapsed=self.elapsed, half_width=half, level=level, coverage=wanted / (n + 1), runs=n)

    def _scores(self, without: int | None) -> Array:
        """Errors by independent run (cluster, time), the worst of each cluster."""
        own = None if without is None else self.clusters[without]
        labels = [c for c in dict.fromkeys(self.clusters.tolist()) if c != own]
        return np.array([np.fmax.reduce(self.worst[self.clusters == c], axis=0) for c in labels])


def rank(runs: int, level: float) -> int | None:
    """Which of n errors, the smallest first, bounds a further one: ⌈(n + 1)·level⌉; None if there are too few."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"expected a level between 0 and 1, got {level:g}; 0.9 is usual")
    m = max(1, math.ceil((runs + 1) * level - 1e-9))  # rounding must not ask for one more
    return m if m <= runs else None


def worst_error(truth: Array, rollout: Array) -> Array:
    """max_k |rollout − truth| at each time (time,), of arrays (time, feature); infinite from where it is not finite."""
    with np.errstate(invalid="ignore", over="ignore"):
        worst = np.abs(rollout - truth).max(axis=1)
    ended = np.flatnonzero(~np.isfinite(worst))
    if len(ended):
        worst[ended[0] :] = np.inf
    return np.asarray(worst)


def _smallest(errors: Array, level: float) -> float:
    present = np.sort(errors[~np.isnan(errors)])
    wanted = rank(len(present), level)
    return float("nan") if wanted is None else float(present[wanted - 1])


def _on(elapsed: Array, times: Array, errors: Array) -> Array:
    """Errors at other elapsed times; NaN after the last of their own."""
    if np.array_equal(elapsed, times):
        return errors
    finite = np.isfinite(errors)
    moved = np.interp(elapsed, times[finite], errors[finite]) if finite.any() else np.full(len(elapsed), np.inf)
    if not finite.all():
        moved[elapsed >= times[~finite][0]] = np.inf
    moved[elapsed > times[-1] * (1 + 1e-9)] = np.nan
    return np.asarray(moved)
