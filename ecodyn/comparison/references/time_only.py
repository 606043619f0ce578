"""A function of time alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.comparison.references.common_times import at_times, blocks_of_steps, on_common_times, pooled_axes
from ecodyn.families.model_name import NULL
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import share_times


@dataclass(frozen=True)
class TimeOnly(Reference):
    """ẋᵢ = g(t), hence x̂ᵢ(t) = xᵢ(t₀) + G(t − t₀): every feature moves alike, whatever it and the others are.

    G, the ``increment`` (step,) at ``times`` (step,) since the start, is the mean of x(t₀ + τ) − x(t₀) over training
    runs and features: least squares among all functions of time. Where labels are shared each feature has a G of its
    own, (step, feature). Smooth data give it an in-sample one-step R² of 0.99; a law that does not beat it has not
    shown that the state matters. Econometrics calls its assumption parallel trends.
    """

    times: Array
    increment: Array
    name: ClassVar[str] = "time_only"
    kind: ClassVar[str] = NULL
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Average what increments there are at each time since the start."""
        since = training.times - training.times[:, :1]
        values, start, axes = training.values, training.values[:, :1], pooled_axes(training)
        if share_times(since, training.lengths):
            grid = since[int(np.argmax(training.lengths))]
        else:
            (grid, values), start = on_common_times(since, values - start, training.lengths), np.zeros(1)
        means = [np.nanmean(values[:, b] - start, axis=axes) for b in blocks_of_steps(values)]
        return cls(grid, np.concatenate(means))

    def signal(self, start: Array, times: Array) -> Array:
        """Each start, moved by the same increment."""
        return np.asarray(start[:, None] + at_times(times - times[:, :1], self.times, self.increment))
