"""A reference model."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ecodyn.comparison.references import Reference
from ecodyn.families.model_name import NULL


@dataclass(frozen=True)
class StraightLine(Reference):
    """x̂ᵢ(t) = xᵢ(t₀) + slope (t − t₀), one slope for all."""

    slope: float
    name: ClassVar[str] = "straight_line"
    kind: ClassVar[str] = NULL
    n_coefficients: int = 1

    @classmethod
    def fit(cls, training):
        """The mean slope over runs and features."""
        x, t = training.values, training.times
        return cls(float(np.mean((x[:, -1] - x[:, 0]) / (t[:, -1] - t[:, 0])[:, None])))

    def signal(self, start, times):
        """The line from each start."""
        return start[:, None] + self.slope * (times - times[:, :1])[..., None]
