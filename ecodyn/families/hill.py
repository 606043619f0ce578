"""Saturating growth: Holling's curves of the second and the third type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.configuration import Shooting
from ecodyn.families.options import is_whole
from ecodyn.families.written_family import SEARCHES, WrittenFamily
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

TYPES = {2: "x", 3: "x**2"}  # the uptake's power of x by Holling's number


class Hill(WrittenFamily):
    r"""ẋᵢ = g u(xᵢ)/(h + u(xᵢ)) − a xᵢ (independent), with k·mean(u(x)) beside h where features compete (exchangeable).

    u(x) is x for Holling's type II and x² for type III. g is in signal per step, a per step, h in the unit of u, k a
    pure number, all above 0. Competitors in the denominator are Beddington's (1975) and DeAngelis's (1975)
    interference.

    Holling (1959), The components of predation as revealed by a study of small-mammal predation of the European pine
    sawfly, Canadian Entomologist 91.

    Parameters
    ----------
    coupling, state, dynamics, shooting, searches, random_state : as in ``WrittenFamily``
    holling : 2 or 3
        The type.

    Examples
    --------
    >>> from ecodyn.families.hill import Hill
    >>> Hill("independent", holling=2).text()
    'g*x/(h + x) - a*x'
    """

    name = "hill"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    formulas: ClassVar[Mapping[str, str]] = {
        INDEPENDENT: "g*{u}/(h + {u}) - a*x",
        EXCHANGEABLE: "g*{u}/(h + {u} + k*mean({u})) - a*x",
    }
    positive = frozenset("aghk")

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        holling: int = 3,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, shooting=shooting, searches=searches, random_state=random_state
        )
        self.holling = holling

    def check(self, trajectories: Trajectories) -> None:
        """Refuse types that Holling has not."""
        self.text()
        super().check(trajectories)

    def text(self) -> str:
        """The formula of this coupling and type."""
        if not is_whole(self.holling) or self.holling not in TYPES:
            raise ValueError(f"holling is the type, 2 or 3, got {self.holling!r}")
        return super().text().format(u=TYPES[self.holling])
