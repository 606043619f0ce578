"""What a verdict is about: models with their losses a run, and the sets that the rule makes of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.rollouts.iteration import FLOW, MAP

DECIDED, TIED, UNDECIDED, NO_FAMILY = "decided", "tied", "undecided", "no_family"

FEWEST_RUNS = 5  # with fewer nothing is decided
COUPLING_ORDER = {"independent": 0, "exchangeable": 1, "full": 2}
FAMILY_ORDER = {"linear": 0, "lotka_volterra": 1, "sindy": 2, "neural_ode": 3}


def label_of(family: str, coupling: str | None, state: str, kind: str, dynamics: str | None = FLOW) -> str:
    """A model as tables and sentences name it: family/coupling, its state if more than the signal, "map" for a map."""
    if coupling is None:
        return family
    marks = [*([state] if state != "signal" else []), *([MAP] if dynamics == MAP else [])]
    name = f"{family}/{coupling} ({'; '.join(marks)})" if marks else f"{family}/{coupling}"
    return f"{name} clock" if kind == "clock" else name


def mean(values: Array) -> float:
    """The mean, summed in an order of its own, so that the order of runs can't matter."""
    return float(np.mean(np.sort(values)))


@dataclass(frozen=True, eq=False)
class Candidate:
    """What the verdict needs to know of one model: its losses a run, and how simple it is.

    ``losses`` and ``skills`` are (run,); ``gross_losses`` the losses with measurement noise left in, and no unexplained
    share below a ten-thousandth (the losses themselves if left out). ``kind`` is "family", "null", "ceiling" or
    "clock". ``diverged`` counts held-out rollouts that ended early; a family with any is not eligible. ``terms`` names
    the terms with a coefficient in any fold. A map is as simple as its flow: ``dynamics`` has no say in that.
    """

    family: str
    coupling: str | None
    kind: str
    losses: Array
    skills: Array
    library_size: int
    state: str = "signal"
    diverged: int = 0
    over_flexible: bool = False
    terms: frozenset[str] | None = None
    selects: bool = False
    gross_losses: Array | None = None
    dynamics: str | None = FLOW

    @property
    def label(self) -> str:
        """family/coupling, as tables and sentences have it."""
        return label_of(self.family, self.coupling, self.state, self.kind, self.dynamics)

    def loss(self, gross: bool = False) -> Array:
        """Losses a run, less measurement noise or with it."""
        return self.losses if not gross or self.gross_losses is None else self.gross_losses

    @property
    def eligible(self) -> bool:
        """Whether it may be best or tied."""
        return self.kind == "family" and self.diverged == 0 and bool(np.isfinite(self.losses).all())

    @property
    def simplicity(self) -> tuple[int, int, int, str]:
        """What "simplest" goes by: candidates before selection, coupling, family."""
        coupling = COUPLING_ORDER.get(self.coupling or "", 3)
        return (self.library_size, coupling, FAMILY_ORDER.get(self.family, len(FAMILY_ORDER)), self.family)

    def named(self) -> dict[str, str | None]:
        """How report.json names it."""
        state = {} if self.state == "signal" else {"state": self.state}
        dynamics = {"dynamics": MAP} if self.dynamics == MAP else {}
        return {"family": self.family, "coupling": self.coupling, **state, **dynamics}
