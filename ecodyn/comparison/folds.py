"""What is fitted on and what is scored on: folds of runs, and the origins of forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Integers
from ecodyn.trajectories import Trajectories

__all__ = [
    "ORIGINS",
    "Fold",
    "complete_before",
    "first_row",
    "folds_by_cluster",
    "origins",
    "own_origin",
    "steps_before",
    "unseen_folds",
]

ORIGINS = (0.4, 0.6, 0.8)  # of the window, where forecasts start
MOST_FOLDS = 16  # leave one out up to so many runs
FOLDS = 8  # where there are more runs than that


@dataclass(frozen=True)
class Fold:
    """What is fitted on and what is scored on: positions of runs, not labels.

    Attributes
    ----------
    training, scored : positions of runs
    origin : step up to which is fitted, and from which is rolled out; None for the whole window
    """

    training: tuple[int, ...]
    scored: tuple[int, ...]
    origin: float | None = None


def folds_by_cluster(clusters: NDArray[Any], folds: int | None) -> list[tuple[int, ...]]:
    """Positions of each fold's runs; runs of a cluster stay together.

    Parameters
    ----------
    clusters : labels (run,)
    folds : how many; by default one cluster is left out at a time up to 16 of them, else there are 8
    """
    labels = list(dict.fromkeys(clusters.tolist()))
    count = min(len(labels), folds or (MOST_FOLDS if len(labels) <= MOST_FOLDS else FOLDS))
    if count < 2:
        return []
    groups = [set(labels[f::count]) for f in range(count)]
    return [tuple(i for i, c in enumerate(clusters.tolist()) if c in group) for group in groups]


def unseen_folds(data: Trajectories, folds: int | None) -> list[Fold]:
    """All clusters of runs but a fold's are fitted on, and the fold's are scored on."""
    held_out = folds_by_cluster(data.clusters, folds)
    apart = [(runs, frozenset(runs)) for runs in held_out]
    return [Fold(tuple(r for r in range(data.n_runs) if r not in out), runs) for runs, out in apart]


def origins(data: Trajectories) -> list[float]:
    """Steps from which forecasts start, on the clock of the run that begins first."""
    first, last = float(np.nanmin(data.times)), float(np.nanmax(data.times))
    return [first + share * (last - first) for share in ORIGINS]


def own_origin(data: Trajectories, run: int, origin: float) -> float:
    """An origin on a run's own clock: it is stated for the earliest run, and shifts with a run's first step."""
    return origin + float(data.times[run, 0] - np.nanmin(data.times))


def steps_before(data: Trajectories, run: int, origin: float) -> int:
    """Stored steps of a run up to an origin."""
    n = int(data.lengths[run])
    return int(np.sum(data.times[run, :n] <= own_origin(data, run, origin)))


def complete_before(data: Trajectories, run: int, origin: float | None) -> Integers:
    """Places of the complete stored steps (step,) of a run up to an origin; all of them up to none."""
    n = int(data.lengths[run]) if origin is None else steps_before(data, run, origin)
    return np.flatnonzero(~data.missing[run, :n].any(axis=1))


def first_row(data: Trajectories, run: int, origin: float | None, warm_up: int = 0) -> int:
    """Place of the step from which a run is rolled out: its first complete one, or the last up to an origin.

    ``warm_up`` complete steps go before the first that is rolled out from; those before an origin are there anyway.
    """
    return int(complete_before(data, run, origin)[warm_up if origin is None else -1])
