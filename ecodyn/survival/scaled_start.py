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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.errors import UnusableDataError
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.statistics.clustered import SHARE, cluster_means, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.pairs import PLAIN, Pairs, pair_up
from ecodyn.trajectories import Trajectories

__all__ = ["Intervals", "Perturbation", "Response", "law_response", "perturbation"]


@dataclass(frozen=True, eq=False)
class Intervals:
    """Means over clusters with 95 % t intervals, arrays of one shape; NaN where fewer than two clusters have a say.

    Attributes
    ----------
    mean, low, high : arrays
    n_clusters : the fewest that any of them is over
    """

    mean: Array
    low: Array
    high: Array
    n_clusters: int

    def at(self, *place: int) -> Estimate:
        """The mean at a place, with its interval."""
        mean, low, high = (float(part[place]) for part in (self.mean, self.low, self.high))
        return Estimate(mean, low, high, self.n_clusters)

    def to_json(self) -> dict[str, Any]:
        """The arrays by name."""
        return {"mean": self.mean, "low": self.low, "high": self.high}

    @classmethod
    def over(cls, values: Array, clusters: NDArray[Any], within: tuple[float, float] = (-np.inf, np.inf)) -> Intervals:
        """Of values (observation, ...), over the observations; ``within`` as in `clustered_mean`."""
        means = cluster_means(values, clusters)
        flat = means.reshape(len(means), -1)
        found = [clustered_mean(column, np.arange(len(means)), within=within) for column in flat.T]
        mean, low, high = (
            np.array([getattr(e, name) for e in found]).reshape(means.shape[1:]) for name in ("mean", "low", "high")
        )
        return cls(mean, low, high, min((e.n for e in found), default=0))

    @classmethod
    def stack(cls, parts: Sequence[Intervals]) -> Intervals:
        """Along a new first axis."""
        mean, low, high = (np.stack([getattr(p, name) for p in parts]) for name in ("mean", "low", "high"))
        return cls(mean, low, high, min(p.n_clusters for p in parts))


# ------------------------------------------------------------------------------------------------------ what happened


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
    """

    feature: Any
    factors: Array
    steps: Array
    others: NDArray[Any]
    n_clusters: int
    own_survival: Intervals
    others_survival: Intervals
    survivors: Intervals
    own_survival_change: Intervals
    others_survival_change: Intervals
    survivors_change: Intervals
    own_change: Intervals
    others_change: Intervals
    others_plain: Intervals
    each_change: Intervals
    each_survival_change: Intervals


def perturbation(
    runs: Trajectories, alive: ArrayLike, feature: Any = None, *, independent: ArrayLike | None = None
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
        It can't be told which feature was scaled, or shapes differ.
    UnusableDataError
        No factors, or a scaled run without its plain one.
    """
    survived = np.asarray(alive)
    if survived.shape != (runs.n_runs, runs.n_features) or survived.dtype != bool:
        raise ValueError(
            f"expected alive as booleans of shape {(runs.n_runs, runs.n_features)}, one a run and feature, "
            f"got {survived.dtype} of shape {survived.shape}"
        )
    k, pairs = pair_up(runs, feature, independent)
    others = np.arange(runs.n_features) != k
    signal, lives = runs.values, survived.astype(float)
    measured = {
        "own_survival": lives[:, k],
        "others_survival": lives[:, others].mean(axis=1),
        "survivors": lives.sum(axis=1),
    }
    changed = {f"{name}_change": array for name, array in measured.items()} | {
        "own_change": signal[:, :, k],
        "others_change": signal[:, :, others].mean(axis=2),
        "each_change": signal[:, -1, others],
        "each_survival_change": lives[:, others],
    }
    possible = {"survivors": (0.0, float(runs.n_features))}
    tables = {
        name: Intervals.stack([Intervals.over(array[p.scaled], p.clusters, possible.get(name, SHARE)) for p in pairs])
        for name, array in measured.items()
    } | {
        name: Intervals.stack([Intervals.over(array[p.scaled] - array[p.plain], p.clusters) for p in pairs])
        for name, array in changed.items()
    }
    same = next(p for p in pairs if p.factor == PLAIN)
    return Perturbation(
        feature=runs.features[k],
        factors=np.array([p.factor for p in pairs]),
        steps=runs.steps,
        others=runs.features[others],
        n_clusters=len(np.unique(same.clusters)),
        others_plain=Intervals.over(signal[same.plain][:, :, others].mean(axis=2), same.clusters),
        **tables,
    )


# ------------------------------------------------------------------------------------------------ against a law's word


@dataclass(frozen=True, eq=False)
class Response:
    """Response o(t) of the others, observed and as a law has it, by factor and step.

    Attributes
    ----------
    feature : the scaled one
    factors : (factor,), ascending, without 1
    steps : (step,)
    start : Δ at the first of the runs' steps, (factor,)
    observed, predicted : o(t), (factor, step), in the signal's unit
    excess : observed less predicted, pair by pair, (factor, step)
    implied : for a linear, exchangeable law: the coupling c per step that the observed response implies, given the
        law's a; −∞ where the response is larger than any c can make it, NaN at the first step. Else None
    fitted : the law's own c; else None
    diverged : how many of the law's rollouts ended early; their pairs are left out
    """

    feature: Any
    factors: Array
    steps: Array
    start: Intervals
    observed: Intervals
    predicted: Intervals
    excess: Intervals
    implied: Intervals | None
    fitted: float | None
    diverged: int


def law_response(
    runs: Trajectories,
    law: FittedModel,
    feature: Any = None,
    steps: Sequence[float] | None = None,
    *,
    independent: ArrayLike | None = None,
) -> Response:
    """Solve a law from the starts of scaled and plain runs, and compare what it does to the others with what happened.

    The law should not have seen the scaled runs: fit it to plain ones, in the same window.

    Parameters
    ----------
    runs : as `perturbation` has them; a window starts where the law should
    law : a fitted model, such as ``ecodyn.Linear().fit(plain).model_``
    feature, independent : as `perturbation` has them
    steps : at which to compare; default all stored ones

    Raises
    ------
    ValueError, UnusableDataError
        As `perturbation`; or a step that is not stored.
    """
    k, pairs = pair_up(runs, feature, independent)
    pairs = [p for p in pairs if p.factor != PLAIN]
    if not pairs:
        raise UnusableDataError(
            "expected runs with a factor other than 1, got none; train some with a scaled frequency"
        )
    times, at = runs.steps, _places(runs.steps, steps)
    rollout = law.simulate(runs.state(law.state)[:, 0], times)
    solved = rollout.values[..., 0]
    others = np.arange(runs.n_features) != k

    def response(values: Array, p: Pairs) -> Array:
        change = values[p.scaled][:, :, others] - values[p.plain][:, :, others]
        return np.asarray(change.mean(axis=2))

    observed = [response(runs.values, p) for p in pairs]
    predicted = [response(solved, p) for p in pairs]
    start = [runs.values[p.scaled, 0] - runs.values[p.plain, 0] for p in pairs]  # (pair, feature)
    linear = _linear_coefficients(law)
    if linear is not None:
        implied = [
            _implied(o[:, at], x[:, others].mean(axis=1), x.mean(axis=1), times[at] - times[0], linear[0], p.clusters)
            for o, x, p in zip(observed, start, pairs, strict=True)
        ]
    return Response(
        feature=runs.features[k],
        factors=np.array([p.factor for p in pairs]),
        steps=times[at],
        start=_by_factor([x[:, k] for x in start], pairs),
        observed=_by_factor([o[:, at] for o in observed], pairs),
        predicted=_by_factor([o[:, at] for o in predicted], pairs),
        excess=_by_factor([(o - q)[:, at] for o, q in zip(observed, predicted, strict=True)], pairs),
        implied=None if linear is None else Intervals.stack(implied),
        fitted=None if linear is None else linear[1],
        diverged=sum(status != "ok" for status in rollout.status),
    )


def _by_factor(values: Sequence[Array], pairs: Sequence[Pairs]) -> Intervals:
    return Intervals.stack([Intervals.over(v, p.clusters) for v, p in zip(values, pairs, strict=True)])


def _places(stored: Array, steps: Sequence[float] | None) -> NDArray[np.intp]:
    if steps is None:
        return np.arange(len(stored))
    wanted = np.asarray(steps, dtype=float)
    missing = wanted[~np.isin(wanted, stored)]
    if len(missing):
        raise ValueError(
            f"step {missing[0]:g} is not stored; steps go from {stored[0]:g} to {stored[-1]:g}, every "
            f"{np.median(np.diff(stored)):g}"
        )
    return np.searchsorted(stored, wanted)


def _linear_coefficients(law: FittedModel) -> tuple[float, float] | None:
    """a and c of ẋᵢ = b + a xᵢ + c x̄, a flow; None for another law."""
    if not isinstance(law, Law) or (law.family, law.coupling, law.state) != ("linear", EXCHANGEABLE, "signal"):
        return None
    if law.drive is not None or law.step is not None or law.per_feature:
        return None
    named = dict(zip(law.library.names(), law.coefficients[0].tolist(), strict=True))
    return named["x"], named["mean_x"]


def _implied(o: Array, o_0: Array, mean_change: Array, t: Array, a: float, clusters: NDArray[Any]) -> Intervals:
    """c from o(t) = (o(0) − δ̄) e^(at) + δ̄ e^((a+c)t), (pair, step); e^((a+c)t), monotone in c, has the interval."""
    growth = (o - (o_0 - mean_change)[:, None] * np.exp(a * t)) / mean_change[:, None]
    found = Intervals.over(growth, clusters)

    def coupling(e: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(t > 0, np.log(np.maximum(e, 0.0)) / t - a, np.nan)

    return Intervals(coupling(found.mean), coupling(found.low), coupling(found.high), found.n_clusters)
