"""The mean curve of the training runs, the same for every feature that has no name of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.comparison.references.common_times import at_times, blocks_of_steps, on_common_times, pooled_axes
from ecodyn.families.model_name import NULL
from ecodyn.trajectories import Trajectories


@dataclass(frozen=True)
class MeanCurve(Reference):
    """The mean over training runs and features at each time; of each feature its own where labels are shared."""

    times: Array
    curve: Array
    name: ClassVar[str] = "mean_curve"
    kind: ClassVar[str] = NULL
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Average what runs there are at each time."""
        grid, values = on_common_times(training.times, training.values, training.lengths)
        axes = pooled_axes(training)
        return cls(grid, np.concatenate([np.nanmean(values[:, b], axis=axes) for b in blocks_of_steps(values)]))

    def signal(self, start: Array, times: Array) -> Array:
        """The curve of every feature."""
        curve = at_times(times, self.times, self.curve)
        return np.array(np.broadcast_to(curve, (*times.shape, start.shape[-1])))
