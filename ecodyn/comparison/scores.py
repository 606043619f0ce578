"""Scores of one rollout against one run, and of many runs together. Nothing here knows of families.

Where values of the run are missing (NaN), every integral over time is, feature by feature, over the values that are
there: trapezoids between them. Features count alike, in one scale, or each in its own where ``scales`` (feature,) are
given (see ``ecodyn.trajectories.scales``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.rollouts.skill import EXACT, WORST_UNEXPLAINED, in_scales, mean_square, skill_of, trapezoids_over_gaps
from ecodyn.statistics.noise import noise_variance

HORIZONS = tuple(n / 20 for n in range(1, 21))  # shares of the window
QUARTERS = slice(4, None, 5)  # of these, the four that tables have
LARGEST_NOISE_SHARE = 0.9  # measurement noise may take off at most so much of what is unexplained
SMALLEST_UNEXPLAINED = 1e-6  # the solvers' accuracy
NEXT_TO_NOTHING = 1e-4  # of the variance: which of two models leaves less of it matters to no prediction
LOG_FLOOR = 0.01  # of the window's median: what is under it counts as gone


@dataclass(frozen=True, kw_only=True, slots=True)  # there is one for each run and model
class RunScore:
    """One rollout against one run; NaN where a number can't be had.

    Attributes
    ----------
    skill : 1 − MSE/MSE(persistence), time-weighted (trapezoid), features alike; NaN if the rollout ended early
    unexplained : min(1 − skill, 2); 2 if the rollout ended early; NaN if persistence is exact, ended or not
    log_skill : the same of log max(x, 1 % of the window's median)
    curve : skill up to each of `HORIZONS`; horizons, up to each quarter of the window
    order_crossing : share of pairs of features whose order changes in the rollout, start to end
    finished : whether the rollout reached the end
    status : in words
    """

    skill: float
    unexplained: float
    log_skill: float
    curve: tuple[float, ...]
    order_crossing: float
    finished: bool
    status: str

    @property
    def horizons(self) -> tuple[float, ...]:
        """Skill up to each quarter of the window."""
        return self.curve[QUARTERS]


def score_rollout(
    truth: Array, rollout: Array, times: Array, status: str = "ok", scales: Array | None = None
) -> RunScore:
    """Score a rollout (step, feature) against the data (step, feature) at times (step,)."""
    finished = status == "ok" and bool(np.isfinite(rollout).all())
    if not finished:
        nothing = float("nan")
        status = status if status != "ok" else "not finite"
        still = np.isnan(skill_of(truth, truth, times, scales))  # where persistence is exact, no rollout says anything
        unexplained = nothing if still else WORST_UNEXPLAINED
        return RunScore(
            skill=nothing,
            unexplained=unexplained,
            log_skill=nothing,
            curve=(nothing,) * len(HORIZONS),
            order_crossing=nothing,
            finished=False,
            status=status,
        )
    crossing = order_crossing(rollout)
    truth, rollout = in_scales(truth, scales), in_scales(rollout, scales)
    skill = skill_of(truth, rollout, times)
    floor = LOG_FLOOR * max(float(np.nanmedian(truth)), 1e-300)
    log_truth, log_rollout = np.log(np.maximum(truth, floor)), np.log(np.maximum(rollout, floor))
    return RunScore(
        skill=skill,
        unexplained=min(1.0 - skill, WORST_UNEXPLAINED),
        log_skill=skill_of(log_truth, log_rollout, times),
        curve=(*skill_curve(truth, rollout, times)[:-1], skill),
        order_crossing=crossing,
        finished=True,
        status=status,
    )


def skill_curve(truth: Array, rollout: Array, times: Array) -> tuple[float, ...]:
    """Skill of the rollout's beginning, up to each of `HORIZONS`; NaN where persistence is exact until there.

    All horizons in one pass, by running integrals: it costs what one skill costs.
    """
    if len(times) < 2:  # nothing has moved yet
        return (float("nan"),) * len(HORIZONS)
    # A hair more, so that rounding doesn't cut off the sample at the horizon itself.
    ends = times[0] + (np.array(HORIZONS) + 1e-9) * (times[-1] - times[0])
    last = np.clip(np.searchsorted(times, ends, side="right"), 2, len(times)) - 1
    error, still, square = (_running(d, times)[last - 1] for d in (rollout - truth, truth - truth[:1], truth))
    explained = 1.0 - np.divide(error, still, out=np.full(len(last), np.nan), where=still > EXACT * square)
    return tuple(explained.tolist())


def _running(difference: Array, times: Array) -> Array:
    """Integrals of the mean square over features from the first time to each later one (step − 1,), by trapezoids."""
    if np.isnan(difference).any():
        return np.asarray(np.cumsum(trapezoids_over_gaps(difference**2, times)[0].mean(axis=1)))
    squares = np.mean(difference**2, axis=1)
    return np.asarray(np.cumsum(0.5 * np.diff(times) * (squares[1:] + squares[:-1])))


def order_crossing(signal: Array) -> float:
    """Share of pairs of features whose order at the end is not that at the start."""
    first, last = signal[0], signal[-1]
    if len(first) < 2:
        return 0.0
    upper = np.triu_indices(len(first), 1)
    before = np.sign(first[:, None] - first)[upper]
    after = np.sign(last[:, None] - last)[upper]
    return float(np.mean(before * after < 0))


def one_step_r2(slopes: Array, truth: Array, times: Array, scales: Array | None = None) -> float:
    """R² of one-step differences predicted as f(x)·Δt, pooled over features: the study's in-sample measure.

    It ranks nothing: smooth data give 0.99 to anything that is smooth in time.
    """
    slopes, truth = in_scales(slopes, scales), in_scales(truth, scales)
    whole = ~np.isnan(truth).any(axis=1)
    slopes, truth, times = slopes[whole], truth[whole], times[whole]
    change = np.diff(truth, axis=0)
    predicted = slopes[:-1] * np.diff(times)[:, None]
    total = float(np.sum((change - change.mean(axis=0)) ** 2))
    return 1.0 - float(np.sum((change - predicted) ** 2)) / total if total > 0 else float("nan")


def noise_share(signal: Array, times: Array, scales: Array | None = None) -> float:
    """What measurement noise alone leaves unexplained: its variance over persistence's mean square error."""
    signal = in_scales(signal, scales)
    still = mean_square(signal - signal[:1], times)
    return noise_variance(signal, times) / still if still > 0 else 0.0


def loss(unexplained: float, noise: float) -> float:
    """log of the unexplained share less what noise alone leaves: never more than nine tenths of it, floored at 10⁻⁶."""
    less = unexplained - min(noise, LARGEST_NOISE_SHARE * unexplained)
    return math.log(max(less, SMALLEST_UNEXPLAINED))
