"""The ceiling of linear descriptions in one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.comparison.references.common_times import at_times, blocks_of_steps, on_common_times, pooled_axes
from ecodyn.families.model_name import CEILING
from ecodyn.trajectories import Trajectories


@dataclass(frozen=True)
class AffineMap(Reference):
    """x(t) = α(t) + β(t) x(t₀), the best at each time over training runs and features: a function of time, no law.

    Where labels are shared, each feature has its own.
    """

    times: Array
    intercept: Array
    slope: Array
    name: ClassVar[str] = "affine_map"
    kind: ClassVar[str] = CEILING
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Least squares at each time."""
        grid, values = on_common_times(training.times, training.values, training.lengths)
        axes = pooled_axes(training)
        maps = [_maps(training.values[:, :1], values[:, b], axes) for b in blocks_of_steps(values)]
        intercept, slope = (np.concatenate(parts) for parts in zip(*maps, strict=True))
        return cls(grid, intercept, slope)

    @property
    def n_coefficients(self) -> int:  # type: ignore[override]
        """Two for every time, and feature that has its own."""
        return 2 * self.slope.size

    def signal(self, start: Array, times: Array) -> Array:
        """The maps of each time, applied to the start."""
        intercept, slope = (at_times(times, self.times, c) for c in (self.intercept, self.slope))
        return np.asarray(intercept + slope * start[:, None])


def _maps(starts: Array, values: Array, axes: tuple[int, ...]) -> tuple[Array, Array]:
    """Intercepts and slopes at each step of values (run, step, feature), from each run's own start."""
    seen = np.where(np.isnan(values), np.nan, np.broadcast_to(starts, values.shape))
    mean_x, mean_y = (np.nanmean(v, axis=axes, keepdims=True) for v in (seen, values))
    dx, dy = seen - mean_x, values - mean_y
    variance = np.nansum(dx**2, axis=axes, keepdims=True)
    slope = np.nansum(dx * dy, axis=axes, keepdims=True) / np.where(variance > 0, variance, 1.0)
    intercept = mean_y - slope * mean_x
    return np.squeeze(intercept, axis=axes), np.squeeze(slope, axis=axes)
