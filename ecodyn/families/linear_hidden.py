"""Linear laws with channels that nobody measures."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from ecodyn.equations.library import EXCHANGEABLE, INDEPENDENT
from ecodyn.families.configuration import Shooting
from ecodyn.families.options import is_whole
from ecodyn.families.written_family import SEARCHES, WrittenFamily
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories

CHANNELS = ("v", "w")
WARM_UP = 10  # steps: a starting velocity from fewer is mostly noise


class LinearHidden(WrittenFamily):
    r"""ẋᵢ = vᵢ, v̇ᵢ = b + a xᵢ + k vᵢ + means: a linear law of the signal and one or two hidden channels a feature.

    Every linear system whose first variable is measured and says all that there is to be known of the others has this
    form, the companion form of observability (Kalman 1963, Mathematical description of linear dynamical systems, SIAM
    J. Control 1): any other choice of hidden channels predicts the same signals. With two, v̇ᵢ = wᵢ and the law is ẇ's,
    with l wᵢ. Exchangeable laws have the features' means of all channels too. A hidden channel starts at a value of its
    own in each run and feature.

    Parameters
    ----------
    coupling, state, dynamics, shooting, searches, random_state : as in ``WrittenFamily``
    channels : 1 or 2
        Hidden channels a feature.
    warm_up : int
        Steps before a prediction's start that its hidden channels are estimated from. 0: in all runs and features they
        start at one value, a parameter.

    Examples
    --------
    >>> from ecodyn.families.linear_hidden import LinearHidden
    >>> LinearHidden("independent").statement.text
    "x' = v; v' = b + a*x + k*v"
    >>> LinearHidden("exchangeable", channels=2).statement.text
    "x' = v; v' = w; w' = b + a*x + k*v + l*w + c*mean(x) + e*mean(v) + f*mean(w)"
    """

    name = "linear_hidden"
    couplings = (INDEPENDENT, EXCHANGEABLE)
    available_dynamics: ClassVar[tuple[str, ...]] = (FLOW,)
    cost = 30.0
    formulas: ClassVar[dict[str, str]] = {}

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        channels: int = 1,
        warm_up: int = WARM_UP,
        dynamics: str = FLOW,
        shooting: Shooting | None = None,
        searches: int = SEARCHES,
        random_state: int = 0,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, shooting=shooting, searches=searches, random_state=random_state
        )
        self.channels = channels
        self.warm_up = warm_up

    @property
    def hidden_per_feature(self) -> tuple[str, ...]:  # type: ignore[override]
        """The hidden channels."""
        return CHANNELS[: self.channels]

    def check(self, trajectories: Trajectories) -> None:
        """Refuse another number of channels, beside what every formula refuses."""
        if not is_whole(self.channels) or not 1 <= self.channels <= len(CHANNELS):
            raise ValueError(f"channels is 1 or {len(CHANNELS)}, got {self.channels!r}")
        super().check(trajectories)

    def text(self) -> str:
        """The equations."""
        if self.coupling not in self.couplings:
            raise ValueError(f"family {self.name!r} has couplings {', '.join(self.couplings)}, got {self.coupling!r}")
        names = ("x", *self.hidden_per_feature)
        own = [f"{p}*{name}" for p, name in zip("akl", names, strict=False)]
        means = [f"{p}*mean({name})" for p, name in zip("cef", names, strict=False)]
        right = " + ".join(["b", *own, *(means if self.coupling == EXCHANGEABLE else ())])
        chain = [f"{name}' = {following}" for name, following in pairwise(names)]
        return "; ".join([*chain, f"{names[-1]}' = {right}"])
