"""Estimators that hold objects of PySINDy's, which not all can be told and copied as scikit-learn's are."""

from __future__ import annotations

import copy
from typing import Any, Self

from sklearn.base import BaseEstimator

from ecodyn.estimation.optimizers import Optimizer

__all__ = ["WithOptimizer"]


class WithOptimizer(BaseEstimator):
    """Part of an estimator with parameters ``optimizer`` and ``terms``, of which either may be PySINDy's."""

    optimizer: Optimizer | None
    terms: Any

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """Parameters by name; if deep, those of configurations and of the optimizer too, ``optimizer__threshold``."""
        try:
            return super().get_params(deep)
        except RuntimeError:  # PySINDy's WrappedOptimizer has none that scikit-learn can tell
            return {**self._without_optimizer().get_params(deep), "optimizer": self.optimizer, "terms": self.terms}

    def __sklearn_clone__(self) -> Self:
        """A clone with a copy of the optimizer: not all that is PySINDy's survives scikit-learn's way of cloning."""
        new: Self = super(WithOptimizer, self._without_optimizer()).__sklearn_clone__()
        new.optimizer = copy.deepcopy(self.optimizer)
        new.terms = copy.copy(self.terms)
        return new

    def _without_optimizer(self) -> Self:
        shell = copy.copy(self)
        shell.optimizer, shell.terms = None, None
        return shell
