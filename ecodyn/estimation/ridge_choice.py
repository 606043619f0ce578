"""The ridge of a regression with hundreds of coefficients, chosen by rollouts on validation runs or windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.validation import Validation, unexplained_each

__all__ = ["RIDGES", "choose_ridge", "ridges_for"]

RIDGES = tuple(10.0**p for p in (-8, -6, -4, -2, -1, 0))
"""On normalised columns: from what rounding asks for to what halves a coefficient."""


FEW = 250  # coefficients that the data may determine without any ridge


def ridges_for(mask: Bools) -> tuple[float | None, ...]:
    """Candidates for so many coefficients: without one too, None, where these are few."""
    return (None, *RIDGES) if mask.size <= FEW else RIDGES


def choose_ridge(
    library: Library, validations: Sequence[Validation], mask: Bools, ridges: Sequence[float | None] = RIDGES
) -> float | None:
    """The ridge whose laws leave least of the validation rollouts unexplained; None is none, where the rank is full.

    Parameters
    ----------
    library : Library
    validations : sequence of Validation
        Splits of the training part.
    mask : bool array (equation × group, term)
        Which coefficients are free.
    ridges : sequence of float or None
    """

    def laws(matched: MatchedIntegrals) -> Array:
        if mask.all() and all(ridge is not None for ridge in ridges):
            return matched.solve_each([ridge for ridge in ridges if ridge is not None])
        return np.stack([matched.solve(ridge, mask) for ridge in ridges])

    unexplained = unexplained_each(library, validations, [laws(v.matched) for v in validations])
    return ridges[int(np.argmin(np.mean([u.mean(axis=1) for u in unexplained], axis=0)))]
