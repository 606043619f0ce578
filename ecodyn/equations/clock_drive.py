"""Environment variables as a function of time: what makes a *clock* of an exchangeable law.

In a clock the means over features, m(x), are replaced by the training runs' mean curve m̄(t), so that time drives
and nothing couples. A law that is no better than its clock has not shown that its features interact.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

if TYPE_CHECKING:
    from scipy.interpolate import CubicSpline


@dataclass(frozen=True)
class Drive:
    """A curve z(t) through given points: a cubic spline inside their range, constant outside it.

    Parameters
    ----------
    times : array (step,), increasing
    values : array (step, variable)
    """

    times: Array
    values: Array

    @classmethod
    def mean_over_runs(cls, times: Array, variables: Array, lengths: NDArray[np.intp]) -> Drive:
        """The mean curve of several runs, (run, step, variable) at times (run, step); only the runs that cover
        a time count there."""
        mean = MeanCurve(np.unique(np.concatenate([times[r, :n] for r, n in enumerate(lengths)])), variables.shape[-1])
        mean.add(times, variables, lengths)
        return mean.drive()

    @cached_property
    def _spline(self) -> CubicSpline:
        from scipy.interpolate import CubicSpline

        return CubicSpline(self.times, self.values, axis=0)

    def __call__(self, t: Array) -> Array:
        """z at times (...), as (..., variable)."""
        return np.asarray(self._spline(np.clip(t, self.times[0], self.times[-1])))

    def rescaled(self, scales: Array, time_scale: float) -> Drive:
        """The same curve with its variables divided by ``scales`` and time by ``time_scale``."""
        return Drive(self.times / time_scale, self.values / scales)


class MeanCurve:
    """The mean curve of runs that are added a few at a time, on a grid of times (step,)."""

    def __init__(self, grid: Array, variables: int) -> None:
        self.grid, self.total, self.count = grid, np.zeros((len(grid), variables)), np.zeros((len(grid), 1))

    def add(self, times: Array, variables: Array, lengths: NDArray[np.intp]) -> None:
        """Take in runs (run, step, variable) at times (run, step), each of so many steps."""
        grid = self.grid
        for r, n in enumerate(lengths.tolist()):
            covered = (grid >= times[r, 0]) & (grid <= times[r, n - 1])
            for v in range(variables.shape[-1]):
                self.total[covered, v] += np.interp(grid[covered], times[r, :n], variables[r, :n, v])
            self.count[covered] += 1

    def drive(self) -> Drive:
        """Of all runs so far that cover a time."""
        return Drive(self.grid, self.total / self.count)


@dataclass(frozen=True)
class Drives:
    """Curves of one kind for the members of a batch: the first for the first so many of them, and so on."""

    drives: tuple[Drive, ...]
    counts: tuple[int, ...]

    @cached_property
    def _pieces(self) -> tuple[Array, Array, NDArray[np.intp]] | None:
        """Curves on one grid as (step,), cubics' coefficients (curve, interval, power, variable), and whose each member
        is; None where grids differ."""
        grid = self.drives[0].times
        if any(not np.array_equal(drive.times, grid) for drive in self.drives[1:]) or len(grid) < 2:
            return None
        pieces = np.stack([drive._spline.c.transpose(1, 0, 2) for drive in self.drives])
        return grid, pieces, np.repeat(np.arange(len(self.drives)), self.counts)

    def __call__(self, t: Array) -> Array:
        """z at times (..., batch), as (..., batch, variable)."""
        if self._pieces is None:
            parts = np.split(t, np.cumsum(self.counts)[:-1], axis=-1)
            return np.concatenate([drive(part) for drive, part in zip(self.drives, parts, strict=True)], axis=-2)
        # One look-up for all curves: a call to each takes longer than all else that a step of a few features takes.
        grid, pieces, member = self._pieces
        t = np.minimum(np.maximum(t, grid[0]), grid[-1])  # np.clip takes longer than all the rest
        interval = np.minimum(np.searchsorted(grid[1:-1], t, side="right"), len(grid) - 2)
        powers, s = pieces[member, interval], (t - grid[interval])[..., None]
        cubic = ((powers[..., 0, :] * s + powers[..., 1, :]) * s + powers[..., 2, :]) * s + powers[..., 3, :]
        return np.asarray(cubic)
