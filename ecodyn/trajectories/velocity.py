"""The velocity of a signal as a state has it: the mean change over the steps before, which a forecast may know."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError

__all__ = ["STEPS", "backward_velocity", "completed"]

STEPS = 3  # stored steps that a velocity is the mean change over


def backward_velocity(signal: Array, times: Array) -> Array:
    """vᵢ = (xᵢ − xᵢ₋₃)/(tᵢ − tᵢ₋₃), signal per step, of the same shape as the signal (run, step, feature).

    `times` are those of the steps (run, step), or of each value.

    The second and third step of a run have one and two steps before them and make do with those; the first has none,
    and NaN.
    """
    rows = np.arange(signal.shape[1])
    earlier = np.maximum(rows - STEPS, 0)
    times = times[..., None] if times.ndim < signal.ndim else times
    with np.errstate(invalid="ignore"):  # the first step over no time, and padding
        return (signal - signal[:, earlier]) / (times - times[:, earlier])


def completed(velocity: Array, signal: Array, times: Array, lengths: Integers) -> Array:
    """The same with the mean change over the 3 steps after a run's first step, where there is none before it.

    Raises
    ------
    UnusableDataError
        A run has a single step, and nothing before it.
    """
    filled = velocity.copy()
    for r in np.flatnonzero(np.isnan(velocity[:, 0]).any(axis=1)):
        if lengths[r] < 2:
            raise UnusableDataError(
                "expected two steps or more, or a step before the window, to tell a velocity from; got a run with one: "
                "widen the window, or use a state without velocity"
            )
        last = min(STEPS, int(lengths[r]) - 1)
        filled[r, 0] = (signal[r, last] - signal[r, 0]) / (times[r, last] - times[r, 0])
    return filled
