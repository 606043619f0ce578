"""Supports of one compressed regression along a path of thresholds."""

from __future__ import annotations

import copy
import itertools
import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.base import BaseEstimator

from ecodyn.arrays import Array
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.least_squares import least_squares
from ecodyn.estimation.thresholding import ThresholdedRegression

Support = NDArray[np.bool_]

SPARSITY_PARAMETERS = ("threshold", "reg_weight_lam", "kappa")  # as PySINDy's optimisers call it


class Supports:
    """Which coefficients are kept at a threshold, (equation × group, term).

    Parameters
    ----------
    matched : MatchedIntegrals
        Selected on with normalised columns; every equation and design has a regression of its own.
    ridge : float, or None for least squares where the rank is full
    own : array (feature,), optional
        Scales that features' increments count in, where one design has those of all features.
    optimizer : one of PySINDy's, or None for ``sequential_thresholding``
        Its sparsity parameter is set to each threshold.

    Thresholds are relative to the largest coefficient of a regression's full fit.
    """

    def __init__(
        self,
        matched: MatchedIntegrals,
        ridge: float | None,
        optimizer: BaseEstimator | None = None,
        *,
        own: Array | None = None,
    ) -> None:
        self.optimizer, self.ridge = optimizer, ridge
        self.regressions: list[tuple[ThresholdedRegression, float]] = []
        for equation, design in itertools.product(range(matched.equations), range(len(matched.factors))):
            columns, targets = matched.regression(design)
            targets = np.split(targets, matched.equations, axis=1)[equation]
            if own is not None and targets.shape[1] == len(own) > 1:
                targets = targets / own
            largest = float(np.abs(least_squares(columns, targets, ridge)).max())
            self.regressions.append((ThresholdedRegression(columns, targets, ridge), max(largest, 1e-300)))

    def at(self, threshold: float) -> Support:
        """The support at one threshold."""
        return np.concatenate([self._kept(r, threshold * largest) for r, largest in self.regressions])

    def along(self, path: Array) -> list[Support]:
        """Supports along the path by bisection: between two thresholds of one support lies no other."""
        found: dict[int, Support] = {}

        def at(k: int) -> Support:
            if k not in found:
                found[k] = self.at(float(path[k]))
            return found[k]

        ahead = [(0, len(path) - 1)]
        while ahead:
            i, j = ahead.pop()
            if j - i > 1 and np.array_equal(at(i), at(j)):
                found.update(dict.fromkeys(range(i, j), found[i]))
            elif j - i > 1:
                ahead += [(i, (i + j) // 2), ((i + j) // 2, j)]
        return [at(k) for k in range(len(path))]

    def _kept(self, regression: ThresholdedRegression, threshold: float) -> Support:
        if self.optimizer is None:
            return regression.at(threshold) != 0
        optimizer = copy.deepcopy(self.optimizer)
        for name in SPARSITY_PARAMETERS:
            if name in optimizer.get_params(deep=False):
                optimizer.set_params(**{name: threshold})
                break
        # The numbers were checked at the edge; checking them again took most of the time of a selection.
        with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
            # An empty support is an answer here, and reported as such by the fit's diagnostics.
            warnings.simplefilter("ignore")
            optimizer.fit(regression.columns, regression.targets)
        return np.atleast_2d(np.abs(optimizer.coef_) > 0)
