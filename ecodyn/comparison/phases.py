"""Phases of training: stretches of time over which the aggregate of all features changes at one rate.

The aggregate of a run is what an exchangeable law sees of the competition as a whole, its level and its spread:

    (log mean_k x_k(t), log sd_k x_k(t)).

A phase is a stretch over which both are straight lines in time (constant relative rates). That describes the
aggregate; it is no claim that the law is the same within a phase or differs between phases: a single law that relaxes
to its equilibrium is curved, and may be cut into several.

Nothing of a fit or a score is seen. Each fold of ``unseen_runs`` is left out once, and number and places of the change
points come from the other runs alone; the windows are the medians over folds. They are the same for all folds, as
verdicts need them to be, so a held-out run has had its part in the other folds' estimates: how much that could matter
is what the estimates without it show, and where they don't agree the phases are called unstable.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.folds import folds_by_cluster
from ecodyn.comparison.model_score import Window
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.json_values import number, pair
from ecodyn.statistics.partition import Cuts, lines, number_of_pieces, partitions
from ecodyn.trajectories import Trajectories, as_trajectories

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike

# Kinds of phases, by what the aggregate's level and spread do.
GROWTH, SEPARATION, COMPETITION = "growth", "separation", "competition"
DECAY, CONVERGENCE, REST = "decay", "convergence", "rest"
STANDS = math.log(1.05)  # a change by less than a twentieth over a phase is none
MOST_PHASES = 8  # more are not asked for: a verdict each
SHORTEST = 0.02  # of the whole range
FEWEST_STEPS = 10  # stored steps of a phase
GRID = 201  # times at which the aggregate is looked at, and where a phase may begin
FEWEST_CLUSTERS = 4  # one left out to judge the estimate, one more to judge the number, two for a standard error
TOLERANCE = 0.02  # of the whole range: boundaries without a fold further off than this are not the same
FLOOR = 1e-4  # of a run's median: logarithms go no lower


@dataclass(frozen=True)
class Phase:
    """A stretch of training under a name.

    Attributes
    ----------
    window : (first step, last step), both included; neighbouring phases share a step
    label : by `label_of_change`
    mean_change, spread_change : how log mean and log standard deviation over features change from its start to its
        end (by the straight lines of the mean over runs); NaN where all features are equal
    """

    window: tuple[float, float]
    label: str
    mean_change: float
    spread_change: float

    def __str__(self) -> str:
        spread = f", spread ×{math.exp(self.spread_change):.2f}" if math.isfinite(self.spread_change) else ""
        return f"{self.window[0]:g}:{self.window[1]:g} {self.label} (mean ×{math.exp(self.mean_change):.2f}{spread})"


@dataclass(frozen=True)
class Phases:
    """The phases of some runs, and how far the folds agree on them.

    Attributes
    ----------
    phases : in order of time
    fold_boundaries : for each fold, the inner boundaries (steps) found without its runs
    tolerance : steps by which such a boundary may be off the consensus
    """

    phases: tuple[Phase, ...]
    fold_boundaries: tuple[tuple[float, ...], ...]
    tolerance: float

    @property
    def windows(self) -> list[tuple[float, float]]:
        """One a phase, as ``compare`` takes them."""
        return [p.window for p in self.phases]

    @property
    def boundaries(self) -> tuple[float, ...]:
        """Steps at which one phase ends and the next begins."""
        return tuple(p.window[0] for p in self.phases[1:])

    @property
    def agreeing(self) -> list[tuple[float, ...]]:
        """The estimates of the folds that found as many phases."""
        return [b for b in self.fold_boundaries if len(b) == len(self.boundaries)]

    @property
    def ranges(self) -> list[tuple[float, float]]:
        """Of each boundary, the earliest and the latest that a fold with as many phases found."""
        return [(min(b), max(b)) for b in zip(*self.agreeing, strict=True)]

    @property
    def stable(self) -> bool:
        """Whether every fold found as many phases, with each boundary within the tolerance."""
        near = all(
            max(abs(end - b) for end in ends) <= self.tolerance
            for b, ends in zip(self.boundaries, self.ranges, strict=True)
        )
        return near and len(self.agreeing) == len(self.fold_boundaries)

    @property
    def notes(self) -> list[str]:
        """What a reader must be told before the phases are used; nothing where they are stable."""
        if self.stable:
            return []
        numbers = Counter(len(b) + 1 for b in self.fold_boundaries)
        counts = ", ".join(f"{n} in {times}" for n, times in sorted(numbers.items()))
        ranges = ", ".join(f"{low:g} to {high:g}" for low, high in self.ranges) or "none"
        return [
            f"the phases are unstable: without a fold, the number of phases is {counts} folds and the boundaries are "
            f"{ranges} (expected one number, and boundaries within {self.tolerance:g} steps of the consensus); "
            "choose windows yourself, or add runs"
        ]

    def __str__(self) -> str:
        return "; ".join(str(p) for p in self.phases)

    def to_json(self) -> dict[str, object]:
        """What report.json says of them."""
        return {
            "phases": [vars(p) for p in self.phases],
            "boundaries": self.boundaries,
            "boundary_ranges": self.ranges,
            "fold_boundaries": self.fold_boundaries,
            "tolerance": self.tolerance,
            "stable": self.stable,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`, null being NaN."""
        phases = (
            Phase(pair(p["window"]), p["label"], number(p["mean_change"]), number(p["spread_change"]))
            for p in document["phases"]
        )
        boundaries = tuple(tuple(float(b) for b in found) for found in document["fold_boundaries"])
        return cls(tuple(phases), boundaries, float(document["tolerance"]))


def find_phases(data: DataLike, *, folds: int | None = None, most: int = MOST_PHASES) -> Phases:
    """Change points of the aggregate's relative rates, found without each fold in turn.

    Parameters
    ----------
    data : at least 4 independent runs, as `ecodyn.as_trajectories` takes them, whose mean over features is positive
    folds : as in ``compare``; one a cluster up to 16, else 8
    most : phases at most

    Raises
    ------
    UnusableDataError, ValueError
        Too few runs or steps, or a mean that is not positive; or no phase is asked for.
    """
    if most < 1:
        raise ValueError(f"expected at least 1 phase to be allowed, got most={most}")
    data = as_trajectories(data).complete()
    times, curves = _aggregates(data)
    steps = int(data.lengths.min())
    shortest = math.ceil(max(SHORTEST, FEWEST_STEPS / steps) * (len(times) - 1))
    everyone = np.arange(len(curves))
    without = [_estimate(np.delete(curves, fold, axis=0), most, shortest) for fold in folds_by_cluster(everyone, folds)]
    number = Counter(len(cuts) for cuts in without).most_common()
    agreed = min(n for n, times_found in number if times_found == number[0][1])
    cuts = tuple(int(c) for c in np.median([c for c in without if len(c) == agreed], axis=0))
    steps_at = _stored(times, data)
    return Phases(
        phases=_described(curves.mean(axis=0), cuts, steps_at),
        fold_boundaries=tuple(tuple(float(steps_at[c]) for c in found[1:-1]) for found in without),
        tolerance=TOLERANCE * float(times[-1] - times[0]),
    )


def label_of_change(mean: float, spread: float) -> str:
    """The name of a phase by how log mean and log spread over features change in it; under 5 % counts as standing.

    ============ =========== ============ ===========
    mean \\ spread falls       stands       grows
    ============ =========== ============ ===========
    rises        growth      growth       growth
    stands       convergence rest         separation
    falls        decay       competition  competition
    ============ =========== ============ ===========

    Without a spread (all features equal): growth, rest or decay.
    """
    if mean >= STANDS:
        return GROWTH
    if math.isnan(spread):
        return DECAY if mean <= -STANDS else REST
    if mean <= -STANDS:
        return DECAY if spread <= -STANDS else COMPETITION
    if spread >= STANDS:
        return SEPARATION
    return CONVERGENCE if spread <= -STANDS else REST


def _estimate(curves: Array, most: int, shortest: int) -> Cuts:
    """Change points of some runs' aggregates (cluster, grid, channel), their number by leaving some of these out."""
    folds = folds_by_cluster(np.arange(len(curves)), None)
    pieces = number_of_pieces(curves, folds, most, shortest)
    return partitions(curves.mean(axis=0), pieces, shortest)[-1]


def _aggregates(data: Trajectories) -> tuple[Array, Array]:
    """Grid of times (grid,) that all runs cover, and the aggregate (cluster, grid, 2 or 1) of each cluster."""
    if data.n_clusters < FEWEST_CLUSTERS:
        raise UnusableDataError(
            f"phases are found on some runs and checked on others: expected at least {FEWEST_CLUSTERS} independent "
            f"runs, got {data.n_clusters}; choose windows yourself"
        )
    first, last = float(data.times[:, 0].max()), float(np.nanmax(data.times, axis=1).min())
    shortest = int(data.lengths.min())
    if not first < last or shortest < FEWEST_STEPS:
        raise UnusableDataError(
            f"expected at least {FEWEST_STEPS} steps in every run, and times that all runs share, got {shortest} steps "
            f"and times from {first:g} to {last:g}; choose windows yourself"
        )
    grid = np.linspace(first, last, min(GRID, shortest))
    curves = np.array([_aggregate(data, run, grid) for run in range(data.n_runs)])
    if not np.isfinite(curves[..., 1]).all():
        curves = curves[..., :1]
    return grid, np.array([curves[data.clusters == c].mean(axis=0) for c in dict.fromkeys(data.clusters.tolist())])


def _aggregate(data: Trajectories, run: int, grid: Array) -> Array:
    """(log mean, log standard deviation) over a run's features (grid, 2); the latter NaN where features are equal."""
    n = int(data.lengths[run])
    signal, times = data.values[run, :n], data.times[run, :n]
    level, spread = signal.mean(axis=1), signal.std(axis=1)
    middle = float(np.median(level))
    if not middle > 0:
        raise UnusableDataError(
            f"phases are of the logarithm of the mean over features, expected it to be positive, got a median of "
            f"{middle:.3g} in run {data.runs[run]}; choose windows yourself"
        )
    if not np.median(spread) > FLOOR * middle:
        spread = np.full_like(spread, np.nan)
    logs = [np.log(np.maximum(values, FLOOR * np.median(values))) for values in (level, spread)]
    return np.stack([np.interp(grid, times, values) for values in logs], axis=1)


def _stored(grid: Array, data: Trajectories) -> Array:
    """The stored step of the first run that is nearest to each time of the grid; the ends are the data's own."""
    stored = data.times[0, : int(data.lengths[0])]
    after = np.clip(np.searchsorted(stored, grid), 1, len(stored) - 1)
    nearest = np.where(grid - stored[after - 1] <= stored[after] - grid, stored[after - 1], stored[after])
    nearest[0], nearest[-1] = np.nanmin(data.times), np.nanmax(data.times)
    return np.asarray(nearest)


def _described(curve: Array, cuts: Cuts, steps_at: Array) -> tuple[Phase, ...]:
    """Phases with their labels, from the mean curve (grid, channel) over all runs."""
    phases = []
    for start, stop in pairwise(cuts):
        line = lines(curve[start : stop + 1], (0, stop - start))
        mean, *spread = (float(c) for c in line[-1] - line[0])
        change = spread[0] if spread else float("nan")
        window = (float(steps_at[start]), float(steps_at[stop]))
        phases.append(Phase(window, label_of_change(mean, change), mean, change))
    return tuple(phases)


def chosen_phases(
    data: Trajectories, asked: str | Phases | None, windows: Sequence[Window] | None, folds: int | None
) -> Phases | None:
    """The phases that ``compare`` was asked for: "auto" finds them; None for none.

    Raises
    ------
    ValueError
        Phases and windows were both given, or something else than "auto".
    """
    if asked is None:
        return None
    if windows:
        raise ValueError("expected phases or windows, got both: phases are windows that are found; leave one out")
    if isinstance(asked, str) and asked != "auto":
        raise ValueError(f"phases is 'auto' or what find_phases returned, got {asked!r}; name steps with windows")
    return find_phases(data, folds=folds) if isinstance(asked, str) else asked
