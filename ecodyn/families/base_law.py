"""The law that a network adds to: a full library at its optimum, where its rollouts hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.equations.library import Library
from ecodyn.estimation.multiple_shooting import STAGES
from ecodyn.families.base import LibraryFamily
from ecodyn.families.configuration import Shooting
from ecodyn.families.known import inputs_of_runs
from ecodyn.families.law import Law
from ecodyn.families.linear import Linear
from ecodyn.families.sindy import SINDy
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

__all__ = ["base_law"]


class _WholeLibrary(LibraryFamily):
    """SINDy's candidates, all of them."""

    name = "library"

    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """SINDy's."""
        return SINDy(self.coupling, self.state).library(channels, features)

    def driven_library(self, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str]) -> Library:
        """SINDy's."""
        return SINDy(self.coupling, self.state).driven_library(channels, features, inputs)


def base_law(coupling: str, state: str, trajectories: Trajectories, *, clock: bool, share: float) -> Law | None:
    """The whole library, or the linear law, whichever first has all rollouts from training starts end; or none.

    ``share`` of the window is how long the longest rollouts are that it is fitted to.
    """
    shooting = Shooting(stages=(*(s for s in STAGES if s < share), share))
    starts, times = trajectories.state(state)[:, 0], trajectories.times
    for family in (_WholeLibrary, Linear):
        law = family(coupling, state, shooting=shooting).fit_model(trajectories, clock=clock)
        with np.errstate(all="ignore"):
            known = inputs_of_runs(law.inputs, trajectories, range(len(trajectories)), law.step)
            if law.simulate(starts, times, inputs=known).ok.all():
                return law
    return None
