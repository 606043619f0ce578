"""All predictors together: a logistic model of survival, scored on runs that it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.folds import folds_by_cluster
from ecodyn.errors import UnusableDataError
from ecodyn.statistics.clustered import clustered_mean
from ecodyn.statistics.intervals import INTERVAL_LEVEL, Estimate
from ecodyn.survival.predictors import Score, both_fates, predictor, predictors_of, score
from ecodyn.survivors.survivors import Survivors
from ecodyn.trajectories import Trajectories

RIDGE = 1.0  # scikit-learn's C and its default: the inverse weight of the penalty on standardised coefficients
MOST_ITERATIONS = 1000  # of its solver, which needs some tens


@dataclass(frozen=True, eq=False)
class Weights:
    """log odds of survival = intercept + Σ coefficientⱼ · predictorⱼ, in the predictors' own units.

    Attributes
    ----------
    intercept : log odds where all predictors are 0
    coefficients, scale : (predictor,), scale the standard deviation of each where it was fitted

    Examples
    --------
    >>> from ecodyn.survival.logistic import Weights
    >>> weights = Weights(intercept=-1.0, coefficients=np.array([2.0]), scale=np.array([0.5]))
    >>> weights.log_odds(np.array([[0.5], [1.0]])).tolist(), weights.standardised.tolist()
    ([0.0, 1.0], [1.0])
    """

    intercept: float
    coefficients: Array
    scale: Array

    @property
    def standardised(self) -> Array:
        """Coefficients per standard deviation of each predictor."""
        return self.coefficients * self.scale

    def log_odds(self, values: Array) -> Array:
        """Of predictors (..., predictor)."""
        return np.asarray(self.intercept + values @ self.coefficients)


def fit_logistic(values: Array, alive: Bools) -> Weights:
    """Fit survival (sample,) to predictors (sample, predictor), standardised, with a unit ridge penalty."""
    from sklearn.linear_model import LogisticRegression

    centre, scale = values.mean(axis=0), values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    model = LogisticRegression(C=RIDGE, max_iter=MOST_ITERATIONS).fit((values - centre) / scale, alive)
    own = model.coef_[0] / scale
    return Weights(intercept=float(model.intercept_[0] - centre @ own), coefficients=own, scale=scale)


@dataclass(frozen=True, eq=False)
class Together:
    """A logistic model of several predictors at one step.

    Attributes
    ----------
    score : AUC and hit rate of its log odds on held-out runs
    alone : the same of each predictor by itself, which needs no fit
    gain : AUC of the model less that of each predictor, paired by run, over clusters; that of a predictor of which
        survivors have the lower values is taken as 1 less its AUC
    coefficients : per standard deviation of the predictor, fitted to all runs; the interval is the jackknife's over
        the held-out folds, so that its n is their number
    weights : fitted to all runs
    """

    score: Score
    alone: dict[str, Score]
    gain: dict[str, Estimate]
    coefficients: dict[str, Estimate]
    weights: Weights

    @property
    def best_alone(self) -> str:
        """The predictor that tells the most by itself, whichever way."""
        return max(self.alone, key=lambda name: abs(self.alone[name].auc.mean - 0.5))


def together(
    runs: Trajectories, survivors: Survivors, step: float, predictors: Sequence[str] | None = None
) -> Together:
    """Fit all predictors at a step together, and score them on runs whose cluster was not fitted on.

    Parameters
    ----------
    step : a stored step of every run
    predictors : names as in `predictor`; by default all that the data allow and that have values at the step

    Raises
    ------
    UnusableDataError
        There are fewer than two clusters, no run has both survivors and dead, or a fold's training runs share one fate.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import survivors, together
    >>> starts = np.array([[80, 82, 78, 84, 79, 81.0], [83, 79, 80, 78, 82, 81], [79, 80, 83, 81, 78, 82]])
    >>> rates = np.where(starts >= np.sort(starts)[:, [-2]], 0.001, 0.06)  # the two strongest live
    >>> steps = np.arange(41.0)
    >>> runs = Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    >>> together(runs, survivors(runs), step=4).score.auc.mean
    1.0
    """
    both_fates(survivors)
    if runs.n_clusters < 2:
        raise UnusableDataError(
            "expected at least two independent runs, one to fit the logistic model to and one to score it on; "
            f"got {runs.n_clusters}: train more seeds"
        )
    values = _with_values(runs, step, predictors)
    table = np.stack(list(values.values()), axis=-1)
    odds, fitted = held_out_log_odds(table, survivors.alive, runs.clusters)
    whole = _fit(table, survivors.alive)
    own = score(odds, survivors, runs.clusters, "together", step)
    alone = {n: score(v, survivors, runs.clusters, n, step) for n, v in values.items()}
    gain = {n: clustered_mean(own.auc_per_run - _turned(s), runs.clusters) for n, s in alone.items()}
    spread = [w.coefficients * whole.scale for w in fitted]
    return Together(
        score=own,
        alone=alone,
        gain=gain,
        coefficients=_jackknife(list(values), whole.standardised, np.array(spread)),
        weights=whole,
    )


def _with_values(runs: Trajectories, step: float, predictors: Sequence[str] | None) -> dict[str, Array]:
    """Predictors (run, feature) by name: those asked for, or all of the data that have values at the step."""
    values = {n: predictor(runs, n, step) for n in (predictors or predictors_of(runs))}
    values = {n: v for n, v in values.items() if predictors or np.isfinite(v).all()}
    missing = [n for n, v in values.items() if not np.isfinite(v).all()]
    if missing or not values:
        raise UnusableDataError(
            f"expected predictors with values at step {step:g}, {', '.join(missing) or 'of which there are none'} "
            f"{'has' if len(missing) == 1 else 'have'} none there: ask a later step"
        )
    return values


def _turned(alone: Score) -> Array:
    """AUC in each run of a predictor, or of its negative if survivors have the lower values in the mean over runs."""
    return alone.auc_per_run if alone.auc.mean >= 0.5 else 1 - alone.auc_per_run


def held_out_log_odds(table: Array, alive: Bools, clusters: NDArray[Any]) -> tuple[Array, list[Weights]]:
    """Log odds of survival (run, feature), those of each cluster by the model fitted to all the others; and the models.

    Parameters
    ----------
    table : predictors (run, feature, predictor)
    alive : (run, feature)
    clusters : (run,), at least two of them

    Raises
    ------
    UnusableDataError
        The runs that a fold is fitted to share one fate.
    """
    folds = folds_by_cluster(clusters, None)
    fitted = [_fit(np.delete(table, f, axis=0), np.delete(alive, f, axis=0)) for f in folds]
    odds = np.empty(alive.shape)
    for fold, weights in zip(folds, fitted, strict=True):
        odds[list(fold)] = weights.log_odds(table[list(fold)])
    return odds, fitted


def _fit(table: Array, alive: Bools) -> Weights:
    if alive.all() or not alive.any():
        raise UnusableDataError(
            "expected survivors and dead among the runs that a fold is fitted to, got one fate for all; "
            "give more runs, or another rule"
        )
    return fit_logistic(table.reshape(-1, table.shape[-1]), alive.ravel())


def _jackknife(names: Sequence[str], whole: Array, left_out: Array) -> dict[str, Estimate]:
    """Intervals of coefficients from the fits (fold, predictor) that each leave a fold of runs out."""
    from scipy.stats import t

    n = len(left_out)
    error = np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean(axis=0)) ** 2, axis=0))
    half = float(t.ppf(0.5 + INTERVAL_LEVEL / 2, n - 1)) * error
    return {
        name: Estimate(mean=float(w), low=float(w - h), high=float(w + h), n=n)
        for name, w, h in zip(names, whole, half, strict=True)
    }
