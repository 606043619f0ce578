"""The decay that weight decay alone would cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.references.base import Reference
from ecodyn.families.model_name import NULL
from ecodyn.trajectories import Trajectories

RATES = {"lr", "learning_rate", "weight_decay"}  # what inputs that are one of the two are called


@dataclass(frozen=True)
class KnownDecay(Reference):
    """ẋᵢ = −ηλ(xᵢ − floor), the decay that decoupled weight decay alone would cause; only the floor is fitted."""

    rate: float
    floor: float
    name: ClassVar[str] = "known_decay"
    kind: ClassVar[str] = NULL
    n_coefficients: int = 1

    @classmethod
    def fit(cls, training: Trajectories) -> Self | None:
        """The floor by least squares, where the provenance states learning rate and weight decay."""
        rate = decay_rate(training)
        if not rate:
            return None
        t = training.times
        fallen = 1.0 - np.exp(-rate * (t - t[:, :1]))[..., None]
        missing = training.values - training.values[:, :1] * (1.0 - fallen)
        squares = np.nansum(fallen**2 * np.ones_like(missing))
        return cls(rate, float(np.nansum(fallen * missing) / squares) if squares > 0 else 0.0)

    def signal(self, start: Array, times: Array) -> Array:
        """The exponential approach to the floor."""
        kept = np.exp(-self.rate * (times - times[:, :1]))[..., None]
        return np.asarray(self.floor + (start[:, None] - self.floor) * kept)


def decay_rate(trajectories: Trajectories) -> float | None:
    """ηλ, if the provenance states learning rate and weight decay, and no optimiser under which they mean another.

    Or a setting that all of these runs share does, as in a cell of a grid. Nor a schedule, of all runs or of some:
    under one neither is the rate throughout.
    """
    shared = {name: v[0].item() for name, v in trajectories.settings.items() if len(np.unique(v)) == 1}
    provenance = shared | trajectories.provenance
    scheduled = any(name.endswith("_schedule") for name in (*provenance, *trajectories.settings))
    if scheduled or RATES & {*trajectories.inputs}:
        return None
    if str(provenance.get("optimiser", "")).lower() == "adam":  # there the decay goes through the adaptive step
        return None
    rate, decay = provenance.get("learning_rate"), provenance.get("weight_decay")
    known = all(isinstance(v, int | float) for v in (rate, decay))
    return float(rate) * float(decay) if known else None  # type: ignore[arg-type]
