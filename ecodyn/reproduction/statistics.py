"""Statistics that respect what is independent: trainings, or initialisations, and never frequencies of one training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.survival import DEFAULT_RULE, RULES, Estimate, clustered_mean, survivors
from ecodyn.trajectories import Trajectories

__all__ = [
    "by_other_rules",
    "counts_by_rule",
    "exponential",
    "in_words",
    "replicates",
    "setting",
    "slope",
    "under_every_rule",
]


def slope(x: ArrayLike, y: ArrayLike, clusters: ArrayLike) -> Estimate:
    """Slope of y on x: the least squares slope in each cluster, then their mean with its t interval.

    A cluster is one replicate of the whole curve (a training of each setting, or all of one initialisation), so that
    what its points share enters every one of its slopes alike. x, y and clusters are (point,); points that are NaN
    are left out, and so are clusters in which x does not vary.
    """
    at, values, labels = np.asarray(x, float), np.asarray(y, float), np.asarray(clusters)
    names, slopes = [], []
    for name in np.unique(labels):
        mine = (labels == name) & np.isfinite(at) & np.isfinite(values)
        if mine.sum() > 1 and np.ptp(at[mine]) > 0:
            names.append(name)
            slopes.append(float(np.polyfit(at[mine], values[mine], 1)[0]))
    return clustered_mean(np.array(slopes), np.array(names))


def under_every_rule(runs: Trajectories, measure: Callable[[Bools], Estimate]) -> dict[str, Estimate]:
    """What is found of who survives (run, feature), under every rule, the default rule first."""
    rules = (DEFAULT_RULE, *(rule for rule in RULES if rule != DEFAULT_RULE))
    return {rule: measure(survivors(runs, rule=rule).alive) for rule in rules}


def by_other_rules(estimates: dict[str, Estimate], digits: int = 2) -> str:
    """How far a number depends on the rule for survivors."""
    others = (f"{rule} {in_words(e, digits)}" for rule, e in estimates.items() if rule != DEFAULT_RULE)
    return f"by the rule {DEFAULT_RULE}; by the others " + ", ".join(others)


def counts_by_rule(runs: Trajectories) -> dict[str, Integers]:
    """Number of survivors of each run, (run,), under every rule."""
    return {rule: survivors(runs, rule=rule).counts for rule in RULES}


def setting(runs: Trajectories, name: str) -> Array:
    """A setting as numbers, (run,); the same of all runs if the grid has one value of it."""
    if name in runs.settings:
        return np.asarray(runs.settings[name], float)
    return np.full(runs.n_runs, float(cast(float, runs.provenance[name])))


def replicates(runs: Trajectories) -> NDArray[Any]:
    """The seed of each run, (run,), which names one replicate of a grid of settings."""
    return np.asarray(runs.settings.get("seed", runs.runs))


def exponential(of_log: Estimate) -> Estimate:
    """What a logarithm was estimated of: a geometric mean with its interval."""
    return Estimate(mean=np.exp(of_log.mean), low=np.exp(of_log.low), high=np.exp(of_log.high), n=of_log.n)


def in_words(estimate: Estimate, digits: int = 2) -> str:
    """A number and its interval: "4.80 (4.43 to 5.17)"."""
    mean, low, high = (f"{v:.{digits}f}" for v in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} ({low} to {high})"
