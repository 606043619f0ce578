"""The ridge of a regression with hundreds of coefficients, chosen by rollouts on validation runs or windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.validation import Validation, unexplained_each

__all__ = ["RIDGES", "choose_ridge"]

RIDGES = tuple(10.0**p for p in (-8, -6, -4, -2, -1, 0))
"""On normalised columns: from what rounding asks for to what halves a coefficient."""


def choose_ridge(library: Library, validations: Sequence[Validation], mask: Bools) -> float:
    """The ridge whose laws leave least of the validation rollouts unexplained.

    Parameters
    ----------
    library : Library
    validations : sequence of Validation
        Splits of the training part.
    mask : bool array (equation × group, term)
        Which coefficients are free.
    """

    def laws(matched: MatchedIntegrals) -> Array:
        if mask.all():
            return matched.solve_each(RIDGES)
        return np.stack([matched.solve(ridge, mask) for ridge in RIDGES])

    unexplained = unexplained_each(library, validations, [laws(v.matched) for v in validations])
    return RIDGES[int(np.argmin(np.mean([u.mean(axis=1) for u in unexplained], axis=0)))]
