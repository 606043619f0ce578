"""Consumers of a resource that nobody measures."""

from __future__ import annotations

from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.configuration import Shooting
from ecodyn.families.options import check_flag, is_text, is_whole
from ecodyn.families.written_family import SEARCHES, WrittenFamily
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

UPTAKES, SUPPLIES, MOST_RESOURCES = ("linear", "saturating"), ("chemostat", "logistic"), 2
RESOURCES = ("r", "u")[:MOST_RESOURCES]


class ConsumerResource(WrittenFamily):
    r"""ẋᵢ = xᵢ (r − m), ṙ = s − d r − q r Σⱼ xⱼ: features grow on a resource that all of them use up (exchangeable).

    r is hidden, in the unit of the growth that it affords, 1/time; a coupling c xᵢ r would only change that unit. It
    has an equation and a starting value of its own: r_start in all runs, or, with ``warm_up``, one of each run. Alone
    (independent), each feature has a resource of its own, and Σⱼ xⱼ is xᵢ. With saturating uptake r is in units of its
    half-saturation: ẋᵢ = xᵢ (g r/(1 + r) − m), ṙ = s − d r − q Σⱼ xⱼ r/(1 + r) (Monod). A logistic resource has
    ṙ = r (s − d r) − … instead. Of two resources, each has parameters of its own, and their growths add. ``inflow``
    adds a constant b to ẋᵢ: decoupled decay, and growth by what is common. m, s, d, q, g, b and starts are above 0.

    MacArthur (1970), Species packing and competitive equilibrium for many species, Theor. Popul. Biol. 1; Chesson
    (1990), MacArthur's consumer-resource model, Theor. Popul. Biol. 37; Tilman (1982), Resource Competition and
    Community Structure.

    Parameters
    ----------
    coupling, state, dynamics, shooting, searches, random_state : as in ``WrittenFamily``
    uptake : "linear" or "saturating"
    supply : "chemostat" or "logistic"
        Of the resource.
    resources : 1 or 2
    inflow : bool
        Whether features have a constant gain.
    warm_up : int
        0: the resource starts at one value in all runs. More: each run has its own, which of a run that is predicted is
        estimated from so many steps before the start.

    Examples
    --------
    >>> from ecodyn.families.consumer_resource import ConsumerResource
    >>> ConsumerResource().statement.text
    "x' = x*(r - m); r' = s - d*r - q*r*sum(x)"
    >>> ConsumerResource(uptake="saturating", inflow=True).statement.text
    "x' = b + x*(g*r/(1 + r) - m); r' = s - d*r - q*sum(x)*r/(1 + r)"
    >>> ConsumerResource("independent", supply="logistic").statement.text
    "x' = x*(r - m); r' = r*(s - d*r) - q*r*x"
    """

    name = "consumer_resource"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    available_dynamics: ClassVar[tuple[str, ...]] = (FLOW,)
    needs_positive = True
    cost = 30.0
    formulas: ClassVar[dict[str, str]] = {}
    positive = frozenset(["b", "m", *(n + e for n in "gsdq" for e in ("", "2")), *(f"{r}_start" for r in RESOURCES)])

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        uptake: str = "linear",
        supply: str = "chemostat",
        resources: int = 1,
        inflow: bool = False,
        warm_up: int = 0,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, shooting=shooting, searches=searches, random_state=random_state
        )
        self.uptake = uptake
        self.supply = supply
        self.resources = resources
        self.inflow = inflow
        self.warm_up = warm_up

    @property
    def hidden(self) -> tuple[str, ...]:  # type: ignore[override]
        """The resources that all features share."""
        return RESOURCES[: self.resources] if self.coupling == EXCHANGEABLE else ()

    @property
    def hidden_per_feature(self) -> tuple[str, ...]:  # type: ignore[override]
        """The resources of which each feature has its own."""
        return RESOURCES[: self.resources] if self.coupling != EXCHANGEABLE else ()

    def check(self, trajectories: Trajectories) -> None:
        """Refuse options that mean nothing, beside what every formula refuses."""
        check_flag("inflow", self.inflow)
        if not is_whole(self.resources) or not 1 <= self.resources <= MOST_RESOURCES:
            raise ValueError(f"resources is 1 or {MOST_RESOURCES}, got {self.resources!r}")
        for option, known in (("uptake", UPTAKES), ("supply", SUPPLIES)):
            if not is_text(getattr(self, option), *known):
                raise ValueError(f"{option} is {' or '.join(map(repr, known))}, got {getattr(self, option)!r}")
        super().check(trajectories)

    def text(self) -> str:
        """The equations."""
        if self.coupling not in self.couplings:
            raise ValueError(f"family {self.name!r} has couplings {', '.join(self.couplings)}, got {self.coupling!r}")
        users = "sum(x)" if self.coupling == EXCHANGEABLE else "x"
        growths, equations = [], []
        for r, number in zip(RESOURCES[: self.resources], ("", "2"), strict=False):
            s, d, q, g = (name + number for name in "sdqg")
            saturating = self.uptake == "saturating"
            growths.append(f"{g}*{r}/(1 + {r})" if saturating else r)
            supply = f"{s} - {d}*{r}" if self.supply == "chemostat" else f"{r}*({s} - {d}*{r})"
            used = f"{q}*{users}*{r}/(1 + {r})" if saturating else f"{q}*{r}*{users}"
            equations.append(f"{r}' = {supply} - {used}")
        gain = "b + " if self.inflow else ""
        return "; ".join([f"x' = {gain}x*({' + '.join(growths)} - m)", *equations])
