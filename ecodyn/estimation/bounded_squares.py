"""Least squares under linear inequalities, exactly: min |Rz − b|² with Gz ≤ g.

With R = Q·U the problem is one of least distance in y = Uz − Qᵀb, min |y|² with G U⁻¹ y ≤ g − G U⁻¹ Qᵀb, whose dual is
a regression with non-negative coefficients (Lawson and Hanson 1974, chapter 23): SciPy's ``nnls`` solves that in
finitely many steps and says which inequalities are active. The solution is then had from these as equations, to
rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular
from scipy.optimize import lsq_linear, nnls

from ecodyn.arrays import Array, Integers

__all__ = ["Bounded", "bounded_squares"]

RANK = (
    1e-10  # of the largest diagonal element of U: under it a direction is not determined, and gets a slight pull to 0
)
IMPOSSIBLE = 1e-9  # what the dual regression leaves of 1 where nothing fulfils the inequalities is rounding
SLACK = 1e-11  # of normalised inequalities whose active ones were solved as equations


@dataclass(frozen=True, eq=False)
class Bounded:
    """A minimum, and the positions of the inequalities that are active there."""

    point: Array
    active: Integers


def bounded_squares(root: Array, target: Array, matrix: Array, limits: Array) -> Bounded | None:
    """The minimum of |Rz − b|² with Gz ≤ g; None where nothing fulfils these.

    Parameters
    ----------
    root, target : arrays (row, unknown) and (row,)
        R and b. Directions of z that R doesn't determine are held short.
    matrix, limits : arrays (inequality, unknown) and (inequality,)
        G and g.

    Examples
    --------
    >>> found = bounded_squares(np.eye(2), np.array([2.0, 1.0]), np.array([[1.0, 0.0]]), np.array([0.5]))
    >>> found.point.tolist(), found.active.tolist()
    ([0.5, 1.0], [0])
    """
    upper, moment = _triangular(root, target)
    if not len(matrix):
        return Bounded(solve_triangular(upper, moment), np.zeros(0, dtype=np.intp))
    turned = solve_triangular(upper, matrix.T, trans="T").T
    norms = np.linalg.norm(turned, axis=1)
    says = norms > 0  # a row of zeros is of nothing that is free
    if (limits[~says] < -SLACK).any():
        return None
    rows, distance = turned[says] / norms[says, None], (limits[says] - turned[says] @ moment) / norms[says]
    found = _least_distance(rows, distance)
    if found is None:
        return None
    shortest, active = found
    return Bounded(solve_triangular(upper, shortest + moment), np.flatnonzero(says)[active])


def _triangular(root: Array, target: Array) -> tuple[Array, Array]:
    """U and Qᵀb, of full rank."""
    size = root.shape[1]
    largest = float(np.abs(root).max(initial=0.0)) or 1.0
    q, upper = qr(root, mode="economic")
    if len(upper) == size and np.abs(np.diagonal(upper)).min(initial=np.inf) > RANK * largest:
        return upper, q.T @ target
    q, upper = qr(np.vstack([root, np.sqrt(RANK) * largest * np.eye(size)]), mode="economic")
    return upper, q.T @ np.concatenate([target, np.zeros(size)])


def _least_distance(rows: Array, distance: Array) -> tuple[Array, Integers] | None:
    """The shortest y with rows·y ≤ distance, rows of length 1, and which rows are active; None if there is none."""
    size = rows.shape[1]
    if distance.min(initial=0.0) >= 0:
        return np.zeros(size), np.zeros(0, dtype=np.intp)
    scale = float(-distance.min())  # y is at least so long: in units of it, nothing below is far from 1
    near = distance / scale
    dual = np.vstack([-rows.T, -near])
    unit = np.concatenate([np.zeros(size), [1.0]])
    try:
        weights = nnls(dual, unit, maxiter=max(100, 10 * len(rows)))[0]
    except RuntimeError:  # it cycles where inequalities say the same
        weights = lsq_linear(dual, unit, bounds=(0.0, np.inf), method="bvls").x
    left = dual @ weights - unit
    if left @ left <= IMPOSSIBLE**2:
        return None
    active = np.flatnonzero(weights > 0)
    solved = np.linalg.pinv(rows[active]) @ near[active]
    if (rows @ solved - near).max() > SLACK * (1 + np.abs(solved).max()):
        solved = -left[:-1] / left[-1]
    return scale * solved, active
