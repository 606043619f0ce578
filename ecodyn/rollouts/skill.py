"""Skill of a rollout: how much less of the data it leaves unexplained than "stays as it started" does."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

__all__ = ["EXACT", "WORST_UNEXPLAINED", "mean_square", "skill_of"]

WORST_UNEXPLAINED = 2.0  # a rollout twice as bad as doing nothing: how much worse it is, says nothing more
EXACT = 1e-24  # persistence's error over the mean square under which a run says nothing


def skill_of(truth: Array, rollout: Array, times: Array) -> float:
    """1 − MSE(rollout)/MSE(persistence) of one run (step, feature) at times (step,); NaN where persistence is exact.

    Means are over features, all alike, and over time by the trapezoid rule.

    Examples
    --------
    >>> truth = np.array([[0.0], [1.0], [2.0]])
    >>> skill_of(truth, truth / 2, np.array([0.0, 1.0, 2.0]))  # half of the way: a quarter of the square is left
    0.75
    """
    still = mean_square(truth - truth[:1], times)
    if still <= EXACT * max(float(np.mean(truth**2)), 1e-300):
        return float("nan")
    return 1.0 - mean_square(rollout - truth, times) / still


def mean_square(difference: Array, times: Array) -> float:
    """Mean over features and time, time by the trapezoid rule."""
    duration = times[-1] - times[0]
    return float(np.trapezoid(np.mean(difference**2, axis=1), times) / duration) if duration > 0 else 0.0
