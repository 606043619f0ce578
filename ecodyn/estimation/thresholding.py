"""Sequentially thresholded least squares: which terms a regression can do without."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dposv

from ecodyn.arrays import Array
from ecodyn.estimation.least_squares import MANY_COLUMNS, least_squares

ITERATIONS = 20  # PySINDy's default


def sequential_thresholding(
    columns: Array, targets: Array, threshold: ArrayLike, ridge: float | None, *, iterations: int = ITERATIONS
) -> Array:
    """Solve min |Θξ − y|² + ridge·|ξ|², drop |ξⱼ| < threshold, and again on what is left, until nothing is dropped.

    What PySINDy's ``STLSQ(threshold=threshold, alpha=ridge, unbias=False)`` finds (Brunton, Proctor and Kutz 2016,
    supplement), of one threshold or along a path of them: see ``ThresholdedRegression``, which does the work.

    Parameters
    ----------
    columns : array (row, term), Θ
    targets : array (row, target); each has a support of its own
    threshold : float, or array (threshold,)
        In the columns' units, as ``ridge`` is.
    ridge : float, or None
        None is none, where the rank of what is kept is full.
    iterations : solves a target, at most

    Returns
    -------
    array (target, term), or (threshold, target, term) of several; zero where a term was dropped
    """
    regression = ThresholdedRegression(columns, targets, ridge, iterations=iterations)
    if np.ndim(threshold) == 0:
        return regression.at(float(np.asarray(threshold)))
    return np.stack([regression.at(t) for t in np.asarray(threshold, dtype=float).tolist()])


class ThresholdedRegression:
    """One regression that is asked for several thresholds, as ``sequential_thresholding`` says.

    The rows are compressed once (Θ = QR), the first solve, of all terms, is every threshold's and target's, and no
    support is solved for twice. Hundreds of columns go through ΘᵀΘ + ridge·1 by Cholesky, as scikit-learn's ridge
    regression does for PySINDy; few through least squares, which bears any conditioning.

    ``solves`` counts what was solved for.
    """

    def __init__(self, columns: Array, targets: Array, ridge: float | None, *, iterations: int = ITERATIONS) -> None:
        rows, self.size = columns.shape
        if rows > self.size + targets.shape[1]:
            triangular: Array = np.asarray(np.linalg.qr(np.concatenate([columns, targets], axis=1), mode="r"))
            columns, targets = triangular[:, : self.size], triangular[:, self.size :]
        self.columns, self.targets, self.ridge, self.iterations = columns, targets, ridge, iterations
        self.by_products = self.size > MANY_COLUMNS and ridge is not None and ridge > 0
        self.solves = 0
        self._found: dict[tuple[int, bytes], Array] = {}

    @cached_property
    def whole(self) -> Array:
        """Coefficients of all terms, (target, term)."""
        self.solves += 1
        if self.by_products:
            return self._by_cholesky(np.arange(self.size), slice(None)).T
        return least_squares(self.columns, self.targets, self.ridge).T

    def at(self, threshold: float) -> Array:
        """Coefficients (target, term) at one threshold."""
        out = np.zeros_like(self.whole)
        for target, solution in enumerate(self.whole):
            kept = np.arange(self.size)
            for iteration in range(self.iterations):
                if iteration:
                    solution = self._solve(kept, target)
                large = np.abs(solution) >= threshold
                kept, solution = kept[large], solution[large]
                if large.all() or not len(kept):
                    break
            out[target, kept] = solution
        return out

    @cached_property
    def _products(self) -> tuple[Array, Array]:
        gram = self.columns.T @ self.columns
        gram[np.diag_indices(self.size)] += self.ridge or 0.0
        return gram, self.columns.T @ self.targets

    def _solve(self, kept: NDArray[np.intp], target: int) -> Array:
        key = target, kept.tobytes()
        if key not in self._found:
            self.solves += 1
            if self.by_products:
                self._found[key] = self._by_cholesky(kept, target)
            else:
                self._found[key] = least_squares(self.columns[:, kept], self.targets[:, [target]], self.ridge)[:, 0]
        return self._found[key]

    def _by_cholesky(self, kept: NDArray[np.intp], target: int | slice) -> Array:
        """(ΘᵀΘ + ridge·1)⁻¹Θᵀy of the kept columns; with fewer rows than these, Θᵀ(ΘΘᵀ + ridge·1)⁻¹y, the same."""
        if len(self.columns) < len(kept):
            columns = self.columns[:, kept]
            outer = columns @ columns.T
            outer[np.diag_indices(len(outer))] += self.ridge or 0.0
            _, weights, failed = dposv(outer, self.targets[:, target], overwrite_a=True)
            solution = columns.T @ weights
        else:
            gram, moment = self._products
            # One triangle is read, and products are symmetric: the transpose spares LAPACK a copy.
            _, solution, failed = dposv(gram[np.ix_(kept, kept)].T, moment[kept, target], overwrite_a=True)
        if failed:  # rounding has swallowed the ridge
            extended = np.vstack([self.columns[:, kept], np.sqrt(self.ridge or 0.0) * np.eye(len(kept))])
            padding = np.zeros((len(kept), self.targets.shape[1]))
            solution = np.linalg.lstsq(extended, np.vstack([self.targets, padding]))[0][:, target]
        return np.asarray(solution)
