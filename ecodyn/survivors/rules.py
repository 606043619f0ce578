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

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.registry import Registry

__all__ = [
    "HALF",
    "RULES",
    "Rule",
    "RunState",
    "above_10",
    "chance_of_largest",
    "largest_gap",
    "noise_floor",
    "twice_mean",
    "two_component",
]

TIMES_MEAN = 2.0  # the study's first rule (arXiv 2405.17420)
ABSOLUTE = 10.0  # the study's second rule, in the unit of its spectra
KEPT = 0.25  # of the median at the start: survivors of the study keep a half or more, the dead at step 1000 an eighth
HALF = 0.5  # of the survivors' median: below it a feature is out of the competition
CHANCE = 0.01  # that features of one group show a gap which counts
FLOOR_WIDTHS = 5.0  # robust standard deviations above the dead's median
NORMAL_WIDTH = 1.4826  # a normal's standard deviation over its median absolute deviation
FEWEST_FEATURES = 4  # that can show two groups: two a group, or one has no width
TINY = 1e-12  # of the largest signal: where log signal ends
SETTLED = 1e-6  # gain in log likelihood at which expectation-maximisation ends
MOST_ITERATIONS = 200  # of expectation-maximisation, which settles within some tens
NEXT_TO_NOTHING = 1e-12  # members of a component that has none, so that its mean is a number
NARROWEST = 1e-3  # of the spread of all: a component's width ends there, or it would shrink onto equal features


Rule = Callable[["RunState"], Bools]
"""Who is alive (feature,) in one run at one step; an UnusableDataError where it can't tell."""


def _accept(name: str, rule: object) -> None:
    if not callable(rule):
        raise TypeError(
            f"expected a survivor rule, a function of a RunState, got {rule!r} as {name!r}; pass the function"
        )


RULES: Registry[Rule] = Registry(
    "survivor rule",
    "ecodyn.survivor_rules",
    {
        "twice_mean": f"{__name__}:twice_mean",
        "above_10": f"{__name__}:above_10",
        "largest_gap": f"{__name__}:largest_gap",
        "two_component": f"{__name__}:two_component",
        "noise_floor": f"{__name__}:noise_floor",
    },
    _accept,
)
"""Rules by name, in the order in which they are shown; ``RULES.register`` or an entry point adds one of your own."""


@dataclass(frozen=True)
class RunState:
    """What a rule sees of one run.

    Attributes
    ----------
    signal, start : signals (feature,) at the step and at the run's first step
    dc : the spectrum at frequency 0 at the step, if the data have it

    Examples
    --------
    >>> from ecodyn.survivors.rules import RunState, two_component
    >>> state = RunState(signal=np.array([71.0, 69.0, 9.0, 10.0, 11.0]), start=np.full(5, 88.0))
    >>> two_component(state).tolist()
    [True, True, False, False, False]
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
    def present(self) -> Bools:
        """Features (feature,) that have a signal at all; all, where too few have one to tell groups among them."""
        there = np.asarray(self.signal > TINY * float(self.signal.max()))
        return there if there.sum() >= FEWEST_FEATURES else np.ones_like(there)

    @property
    def surely_dead(self) -> Bools:
        """Features (feature,) whose signal is zero or under a quarter of the median over features at the start."""
        return np.asarray((self.signal < KEPT * float(np.median(self.start))) | (self.signal <= 0))

    def fate(self, upper: Bools) -> Bools:
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


def _among_present(judge: Rule) -> Rule:
    """A rule that compares features with each other, asked only of those that have a signal: the others are dead.

    A feature that is zero, since nothing of it was ever in the embedding, is no second group.
    """

    @functools.wraps(judge)
    def judged(run: RunState) -> Bools:
        there = run.present
        alive = np.zeros(len(there), dtype=bool)
        alive[there] = judge(RunState(signal=run.signal[there], start=run.start[there], dc=run.dc))
        return alive

    return judged


def twice_mean(run: RunState) -> Bools:
    """xᵢ > 2 · mean over all p frequencies, each pair counted twice and the DC component once, where the data have it.

    Without it the mean is over the features.
    """
    if run.dc is None:
        return np.asarray(run.signal > TIMES_MEAN * run.signal.mean())
    spectrum = run.dc + 2 * run.signal.sum()
    return np.asarray(run.signal > TIMES_MEAN * spectrum / (2 * len(run.signal) + 1))


def above_10(run: RunState) -> Bools:
    """xᵢ > 10, which at p = 59, d = 128 sits on the floor of the dead at step 1000."""
    return np.asarray(run.signal > ABSOLUTE)


@_among_present
def largest_gap(run: RunState) -> Bools:
    """What lies above the largest gap in log signal, if the gap is one; else what is not surely dead.

    With sorted y₁ ≥ ... ≥ y_K, the spacings of a Laplace sample times the number of features on their shorter side,
    min(i, K − i)(yᵢ − yᵢ₊₁), are independent and exponential (Rényi 1953; normal tails are lighter). Fisher's (1929)
    test of the largest over the sum says with what chance, at most, one group shows a gap as large; under 1 %, it is
    one.
    """
    ranked = np.sort(run.logs)[::-1]
    if len(ranked) < FEWEST_FEATURES:
        raise UnusableDataError(
            f"expected at least {FEWEST_FEATURES} features for a gap between two groups, got {len(ranked)}"
        )
    spacings = -np.diff(ranked)
    place = int(np.argmax(spacings))
    sides = np.minimum(np.arange(1, len(ranked)), np.arange(len(ranked) - 1, 0, -1))
    weighted = sides * spacings
    total = float(weighted.sum())
    apart = total > 0 and chance_of_largest(float(weighted[place]) / total, len(spacings)) < CHANCE
    upper = run.logs >= ranked[place] if apart else np.ones(len(ranked), dtype=bool)
    return run.fate(upper)


@_among_present
def two_component(run: RunState) -> Bools:
    """The upper of two Gaussian components of log signal, of one width, if two describe it better than one.

    That is told by the integrated completed likelihood (Biernacki, Celeux and Govaert 2000), BIC less the entropy of
    who belongs where: BIC alone splits many a start, where features differ by chance. If one component will
    do, what is not surely dead is alive.
    """
    y = run.logs
    if len(y) < FEWEST_FEATURES:
        raise UnusableDataError(f"expected at least {FEWEST_FEATURES} features for two groups, got {len(y)}")
    upper = _upper_component(y)
    return run.fate(upper)


@_among_present
def noise_floor(run: RunState) -> Bools:
    """log xᵢ > m + 5σ, with m and σ the median and scaled median deviation of log signal of the surely dead.

    Surely dead is what keeps less than a quarter of the median over features at the start.
    """
    dead = run.surely_dead
    if dead.sum() < 2:  # no floor to tell a width from
        return np.asarray(~dead)
    level = float(np.median(run.logs[dead]))
    width = NORMAL_WIDTH * float(np.median(np.abs(run.logs[dead] - level)))
    return run.fate(np.asarray(run.logs > level + FLOOR_WIDTHS * width))


def chance_of_largest(share: float, n: int) -> float:
    """A bound n(1 − share)^(n−1) of P(max zⱼ/Σz ≥ share) for n independent exponential zⱼ (Fisher 1929), at most 1.

    It is the first term of Fisher's alternating sum, whose others cancel in floating point where n is large; of chances
    under a hundredth it is within a hundredth.
    """
    return float(min(n * max(1.0 - share, 0.0) ** (n - 1), 1.0))


def _upper_component(y: Array, iterations: int = MOST_ITERATIONS) -> Bools:
    """Members of the upper component by expectation-maximisation from the best split; all if one Gaussian will do."""
    n, spread = len(y), float(y.std())
    if not spread > 0:
        return np.ones(n, dtype=bool)
    ranked = np.sort(y)
    inside = [float(a.var() * len(a) + b.var() * len(b)) for a, b in ((ranked[:i], ranked[i:]) for i in range(1, n))]
    i = 1 + int(np.argmin(inside))
    means, share = np.array([ranked[:i].mean(), ranked[i:].mean()]), (n - i) / n
    width = max(np.sqrt(min(inside) / n), NARROWEST * spread)
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
        means = (weights * y[:, None]).sum(axis=0) / np.maximum(weights.sum(axis=0), NEXT_TO_NOTHING)
        width = max(float(np.sqrt((weights * (y[:, None] - means) ** 2).sum() / n)), NARROWEST * spread)
    weights = np.stack([1 - upper, upper], axis=1)
    gain = 2 * float(both.sum() - _log_normal(y, y.mean(), spread).sum())
    entropy = -float((weights * (joint - both[:, None])).sum())
    apart = gain - 2 * entropy > 2 * log(n)  # two parameters more
    return np.asarray(upper > 0.5) if apart else np.ones(n, dtype=bool)


def _log_normal(y: Array, mean: Array | float, width: float) -> Array:
    return np.asarray(-0.5 * ((y - mean) / width) ** 2 - np.log(width) - 0.5 * np.log(2 * np.pi))
