"""Who is alive: rules on the signals of one run at one step, and their registry.

The study has two (arXiv 2405.17420); both are relative to something that changes with training. The others ask
whether the signals fall into two groups at all, so that all or none may be alive, and take the upper group.

==================  ==================================================================================
rule                alive is
==================  ==================================================================================
``twice_mean``      a signal above twice the mean over all p frequencies, DC included: the study's first
``above_10``        a signal above 10: the study's second
``largest_gap``     what lies above the largest gap in log signal, if that is larger than chance makes
``two_component``   the upper of two Gaussian components of log signal, if two describe it better than one
``noise_floor``     a signal above the noise floor that the surely dead stand on
==================  ==================================================================================
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.survivors import fates

Alive = NDArray[np.bool_]

ABSOLUTE = 10.0  # the study's second rule
KEPT = 0.25  # of the median at the start: survivors of the study keep a half or more, the dead at step 1000 an eighth
HALF = 0.5  # of the survivors' median: below it a feature is out of the competition
CHANCE = 0.01  # that features of one group show a gap which counts
FLOOR_WIDTHS = 5.0  # robust standard deviations above the dead's median
LEAST = 4  # features that can show two groups
SETTLED = 1e-6  # gain in log likelihood at which expectation-maximisation ends
TINY = 1e-12  # of the largest signal: where log signal ends


@dataclass(frozen=True)
class Standing:
    """What a rule sees of one run.

    Attributes
    ----------
    signal, start : signals (feature,) at the step and at the run's first step
    dc : the spectrum at frequency 0 at the step, if the data have it
    """

    signal: Array
    start: Array
    dc: float | None = None

    @property
    def logs(self) -> Array:
        """Log signal (feature,); what is zero counts as 10⁻¹² of the largest."""
        top = float(self.signal.max())
        return np.asarray(np.log(np.maximum(self.signal, TINY * top))) if top > 0 else np.zeros(len(self.signal))

    @property
    def present(self) -> Alive:
        """Features (feature,) that have a signal at all; all, where too few have one to tell groups among them."""
        there = np.asarray(self.signal > TINY * float(self.signal.max()))
        return there if there.sum() >= LEAST else np.ones_like(there)

    @property
    def surely_dead(self) -> Alive:
        """Features (feature,) whose signal is zero or under a quarter of the median over features at the start."""
        return np.asarray((self.signal < KEPT * float(np.median(self.start))) | (self.signal <= 0))

    def fate(self, upper: Alive) -> Alive:
        """The upper of two groups, unless its median is surely dead; of one group, what is not surely dead.

        Groups whose medians differ by less than a factor of two count as one: below half the survivors' level a
        feature is out of the competition (see `ecodyn.survival.extinction`), above it none is.
        """
        if upper.all() or not upper.any():
            return np.asarray(~self.surely_dead)
        level, rest = float(np.median(self.signal[upper])), float(np.median(self.signal[~upper]))
        if rest >= HALF * level:
            return np.asarray(~self.surely_dead)
        return upper if level >= KEPT * float(np.median(self.start)) else np.zeros_like(upper)


def _among_present(judge: Callable[[Standing], Alive]) -> Callable[[Standing], Alive]:
    """A rule that compares features with each other, asked only of those that have a signal: the others are dead.

    A feature that is zero, since nothing of it was ever in the embedding, is no second group.
    """

    @functools.wraps(judge)
    def judged(run: Standing) -> Alive:
        there = run.present
        alive = np.zeros(len(there), dtype=bool)
        alive[there] = judge(Standing(run.signal[there], run.start[there], run.dc))
        return alive

    return judged


def twice_mean(run: Standing) -> Alive:
    """xᵢ > 2 · mean over all p frequencies, each pair counted twice and the DC component once."""
    return fates.survivors(run.signal[None], None if run.dc is None else np.array([run.dc]))


def above_10(run: Standing) -> Alive:
    """xᵢ > 10, which at p = 59, d = 128 sits on the floor of the dead at step 1000."""
    return np.asarray(run.signal > ABSOLUTE)


@_among_present
def largest_gap(run: Standing) -> Alive:
    """What lies above the largest gap in log signal, if the gap is one; else what is not surely dead.

    With sorted y₁ ≥ ... ≥ y_K, the spacings of a Laplace sample times the number of features on their shorter side,
    min(i, K − i)(yᵢ − yᵢ₊₁), are independent and exponential (Rényi 1953; normal tails are lighter). Fisher's (1929)
    test of the largest over the sum says with what chance, at most, one group shows a gap as large; under 1 %, it is
    one.
    """
    ranked = np.sort(run.logs)[::-1]
    if len(ranked) < LEAST:
        raise UnusableDataError(f"expected at least {LEAST} features for a gap between two groups, got {len(ranked)}")
    spacings = -np.diff(ranked)
    place = int(np.argmax(spacings))
    sides = np.minimum(np.arange(1, len(ranked)), np.arange(len(ranked) - 1, 0, -1))
    weighted = sides * spacings
    total = float(weighted.sum())
    apart = total > 0 and chance_of_largest(float(weighted[place]) / total, len(spacings)) < CHANCE
    upper = run.logs >= ranked[place] if apart else np.ones(len(ranked), dtype=bool)
    return run.fate(upper)


@_among_present
def two_component(run: Standing) -> Alive:
    """The upper of two Gaussian components of log signal, of one width, if two describe it better than one.

    That is told by the integrated completed likelihood (Biernacki, Celeux and Govaert 2000), BIC less the entropy of
    who belongs where: BIC alone splits many a start, where features differ by chance. If one component will
    do, what is not surely dead is alive.
    """
    y = run.logs
    if len(y) < LEAST:
        raise UnusableDataError(f"expected at least {LEAST} features for two groups, got {len(y)}")
    upper = _upper_component(y)
    return run.fate(upper)


@_among_present
def noise_floor(run: Standing) -> Alive:
    """log xᵢ > m + 5σ, with m and σ the median and scaled median deviation of log signal of the surely dead.

    Surely dead is what keeps less than a quarter of the median over features at the start.
    """
    dead = run.surely_dead
    if dead.sum() < 2:  # no floor to tell a width from
        return np.asarray(~dead)
    level = float(np.median(run.logs[dead]))
    width = 1.4826 * float(np.median(np.abs(run.logs[dead] - level)))  # a normal's standard deviation
    return run.fate(np.asarray(run.logs > level + FLOOR_WIDTHS * width))


RULES: dict[str, Callable[[Standing], Alive]] = {
    "twice_mean": twice_mean,
    "above_10": above_10,
    "largest_gap": largest_gap,
    "two_component": two_component,
    "noise_floor": noise_floor,
}


def chance_of_largest(share: float, n: int) -> float:
    """A bound n(1 − share)^(n−1) of P(max zⱼ/Σz ≥ share) for n independent exponential zⱼ (Fisher 1929), at most 1.

    It is the first term of Fisher's alternating sum, whose others cancel in floating point where n is large; of chances
    under a hundredth it is within a hundredth.
    """
    return float(min(n * max(1.0 - share, 0.0) ** (n - 1), 1.0))


def _upper_component(y: Array, iterations: int = 200) -> Alive:
    """Members of the upper component by expectation-maximisation from the best split; all if one Gaussian will do."""
    n, spread = len(y), float(y.std())
    if not spread > 0:
        return np.ones(n, dtype=bool)
    ranked = np.sort(y)
    inside = [float(a.var() * len(a) + b.var() * len(b)) for a, b in ((ranked[:i], ranked[i:]) for i in range(1, n))]
    i = 1 + int(np.argmin(inside))
    means, share = np.array([ranked[:i].mean(), ranked[i:].mean()]), (n - i) / n
    width = max(np.sqrt(min(inside) / n), 1e-3 * spread)
    before = -np.inf
    for _ in range(iterations):
        joint = _log_normal(y[:, None], means, width) + np.log([1 - share, share])
        both = np.logaddexp(joint[:, 0], joint[:, 1])
        upper = np.exp(joint[:, 1] - both)
        if (likelihood := float(both.sum())) < before + SETTLED:
            break
        before = likelihood
        share = float(np.clip(upper.mean(), 1 / n, 1 - 1 / n))
        weights = np.stack([1 - upper, upper], axis=1)
        means = (weights * y[:, None]).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-12)
        width = max(float(np.sqrt((weights * (y[:, None] - means) ** 2).sum() / n)), 1e-3 * spread)
    weights = np.stack([1 - upper, upper], axis=1)
    gain = 2 * float(both.sum() - _log_normal(y, y.mean(), spread).sum())
    entropy = -float((weights * (joint - both[:, None])).sum())
    apart = gain - 2 * entropy > 2 * log(n)  # two parameters more
    return np.asarray(upper > 0.5) if apart else np.ones(n, dtype=bool)


def _log_normal(y: Array, mean: Array | float, width: float) -> Array:
    return np.asarray(-0.5 * ((y - mean) / width) ** 2 - np.log(width) - 0.5 * np.log(2 * np.pi))
