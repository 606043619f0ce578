"""Persistence: everything stays as it started."""

from __future__ import annotations

from typing import Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.families.model_name import NULL
from ecodyn.trajectories import Trajectories


class Persistence(Reference):
    """x(t) = x(t₀)."""

    name = "persistence"
    kind = NULL

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Nothing to fit."""
        return cls()

    def signal(self, start: Array, times: Array) -> Array:
        """The start, for ever."""
        return np.broadcast_to(start[:, None], (*times.shape, start.shape[-1])) + 0 * times[..., None]
