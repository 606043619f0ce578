"""Hidden variables solved along data, ḣ = g(h, x(t)) with x(t) the data's: no error of a rollout's enters."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import RightHandSide

__all__ = ["driven"]


def driven(rhs: RightHandSide, signals: Array, times: Array, hidden: Array) -> Array:
    """States (batch, step, feature, channel), signals being those of the data.

    Runge-Kutta steps from one time to the next, signals between them on the cubic through them and their slopes
    (Hermite's; three-point slopes, after Fritsch and Butland's weights for uneven steps without their limits).

    Parameters
    ----------
    rhs : of all channels, at states (batch, feature, channel) and times (batch,)
    signals : (batch, step, feature), without gaps
    times : (batch, step); a repeated time is an interval of no length
    hidden : (batch, feature, hidden), at the first time
    """
    states = np.empty((*signals.shape, 1 + hidden.shape[-1]))
    states[..., 0] = signals
    states[:, 0, :, 1:] = hidden
    middle = _middle(signals, times)
    for i in range(times.shape[1] - 1):
        t, h = times[:, i], times[:, i + 1] - times[:, i]
        step, at = h[:, None, None], states[:, i].copy()
        k1 = rhs(at, t)[..., 1:]
        at[..., 0], at[..., 1:] = middle[:, i], states[:, i, :, 1:] + 0.5 * step * k1
        k2 = rhs(at, t + 0.5 * h)[..., 1:]
        at[..., 1:] = states[:, i, :, 1:] + 0.5 * step * k2
        k3 = rhs(at, t + 0.5 * h)[..., 1:]
        at[..., 0], at[..., 1:] = signals[:, i + 1], states[:, i, :, 1:] + step * k3
        k4 = rhs(at, t + h)[..., 1:]
        states[:, i + 1, :, 1:] = states[:, i, :, 1:] + step / 6 * (k1 + 2 * (k2 + k3) + k4)
    return states


def _middle(signals: Array, times: Array) -> Array:
    """Signals halfway between the steps, (batch, step − 1, feature)."""
    gaps = np.diff(times, axis=1)[..., None]
    safe = np.where(gaps > 0, gaps, 1.0)
    secants = np.where(gaps > 0, np.diff(signals, axis=1) / safe, 0.0)
    slopes = np.concatenate([secants[:, :1], np.zeros_like(secants[:, 1:]), secants[:, -1:]], axis=1)
    total = gaps[:, 1:] + gaps[:, :-1]
    inner = (gaps[:, 1:] * secants[:, :-1] + gaps[:, :-1] * secants[:, 1:]) / np.where(total > 0, total, 1.0)
    slopes[:, 1:-1] = inner
    # Padding repeats the last time: no slope is had from there.
    ended = (gaps[:, 1:] <= 0) & (gaps[:, :-1] > 0)
    slopes[:, 1:-1] = np.where(ended, secants[:, :-1], inner)
    halves = 0.5 * (signals[:, 1:] + signals[:, :-1])
    return np.asarray(halves + gaps / 8 * (slopes[:, :-1] - slopes[:, 1:]))
