"""Many runs on their way to a law, a few at a time: what a fit asks of them is summed up as they are read.

Integral matching needs each run's triangular factor; multiple shooting the states at the few steps that rollouts are
compared with; weights, bounds and units need sums. All of them are gathered in two passes over the runs, in the order
in which they are given, so that no more than a shard of the values is in memory at a time. Validation rolls out some of
the runs alone, evenly chosen among all by how far they go: thousands more would not tell candidates apart any better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Integers
from ecodyn.equations.clock_drive import Drive, MeanCurve
from ecodyn.equations.library import Library
from ecodyn.estimation.integral_matching import MatchedIntegrals, match
from ecodyn.estimation.movement import Movement
from ecodyn.estimation.samples import Samples, check_sizes, padded_states, units
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Labels
from ecodyn.trajectories.scales import gone_by_run, scales_of
from ecodyn.trajectories.state import parse_state

__all__ = ["BATCH_BYTES", "MOST_VALIDATED", "ManyRuns", "Runs", "RunsInMemory", "Survey", "summed_up"]

BATCH_BYTES = 2**24  # of values that are looked at together, in memory: copies of so few are next to nothing
MOST_VALIDATED = 512  # runs that validation rolls out: a mean over so many is good to a twentieth of how runs differ


class Runs(Protocol):
    """Runs that are read when they are asked for, such as a collection's."""

    @property
    def n_runs(self) -> int:
        """How many there are."""

    @property
    def clusters(self) -> Labels:
        """Labels (run,), equal for runs that are not independent."""

    def shards(self) -> Iterator[Trajectories]:
        """Whole runs in order, some at a time; as often as it is asked for."""

    def runs_of(self, runs: Sequence[int]) -> Trajectories:
        """Some of them, by their positions."""


@dataclass(frozen=True)
class RunsInMemory:
    """Trajectories' own, in batches of ``BATCH_BYTES``."""

    data: Trajectories

    @property
    def n_runs(self) -> int:
        """How many there are."""
        return self.data.n_runs

    @property
    def clusters(self) -> Labels:
        """Labels (run,), equal for runs that are not independent."""
        return self.data.clusters

    def shards(self) -> Iterator[Trajectories]:
        """Whole runs in order, some at a time."""
        size = max(1, BATCH_BYTES * self.n_runs // max(1, self.data.values.nbytes))
        for begin in range(0, self.n_runs, size):
            yield self.runs_of(range(begin, min(begin + size, self.n_runs)))

    def runs_of(self, runs: Sequence[int]) -> Trajectories:
        """Some of them, by their positions."""
        return self.data.select(runs=self.data.runs[list(runs)].tolist())


@dataclass(frozen=True, kw_only=True)
class ManyRuns(Samples):
    """Samples of many runs: their states at the steps that shooting compares alone, and what all steps tell.

    Attributes
    ----------
    ranks : array (run,), of each run's cluster, by how far it goes
    validating : all steps of the runs that validation rolls out
    validated : array (run,), their positions
    """

    ranks: Integers
    validating: Samples
    validated: Integers


@dataclass(kw_only=True)
class Survey:
    """What the first pass tells of all runs, in the data's units.

    Attributes
    ----------
    scales, time_scale, own : as samples have them
    lengths : array (run,)
    grid : array (step,), all times, where a clock needs them
    amplitudes, feature_amplitudes : largest absolute value of each channel, and of each feature's signal
    times, values : the smallest and the largest
    """

    scales: Array = field(default_factory=lambda: np.ones(1))
    time_scale: float = 1.0
    own: Array | None = None
    lengths: list[int] = field(default_factory=list)
    grid: Array = field(default_factory=lambda: np.zeros(0))
    amplitudes: Array = field(default_factory=lambda: np.zeros(1))
    feature_amplitudes: Array = field(default_factory=lambda: np.zeros(1))
    times: tuple[float, float] = (np.inf, -np.inf)
    values: tuple[float, float] = (np.inf, -np.inf)

    @classmethod
    def of(cls, runs: Runs, channels: str, *, own_units: bool, clock: bool) -> Survey:
        """Look at each run once."""
        survey, gone, duration = cls(), list[list[float]](), 0.0
        squares: Array | float = 0.0  # sums over padded steps, (channel,) or (feature, channel), and their number
        values, signals, present = 0, np.zeros(1), np.zeros(1)
        for shard in runs.shards():
            whole = shard.complete()
            states, times, lengths = padded_states(whole, channels)
            count = states.shape[0] * states.shape[1] * (1 if own_units else states.shape[2])
            squares = squares + np.mean(states**2, axis=(0, 1) if own_units else (0, 1, 2)) * count
            values += count
            duration = max(duration, float((times[:, -1] - times[:, 0]).max()))
            if shard.labels_shared:
                gone += gone_by_run(whole)
                signals = signals + np.nansum(whole.values**2, axis=(0, 1))
                present = present + np.sum(~np.isnan(whole.values), axis=(0, 1))
            survey._add(whole, np.abs(states), lengths, clock)
        check_sizes(survey.amplitudes, parse_state(channels))
        survey.scales, survey.time_scale = units(np.asarray(squares) / values, duration, channels)
        if gone:
            survey.own = scales_of(gone, signals / present) / survey.scales[..., 0]
        return survey

    def _add(self, whole: Trajectories, sizes: Array, lengths: NDArray[np.intp], clock: bool) -> None:
        self.lengths += lengths.tolist()
        self.amplitudes = np.maximum(self.amplitudes if len(self.lengths) > len(lengths) else 0.0, sizes.max((0, 1, 2)))
        self.feature_amplitudes = np.maximum(self.feature_amplitudes, sizes[..., 0].max(axis=(0, 1)))
        self.times, self.values = _ends(self.times, whole.times), _ends(self.values, whole.values)
        if clock:
            self.grid = np.union1d(self.grid, whole.times[~np.isnan(whole.times)])

    def samples(self, shard: Trajectories, channels: str) -> Samples:
        """Some of the runs, in the units of all."""
        states, times, lengths = padded_states(shard.complete(), channels)
        states /= self.scales
        return Samples(
            states=states,
            times=times / self.time_scale,
            lengths=lengths,
            scales=self.scales,
            time_scale=self.time_scale,
            clusters=np.unique(shard.clusters, return_inverse=True)[1],
            own=self.own,
        )


def _ends(known: tuple[float, float], values: Array) -> tuple[float, float]:
    """The smallest and the largest, these values included; NaN is padding."""
    return min(known[0], float(np.nanmin(values))), max(known[1], float(np.nanmax(values)))


def summed_up(
    runs: Runs,
    survey: Survey,
    library: Library,
    channels: str,
    *,
    points: int,
    per_feature: bool,
    method: str,
    clock: bool,
) -> tuple[ManyRuns, list[MatchedIntegrals]]:
    """The samples of all runs, and each run's regression.

    Parameters
    ----------
    runs, survey
    library : all candidate terms, in the units of the samples
    channels : of the state
    points : intervals between the steps that shooting compares
    per_feature, method : as of ``match``
    clock : whether what a law sees of other features is their mean curve
    """
    drive = _drive(runs, survey, library, channels) if clock else None
    intervals = min(points, max(survey.lengths) - 1)
    points_of = len(survey.lengths), intervals + 1
    states = np.empty((*points_of, len(library.features), len(library.channels)))
    times, parts = np.empty(points_of), list[MatchedIntegrals]()
    gone, told = list[Array](), list[tuple[Movement, int]]()
    for shard in runs.shards():
        samples = replace(survey.samples(shard, channels), drive=drive)
        parts += match(library, samples, per_feature=per_feature, method=method)
        # The steps that ``Segments.cut`` takes of each run.
        rows = np.rint(np.arange(intervals + 1) / intervals * (samples.lengths[:, None] - 1)).astype(np.intp)
        run = np.arange(samples.n_runs)[:, None]
        place = slice(sum(map(len, gone)), sum(map(len, gone)) + samples.n_runs)
        states[place], times[place] = samples.states[run, rows], samples.times[run, rows]
        gone.append(samples.gone)
        told.append((Movement.of(samples.states, samples.lengths), int(samples.lengths.sum())))
    codes = np.unique(runs.clusters, return_inverse=True)[1]
    ranks = ranks_of(np.concatenate(gone), codes)
    validated = _evenly(ranks)
    few = replace(survey.samples(runs.runs_of(validated.tolist()), channels), drive=drive)
    few = replace(few, clusters=codes[validated])
    many = ManyRuns(
        states=states,
        times=times,
        lengths=np.full(runs.n_runs, intervals + 1, dtype=np.intp),
        scales=survey.scales,
        time_scale=survey.time_scale,
        drive=drive,
        clusters=codes,
        own=survey.own,
        told=Movement.over(told),
        ranks=ranks,
        validating=few,
        validated=validated,
    )
    return many, parts


def ranks_of(gone: Array, codes: Integers) -> Integers:
    """Of each run's cluster (run,), by how far (run,) its runs go from where they start."""
    of_cluster = np.bincount(codes, gone) / np.bincount(codes)
    return np.argsort(np.argsort(of_cluster, kind="stable"))[codes]


def _evenly(ranks: Integers) -> Integers:
    """Positions of the runs that validation rolls out, in order: which ones does not hang on the order of runs."""
    in_order = np.argsort(ranks, kind="stable")
    if len(ranks) <= MOST_VALIDATED:
        return np.sort(in_order)
    return np.sort(in_order[np.linspace(0, len(ranks) - 1, MOST_VALIDATED).astype(int)])


def _drive(runs: Runs, survey: Survey, library: Library, channels: str) -> Drive:
    """A clock's environment: the mean curve over all runs."""
    mean: MeanCurve | None = None
    for shard in runs.shards():
        samples = survey.samples(shard, channels)
        variables = library.variables(samples.states)
        mean = mean or MeanCurve(survey.grid / survey.time_scale, variables.shape[-1])
        mean.add(samples.times, variables, samples.lengths)
    if mean is None:
        raise ValueError("expected at least one run to make a clock of, got none")
    return mean.drive()
