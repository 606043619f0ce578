"""Runs that are copies of others, exactly or nearly: they say the same thing twice, and are one observation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.parts import some

if TYPE_CHECKING:
    from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["copies", "with_copies_together"]

# How far copies may lie apart, as a share of a run's own spread. Rounding to four digits stays far below.
NEARLY = 1e-2
# Of few features, many runs that are no copies lie as near by chance: as near that so many pairs are expected there.
BY_CHANCE = 1e-2
PROJECTIONS = 24  # numbers that stand for a run's increments where all pairs are looked at
LOOSER = 20.0  # by how much projections may differ more than what they stand for: by chance hardly ever as much
ROUNDED = 1e-12  # of squared distances of projections, which are differences of larger numbers
BLOCK = 256  # runs that are looked at at a time, beside all that may be near them


def with_copies_together(runs: Trajectories) -> tuple[Trajectories, tuple[str, ...]]:
    """The same data with copies in one cluster, and a sentence on them if there are any.

    Two runs are copies if they have the same times, and their signals are equal; or nearly equal: the increments
    Δ from step to step satisfy ‖Δ − Δ'‖² ≤ δ² ‖Δ‖ ‖Δ'‖, so that their correlation is above 1 − δ²/2, and the signals
    lie within δ of their own spread of each other. δ is a hundredth, or less where runs that start anywhere would be as
    near by chance: ½ (2ε/R²)^(1/K) for R runs of K features, at which ε = 0.01 pairs are expected. Runs that share a
    cluster already stay together.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Trajectories
    >>> x = np.random.default_rng(0).random((3, 9, 2))
    >>> runs, said = with_copies_together(Trajectories(x[[0, 1, 0, 2]], range(9)))
    >>> runs.n_clusters, said[0].partition(":")[0]
    (3, '1 of 4 runs is a copy of another')
    """
    data: Checked = runs._data
    pairs = [(a, b) for a, b in copies(data) if data.clusters[a] != data.clusters[b]]
    if not pairs:
        return runs, ()
    merged, first = data.clusters.copy(), min(pairs)
    extra = set()
    for a, b in sorted(pairs):
        if merged[a] != merged[b]:
            merged[merged == merged[b]] = merged[a]
        extra.add(b)
    before, after = len(np.unique(data.clusters)), len(np.unique(merged))
    what = "is a copy" if len(extra) == 1 else "are copies"
    sentence = (
        f"{len(extra)} of {len(data.runs)} runs {what} of another: run {data.runs[first[1]]} of run "
        f"{data.runs[first[0]]}" + (f", and {some(data.runs[sorted(extra - {first[1]})])}" if len(extra) > 1 else "")
    )
    sentence += f"; copies count as one, so that there are {after} independent runs and not {before}"
    return runs._derived(replace(data, clusters=merged)), (sentence,)


def copies(data: Checked) -> list[tuple[int, int]]:
    """Positions of each run that is a copy, after that of the first run it is one of."""
    alike: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for r, length in enumerate(data.lengths):
        alike[int(length), data.times[r, :length].tobytes()].append(r)
    return [pair for (length, _), group in alike.items() for pair in _of_group(data, np.array(group), length)]


def _of_group(data: Checked, group: Integers, length: int) -> Iterator[tuple[int, int]]:
    """Copies among runs of the same times."""
    signal = data.observables["signal"]
    first: dict[bytes, int] = {}
    for r in group.tolist():
        same = first.setdefault((signal[r, :length] + 0.0).tobytes(), r)  # -0.0 becomes 0.0, which has other bytes
        if same != r:
            yield same, r
    others = np.array(sorted(first.values()))
    if length > 1 and len(others) > 1:
        yield from _nearly(signal[:, :length], others)


def _nearly(signal: Array, runs: Integers) -> Iterator[tuple[int, int]]:
    near = min(NEARLY, 0.5 * (2 * BY_CHANCE / len(signal) ** 2) ** (1 / signal.shape[2]))
    for i, j in _candidates(signal, runs, near):
        if _are_nearly_equal(signal[runs[i]], signal[runs[j]], near):
            yield int(runs[i]), int(runs[j])


def _candidates(signal: Array, runs: Integers, near: float) -> Iterator[tuple[int, int]]:
    """Pairs whose increments may be nearly equal, told by a few projections of them."""
    steps, features = signal.shape[1] - 1, signal.shape[2]
    rng = np.random.default_rng(0)  # the same in every call: a result must not depend on it
    over_steps, over_features = rng.standard_normal((PROJECTIONS, steps)), rng.standard_normal((PROJECTIONS, features))
    shadows = np.empty((len(runs), PROJECTIONS))
    for i, r in enumerate(runs):
        increments = _increments(signal[r])
        size = np.sqrt(np.square(increments).sum())
        shadows[i] = np.einsum("ps,sk,pk->p", over_steps, increments / (size or 1.0), over_features, optimize=True)
    farthest = LOOSER * near**2 * PROJECTIONS + ROUNDED
    order = np.argsort(shadows[:, 0], kind="stable")  # of those apart in one projection nothing further is asked
    shadows = shadows[order]
    ends = np.searchsorted(shadows[:, 0], shadows[:, 0] + np.sqrt(farthest), side="right")
    for at in range(0, len(runs), BLOCK):
        mine, others = shadows[at : at + BLOCK], shadows[at : ends[min(at + BLOCK, len(runs)) - 1]]
        apart = np.square(mine).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * mine @ others.T
        for i, j in np.argwhere(apart <= farthest):
            if i < j:
                pair = int(order[at + i]), int(order[at + j])
                yield min(pair), max(pair)


def _are_nearly_equal(a: Array, b: Array, near: float) -> bool:
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
        scale = float(np.nanmax(np.abs(a))) or 1.0
        a, b = np.nan_to_num(a / scale), np.nan_to_num(b / scale)  # where one lacks a value the other has, they differ
        own, other = np.diff(a, axis=0), np.diff(b, axis=0)
        apart, sizes = np.square(own - other).sum(), np.sqrt(np.square(own).sum() * np.square(other).sum())
        if not sizes > 0:  # nothing moves: only levels could tell, and those of equal runs are equal
            return False
        spread = np.sqrt(np.square(a - a.mean(axis=0)).mean())
        return bool(apart <= near**2 * sizes and np.sqrt(np.square(a - b).mean()) <= near * spread)


def _increments(run: Array) -> Array:
    """From step to step, (step, feature), of a run scaled to its largest value."""
    scale = float(np.nanmax(np.abs(run))) or 1.0
    return np.diff(np.nan_to_num(run / scale), axis=0)
