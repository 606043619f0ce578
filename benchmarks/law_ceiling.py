"""What can be predicted at all from everything that is known of circles at the first step, whatever the law?

Regressions of the whole course of each circle's signal on its state at the first step of a window, and on how it
stands among the circles of its training. They have thousands of coefficients and no equation: the best of them is a
lower bound of what can be predicted, near which a law has nothing more to find but a better regression.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from ecodyn.arrays import Array
from ecodyn.rollouts.skill import skill_of
from ecodyn.trajectories import Trajectories

WIDTHS, RIDGES = (0.003, 0.01, 0.03), (0.03, 0.3)  # of Gaussian kernels over standardised inputs: smooth to smoother
PENALTIES = (30.0, 300.0)  # of the quadratic regression's standardised terms, of which there are more than trainings
LEAF, TREES = 3, 300


def regressions() -> Mapping[str, Callable[[], RegressorMixin]]:
    """What is tried, unfitted, by name."""

    def kernel(width: float, ridge: float) -> RegressorMixin:
        return make_pipeline(StandardScaler(), KernelRidge(alpha=ridge, kernel="rbf", gamma=width))

    def quadratic(penalty: float) -> RegressorMixin:
        terms = PolynomialFeatures(2, include_bias=False)
        return make_pipeline(StandardScaler(), terms, StandardScaler(), Ridge(penalty))

    found: dict[str, Callable[[], RegressorMixin]] = {
        "linear": lambda: make_pipeline(StandardScaler(), Ridge(1.0)),
        "trees": lambda: ExtraTreesRegressor(TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=0),
    }
    found |= {f"quadratic, penalty {p:g}": partial(quadratic, p) for p in PENALTIES}
    return found | {f"kernel {w:g}, ridge {r:g}": partial(kernel, w, r) for w in WIDTHS for r in RIDGES}


def inputs(data: Trajectories, state: str, at: int = 0) -> Array:
    """Of each circle (run · feature, column): its channels at a stored step, its ranks in them, and their statistics.

    The statistics are those over the circles of its training: mean, standard deviation and largest of each channel.
    """
    first = data.state(state)[:, at]  # run, feature, channel
    ranks = np.argsort(np.argsort(first, axis=1), axis=1) / first.shape[1]
    of_run = (np.broadcast_to(s(first, axis=1, keepdims=True), first.shape) for s in (np.mean, np.std, np.max))
    columns = np.concatenate([first, ranks, *of_run], axis=2)
    return columns.reshape(-1, columns.shape[2])


def courses(data: Trajectories) -> Array:
    """What is to be predicted: the change of each circle's signal since the first step, (run · feature, step)."""
    change = data.values - data.values[:, :1]
    return change.transpose(0, 2, 1).reshape(-1, data.values.shape[1])


def predicted(regression: RegressorMixin, known: Trajectories, data: Trajectories, state: str, at: int = 0) -> Array:
    """Signals (run, step, feature) of trainings that the regression has not seen, from their state at a stored step."""
    regression.fit(inputs(known, state, at), courses(known))
    change = regression.predict(inputs(data, state, at)).reshape(data.n_runs, -1, data.values.shape[1])
    return data.values[:, :1] + change.transpose(0, 2, 1)


def skills(signals: Array, data: Trajectories) -> Array:
    """Skill of signals (run, step, feature) on each training."""
    return np.array([skill_of(data.values[r], signals[r], data.times[r]) for r in range(data.n_runs)])


def cross_validated(data: Trajectories, state: str, folds: int, at: int = 0) -> dict[str, Array]:
    """Skill on each training of every regression, fitted to those of the other folds."""
    found = {name: np.full(data.n_runs, np.nan) for name in regressions()}
    for fold in range(folds):
        here = np.arange(data.n_runs) % folds == fold
        known, left = (data.select(runs=data.runs[part].tolist()) for part in (~here, here))
        for name, make in regressions().items():
            found[name][here] = skills(predicted(make(), known, left, state, at), left)
    return found
