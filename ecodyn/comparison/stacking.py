"""Averages of families' rollouts whose weights are what predicts runs that were held out best: stacking.

With held-out rollouts x̂ᵐ of families m, the weights w ≥ 0, Σ wₘ = 1, minimise the mean over independent runs of

    ∫ |x(t) − Σₘ wₘ x̂ᵐ(t)|² dt / ∫ |x(t) − x(0)|² dt,

the share of a run's variance that the average leaves unexplained (Wolpert 1992; Breiman 1996). Each run's own score is
that of the weights that the other independent runs give, so that the weights have not seen it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.agreement import Stacking
from ecodyn.comparison.entries import Entry
from ecodyn.comparison.held_out import roll_out_folds
from ecodyn.rollouts.skill import EXACT, in_scales, mean_square
from ecodyn.statistics.clustered import SKILL, mean_within
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales

__all__ = ["simplex_weights", "stacked"]


def stacked(entries: Sequence[Entry], data: Trajectories) -> Stacking | None:
    """The stacking of families scored on unseen runs; None where fewer than two reached the end of all of them."""
    errors = {e.score.name: found for e in entries if (found := _errors(e, data)) is not None}
    left_out = tuple(e.score.name for e in entries if e.score.name not in errors)
    if len(errors) < 2:
        return None
    scales = own_scales(data)
    products = np.array(
        [_products(data, r, [found[r] for found in errors.values()], scales) for r in range(data.n_runs)]
    )
    says = np.isfinite(products).all(axis=(1, 2))  # persistence is exact in the others
    if not says.any():
        return None
    labels = np.asarray(data.clusters)
    clusters = list(dict.fromkeys(labels[says].tolist()))
    by_cluster = np.array([products[says & (labels == c)].mean(axis=0) for c in clusters])
    left = []
    for i, own in enumerate(by_cluster):
        others = np.delete(by_cluster, i, axis=0)
        w = simplex_weights(others.mean(axis=0) if len(others) else own)
        left.append(w @ own @ w)
    weights = simplex_weights(by_cluster.mean(axis=0))
    return Stacking(
        weights={name: float(w) for name, w in zip(errors, weights, strict=True)},
        skill=mean_within(1 - np.array(left), within=SKILL),
        left_out=left_out,
    )


def simplex_weights(products: Array) -> Array:
    """The w ≥ 0, Σ w = 1, that minimise wᵀ Q w, of a symmetric Q (model, model) without negative eigenvalues.

    Where w minimises wᵀ Q w + (1 − Σ w)² over w ≥ 0, w / Σ w does so on the simplex: its conditions of optimality are
    the same up to a factor.

    Examples
    --------
    >>> simplex_weights(np.diag([1.0, 3.0])).round(6)
    array([0.75, 0.25])
    """
    from scipy.optimize import nnls

    scale = np.trace(products) / len(products) or 1.0
    values, vectors = np.linalg.eigh(products / scale)
    root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    w, _ = nnls(np.vstack([root, np.ones(len(products))]), np.append(np.zeros(len(products)), 1.0))
    return np.asarray(w / w.sum())


def _errors(entry: Entry, data: Trajectories) -> dict[int, Array] | None:
    """Errors (step, feature) of a family's held-out rollouts by run, of the first seed; None where one ended early.

    All families' rollouts are of the same steps, those at a run's end.
    """
    found: dict[int, Array] = {}
    for task, result in zip(entry.tasks, entry.results, strict=True):
        for held in roll_out_folds(task, result.fitted, data):
            if not held.rollout.ok.all():
                return None
            for i, run in enumerate(held.runs):
                rows = held.rows(i, data)
                found[run] = held.rollout.signal[i, : rows.stop - rows.start] - data.values[run, rows]
    return found if len(found) == data.n_runs else None


def _products(data: Trajectories, run: int, errors: Sequence[Array], scales: Array | None) -> Array:
    """Means of eᵐ·eⁿ over persistence's square, of a run, (model, model); NaN where nothing moves."""
    end = int(data.lengths[run])
    rows = slice(end - len(errors[0]), end)  # rollouts may begin later than runs do
    values, times = in_scales(data.values[run, rows], scales), data.times[run, rows]
    scaled = [in_scales(e, scales) for e in errors]
    still = mean_square(values - values[:1], times)
    if still <= EXACT * max(float(np.nanmean(values**2)), 1e-300):
        return np.full((len(errors), len(errors)), np.nan)
    return np.array([[_product(a, b, times) for b in scaled] for a in scaled]) / still


def _product(a: Array, b: Array, times: Array) -> float:
    """The mean of a·b over features and time, from that of squares: with its rule for missing values."""
    return (mean_square(a + b, times) - mean_square(a - b, times)) / 4
