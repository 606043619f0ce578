"""Sequentially thresholded least squares: which terms a regression can do without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecodyn.estimation.integral_matching import MANY_COLUMNS, ridge_solve

Array = NDArray[np.float64]

ITERATIONS = 20  # PySINDy's default


def sequential_thresholding(
    columns: Array, targets: Array, threshold: float, ridge: float, *, iterations: int = ITERATIONS
) -> Array:
    """Solve min |Θξ − y|² + ridge·|ξ|², drop |ξⱼ| < threshold, and again on what is left, until nothing is dropped.

    What PySINDy's ``STLSQ(threshold=threshold, alpha=ridge, unbias=False)`` finds (Brunton, Proctor and Kutz 2016,
    supplement), for callers who ask it for many thresholds of one small, already compressed regression: without the
    checks of its input, which took most of the time there.

    Parameters
    ----------
    columns : array (row, term), Θ
    targets : array (row, target); each has a support of its own
    threshold, ridge : in the columns' units
    iterations : solves a target, at most

    Returns
    -------
    array (target, term); zero where a term was dropped
    """
    size = columns.shape[1]
    if size > MANY_COLUMNS and ridge > 0:
        # Products once, not in every solve: what is left in each is a system as large as its own support.
        gram, moment = columns.T @ columns + ridge * np.eye(size), columns.T @ targets

        def solve(kept: NDArray[np.intp], target: int) -> Array:
            return np.asarray(np.linalg.solve(gram[np.ix_(kept, kept)], moment[kept, target]))
    else:

        def solve(kept: NDArray[np.intp], target: int) -> Array:
            return ridge_solve(columns[:, kept], targets[:, [target]], ridge)[:, 0]

    out = np.zeros((targets.shape[1], size))
    for target in range(targets.shape[1]):
        kept = np.arange(size)
        for _ in range(iterations):
            found = solve(kept, target)
            large = np.abs(found) >= threshold
            kept, found = kept[large], found[large]
            if large.all() or not len(kept):
                break
        out[target, kept] = found
    return out
