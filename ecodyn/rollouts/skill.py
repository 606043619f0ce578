"""Skill of a rollout: how much less of the data it leaves unexplained than "stays as it started" does."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

__all__ = ["EXACT", "WORST_UNEXPLAINED", "in_scales", "mean_square", "skill_of", "trapezoids_over_gaps"]

WORST_UNEXPLAINED = 2.0  # a rollout twice as bad as doing nothing: how much worse it is, says nothing more
EXACT = 1e-24  # persistence's error over the mean square under which a run says nothing


def skill_of(truth: Array, rollout: Array, times: Array, scales: Array | None = None) -> float:
    """1 − MSE(rollout)/MSE(persistence) of one run (step, feature) at times (step,); NaN where persistence is exact.

    Means are over features, all alike in one scale or each in its own of ``scales`` (feature,), and over time by the
    trapezoid rule; where values are missing (NaN), over those that are there, with trapezoids between them.

    Examples
    --------
    >>> truth = np.array([[0.0], [1.0], [2.0]])
    >>> skill_of(truth, truth / 2, np.array([0.0, 1.0, 2.0]))  # half of the way: a quarter of the square is left
    0.75
    """
    truth, rollout = in_scales(truth, scales), in_scales(rollout, scales)
    still = mean_square(truth - truth[:1], times)
    if still <= EXACT * max(float(np.nanmean(truth**2)), 1e-300):
        return float("nan")
    return 1.0 - mean_square(rollout - truth, times) / still


def in_scales(values: Array, scales: Array | None) -> Array:
    """Values (step, feature), each feature in its own scale; as they are where there are none."""
    return values if scales is None else values / scales


def mean_square(difference: Array, times: Array) -> float:
    """Mean over features and time, time by the trapezoid rule; where values are missing, over those there are."""
    duration = times[-1] - times[0]
    if not duration > 0:
        return 0.0
    if not np.isnan(difference).any():
        return float(np.trapezoid(np.mean(difference**2, axis=1), times) / duration)
    areas, covered = trapezoids_over_gaps(difference**2, times)
    return float(areas.sum() / covered) if covered > 0 else 0.0


def trapezoids_over_gaps(squares: Array, times: Array) -> tuple[Array, float]:
    """Areas (step − 1, feature) under straight lines between the values there are, and the time covered, over features.

    Before a feature's first value and after its last there is nothing to integrate.
    """
    steps = np.diff(times)
    areas = np.zeros((len(steps), squares.shape[1]))
    covered = 0.0
    for k, column in enumerate(squares.T):
        there = np.flatnonzero(~np.isnan(column))
        if len(there) > 1:
            inside = slice(there[0], there[-1])
            filled = np.interp(times, times[there], column[there])
            areas[inside, k] = (0.5 * steps * (filled[1:] + filled[:-1]))[inside]
            covered += float(times[there[-1]] - times[there[0]])
    return areas, covered
