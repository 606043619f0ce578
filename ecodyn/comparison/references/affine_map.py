"""The ceiling of linear descriptions in one dimension."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.comparison.references.common_times import on_common_times
from ecodyn.families.model_name import CEILING
from ecodyn.trajectories import Trajectories


@dataclass(frozen=True)
class AffineMap(Reference):
    """x(t) = α(t) + β(t) x(t₀), the best at each time over training runs and features: a function of time, no law."""

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
        start = np.broadcast_to(training.values[:, :1], values.shape)  # each run's own
        seen = np.where(np.isnan(values), np.nan, start)
        mean_x, mean_y = np.nanmean(seen, axis=(0, 2)), np.nanmean(values, axis=(0, 2))
        dx, dy = seen - mean_x[None, :, None], values - mean_y[None, :, None]
        variance = np.nansum(dx**2, axis=(0, 2))
        slope = np.nansum(dx * dy, axis=(0, 2)) / np.where(variance > 0, variance, 1.0)
        return cls(grid, mean_y - slope * mean_x, slope)

    @property
    def n_coefficients(self) -> int:  # type: ignore[override]
        """Two for every time."""
        return 2 * len(self.times)

    def signal(self, start: Array, times: Array) -> Array:
        """The maps of each time, applied to the start."""
        intercept = np.interp(times, self.times, self.intercept)
        slope = np.interp(times, self.times, self.slope)
        return np.asarray(intercept[..., None] + slope[..., None] * start[:, None])
