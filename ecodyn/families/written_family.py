"""Families with a formula for each coupling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.families.configuration import Shooting
from ecodyn.families.formula_family import SEARCHES, FormulaFamily
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.transforms import Bounds, bounds_of
from ecodyn.rollouts.iteration import FLOW
from ecodyn.rollouts.labelled import SIGNAL

__all__ = ["SEARCHES", "WrittenFamily"]


class WrittenFamily(FormulaFamily):
    """A family with a formula for each coupling.

    Attributes
    ----------
    formulas : class attribute, the formula of each coupling
    positive : class attribute, names of the parameters that are above 0
    between : class attribute, bounds of some

    Parameters
    ----------
    coupling : str
        One that the family has a formula for.
    state : "signal"
        The formulas are of the signal alone.
    dynamics : "flow" or "map"
    shooting : Shooting, optional
        How rollouts are made to follow the data.
    searches : int
        How many of the draws are refined.
    random_state : int
        Seed of the draws.
    """

    formulas: ClassVar[Mapping[str, str]]
    positive: ClassVar[frozenset[str]] = frozenset()
    between: ClassVar[Mapping[str, Bounds]] = {}
    takes_inputs = False  # whatever its parameters and the data's inputs are called

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        self.coupling = coupling
        self.state = state
        self.dynamics = dynamics
        self.shooting = shooting
        self.searches = searches
        self.random_state = random_state

    def text(self) -> str:
        """The formula of this coupling."""
        if self.coupling not in self.couplings:
            raise ValueError(f"family {self.name!r} has couplings {', '.join(self.couplings)}, got {self.coupling!r}")
        return self.formulas[self.coupling]

    def ranges(self, statement: Statement) -> tuple[Bounds, ...]:
        """From 0 on for positive parameters, and what ``between`` has; of a state of the signal alone."""
        if self.state != SIGNAL:
            raise ValueError(
                f"{self.name} is a law of the signal alone, got the state {self.state!r}; write it with the other "
                "channels as a Formula"
            )
        return bounds_of(statement.parameters, self.positive, self.between)
