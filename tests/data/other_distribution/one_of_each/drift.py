"""A family whose models are of a type of their own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import sympy

from ecodyn.equations.library import INDEPENDENT
from ecodyn.families.estimator import Family
from ecodyn.families.model import FittedModel, amplitudes_from, amplitudes_of
from ecodyn.trajectories.state import parse_state


@dataclass(frozen=True)
class Constant(FittedModel):
    """ẋᵢ = rate."""

    rate: float

    kind: ClassVar[str] = "constant"
    n_coefficients = library_size = 1

    def rhs(self, x, t):
        """The rate, for every feature."""
        return np.full_like(x, self.rate)

    def equations(self):
        """One, which all features share."""
        return [sympy.Eq(sympy.Symbol("dx/dt"), self.rate, evaluate=False)]

    def to_latex(self):
        """The same in LaTeX."""
        return rf"\dot{{x}} = {self.rate}"

    def _details(self):
        return {"rate": self.rate}

    @classmethod
    def from_json(cls, document, path):
        """What `to_json` wrote."""
        return cls(
            family=document["family"],
            coupling=document["coupling"],
            channels=parse_state(document["state"]),
            features=tuple(document["features"]),
            amplitudes=amplitudes_from(document),
            provenance=document["provenance"],
            rate=float(document["rate"]),
        )


class Drift(Family):
    """Every feature at one rate."""

    name = "drift"
    couplings = (INDEPENDENT,)

    def __init__(self, coupling=INDEPENDENT, state="signal"):
        self.coupling = coupling
        self.state = state

    def fit_model(self, trajectories, *, clock=False):
        """The mean rate over runs and features."""
        x, t = trajectories.values, trajectories.times
        return Constant(
            family=self.name,
            coupling=self.coupling,
            channels=parse_state(self.state),
            features=tuple(trajectories.features.tolist()),
            amplitudes=amplitudes_of(trajectories, self.state),
            provenance=self.provenance(trajectories),
            rate=float(np.mean((x[:, -1] - x[:, 0]) / (t[:, -1] - t[:, 0])[:, None])),
        )
