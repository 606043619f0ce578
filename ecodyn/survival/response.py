"""What a law says of runs with one frequency scaled at the start, beside what happened; see `scaled_start`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.errors import UnusableDataError
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.families.warm_start import less_of, what_for
from ecodyn.statistics.estimates import Estimates
from ecodyn.survival.pairs import PLAIN, Pairs, pair_up
from ecodyn.survival.scaled_start import by_factor
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import SIGNAL

__all__ = ["Response", "law_response"]


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
    implied : for a law ẋᵢ = b + a xᵢ + c x̄, of whichever family: the coupling c per step that the observed response
        implies, given the law's a; −∞ where the response is larger than any c can make it, NaN at the first step.
        Else None
    fitted : the law's own c; else None
    diverged : how many of the law's rollouts ended early; their pairs are left out

    Examples
    --------
    >>> from ecodyn import Linear, Trajectories
    >>> from ecodyn.survival import law_response
    >>> start = np.array([[80, 81, 82.0], [96, 81, 82], [79, 83, 80], [95, 83, 80]])  # the first raised
    >>> steps = np.arange(11.0)
    >>> signal = start[:, None] - 0.002 * start.mean(axis=1)[:, None, None] * steps[:, None]  # all lose alike
    >>> settings = {"scale_frequency_factor": [1.0, 1.2, 1.0, 1.2]}
    >>> runs = Trajectories(signal, steps, cluster=[0, 0, 1, 1], settings=settings)
    >>> law = Linear(coupling="exchangeable").fit(runs.select(scale_frequency_factor=1.0)).model_
    >>> response = law_response(runs, law, steps=[0, 10])
    >>> response.observed.mean.round(3).tolist(), response.diverged
    ([[0.0, -0.107]], 0)
    """

    feature: Label
    factors: Array
    steps: Array
    start: Estimates
    observed: Estimates
    predicted: Estimates
    excess: Estimates
    implied: Estimates | None
    fitted: float | None
    diverged: int


def law_response(
    runs: Trajectories,
    law: FittedModel,
    feature: Label | None = None,
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
    if law.warm_up:
        raise ValueError(
            f"expected a law whose rollouts start where runs do, got one that sees {law.warm_up} steps of a run "
            f"before, {what_for(law)}; fit it with {less_of(law)}, of none"
        )
    given: dict[str, Any] = {"inputs": runs} if law.inputs else {}
    rollout = law.simulate(runs.state(law.state)[:, 0], times, **given)
    others = np.arange(runs.n_features) != k
    observed = _of_the_others(runs.values[:, at], others, pairs)
    predicted = _of_the_others(rollout.signal[:, at], others, pairs)
    start = [runs.values[p.scaled, 0] - runs.values[p.plain, 0] for p in pairs]  # (pair, feature)
    linear = _linear_coefficients(law)
    return Response(
        feature=runs.features[k],
        factors=np.array([p.factor for p in pairs]),
        steps=times[at],
        start=by_factor([x[:, k] for x in start], pairs),
        observed=by_factor(observed, pairs),
        predicted=by_factor(predicted, pairs),
        excess=by_factor([o - q for o, q in zip(observed, predicted, strict=True)], pairs),
        implied=None if linear is None else _implied(observed, start, others, times[at] - times[0], linear[0], pairs),
        fitted=None if linear is None else linear[1],
        diverged=sum(status != "ok" for status in rollout.status),
    )


def _of_the_others(signal: Array, others: Bools, pairs: Sequence[Pairs]) -> list[Array]:
    """o(t) of each factor's pairs, (pair, step), from the signals (run, step, feature) of all runs."""
    return [(signal[p.scaled][:, :, others] - signal[p.plain][:, :, others]).mean(axis=2) for p in pairs]


def _places(stored: Array, steps: Sequence[float] | None) -> Integers:
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
    """a and c of ẋᵢ = b + a xᵢ + c x̄, a flow; None for a law that has any other term."""
    if not isinstance(law, Law) or (law.coupling, law.state) != (EXCHANGEABLE, SIGNAL):
        return None
    if law.drive is not None or law.step is not None or law.per_feature:
        return None
    terms = {name: c for name, c in zip(law.library.names(), law.coefficients[0].tolist(), strict=True) if c}
    return (terms.get("x", 0.0), terms.get("mean_x", 0.0)) if set(terms) <= {"1", "x", "mean_x"} else None


def _implied(
    observed: Sequence[Array], start: Sequence[Array], others: Bools, t: Array, a: float, pairs: Sequence[Pairs]
) -> Estimates:
    """c from o(t) = (o(0) − δ̄) e^(at) + δ̄ e^((a+c)t), (factor, step); e^((a+c)t), monotone in c, has the interval.

    Parameters
    ----------
    observed : o(t) of each factor's pairs, (pair, step)
    start : changes at the first step of each factor's pairs, (pair, feature)
    t : steps since the first, (step,)
    a : the law's, per step
    """
    growths = []
    for o, x in zip(observed, start, strict=True):
        own, mean = x[:, others].mean(axis=1), x.mean(axis=1)
        growths.append((o - (own - mean)[:, None] * np.exp(a * t)) / mean[:, None])
    growth = by_factor(growths, pairs)

    def coupling(e: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(t > 0, np.log(np.maximum(e, 0.0)) / t - a, np.nan)

    return Estimates(mean=coupling(growth.mean), low=coupling(growth.low), high=coupling(growth.high), n=growth.n)
