"""Reference models: always scored beside the families, never called a family.

A family that does not beat the *nulls* has explained nothing; the *ceiling* shows what any one-dimensional linear
description of the starting value could reach; *clocks* are the exchangeable families with the means over features
replaced by a function of time (``Family.fit_model(..., clock=True)``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Self

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import OK, Rollout
from ecodyn.trajectories import Trajectories


class Reference(ABC):
    """A description of a signal from its start and the time; not a law."""

    name: ClassVar[str]
    kind: ClassVar[str]
    extrapolates: ClassVar[bool] = True
    n_coefficients: int = 0

    @classmethod
    @abstractmethod
    def fit(cls, training: Trajectories) -> Self | None:
        """The reference fitted to training runs; None where the file doesn't say what it needs."""

    @abstractmethod
    def signal(self, start: Array, times: Array) -> Array:
        """Signals (batch, step, feature) from starts (batch, feature) at times (batch, step)."""

    def simulate(self, start: Array, times: Array) -> Rollout:
        """The same as a rollout, from states (batch, feature, channel)."""
        values = self.signal(start[..., 0], times)
        return Rollout(values[..., None], times, (OK,) * len(values), 0)
