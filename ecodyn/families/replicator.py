"""Replicators: what is fitter than the average grows at the others' expense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.families.configuration import Shooting
from ecodyn.families.options import check_flag
from ecodyn.families.written_family import SEARCHES, WrittenFamily
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

NORMALISED = "a*x*(x**n - mean(x**(n + 1))/mean(x))"
NOT_NORMALISED = "x*(r + a*x**n - c*mean(x**(n + 1))/mean(x))"


class Replicator(WrittenFamily):
    r"""ẋᵢ = xᵢ (fᵢ − Σⱼ xⱼfⱼ/Σⱼ xⱼ) of the fitness fᵢ = a xᵢⁿ, which keeps Σⱼ xⱼ (normalised).

    Not normalised, growth r and a weight c of the average's own let the total move: ẋᵢ = xᵢ(r + a xᵢⁿ − c Σⱼ
    xⱼⁿ⁺¹/Σⱼ xⱼ). n is a pure number above 0, r is per step, a and c in the unit of x⁻ⁿ per step; with a over 0 what
    is ahead stays ahead, under 0 the rare gain.

    Taylor and Jonker (1978), Evolutionary stable strategies and game dynamics, Math. Biosci. 40; Hofbauer and Sigmund
    (1998), Evolutionary Games and Population Dynamics, chapter 7.

    Parameters
    ----------
    coupling, state, dynamics, shooting, searches, random_state : as in ``WrittenFamily``
    normalised : bool
        Whether the total is kept.

    Examples
    --------
    >>> from ecodyn.families.replicator import Replicator
    >>> Replicator().statement.parameters, Replicator(normalised=False).statement.parameters
    (('a', 'n'), ('r', 'a', 'n', 'c'))
    """

    name = "replicator"
    couplings = (EXCHANGEABLE,)
    formulas: ClassVar[Mapping[str, str]] = {EXCHANGEABLE: NORMALISED}
    positive = frozenset("n")

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        normalised: bool = True,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, shooting=shooting, searches=searches, random_state=random_state
        )
        self.normalised = normalised

    def check(self, trajectories: Trajectories) -> None:
        """Refuse what is neither normalised nor not."""
        check_flag("normalised", self.normalised)
        super().check(trajectories)

    def text(self) -> str:
        """The formula."""
        return self.formulas[self.coupling] if self.normalised else NOT_NORMALISED
