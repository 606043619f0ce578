"""What was asked of a law's coefficients, in the data's units, and how coefficients are made to hold it exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.estimation.linear_constraints import LinearConstraints
from ecodyn.estimation.restriction import HELD, Restriction
from ecodyn.estimation.stability_constraint import Stability

__all__ = ["Constraints", "map_of"]

DEPENDENT = 1e-12  # of the largest singular value of rows of length 1: those that follow from others


@dataclass(frozen=True, eq=False)
class Constraints:
    """What was asked of coefficients (row, term) in the data's units, flat.

    Attributes
    ----------
    given : tuple of str
        The constraints as text.
    linear : LinearConstraints
    stability : tuple of Stability
    """

    given: tuple[str, ...]
    linear: LinearConstraints
    stability: tuple[Stability, ...] = ()

    def within(self, map_: Array) -> Restriction:
        """The same of parameters p with θ = map·p."""
        return Restriction(self.linear.within(map_), tuple(s.within(map_) for s in self.stability), self.given)

    def exactly(self, coefficients: Array, free: Bools, units: Array) -> Array:
        """Coefficients (row, term) that hold the linear constraints to the last digit, from ones that all but do.

        Parameters
        ----------
        coefficients : array (row, term), in the data's units
        free : bool array (row, term)
            The others stay what they are.
        units : array (row, term)
            In which coefficients are of order one.
        """
        positions = np.flatnonzero(free)
        map_ = np.zeros((free.size, len(positions)))
        map_[positions, np.arange(len(positions))] = units.ravel()[positions]
        rows = self.linear.within(map_)
        point = coefficients.ravel()[positions] / units.ravel()[positions]
        at = rows.equal | (np.abs(rows.matrix @ point - rows.limits) <= HELD * rows.size(point))
        at |= (rows.matrix @ point > rows.limits) & rows.matrix.any(axis=1)
        held, limits = rows.matrix[at], rows.limits[at]
        if len(held):
            point = point - np.linalg.pinv(held, rcond=DEPENDENT) @ (held @ point - limits)
        found = coefficients.ravel().copy()
        found[positions] = point * units.ravel()[positions]
        return _rounded(found, self.linear.matrix[at], self.linear.limits[at], free.ravel()).reshape(free.shape)


def _rounded(flat: Array, matrix: Array, limits: Array, free: Bools) -> Array:
    """The same with rows of one coefficient, and of two that are equal or opposite, held to the last bit."""
    decided = np.zeros(len(flat), dtype=bool)
    rows = [(np.flatnonzero((row != 0) & free), row, limit) for row, limit in zip(matrix, limits, strict=True)]
    for places, row, limit in rows:
        if len(places) == 1:
            flat[places] = limit / row[places]
            decided[places] = True
    for places, row, limit in rows:
        if len(places) == 2 and limit == 0 and abs(row[places[0]]) == abs(row[places[1]]):
            one, other = places if decided[places[0]] or not decided[places[1]] else places[::-1]
            flat[other] = -np.sign(row[one] * row[other]) * flat[one]
            decided[places] = True
    return flat + 0.0  # no negative zeros


def map_of(free: Bools, to_data: Callable[[Array], Array]) -> Array:
    """The matrix that takes free coefficients (parameter,) to all of a law's in the data's units, flat.

    ``to_data`` is linear, from (row, term) like ``free``.
    """
    columns = []
    for position in np.flatnonzero(free):
        unit = np.zeros(free.shape)
        unit.flat[position] = 1.0
        columns.append(to_data(unit).ravel())
    return np.stack(columns, axis=1) if columns else np.zeros((0, 0))
