"""Runs whose times differ, put on times that they share."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import share_times

MOST_NUMBERS = 4_000_000  # that are averaged at a time, 32 MB, and several copies of them


def on_common_times(times: Array, values: Array, lengths: Integers) -> tuple[Array, Array]:
    """Values (run, step, feature) at times (run, step), on times that all runs share; NaN where a run has ended."""
    if share_times(times, lengths):
        return times[int(np.argmax(lengths))], values
    grid = np.unique(times[np.isfinite(times)])
    common = np.full((len(times), len(grid), values.shape[-1]), np.nan)
    for r, n in enumerate(lengths):
        t = times[r, :n]
        inside = (grid >= t[0]) & (grid <= t[-1])
        for k in range(values.shape[-1]):
            common[r, inside, k] = np.interp(grid[inside], t, values[r, :n, k])
    return grid, common


def blocks_of_steps(values: Array) -> list[slice]:
    """Parts of the steps of (run, step, feature): what is told of each step by itself needs no copy of all of them."""
    size = max(1, MOST_NUMBERS * values.shape[1] // max(1, values.size))
    return [slice(begin, begin + size) for begin in range(0, values.shape[1], size)]


def pooled_axes(training: Trajectories) -> tuple[int, ...]:
    """What (run, step, feature) is averaged over: runs, and features too unless these have names, hence own units."""
    return (0,) if training.labels_shared else (0, 2)


def at_times(times: Array, grid: Array, curves: Array) -> Array:
    """Curves (step,), or (step, feature), of the grid's times at others: (batch, step, 1 or feature)."""
    columns = curves.reshape(len(curves), -1).T
    return np.stack([np.interp(times, grid, column) for column in columns], axis=-1)
