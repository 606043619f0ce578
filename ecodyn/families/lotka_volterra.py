"""Lotka-Volterra equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.estimation.multiple_shooting import INTERVALS, STAGES
from ecodyn.families.base import LibraryFamily
from ecodyn.library import EXCHANGEABLE, FULL, Library, lotka_volterra_library


class LotkaVolterra(LibraryFamily):
    r"""Lotka-Volterra laws: ẋᵢ = xᵢ(r + a xᵢ + c x̄) (exchangeable), xᵢ(rᵢ + aᵢxᵢ) (independent, the logistic
    equation), xᵢ(rᵢ + Σⱼ Aᵢⱼxⱼ) (full).

    Parameters
    ----------
    self_interaction : bool
        Whether xᵢ² may occur. Without it, a full law of two species is the classical predator-prey system.

    The other parameters are those of ``LibraryFamily``.
    """

    name = "lotka_volterra"
    needs_positive = True

    def __init__(
        self,
        coupling: str = EXCHANGEABLE,
        state: str = "signal",
        *,
        self_interaction: bool = True,
        per_feature: bool = False,
        estimation: str = "integral",
        refine: bool | str = "auto",
        ridge: float | str = "auto",
        stages: tuple[float, ...] = STAGES,
        intervals: int = INTERVALS,
        estimate_starts: bool = False,
    ) -> None:
        super().__init__(
            coupling,
            state,
            per_feature=per_feature,
            estimation=estimation,
            refine=refine,
            ridge=ridge,
            stages=stages,
            intervals=intervals,
            estimate_starts=estimate_starts,
        )
        self.self_interaction = self_interaction

    def library(self, channels: Sequence[str], features: Sequence[Any]) -> Library:
        """The own signal times 1, x, and what the coupling adds."""
        return lotka_volterra_library(self.coupling, channels, features)

    def mask(self, library: Library, own_coefficients: bool) -> NDArray[np.bool_]:
        """All coefficients, but those of xᵢ² without self-interaction."""
        mask = super().mask(library, own_coefficients)
        if self.self_interaction:
            return mask
        if self.coupling == FULL:
            channels = len(library.channels)
            for i in range(len(library.features)):
                mask[i, 1 + i * channels] = False  # term 0 is x, then x times each feature's channels
        else:
            mask[:, 1] = False
        return mask
