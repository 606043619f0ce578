"""Linear constraints on coefficients, C θ = d or C θ ≤ d, and which of them contradict one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svd
from scipy.optimize import linprog

from ecodyn.arrays import Array, Bools, Integers

__all__ = ["Elimination", "LinearConstraints"]

DEPENDENT = 1e-10  # of the largest singular value: equations that follow from the others
ROUNDING = 1e-14  # of what was summed to an element of a row
POSSIBLE = 1e-9  # of normalised rows: what equations and inequalities may be off by where all are fulfilled


@dataclass(frozen=True, eq=False)
class LinearConstraints:
    """Rows C θ = d or C θ ≤ d on coefficients (coefficient,).

    Attributes
    ----------
    matrix, limits : arrays (row, coefficient) and (row,)
    equal : bool array (row,)
        Whether a row is an equation.
    names : tuple of str (row,)
        Each row as text, such as "A[1,2] <= 0".
    statement : int array (row,)
        Which of the constraints that were given it is part of.
    """

    matrix: Array
    limits: Array
    equal: Bools
    names: tuple[str, ...]
    statement: Integers

    @classmethod
    def none(cls, size: int) -> LinearConstraints:
        """No rows on so many coefficients."""
        empty = np.zeros(0)
        return cls(np.zeros((0, size)), empty, empty.astype(bool), (), empty.astype(np.intp))

    @classmethod
    def combine(cls, parts: Sequence[LinearConstraints]) -> LinearConstraints:
        """The rows of all parts."""
        return cls(
            np.concatenate([p.matrix for p in parts]),
            np.concatenate([p.limits for p in parts]),
            np.concatenate([p.equal for p in parts]),
            tuple(name for p in parts for name in p.names),
            np.concatenate([p.statement for p in parts]),
        )

    def __len__(self) -> int:
        return len(self.limits)

    def of_statements(self, numbers: Sequence[int]) -> LinearConstraints:
        """The rows that are parts of these constraints."""
        keep = np.flatnonzero(np.isin(self.statement, numbers))
        names = tuple(self.names[k] for k in keep)
        return LinearConstraints(self.matrix[keep], self.limits[keep], self.equal[keep], names, self.statement[keep])

    def within(self, map_: Array) -> LinearConstraints:
        """The same rows, of length 1, on parameters p with θ = map·p; rows of zeros stay what they are."""
        matrix = self.matrix @ map_
        # What is left of coefficients that are not free is rounding, and no row.
        summed = np.abs(self.matrix) @ np.abs(map_)
        matrix[np.abs(matrix) <= ROUNDING * summed] = 0.0
        norms = np.linalg.norm(matrix, axis=1)
        norms = np.where(norms > 0, norms, 1.0)
        return LinearConstraints(matrix / norms[:, None], self.limits / norms, self.equal, self.names, self.statement)

    def size(self, point: Array) -> Array:
        """What rounding of rows of length 1 is relative to, (row,): the largest parameter, or the limit."""
        return np.maximum(np.abs(self.limits), max(float(np.abs(point).max(initial=0.0)), 1e-300))

    def exceeded(self, point: Array) -> Array:
        """What each row of length 1 is off by, relative to its size, (row,): 0 where it is held."""
        value = self.matrix @ point - self.limits
        over = np.where(self.equal, np.abs(value), np.maximum(value, 0.0))
        return np.asarray(over / self.size(point))

    def possible(self) -> bool:
        """Whether anything fulfils all rows."""
        if not len(self):
            return True
        norms = np.maximum(np.linalg.norm(self.matrix, axis=1), 1e-300)
        still = ~self.matrix.any(axis=1)
        left = np.where(self.equal, np.abs(self.limits), np.maximum(-self.limits, 0.0))
        if (left[still] > 0).any():
            return False
        rows, limits = self.matrix / norms[:, None], self.limits / norms
        size = max(float(np.abs(limits[~still]).max(initial=0.0)), 1e-300)
        of_equal, of_most = self.equal & ~still, ~self.equal & ~still
        found = linprog(
            np.zeros(self.matrix.shape[1]),
            A_ub=rows[of_most],
            b_ub=limits[of_most] / size,
            A_eq=rows[of_equal],
            b_eq=limits[of_equal] / size,
            bounds=(None, None),
            options={"primal_feasibility_tolerance": POSSIBLE},
        )
        return bool(found.status != 2)  # 2: no point fulfils them

    def contradictory(self) -> tuple[int, ...]:
        """Which constraints contradict one another: as few as do, () where none do."""
        if self.possible():
            return ()
        numbers = list(dict.fromkeys(self.statement.tolist()))
        for number in list(numbers):
            fewer = [n for n in numbers if n != number]
            if not self.of_statements(fewer).possible():
                numbers = fewer
        return tuple(numbers)


@dataclass(frozen=True, eq=False)
class Elimination:
    """All p with E p = e, as p = origin + basis·z."""

    origin: Array
    basis: Array

    @classmethod
    def of(cls, matrix: Array, limits: Array) -> Elimination | None:
        """From E and e, rows of length 1; None where nothing fulfils them."""
        size = matrix.shape[1]
        if not len(matrix):
            return cls(np.zeros(size), np.eye(size))
        left, singular, right = svd(matrix)
        rank = int(np.count_nonzero(singular > DEPENDENT * singular.max(initial=0.0)))
        origin = right[:rank].T @ ((left[:, :rank].T @ limits) / singular[:rank])
        if np.abs(matrix @ origin - limits).max(initial=0.0) > POSSIBLE * (1 + np.abs(limits).max(initial=0.0)):
            return None
        return cls(np.asarray(origin), np.asarray(right[rank:].T))
