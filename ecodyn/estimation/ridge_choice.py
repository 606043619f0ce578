"""Regression of all terms of a library: without a ridge, or with one that rollouts on validation runs choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import FULL, Library
from ecodyn.estimation.centred import Centred, solve
from ecodyn.estimation.initial_fit import InitialFit
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.validation import Validation, splits, unexplained_each

__all__ = ["RIDGES", "choose_ridge", "ridge_fit", "ridges_for"]

RIDGES = tuple(10.0**p for p in (-8, -6, -4, -2, -1, 0))
"""On normalised columns: from what rounding asks for to what halves a coefficient."""


FEW = 250  # coefficients that the data may determine without any ridge


def ridge_fit(
    library: Library,
    samples: Samples,
    parts: list[MatchedIntegrals],
    *,
    mask: Bools,
    ridge: float | str,
    per_feature: bool,
    method: str,
) -> InitialFit:
    """Ridge regression on matched integrals, in centred coordinates where the law has them.

    Parameters
    ----------
    library, samples
        All candidate terms, and the training part.
    parts : list of MatchedIntegrals
        Each run's regression.
    mask : bool array (equation × group, term)
        Which coefficients are free.
    ridge : float or "auto"
        "auto" is none where the rank is full; a full library's is chosen (`choose_ridge`).
    per_feature, method
        As in `match`.
    """
    matched, centred = MatchedIntegrals.combine(parts), Centred.of(samples, library, len(mask))
    found = InitialFit(
        library=library,
        matched=matched,
        coefficients=solve(matched, None if isinstance(ridge, str) else float(ridge), mask, centred),
        mask=mask,
        support=np.arange(len(library)),
    )
    if ridge != "auto" or library.coupling != FULL:
        return found
    validations = splits(library, samples, parts, per_feature=per_feature, method=method)
    ridges = ridges_for(mask)
    chosen = choose_ridge(library, validations, mask, ridges, centred)
    return replace(
        found,
        coefficients=solve(matched, chosen, mask, centred),
        candidates=len(ridges),
        chosen=(("ridge", chosen or 0.0),),
    )


def ridges_for(mask: Bools) -> tuple[float | None, ...]:
    """Candidates for so many coefficients: without one too, None, where these are few."""
    return (None, *RIDGES) if mask.size <= FEW else RIDGES


def choose_ridge(
    library: Library,
    validations: Sequence[Validation],
    mask: Bools,
    ridges: Sequence[float | None] = RIDGES,
    centred: Centred | None = None,
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
    centred : Centred, optional
        Coordinates in which ridges are measured.
    """

    def laws(matched: MatchedIntegrals) -> Array:
        if mask.all() and all(ridge is not None for ridge in ridges):
            inside = matched if centred is None else centred.matched(matched)
            found = inside.solve_each([ridge for ridge in ridges if ridge is not None])
            return found if centred is None else np.stack([centred.original(law) for law in found])
        return np.stack([solve(matched, ridge, mask, centred) for ridge in ridges])

    unexplained = unexplained_each(library, validations, [laws(v.matched) for v in validations])
    return ridges[int(np.argmin(np.mean([u.mean(axis=1) for u in unexplained], axis=0)))]
