"""Which models may be the best: elimination with sign flips over runs.

Model confidence set as in Hansen, Lunde and Nason (2011), with the largest paired t over ordered pairs as statistic
and, in place of their bootstrap, a null distribution by flipping the sign of whole runs' difference vectors. At 8 or
16 runs the bootstrap rejects far too often; sign flips are exact where differences are symmetric.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

__all__ = ["SET_LEVEL", "ConfidenceSet", "confidence_set", "p_above"]

# Hansen, Lunde and Nason (2011) work at 0.90 and 0.75: a set that errs by holding too many may be less sure than an
# interval, and at 8 to 16 runs one of 0.95 would seldom leave any model out.
SET_LEVEL = 0.90
EXACT_RUNS = 16  # up to so many runs all 2^R flips are enumerated: 32 768, as the other half mirrors them
FLIPS = 20_000  # beyond: the standard error of a p-value of 0.1 is then 0.002
SHARED = 2.0  # standard errors: about where the tests of a set of some models, and of one pair, reject
NORMAL = 1.4826  # standard deviation of a normal law over its median absolute deviation
LESSER = 1.4  # the lesser of the two is low by so much over the number of runs: 28 % at 5, 18 at 8, 9 at 16 (simulated)
CHUNK = 4096  # flips at a time, so that those of hundreds of pairs fit the memory
MOST_SIGNS = 4_000_000  # at a time, 32 MB: all flips of up to 200 runs at once, fewer flips of more runs
MOST_KEPT = 2**26  # bytes of packed signs, of up to 26 000 runs, kept for the next test: to draw them takes longest


@dataclass(frozen=True)
class ConfidenceSet:
    """Members of the set, and the p-value at which each model leaves it.

    ``members`` (model,) bool; ``p_values`` (model,): the running maximum of the tests up to its elimination, 1 for the
    last that stays.
    """

    members: NDArray[np.bool_]
    p_values: Array


def confidence_set(
    losses: Array, *, inflation: Array | None = None, level: float = SET_LEVEL, seed: int = 0, flips: int = FLIPS
) -> ConfidenceSet:
    """Eliminate models by their losses (run, model), lower being better.

    Parameters
    ----------
    losses : array (run, model)
        Runs (or clusters of runs) are independent.
    inflation : array (model, model), optional
        Standard error of a pair's mean difference over that from the scatter of these runs alone, for differences that
        have a part which all runs share (such as that of one training sample). They are moved towards equality first,
        by twice what that adds to the standard error.
    level : float
        The set holds the best model with this probability.
    seed, flips : int
        Of the flips, and how many, where there are too many to enumerate.
    """
    runs, models = losses.shape
    if runs < 2 or models < 2:
        return ConfidenceSet(np.ones(models, dtype=bool), np.ones(models))
    # The order of runs and models must not matter, in the last digit too: sums are taken in an order of their own.
    # Runs that hold the same losses, by other models, are told apart by the models' own order, that of their losses.
    ordered = losses[:, np.lexsort(np.sort(losses, axis=0))]
    losses = losses[np.lexsort((*ordered.T, *np.sort(losses, axis=1).T))]
    first, second = np.triu_indices(models, 1)
    differences = losses[:, first] - losses[:, second]
    if inflation is not None:
        shared, mean = _shared_part(differences, inflation[first, second]), differences.mean(axis=0)
        differences = differences - np.sign(mean) * np.minimum(np.abs(mean), shared)
    squares = np.mean(differences**2, axis=0)
    observed = _t(differences.mean(axis=0), squares, runs)
    flipped = _flipped(differences, squares, seed, flips)
    return _eliminate(models, first, second, observed, flipped, level)


def p_above(differences: Array, limit: float, *, inflation: float = 1.0, seed: int = 0, flips: int = FLIPS) -> float:
    """One-sided p-value of "the mean difference is at least ``limit``", by flipping the signs of runs' (d − limit).

    Small where differences are surely below. Exact for differences that are symmetric about their mean; a few runs in
    which d is far below, which widen a t interval to both sides, don't stand in the way.

    Parameters
    ----------
    differences : array (run,)
    inflation, seed, flips : as in ``confidence_set``
    """
    runs = len(differences)
    if runs < 2:
        return 1.0
    shifted = np.sort(differences - limit)[:, None]  # sorted, so that the order of runs can't matter
    shifted = shifted + _shared_part(shifted, np.array([inflation]))
    squares = np.mean(shifted**2, axis=0)
    if np.isnan(squares[0]):
        return 1.0
    if not squares[0] > 0:
        return 0.0  # all are the limit itself
    observed = float(_t(shifted.mean(axis=0), squares, runs)[0])
    means = [signs @ shifted / runs for signs in _signs(runs, seed, flips, MOST_SIGNS // runs)]
    flipped = _t(np.concatenate(means), squares, runs)
    # Half of the flips are listed, the others have the opposite sign. A hair of tolerance counts the observed itself.
    reached = observed + 1e-9 * abs(observed)
    return float((np.mean(flipped <= reached) + np.mean(-flipped <= reached)) / 2)


def _shared_part(differences: Array, inflation: Array) -> Array:
    """What may be common to all of the differences (run, pair): it is no matter of sign, so that flips can't see it.

    Their scatter is the standard deviation, or that of a normal law with their median deviation where that is less: a
    few runs in which a model fails say nothing of what all runs share.
    """
    runs, middle = len(differences), np.median(differences, axis=0)
    scatter = np.minimum(differences.std(axis=0, ddof=1), NORMAL * np.median(np.abs(differences - middle), axis=0))
    scatter = scatter / max(1.0 - LESSER / runs, 0.5)
    return np.asarray(SHARED * (inflation - 1.0) * scatter / np.sqrt(runs))


def _t(mean: Array, squares: Array, runs: int) -> Array:
    """Paired t from the mean difference and the mean square, which flips leave alone; 0 for identical columns."""
    variance = np.maximum(squares - mean**2, 0.0) / (runs - 1)
    # Rounding must not make an infinite t of a constant difference, nor a finite one of none.
    floor = 1e-24 * squares
    return np.where(squares > 0, mean / np.sqrt(np.maximum(variance, floor) + 1e-300), 0.0).astype(np.float64)


def _signs(runs: int, seed: int, flips: int, size: int) -> Iterator[Array]:
    """Half of all flips (the other half only turns every pair around), or a seeded sample, the identity first.

    In pieces (flip, run) of ``size`` flips: what is drawn depends on the seed alone, not on the pieces.
    """
    size = max(1, size)
    if runs <= EXACT_RUNS and (flips >= FLIPS or 2 ** (runs - 1) <= flips):
        every = _every_flip(runs)
        for begin in range(0, len(every), size):
            yield every[begin : begin + size].astype(np.float64)
    elif flips * runs <= MOST_SIGNS or flips * runs > 8 * MOST_KEPT:
        yield from _drawn(runs, seed, flips, size)
    else:
        kept = _packed(runs, seed, flips)
        for begin in range(0, flips, size):
            bits = np.unpackbits(kept[begin : begin + size], axis=1, count=runs)
            yield np.asarray(2.0 * bits - 1.0, dtype=np.float64)


@lru_cache(maxsize=2)  # asked for by each pair of models
def _every_flip(runs: int) -> NDArray[np.int8]:
    """Half of all flips (flip, run), those in which the last run keeps its sign."""
    codes = np.arange(2 ** (runs - 1))
    return np.asarray(1 - 2 * ((codes[:, None] >> np.arange(runs)) & 1), dtype=np.int8)


def _drawn(runs: int, seed: int, flips: int, size: int) -> Iterator[Array]:
    """A seeded sample of flips, the identity first."""
    rng = np.random.default_rng(seed)
    for begin in range(0, flips, size):
        signs = rng.choice([-1.0, 1.0], size=(min(size, flips - begin), runs))
        if not begin:
            signs[0] = 1.0
        yield signs


@lru_cache(maxsize=2)  # a verdict's own, and the fewer of its repetitions
def _packed(runs: int, seed: int, flips: int) -> NDArray[np.uint8]:
    """The same sample, a bit a sign."""
    drawn = _drawn(runs, seed, flips, max(1, MOST_SIGNS // runs))
    return np.concatenate([np.packbits(signs > 0, axis=1) for signs in drawn])


def _flipped(differences: Array, squares: Array, seed: int, flips: int) -> NDArray[np.float32]:
    """|t| of every pair under every flip, (flip, pair)."""
    runs = len(differences)
    size = min(CHUNK, MOST_SIGNS // runs)
    means = (signs @ differences / runs for signs in _signs(runs, seed, flips, size))
    return np.concatenate([np.abs(_t(mean, squares, runs)).astype(np.float32) for mean in means])


def _eliminate(
    models: int,
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    observed: Array,
    flipped: NDArray[np.float32],
    level: float,
) -> ConfidenceSet:
    alive = np.ones(models, dtype=bool)
    p_values = np.ones(models)
    running = 0.0
    while alive.sum() > 1:
        pairs = np.flatnonzero(alive[first] & alive[second])
        statistic = np.abs(observed[pairs]).max()
        null = flipped[:, pairs].max(axis=1)
        # A hair of tolerance: the identity's own flip, in float32, must count as at least the observed.
        p = float(np.mean(null >= statistic * (1 - 1e-5)))
        running = max(running, p)
        worst = _worst(models, first[pairs], second[pairs], observed[pairs], alive)
        p_values[worst] = running
        alive &= ~worst
    return ConfidenceSet(p_values > 1 - level, p_values)


def _worst(
    models: int, first: NDArray[np.intp], second: NDArray[np.intp], t: Array, alive: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """The model that loses by most to any other; models identical to it go with it, unless all are."""
    against = np.full(models, -np.inf)
    np.maximum.at(against, first, t)
    np.maximum.at(against, second, -t)
    worst = alive & np.isclose(against, against[alive].max(), rtol=1e-9, atol=1e-12)
    return worst if worst.sum() < alive.sum() else alive
