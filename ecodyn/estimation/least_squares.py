"""Linear regressions on normalised columns: with a ridge, or without one where the rank allows it."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

__all__ = ["DEFICIENT_RIDGE", "MANY_COLUMNS", "least_squares", "ridge_solve", "solve_by_rank"]

MANY_COLUMNS = 64  # up to so many a factorisation is cheap, and keeps digits that products lose
SMALLEST_DUAL_RIDGE = 1e-9  # below it products of columns, good to the root of rounding, would decide the answer
RANK = 1e-10  # singular values under so much of the largest are rounding, of columns that were integrated and summed
DEFICIENT_RIDGE = 1e-6  # on normalised columns: bounds the coefficients of a singular library


def ridge_solve(matrix: Array, target: Array, ridge: float) -> Array:
    """min |AΘ − Y|² + ridge·|Θ|² for targets (row, target).

    Small problems go through least squares on the extended system, never through AᵀA; hundreds of columns through
    the smaller of AᵀA and AAᵀ, whose conditioning the ridge bounds.
    """
    rows, size = matrix.shape
    if size <= MANY_COLUMNS or ridge < SMALLEST_DUAL_RIDGE:
        extended = np.vstack([matrix, np.sqrt(ridge) * np.eye(size)])
        padded = np.vstack([target, np.zeros((size, target.shape[1]))])
        return np.asarray(np.linalg.lstsq(extended, padded, rcond=None)[0])
    if rows < size:
        return np.asarray(matrix.T @ np.linalg.solve(matrix @ matrix.T + ridge * np.eye(rows), target))
    return np.asarray(np.linalg.solve(matrix.T @ matrix + ridge * np.eye(size), matrix.T @ target))


def solve_by_rank(matrix: Array, target: Array) -> Array:
    """min |AΘ − Y|² where the normalised columns have full numerical rank; else with `DEFICIENT_RIDGE`, which bounds Θ.

    By singular vectors: an exact, stiff or ill-conditioned problem keeps the digits that a ridge would take.
    """
    left, singular, right = np.linalg.svd(matrix, full_matrices=False)
    if len(singular) < matrix.shape[1] or singular.min(initial=np.inf) <= RANK * singular.max(initial=0.0):
        return ridge_solve(matrix, target, DEFICIENT_RIDGE)
    return np.asarray(right.T @ (left.T @ target / singular[:, None]))


def least_squares(matrix: Array, target: Array, ridge: float | None) -> Array:
    """With a ridge; or without one, None, where the rank is full."""
    return solve_by_rank(matrix, target) if ridge is None else ridge_solve(matrix, target, ridge)
