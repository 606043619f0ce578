"""Prediction bands of single features: how far off a rollout is where other runs' rollouts had the same feature.

Where features have names, the same feature is the one of that name. Where they are exchangeable, feature 7 of one run
has nothing to do with feature 7 of another, and the same feature is the one of the same *place*: the largest at the
rollout's start, the second largest, and so on. A place is known before anything is predicted, and every run has all of
them, so that the errors of one place are exchangeable over runs wherever runs are. The band of a further run's feature
is rollout ± the m-th smallest of n other runs' errors in its place, m = ⌈(n + 1)·level⌉ (see ``bands``): a feature
that is chosen by its place, or by its name, lies within at any one time with probability at least m/(n + 1).

That is said of one feature at a time, not of all together, as `HeldOutErrors.band` has it: hence it is narrower. And
it is not said of features that are chosen because of how they ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.bands import rank

__all__ = ["FeatureErrors"]


@dataclass(frozen=True, kw_only=True)
class FeatureErrors:
    """The errors of one model's rollouts on held-out runs, by the places of features.

    Attributes
    ----------
    elapsed : times (time,) since a rollout's start, of the run that lasts longest
    errors : |rollout − truth| (run, time, place); infinite from where a rollout ended early, NaN after a run's end
    places : array (run, feature), the place of each feature
    runs : positions (run,) of the runs
    clusters : array (run,), equal for runs that share an initialisation: these count once, with their worst
    """

    elapsed: Array
    errors: Array
    places: Integers
    runs: Integers
    clusters: NDArray[Any]

    @classmethod
    def gathered(
        cls,
        truth: Mapping[int, tuple[Array, Array]],
        rollouts: Mapping[int, tuple[Array, Array]],
        clusters: NDArray[Any],
        *,
        named: bool,
    ) -> FeatureErrors | None:
        """From data and rollouts by run, each (times, values); None where no run has both.

        Parameters
        ----------
        clusters : of all runs (run,)
        named : whether features have names that all runs share
        """
        runs = sorted(set(truth) & set(rollouts))
        paths = {run: _path(*truth[run], *rollouts[run]) for run in runs}
        runs = [run for run in runs if len(paths[run][0])]
        if not runs:
            return None
        elapsed = max((paths[run][0] for run in runs), key=lambda times: float(times[-1]))
        places = np.array([_places(paths[run][1], named=named) for run in runs])
        errors = np.array([_on(elapsed, paths[run][0], paths[run][2]) for run in runs])
        by_place = np.take_along_axis(errors, np.argsort(places, axis=1)[:, None, :], axis=2)
        return cls(
            elapsed=elapsed,
            errors=by_place,
            places=places,
            runs=np.array(runs),
            clusters=np.asarray(clusters)[runs],
        )

    def highest_level(self, run: int) -> float:
        """The highest level that the others of these runs can give the bands of one: n/(n + 1)."""
        n = len(self._others(run))
        return n / (n + 1)

    def half_widths(self, run: int, level: float, elapsed: Array) -> Array:
        """Half the width of the band of each feature of a run (time, feature), from the other runs' errors.

        NaN where too few runs last so long, infinite where so many rollouts ended early.

        Parameters
        ----------
        run : position of the run; its own errors, and its cluster's, are left out
        level : coverage, between 0 and 1
        elapsed : times (time,) since the rollout's start

        Raises
        ------
        ValueError
            The run is none of these, or the level is above what so few runs can give.
        """
        if run not in self.runs:
            raise ValueError(f"run {run} has no errors here; there are those of {self.runs.tolist()}")
        others = self._others(run)
        n = len(others)
        if rank(n, level) is None:
            raise ValueError(
                f"expected a level up to {n}/{n + 1}, the most that {n} other runs can give, got {level:g}; "
                "ask for less, or add runs (90 % need 9 others)"
            )
        half = _smallest(np.sort(others, axis=0), level)[:, self.places[self.runs.tolist().index(run)]]
        return np.array([np.interp(elapsed, self.elapsed, of_one, right=np.nan) for of_one in half.T]).T

    def _others(self, run: int) -> Array:
        """Errors by independent run (cluster, time, place) of all but a run and its cluster, the worst of each."""
        own = self.clusters[self.runs == run]
        labels = [c for c in dict.fromkeys(self.clusters.tolist()) if c not in own]
        worst = [np.fmax.reduce(self.errors[self.clusters == c], axis=0) for c in labels]
        return np.array(worst).reshape(len(worst), *self.errors.shape[1:])


def _path(t: Array, truth: Array, times: Array, rollout: Array) -> tuple[Array, Array, Array]:
    """Elapsed times, data and errors of one run where both are; infinite from where the rollout is not finite."""
    common, at_truth, at_rollout = np.intersect1d(t, times, return_indices=True)
    truth = truth[at_truth]
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(rollout[at_rollout] - truth)
    ended = np.flatnonzero(~np.isfinite(errors).all(axis=1))
    if len(ended):
        errors[ended[0] :] = np.inf
    return common - common[:1], truth, errors


def _places(truth: Array, *, named: bool) -> Integers:
    """Of each feature (feature,) its place: its own position, or how many are larger at the start."""
    features = truth.shape[1]
    if named:
        return np.arange(features)
    places = np.empty(features, dtype=np.intp)
    places[np.argsort(-truth[0], kind="stable")] = np.arange(features)
    return places


def _smallest(ascending: Array, level: float) -> Array:
    """The m-th smallest (time, place) of the errors that there are at each time; NaN where these are too few."""
    present = (~np.isnan(ascending)).sum(axis=0)
    wanted = np.array([rank(n, level) or 0 for n in range(len(ascending) + 1)])[present]
    found = np.take_along_axis(ascending, np.maximum(wanted - 1, 0)[None], axis=0)[0]
    return np.where(wanted > 0, found, np.nan)


def _on(elapsed: Array, times: Array, errors: Array) -> Array:
    """Errors (time, feature) at other elapsed times; NaN after the last of their own."""
    if np.array_equal(elapsed, times):
        return errors
    ended = np.asarray(np.isinf(errors).any(axis=1))
    finite = np.where(ended[:, None], 0.0, errors)
    moved = np.array([np.interp(elapsed, times, of_one) for of_one in finite.T]).T
    if ended.any():
        moved[elapsed >= times[ended][0]] = np.inf
    moved[elapsed > times[-1] * (1 + 1e-9)] = np.nan
    return moved
