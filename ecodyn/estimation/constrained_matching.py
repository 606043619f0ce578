"""Integral matching under constraints: all equations' regressions together, since constraints tie them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import block_diag

from ecodyn.arrays import Array, Bools
from ecodyn.estimation.centred import Centred
from ecodyn.estimation.constraints import Constraints, map_of
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.least_squares import DEFICIENT_RIDGE, RANK

__all__ = ["MatchedUnderConstraints"]


class MatchedUnderConstraints:
    """The regressions of all equations with these free coefficients, in the samples' units, under constraints.

    Equations weigh by the scales that their features count in, as in shooting: where a constraint makes one give way
    to another, that is decided by what each leaves of its own feature's changes.

    Parameters
    ----------
    matched : MatchedIntegrals
    constraints : Constraints
    mask : bool array (row, term)
        Which coefficients are free.
    to_data : from coefficients (row, term) in the samples' units to all of a law's in the data's
    ridge : float or None
        On normalised columns; None is none where the rank is full.
    centred : Centred or None
        Coordinates in which the ridge is measured.
    own : array (feature,) or None
        Scales that features count in.
    """

    def __init__(
        self,
        matched: MatchedIntegrals,
        constraints: Constraints,
        mask: Bools,
        to_data: Callable[[Array], Array],
        *,
        ridge: float | None = None,
        centred: Centred | None = None,
        own: Array | None = None,
    ) -> None:
        self.mask = mask
        self.centred = None if centred is None else centred.within(mask)
        inside = matched if self.centred is None else self.centred.matched(matched)
        places = [inside.place(row) for row in range(len(mask))]
        self.norms = np.stack([inside.norms[design] for design, _ in places])
        weights = _weights(len(mask), own)
        systems = []
        for row, (design, target) in enumerate(places):
            columns, y = inside.regression(design)
            systems.append(_system(columns[:, mask[row]], y[:, target], ridge, weights[row]))
        self.root = block_diag(*(root for root, _ in systems))[:, : int(mask.sum())]
        self.target = np.concatenate([y for _, y in systems])
        self.restriction = constraints.within(map_of(mask, lambda given: to_data(self._coefficients(given))))

    def possible(self) -> bool:
        """Whether these coefficients alone can fulfil the linear constraints."""
        return self.restriction.possible()

    def solve(self) -> Array:
        """The minimum, (row, term) in the samples' units."""
        placed = np.zeros(self.mask.shape)
        placed[self.mask] = self.restriction.minimum(self.root, self.target)
        return self._coefficients(placed)

    def normalised(self, coefficients: Array) -> Array:
        """Coefficients (row, term) of normalised columns, from those in the samples' units."""
        given = coefficients if self.centred is None else self.centred.coefficients(coefficients)
        return given * self.norms

    def _coefficients(self, normalised: Array) -> Array:
        """In the samples' units from those of normalised columns."""
        found = normalised / self.norms
        return found if self.centred is None else self.centred.original(found)


def _weights(rows: int, own: Array | None) -> Array:
    """Of each row's increments; features that don't move weigh as little as any."""
    if own is None or rows % len(own):
        return np.ones(rows)
    there = np.isfinite(own) & (own > 0)
    most = float(own[there].max(initial=1.0)) if there.any() else 1.0
    return np.tile(1.0 / np.where(there, own, most), rows // len(own))


def _system(columns: Array, target: Array, ridge: float | None, weight: float) -> tuple[Array, Array]:
    """R and b of one equation, with the ridge that it is solved with when it is alone."""
    size = columns.shape[1]
    if ridge is None:
        singular = np.linalg.svd(columns, compute_uv=False)
        deficient = len(singular) < size or singular.min(initial=np.inf) <= RANK * singular.max(initial=0.0)
        ridge = DEFICIENT_RIDGE if deficient else 0.0
    if ridge:
        columns = np.vstack([columns, np.sqrt(ridge) * np.eye(size)])
        target = np.concatenate([target, np.zeros(size)])
    return weight * columns, weight * target
