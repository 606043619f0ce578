"""Statistics that respect what is independent: trainings, or initialisations, and never frequencies of one training."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.comparison.scores import area_under_curve
from ecodyn.survival import RULES, Estimate, clustered_mean, survivors
from ecodyn.trajectories import Trajectories

__all__ = ["aucs", "counts_by_rule", "in_words", "replicates", "setting", "slope"]


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


def aucs(scores: np.ndarray, alive: np.ndarray) -> np.ndarray:
    """Area under the curve of a score (run, feature) for survival (run, feature), in each run, (run,)."""
    return np.array([area_under_curve(score, lives) for score, lives in zip(scores, alive, strict=True)])


def counts_by_rule(runs: Trajectories, step: float | None = None) -> dict[str, np.ndarray]:
    """Number of survivors of each run, (run,), under every rule."""
    return {rule: survivors(runs, rule=rule, step=step).counts for rule in RULES}


def setting(runs: Trajectories, name: str) -> np.ndarray:
    """A setting as numbers, (run,); the same of all runs if the grid has one value of it."""
    if name in runs.settings:
        return np.asarray(runs.settings[name], float)
    return np.full(runs.n_runs, float(runs.provenance[name]))


def replicates(runs: Trajectories) -> np.ndarray:
    """The seed of each run, (run,), which names one replicate of a grid of settings."""
    return np.asarray(runs.settings.get("seed", runs.runs))


def in_words(estimate: Estimate, digits: int = 2) -> str:
    """A number and its interval: "4.80 (4.43 to 5.17)"."""
    mean, low, high = (f"{v:.{digits}f}" for v in (estimate.mean, estimate.low, estimate.high))
    return f"{mean} ({low} to {high})"
