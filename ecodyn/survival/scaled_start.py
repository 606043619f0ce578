"""One frequency scaled at the start: what that does to its own fate and to the others', against what a law predicts.

Runs come in pairs: a training whose feature k was multiplied by a factor f before its first step, and the training that
differs in nothing else (f = 1). With x' the scaled run's signals and x the plain one's, the response of the others is

    o(t) = mean over j ≠ k of x'ⱼ(t) − xⱼ(t),      o(0) = 0,      Δ = x'ₖ(0) − xₖ(0) = (f − 1) xₖ(0)

Under competition it has the sign of −Δ, under cooperation that of Δ, and under a common clock it is zero.

A law is asked by solving it from both starts. To first order any exchangeable law ẋᵢ = g(xᵢ, x̄) lets the others change
by (∂g/∂x̄) Δ/K a step, since x̄ moves by Δ/K. The linear one, ẋᵢ = b + a xᵢ + c x̄, does exactly this, with δ̄ the change
of the mean over all K features at the first of the steps (Δ/K, if that is where f was applied):

    o(t) = (o(0) − δ̄) e^(at) + δ̄ e^((a+c)t)      =  c t Δ/K + O(t²)  where o(0) = 0

which, solved for c, turns an observed response into the coupling that it implies.

Initialisations are the independent observations: first comes the mean over each cluster's pairs, then the t interval
over clusters. Of a share in which all clusters agree the interval has no width, which says that and no more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.statistics.clustered import ANY, SHARE
from ecodyn.statistics.estimates import Estimates
from ecodyn.survival.pairs import PLAIN, Pairs, pair_up
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

__all__ = ["Perturbation", "by_factor", "perturbation"]


@dataclass(frozen=True, eq=False)
class Perturbation:
    """What scaling one feature at the start does, by factor; changes are scaled less plain, pair by pair.

    Attributes
    ----------
    feature : the one that was scaled
    factors : (factor,), ascending
    steps : (step,)
    others : labels of the other features, (other,)
    n_clusters : how many initialisations there are
    own_survival : share of runs in which it is alive, (factor,)
    others_survival : share of the others that are alive, (factor,)
    survivors : how many are alive in all, (factor,)
    own_survival_change, others_survival_change, survivors_change : changes of these, (factor,)
    own_change : change of its signal, (factor, step)
    others_change : change of the mean signal of the others o(t), (factor, step)
    others_plain : mean signal of the others in the plain runs, (step,)
    each_change, each_survival_change : change of each other's last signal and survival, (factor, other). Where labels
        are not shared all of these estimate the same number, since which is which means nothing

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import perturbation
    >>> start = np.array([[80, 81, 82.0], [96, 81, 82], [79, 83, 80], [95, 83, 80]])  # the first raised
    >>> steps = np.arange(11.0)
    >>> signal = start[:, None] - 0.002 * start.mean(axis=1)[:, None, None] * steps[:, None]  # all lose alike
    >>> settings = {"scale_frequency_factor": [1.0, 1.2, 1.0, 1.2]}
    >>> runs = Trajectories(signal, steps, cluster=[0, 0, 1, 1], settings=settings)
    >>> scaled = perturbation(runs, alive=np.ones((4, 3), dtype=bool))
    >>> int(scaled.feature), scaled.factors.tolist(), scaled.others_change.mean[1, [0, 10]].round(3).tolist()
    (1, [1.0, 1.2], [0.0, -0.107])
    """

    feature: Label
    factors: Array
    steps: Array
    others: NDArray[Any]
    n_clusters: int
    own_survival: Estimates
    others_survival: Estimates
    survivors: Estimates
    own_survival_change: Estimates
    others_survival_change: Estimates
    survivors_change: Estimates
    own_change: Estimates
    others_change: Estimates
    others_plain: Estimates
    each_change: Estimates
    each_survival_change: Estimates


def perturbation(
    runs: Trajectories, alive: ArrayLike, feature: Label | None = None, *, independent: ArrayLike | None = None
) -> Perturbation:
    """Fates by factor, from trainings with one frequency scaled at the start, the unscaled ones among them.

    Parameters
    ----------
    runs : with the setting ``scale_frequency_factor``; pairs agree in their initialisation (``cluster``) and in every
        other setting, such as ``seed``
    alive : bool (run, feature), who survived
    feature : the label of the scaled one; by default that of the setting ``scale_frequency_k``, or the one by
        which starts differ
    independent : labels (run,) of what is independent; default the clusters. With all runs from one embedding there
        is one cluster and no interval: seeds then give one that holds for that embedding only

    Raises
    ------
    ValueError
        Which feature was scaled is not known, or shapes differ.
    UnusableDataError
        No factors, or a scaled run without its plain one.
    """
    lives = _checked(runs, alive).astype(float)
    k, pairs = pair_up(runs, feature, independent)
    plain = next(p for p in pairs if p.factor == PLAIN)
    others = np.arange(runs.n_features) != k
    levels = {
        "own_survival": lives[:, k],
        "others_survival": lives[:, others].mean(axis=1),
        "survivors": lives.sum(axis=1),
    }
    changes = {f"{name}_change": values for name, values in levels.items()} | {
        "own_change": runs.values[:, :, k],
        "others_change": runs.values[:, :, others].mean(axis=2),
        "each_change": runs.values[:, -1, others],
        "each_survival_change": lives[:, others],
    }
    return Perturbation(
        feature=runs.features[k],
        factors=np.array([p.factor for p in pairs]),
        steps=runs.steps,
        others=runs.features[others],
        n_clusters=len(np.unique(plain.clusters)),
        others_plain=Estimates.over(changes["others_change"][plain.plain], plain.clusters),
        **_levels_by_factor(levels, pairs, runs.n_features),
        **{name: by_factor([v[p.scaled] - v[p.plain] for p in pairs], pairs) for name, v in changes.items()},
    )


def by_factor(values: Sequence[Array], pairs: Sequence[Pairs], within: tuple[float, float] = ANY) -> Estimates:
    """Estimates (factor, ...) over clusters, from the values (pair, ...) of each factor's pairs."""
    return Estimates.stack([Estimates.over(v, p.clusters, within) for v, p in zip(values, pairs, strict=True)])


def _levels_by_factor(levels: Mapping[str, Array], pairs: Sequence[Pairs], n_features: int) -> dict[str, Estimates]:
    """Of the scaled runs themselves, each (factor,): two shares, and a number of features."""
    possible = {"survivors": (0.0, float(n_features))}
    return {
        name: by_factor([values[p.scaled] for p in pairs], pairs, possible.get(name, SHARE))
        for name, values in levels.items()
    }


def _checked(runs: Trajectories, alive: ArrayLike) -> Bools:
    survived = np.asarray(alive)
    if survived.shape != (runs.n_runs, runs.n_features) or survived.dtype != bool:
        raise ValueError(
            f"expected alive as booleans of shape {(runs.n_runs, runs.n_features)}, one a run and feature, "
            f"got {survived.dtype} of shape {survived.shape}; `survivors(runs).alive` has them"
        )
    return survived
