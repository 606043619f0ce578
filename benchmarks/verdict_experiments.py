"""What the simulations of ``coverage.py`` repeat: each cell draws losses and asks the confidence set or the verdict."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from coverage_cells import (
    BOOTSTRAP,
    EQUAL,
    FOLDS,
    LEVEL_AT_MARGIN,
    NOISE,
    PARSIMONY,
    POWER,
    Cell,
    Experiment,
    Shares,
)
from numpy.random import Generator
from scipy.stats import t as student
from simulated_losses import (
    BEST_LOSS,
    SCATTERS,
    Array,
    Scatter,
    candidates,
    clustered,
    column_of,
    failing,
    heavy_tails,
    held_out_losses,
    model,
    normal,
)

from ecodyn.comparison.candidate import DECIDED
from ecodyn.comparison.ranking import sharing_factor
from ecodyn.comparison.verdict import MARGIN, Verdict, decide
from ecodyn.statistics.confidence_set import SET_LEVEL, confidence_set

LOG_MARGIN = math.log1p(MARGIN)  # the verdict's margin in units of the losses


def cells(quick: bool) -> Iterator[Cell]:
    """All of them, or a few of each experiment; the bootstrap's only where arch is installed."""
    yield from _equal((2, 10), (8, 16) if quick else (8, 16, 64))
    yield from _power((0.3,) if quick else (0.1, 0.3), (0.25, 0.5, 1.0, 2.0), (8, 16))
    yield from _parsimony((1.0,) if quick else (0.3, 1.0, 3.0), (8, 16))
    yield from _level_at_margin(((2, 8), (2, 16)) if quick else ((2, 8), (2, 16), (2, 64), (5, 8)))
    yield from _mostly_noise((16,) if quick else (8, 16))
    yield from _folds(((8, 8), (16, 8)) if quick else ((8, 8), (16, 16), (16, 8), (32, 8)))
    if arch_installed():
        yield from _bootstrap((200,) if quick else (200, 500))


def _seed(rng: Generator) -> int:
    """Of the flips: where they are a sample, each repetition has its own."""
    return int(rng.integers(2**31))


# --------------------------------------------------------------------------------------------- 1, equal models


def _equal(models: tuple[int, ...], runs: tuple[int, ...]) -> Iterator[Cell]:
    scatters = SCATTERS | {"clusters of 4": _by_cluster, "clusters ignored": _as_runs}
    shapes = [(m, count, scatters) for m, count in itertools.product(models, runs)]
    for m, count, some in [*shapes, *((5, count, {"normal": SCATTERS["normal"]}) for count in runs)]:
        for name, scatter in some.items():
            yield Cell(EQUAL, {"scatter": name, "models": m, "runs": count}, _kept(scatter, count, m))


def _by_cluster(rng: Generator, clusters: int, models: int) -> Array:
    return clustered(rng, clusters, models).mean(axis=1)


def _as_runs(rng: Generator, runs: int, models: int) -> Array:
    """The mistake that clusters are there to prevent: all runs taken for independent."""
    return clustered(rng, runs // 4, models).reshape(-1, models)


def _kept(scatter: Scatter, runs: int, models: int) -> Experiment:
    def run(rng: Generator, repetitions: int) -> Shares:
        drawn = (scatter(rng, runs, models) for _ in range(repetitions))
        members = np.array([confidence_set(losses, seed=_seed(rng)).members for losses in drawn])
        each = members.mean(axis=0)
        return {"all": members.all(axis=1).mean(), "a given one": each.mean(), "the least": each.min()}

    return run


# --------------------------------------------------------------------------------------- 2 and 3, what is named


def _averaged(one: Callable[[Generator], dict[str, bool]]) -> Experiment:
    def run(rng: Generator, repetitions: int) -> Shares:
        found = [one(rng) for _ in range(repetitions)]
        return {name: float(np.mean([f[name] for f in found])) for name in found[0]}

    return run


def _judged(rng: Generator, losses: Array, noise_share: float = 0.0) -> tuple[Verdict, int | None]:
    """The verdict, and the column that it names."""
    verdict = decide(candidates(BEST_LOSS + losses, noise_share), seed=_seed(rng))
    return verdict, None if verdict.best is None else column_of(verdict.best)


def _power(sigmas: tuple[float, ...], effects: tuple[float, ...], runs: tuple[int, ...]) -> Iterator[Cell]:
    for better, sigma, count, effect in itertools.product((0, 2), sigmas, runs, effects):
        settings = {"better": ("simplest", "", "most complex")[better], "σ": sigma, "runs": count, "δ/σ": effect}
        yield Cell(POWER, settings, _averaged(_one_better(better, sigma, effect * sigma, count)))


def _one_better(better: int, sigma: float, delta: float, runs: int) -> Callable[[Generator], dict[str, bool]]:
    worse = np.where(np.arange(3) == better, 0.0, delta)

    def one(rng: Generator) -> dict[str, bool]:
        verdict, named = _judged(rng, worse + sigma / math.sqrt(2) * normal(rng, runs, 3))
        other = named is not None and named != better
        return {
            "set alone": verdict.members == {model(better)},
            "decided right": named == better and verdict.status == DECIDED,
            "tied right": named == better and verdict.status != DECIDED,
            "other, will do": other and delta <= LOG_MARGIN,
            "wrong": other and delta > LOG_MARGIN,
            "undecided": named is None,
        }

    return one


def _parsimony(sigmas: tuple[float, ...], runs: tuple[int, ...]) -> Iterator[Cell]:
    for sigma, count, worse in itertools.product(sigmas, runs, (-1.0, 0.0, 0.5, 1.0, 2.0, 5.0)):
        one = _simplest_worse(worse * LOG_MARGIN, sigma * LOG_MARGIN, count, 2)
        yield Cell(PARSIMONY, {"σ": sigma, "runs": count, "worse by": worse}, _averaged(one))


FAILING = {  # scatter of the simplest, and of the others
    "normal": (normal, normal),
    "heavy tails": (heavy_tails, heavy_tails),
    "simplest fails now and then": (failing, normal),
    "others fail now and then": (normal, failing),
}


def _level_at_margin(shapes: tuple[tuple[int, int], ...]) -> Iterator[Cell]:
    for name, (models, count) in itertools.product(FAILING, shapes):
        one = _simplest_worse(LOG_MARGIN, LOG_MARGIN, count, models, FAILING[name])
        yield Cell(LEVEL_AT_MARGIN, {"scatter": name, "models": models, "runs": count}, _averaged(one))


def _mostly_noise(runs: tuple[int, ...]) -> Iterator[Cell]:
    for count, worse in itertools.product(runs, (1.0, 2.0, 5.0)):
        one = _simplest_worse(worse * LOG_MARGIN, 3.0 * LOG_MARGIN, count, 2, noise_share=0.9)
        yield Cell(NOISE, {"σ": 3.0, "runs": count, "worse by": worse}, _averaged(one))


def _simplest_worse(
    worse: float,
    sigma: float,
    runs: int,
    models: int,
    scatters: tuple[Scatter, Scatter] = (normal, normal),
    noise_share: float = 0.0,
) -> Callable[[Generator], dict[str, bool]]:
    def one(rng: Generator) -> dict[str, bool]:
        simplest, others = (s(rng, runs, n) for s, n in zip(scatters, (1, models - 1), strict=True))
        losses = sigma / math.sqrt(2) * np.hstack([simplest, others])
        losses[:, 0] += worse
        verdict, named = _judged(rng, losses, noise_share)
        return {
            "simplest named": named == 0,
            "simplest decided": named == 0 and verdict.status == DECIDED,
            "another named": bool(named),
            "undecided": named is None,
        }

    return one


# ---------------------------------------------------------------------------- 4, folds that share training runs


def _folds(shapes: tuple[tuple[int, int], ...]) -> Iterator[Cell]:
    """A pair of rigid models, one of them too rigid for the law, and a pair of which one is very flexible."""
    for (name, degrees), (runs, folds) in itertools.product(
        {"rigid": (1, 3), "flexible": (3, 8), "very flexible": (3, 20)}.items(), shapes
    ):
        settings = {"pair": name, "degrees": f"{degrees[0]}, {degrees[1]}", "runs": runs, "folds": folds}
        yield Cell(FOLDS, settings, _shared_training(degrees, runs, folds))


def _shared_training(degrees: tuple[int, int], runs: int, folds: int) -> Experiment:
    """``factor needed`` is √(Var(mean) / E[s²/R]): by how much a paired t is too large because of shared runs."""

    def run(rng: Generator, repetitions: int) -> Shares:
        losses = held_out_losses(rng, repetitions, runs, folds, degrees)
        differences = losses[degrees[1]] - losses[degrees[0]]
        differences -= differences.mean()  # what is true: the mean over all data sets and their fits
        correction = sharing_factor(folds)
        means, errors = differences.mean(axis=1), differences.std(axis=1, ddof=1) / math.sqrt(runs)
        t, limit = np.abs(means / errors), float(student.ppf(0.5 + SET_LEVEL / 2, runs - 1))
        seed = _seed(rng)
        # Each run's difference from another repetition: the same distribution, and no training run is shared.
        unshared = rng.permuted(differences, axis=0)
        return {
            "t": float(np.mean(t > limit)),
            "t corrected": float(np.mean(t / correction > limit)),
            "flips": float(np.mean([_rejected(d, 1.0, seed) for d in differences])),
            "flips corrected": float(np.mean([_rejected(d, correction, seed) for d in differences])),
            "flips, none shared": float(np.mean([_rejected(d, 1.0, seed) for d in unshared])),
            "factor used": correction,
            "factor needed": float(means.std(ddof=1) / math.sqrt(np.mean(errors**2))),
        }

    return run


def _rejected(difference: Array, inflation: float, seed: int) -> bool:
    pair = np.column_stack([difference, np.zeros_like(difference)])
    return not confidence_set(pair, inflation=np.full((2, 2), inflation), seed=seed).members.all()


# ------------------------------------------------------------------------------------------- 5, arch's bootstrap


def arch_installed() -> bool:
    """Whether the bootstrapped set can be asked at all."""
    try:
        _arch()
    except ImportError:
        return False
    return True


def _arch() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a foreign import's own deprecations
        from arch.bootstrap import MCS
    return MCS


WORSE = {
    "all equal": (0.0, 0.0, 0.0, 0.0, 0.0),
    "one better": (0.0, 0.2, 0.2, 0.2, 0.2),
    "spread": (0.0, 0.05, 0.1, 0.2, 0.4),
}


def _bootstrap(runs: tuple[int, ...]) -> Iterator[Cell]:
    for (name, worse), count in itertools.product(WORSE.items(), runs):
        yield Cell(BOOTSTRAP, {"models": name, "runs": count}, _averaged(_both_sets(np.array(worse), count)))


def _both_sets(worse: Array, runs: int) -> Callable[[Generator], dict[str, Any]]:
    best = worse == worse.min()

    def one(rng: Generator) -> dict[str, Any]:
        losses = worse + normal(rng, runs, len(worse))
        flips = confidence_set(losses, seed=_seed(rng)).members
        test = _arch()(losses, size=1 - SET_LEVEL, reps=1000, block_size=1, method="R", seed=_seed(rng))
        test.compute()
        bootstrap = np.isin(np.arange(len(worse)), test.included)
        return {
            "same set": bool((flips == bootstrap).all()),
            "flips hold": bool(flips[best].all()),
            "bootstrap holds": bool(bootstrap[best].all()),
            "flips' size": float(flips.sum()),
            "bootstrap's size": float(bootstrap.sum()),
        }

    return one
