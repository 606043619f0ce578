"""Runs that are copies of others, exactly or nearly: they say the same thing twice, and are one observation."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.parts import some

if TYPE_CHECKING:
    from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["FEWEST_RUNS", "copies", "with_copies_together"]

FEWEST_RUNS = 5  # independent ones: of fewer no comparison decides anything

# How far copies may lie apart, as a share of a run's own spread. Rounding to four digits stays far below.
NEARLY = 1e-2
# Of few features, many runs that are no copies lie as near by chance: as near that so many pairs are expected there.
BY_CHANCE = 1e-2
PROJECTIONS = 24  # numbers that stand for a run's increments where all pairs are looked at
LOOSER = 20.0  # by how much projections may differ more than what they stand for: by chance hardly ever as much
ROUNDED = 1e-12  # of squared distances of projections, which are differences of larger numbers
BLOCK = 256  # runs that are looked at at a time, beside all that may be near them
VALUES = 4_000_000  # of a signal that are copied at a time, 32 MB


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
    merged = _joined(data.clusters, pairs)
    first, *others = pairs
    before, after = len(np.unique(data.clusters)), len(np.unique(merged))
    what = "is a copy" if not others else "are copies"
    sentence = (
        f"{len(pairs)} of {len(data.runs)} runs {what} of another: run {data.runs[first[1]]} of run "
        f"{data.runs[first[0]]}" + (f", and {some(data.runs[sorted(b for _, b in others)])}" if others else "")
    )
    sentence += f"; copies count as one, so that there are {after} independent runs and not {before}"
    return runs._derived(replace(data, clusters=merged)), (sentence,)


def copies(data: Checked) -> list[tuple[int, int]]:
    """Positions of each run that is a copy, after that of the first run it belongs to, in this order.

    Of three runs of which the second is nearly the first and the third nearly the second, all belong together.
    """
    alike: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    for r, length in enumerate(data.lengths):
        alike[int(length), data.times[r, :length].tobytes()].append(r)
    found = [pair for (length, _), group in alike.items() for pair in _of_group(data, np.array(group), length)]
    return sorted(found)


def _joined(clusters: np.ndarray, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Clusters of runs, with those of each pair in one; it has the name that its first run's had."""
    names, of_run = np.unique(clusters, return_inverse=True)
    links = of_run[np.array(pairs)]
    size = len(names)
    _, joined = connected_components(coo_array((np.ones(len(links)), links.T), (size, size)), directed=False)
    first = np.full(size, len(clusters))
    np.minimum.at(first, joined[of_run], np.arange(len(clusters)))
    return np.asarray(clusters[first[joined[of_run]]])


def _of_group(data: Checked, group: Integers, length: int) -> Iterator[tuple[int, int]]:
    """Copies among runs of the same times."""
    signal = data.observables["signal"]
    first: dict[bytes, int] = {}  # by what hashes to 256 bits: the values themselves would be all data once more
    equal = {r: first.setdefault(_digest(signal[r, :length]), r) for r in group.tolist()}
    others = np.array(sorted(first.values()))
    nearly = others if length < 2 or len(others) < 2 else _nearly(signal[:, :length], others)
    belongs = dict(zip(others.tolist(), nearly.tolist(), strict=True))
    for r, same in equal.items():
        if belongs[same] != r:
            yield belongs[same], r


def _digest(values: Array) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(values + 0.0)).digest()  # -0.0 becomes 0.0, which has other bits


def _nearly(signal: Array, runs: Integers) -> Integers:
    """For each of these runs, the first one that it nearly equals, itself or by way of others."""
    near = min(NEARLY, 0.5 * (2 * BY_CHANCE / len(signal) ** 2) ** (1 / signal.shape[2]))
    label = np.arange(len(runs))
    members = {i: [i] for i in range(len(runs))}
    for i, candidates in _candidates(signal, runs, near):
        asked = candidates[label[candidates] != label[i]]  # of many copies of one run each is compared once
        for j in asked[_are_nearly_equal(signal, runs[i], runs[asked], near)].tolist():
            small, large = sorted((label[i], label[j]), key=lambda k: len(members[k]))
            if small != large:
                moved = members.pop(small)
                label[moved] = large
                members[large] += moved
    for together in members.values():
        label[together] = min(together)
    return runs[label]


def _candidates(signal: Array, runs: Integers, near: float) -> Iterator[tuple[int, Integers]]:
    """Of a run, others that may nearly equal it, told by projections of their levels and of their increments."""
    levels, spreads, shadows = _projected(signal, runs)
    order = np.argsort(levels, kind="stable")  # of runs whose levels are apart nothing further is asked
    levels, shadows = levels[order], shadows[order]
    ends = np.searchsorted(levels, levels + near * np.sqrt(LOOSER * PROJECTIONS) * spreads[order] + ROUNDED, "right")
    farthest = LOOSER * near**2 * PROJECTIONS + ROUNDED
    for at in range(0, len(runs), BLOCK):
        mine, others = shadows[at : at + BLOCK], shadows[at : ends[at : at + BLOCK].max()]
        apart = np.square(mine).sum(axis=1)[:, None] + np.square(others).sum(axis=1) - 2 * mine @ others.T
        may_be = np.triu(apart <= farthest, 1)
        for i in np.flatnonzero(may_be.any(axis=1)).tolist():
            yield int(order[at + i]), order[at + np.flatnonzero(may_be[i])]


def _projected(signal: Array, runs: Integers) -> tuple[Array, Array, Array]:
    """A projection of each run's values, how far others' may lie from it as a share, and some of its increments.

    Values count in units of the largest there is, increments in those of the run's own.
    """
    steps, features = signal.shape[1:]
    rng = np.random.default_rng(0)  # the same in every call: a result must not depend on it
    over_steps, over_features = rng.standard_normal((PROJECTIONS, steps)), rng.standard_normal((PROJECTIONS, features))
    largest = max(_largest(signal[r]) for r in runs) or 1.0
    levels, spreads, shadows = np.empty(len(runs)), np.empty(len(runs)), np.empty((len(runs), PROJECTIONS))
    size = max(1, VALUES // (steps * features))
    for at in range(0, len(runs), size):
        here = slice(at, at + size)
        values = np.nan_to_num(signal[runs[here]])
        scale = np.abs(values).max(axis=(1, 2), keepdims=True)
        increments = np.diff(values / np.where(scale > 0, scale, 1.0), axis=1)
        moved = np.sqrt(np.square(increments).sum(axis=(1, 2), keepdims=True))
        increments /= np.where(moved > 0, moved, 1.0)
        shadows[here] = np.einsum("rsp,ps->rp", increments @ over_features.T, over_steps[:, 1:])
        values /= largest
        levels[here] = over_steps[0] @ values @ over_features[0]
        spreads[here] = np.sqrt(np.square(values - values.mean(axis=1, keepdims=True)).sum(axis=(1, 2)))
    return levels, spreads, shadows


def _are_nearly_equal(signal: Array, one: int, others: Integers, near: float) -> Bools:
    """Whether a run nearly equals each of others, (other,)."""
    size = max(1, VALUES // signal[one].size)
    parts = [others[at : at + size] for at in range(0, len(others), size)]
    return np.concatenate([np.empty(0, dtype=bool), *(_compared(signal[one], signal[part], near) for part in parts)])


def _compared(a: Array, b: Array, near: float) -> Bools:
    """Of values (step, feature) and others' (other, step, feature), whether they are as near as copies are."""
    with np.errstate(over="ignore", invalid="ignore"):  # of the largest numbers there are
        scale = _largest(a) or 1.0
        a, b = np.nan_to_num(a / scale), np.nan_to_num(b / scale)  # where one lacks a value the other has, they differ
        own, other = np.diff(a, axis=0), np.diff(b, axis=1)
        apart = np.square(own - other).sum(axis=(1, 2))
        sizes = np.sqrt(np.square(own).sum() * np.square(other).sum(axis=(1, 2)))
        distance = np.sqrt(np.square(a - b).mean(axis=(1, 2)))
        spread = np.sqrt(np.minimum(_variance(a), _variance(b)))
        # Where nothing moves only levels could tell, and those of equal runs are equal.
        return np.asarray((sizes > 0) & (apart <= near**2 * sizes) & (distance <= near * spread))


def _largest(values: Array) -> float:
    """The largest size of any value that there is."""
    return float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0))


def _variance(values: Array) -> Array:
    """Over steps about each feature's mean, averaged over features."""
    return np.asarray(np.square(values - values.mean(axis=-2, keepdims=True)).mean(axis=(-2, -1)))
