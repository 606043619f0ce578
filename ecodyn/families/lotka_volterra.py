"""Lotka-Volterra equations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecodyn.equations.forms import lotka_volterra_library, lotka_volterra_mask, lotka_volterra_square
from ecodyn.equations.library import EXCHANGEABLE, Library
from ecodyn.families.base import LibraryFamily
from ecodyn.families.configuration import Matching, Shooting
from ecodyn.families.options import check_flag
from ecodyn.rollouts.iteration import FLOW
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label


class LotkaVolterra(LibraryFamily):
    r"""Lotka-Volterra laws: ẋᵢ = xᵢ(r + a xᵢ + c x̄) (exchangeable), xᵢ(rᵢ + aᵢxᵢ) (independent, the logistic
    equation), xᵢ(rᵢ + Σⱼ Aᵢⱼxⱼ) (full).

    Of a state in which the gradient evolves too, each channel grows in proportion to itself:
    ẋᵢ = xᵢ(r + a xᵢ + b gᵢ + …) and ġᵢ = gᵢ(r' + a' xᵢ + b' gᵢ + …), so that neither changes its sign, as norms don't.
    With a velocity, which may, v̇ᵢ = xᵢ(r + a xᵢ + b vᵢ + …).

    Parameters
    ----------
    self_interaction : bool
        Whether xᵢ² may occur (and gᵢ² in the equation of gᵢ). Without it, a full law of two species is the classical
        predator-prey system.

    The other parameters are those of ``LibraryFamily``.

    Examples
    --------
    >>> from ecodyn import LotkaVolterra, Trajectories
    >>> steps = np.arange(40.0)
    >>> x = 1 / (1 + np.array([9.0, 4.0, 1.5]) * np.exp(-0.2 * steps[:, None]))
    >>> law = LotkaVolterra(coupling="independent").fit(Trajectories([x, x[:, ::-1]], steps))
    >>> print(law.model_.coefficients.round(3))
    [[ 0.2 -0.2]]
    """

    name = "lotka_volterra"
    interaction_matrix = True
    simplicity = 1
    needs_positive = True

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        dynamics: str = FLOW,
        self_interaction: bool = True,
        per_feature: bool = False,
        matching: Matching | None = None,
        shooting: Shooting | None = None,
    ) -> None:
        super().__init__(
            coupling, state, dynamics=dynamics, per_feature=per_feature, matching=matching, shooting=shooting
        )
        self.self_interaction = self_interaction

    def check(self, trajectories: Trajectories) -> None:
        """Refuse unknown options and unusable data."""
        super().check(trajectories)
        check_flag("self_interaction", self.self_interaction)

    def library(self, channels: Sequence[str], features: Sequence[Label]) -> Library:
        """The own signal (or the equation's own channel) times 1, x, and what the coupling adds."""
        return lotka_volterra_library(self.coupling, channels, features)

    def driven_library(self, channels: Sequence[str], features: Sequence[Label], inputs: Sequence[str]) -> Library:
        """The same and the own signal times each input: ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ + B u)."""
        return lotka_volterra_library(self.coupling, channels, features, inputs)

    def mask(self, library: Library, own_coefficients: bool) -> NDArray[np.bool_]:
        """All coefficients with the equation's factor, but those of xᵢ² without self-interaction."""
        free = super().mask(library, own_coefficients)
        groups = library.groups(len(free))
        free &= lotka_volterra_mask(library, groups)
        if not self.self_interaction:
            for row in range(len(free)):
                free[row, lotka_volterra_square(library, *divmod(row, groups))] = False
        return free
