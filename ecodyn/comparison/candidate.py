"""What a verdict is about: models with their losses a run, and the sets that the rule makes of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import COUPLINGS
from ecodyn.families.model_name import FAMILY, ModelName, Named

DECIDED, TIED, UNDECIDED, NO_FAMILY = "decided", "tied", "undecided", "no_family"
INADEQUATE = "inadequate"  # what would be decided or tied, but leaves something that is no noise
NAMING = (DECIDED, TIED, INADEQUATE)  # a best is named


def mean(values: Array) -> float:
    """The mean, summed in an order of its own, so that the order of runs can't matter."""
    return float(np.mean(np.sort(values)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Candidate(Named):
    """What the verdict needs to know of one model: its losses a run, and how simple it is.

    Attributes
    ----------
    name : which model
    losses, skills : arrays (run,)
    library_size : coefficients before selection
    simplicity_rank : what "simplest" goes by among families of equal size and coupling; a map is as simple as its flow
    diverged : held-out rollouts that ended early, each scored as the worst there is
    terms : names of the terms with a coefficient in any fold
    selects : whether it chose them out of a larger library
    universal : whether its family can approximate any right-hand side: see ``Family``
    title : what sentences call its family
    training : (run,) what each run moves the mean loss by as something that is fitted to; None where nothing is known
    gross_losses : losses (run,) with measurement noise left in, and no unexplained share below a ten-thousandth; the
        losses themselves if left out
    selected_by : label of the family whose selection of the same terms has these losses, where that is another number
        than its own fit has; else empty
    """

    name: ModelName
    losses: Array
    skills: Array
    library_size: int
    simplicity_rank: int = 0
    diverged: int = 0
    terms: frozenset[str] | None = None
    selects: bool = False
    universal: bool = False
    title: str = ""
    gross_losses: Array | None = None
    training: Array | None = None
    selected_by: str = ""

    def loss(self, gross: bool = False) -> Array:
        """Losses a run, less measurement noise or with it."""
        return self.losses if not gross or self.gross_losses is None else self.gross_losses

    def influence(self, gross: bool = False) -> Array:
        """What each run moves the mean loss by (run,): as something that is scored and, where known, fitted to."""
        losses = self.loss(gross)
        scored = (losses - mean(losses)) / max(1, len(losses))
        return scored if self.training is None else scored + self.training * self.moved_part(gross)

    def moved_part(self, gross: bool) -> float:
        """How far what is fitted to moves the log of all that is left, beside that of what is left without noise.

        Noise stays what it is: of all that is left only the rest moves.
        """
        return min(1.0, math.exp(mean(self.losses) - mean(self.loss(gross)))) if gross else 1.0

    @property
    def left(self) -> float:
        """Share left unexplained, of a mean skill or, where a rollout diverged and has none, by the geometric mean."""
        return math.exp(mean(self.losses)) if self.diverged else 1 - mean(self.skills)

    @property
    def eligible(self) -> bool:
        """Whether it may be best or tied."""
        return self.kind == FAMILY and bool(np.isfinite(self.losses).all())

    @property
    def order(self) -> tuple[object, ...]:
        """What candidates stand in order by, so that the order in which they were given can't matter."""
        return (*self.simplicity, self.state, self.kind, self.dynamics or "", self.name.variant)

    @property
    def simplicity(self) -> tuple[int, int, int, str]:
        """What "simplest" goes by: candidates before selection, coupling, family."""
        coupling = COUPLINGS.index(self.coupling) if self.coupling in COUPLINGS else len(COUPLINGS)
        return (self.library_size, coupling, self.simplicity_rank, self.family)
