"""What can be known of a feature early: each predictor a small function, in one registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.registry import Registry
from ecodyn.statistics.clustered import SHARE, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import Survivors, stored_at
from ecodyn.trajectories import Trajectories

SLOPE_STEPS = 4.0  # steps that a slope is taken over: as far as the study's relative gradients go
EARLY = (0.0, 1.0, 2.0, 3.0, 4.0, 20.0, 60.0)  # the study's relative gradients are at 1 to 4 (arXiv 2405.17420)
SPREAD = 10  # stored steps that stand in for these, where runs lack them


@dataclass(frozen=True)
class Early:
    """One run up to a step.

    Attributes
    ----------
    signal : (step, feature), the last row at the step itself
    times : (step,)
    """

    signal: Array
    times: Array


def signal(run: Early) -> Array:
    """xᵢ(s)."""
    return run.signal[-1]


def relative_gradient(run: Early) -> Array:
    """(xᵢ(s) − xᵢ(s'))/(xᵢ(s')(s − s')), s' the stored step before, per step; NaN at a run's first step.

    What was zero and stays zero does not grow: 0. Of what comes from zero there is no rate: NaN.
    """
    if len(run.times) < 2:
        return np.full(run.signal.shape[1], np.nan)
    before = run.signal[-2]
    change = (run.signal[-1] - before) / (run.times[-1] - run.times[-2])
    return np.divide(change, before, out=np.where(change == 0, 0.0, np.nan), where=before > 0)


def slope(run: Early) -> Array:
    """(xᵢ(s) − xᵢ(s'))/(s − s'), s' the last stored step at least 4 steps before, or a run's first."""
    if len(run.times) < 2:
        return np.full(run.signal.shape[1], np.nan)
    back = max(int(np.searchsorted(run.times, run.times[-1] - SLOPE_STEPS, side="right")) - 1, 0)
    return np.asarray((run.signal[-1] - run.signal[back]) / (run.times[-1] - run.times[back]))


Predictor = Callable[[Early], Array]
"""Values (feature,) of one run, from nothing later than a step."""

PREDICTORS: Registry[Predictor] = Registry(
    "predictor",
    "ecodyn.predictors",
    {
        "signal": f"{__name__}:signal",
        "relative_gradient": f"{__name__}:relative_gradient",
        "slope": f"{__name__}:slope",
    },
)
"""Predictors by name; a distribution adds its own through entry points. Observables of the data join them by theirs."""


def predictors_of(runs: Trajectories) -> tuple[str, ...]:
    """Predictors that the data allow: those of the registry, and every observable of another name.

    The observable relative_gradient of extracted logs looks at the step after, the predictor at the step before.
    """
    known = [name for name, _ in PREDICTORS.usable()]
    return (*known, *(name for name in runs.observables if name not in PREDICTORS))


def predictor(runs: Trajectories, name: str, step: float) -> Array:
    """A predictor's values (run, feature), from nothing later than `step`; NaN where it needs a step before.

    Parameters
    ----------
    name : one of `PREDICTORS`, or an observable of the data, such as "gradient" or "circularity"
    step : a stored step of every run

    Raises
    ------
    UnusableDataError
        The data lack the observable, or a run the step.
    """
    places = [stored_at(runs, r, step) for r in range(runs.n_runs)]
    if name in PREDICTORS:
        parts = (Early(runs.values[r, : n + 1], runs.times[r, : n + 1]) for r, n in enumerate(places))
        predict = PREDICTORS.named(name)
        return np.array([predict(part) for part in parts])
    if name not in predictors_of(runs):
        raise UnusableDataError(
            f"expected a predictor that the data have, {', '.join(predictors_of(runs))}, got {name}; use those, or "
            "keep the observable when the networks are trained or the logs extracted"
        )
    return runs.observables[name][np.arange(runs.n_runs), places]


@dataclass(frozen=True, eq=False)
class Score:
    """How well a predictor at a step tells survivors from the dead.

    Attributes
    ----------
    predictor, step : which
    auc : mean over runs of the chance that a survivor has the higher value; under 0.5, survivors have the lower one
    hit_rate : mean over runs of the share of the m survivors among the m highest values
    auc_per_run, hit_rate_per_run : (run,), NaN where a run's features share one fate
    """

    predictor: str
    step: float
    auc: Estimate
    hit_rate: Estimate
    auc_per_run: Array
    hit_rate_per_run: Array


def auc_per_run(values: Array, alive: Bools) -> Array:
    """Area under the curve of values (run, feature) for survival (run, feature), (run,); NaN where all share a fate."""
    return np.array([*map(area_under_curve, values, alive)])


def mean_auc(values: Array, alive: Bools, clusters: NDArray[Any]) -> Estimate:
    """Mean over clusters of `auc_per_run`."""
    return clustered_mean(auc_per_run(values, alive), clusters, within=SHARE)


def score(values: Array, survivors: Survivors, clusters: NDArray[Any], name: str, step: float) -> Score:
    """Score values (run, feature) against who survived; see `Score`."""
    auc = auc_per_run(values, survivors.alive)
    hit = np.array([*map(top_overlap, values, survivors.alive)])
    hit[np.isnan(auc)] = np.nan  # where all survive, any order hits all
    of_auc, of_hit = (clustered_mean(x, clusters, within=SHARE) for x in (auc, hit))
    return Score(
        predictor=name,
        step=float(step),
        auc=of_auc,
        hit_rate=of_hit,
        auc_per_run=auc,
        hit_rate_per_run=hit,
    )


def fitness(
    runs: Trajectories,
    survivors: Survivors,
    steps: Sequence[float] | None = None,
    predictors: Sequence[str] | None = None,
) -> list[Score]:
    """What predicts survival, measured early: every predictor at every step.

    Parameters
    ----------
    steps : stored steps; by default those of 0, 1, 2, 3, 4, 20 and 60 that are before the survivors' step in all runs
    predictors : names as in `predictor`; all that the data allow by default

    Raises
    ------
    UnusableDataError
        In no run there are both survivors and dead, or the data lack a step or an observable asked for.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import fitness, survivors
    >>> starts = np.array([[80, 82, 78, 84, 79, 81.0], [83, 79, 80, 78, 82, 81], [79, 80, 83, 81, 78, 82]])
    >>> rates = np.where(starts >= np.sort(starts)[:, [-2]], 0.001, 0.06)  # the two strongest live
    >>> steps = np.arange(41.0)
    >>> runs = Trajectories(starts[:, None] * np.exp(-rates[:, None] * steps[:, None]), steps)
    >>> [(s.step, s.auc.mean) for s in fitness(runs, survivors(runs), steps=[0, 4], predictors=["signal"])]
    [(0.0, 1.0), (4.0, 1.0)]
    """
    both_fates(survivors)
    runs = runs.complete()
    chosen = early_steps(runs, survivors) if steps is None else [float(s) for s in steps]
    names = predictors_of(runs) if predictors is None else tuple(predictors)
    return [score(predictor(runs, n, s), survivors, runs.clusters, n, s) for n in names for s in chosen]


def both_fates(survivors: Survivors) -> None:
    """Refuse survivors that leave nothing to predict."""
    if survivors.one_fate.all():
        fate = (
            "nobody survives"
            if not survivors.alive.any()
            else "all survive"
            if survivors.alive.all()
            else "all or none do"
        )
        n = len(survivors.alive)
        runs = "the one run" if n == 1 else f"all {n} runs"
        raise UnusableDataError(
            f"expected survivors and dead, to tell them apart: under {survivors.rule} {fate} in {runs}; "
            "judge at another step, or by another rule"
        )


def early_steps(runs: Trajectories, survivors: Survivors) -> list[float]:
    """The usual early steps, counted from where the runs begin, that all of them have before the survivors' step.

    Where they have none of these but the first, about ten of the stored ones, evenly on a log scale.
    """
    first = float(np.nanmin(runs.times))
    common = common_steps(runs, float(survivors.steps.min()))
    usual = [first + s for s in EARLY if first + s in common]
    return usual if len(usual) > 1 else spread_steps(common, SPREAD)


def common_steps(runs: Trajectories, before: float) -> list[float]:
    """Steps before one that every run has stored."""
    shared = set(runs.times[0].tolist())
    for times in runs.times[1:]:
        shared &= set(times.tolist())
    if not any(s < before for s in shared):
        raise UnusableDataError(
            f"expected a step before {before:g} that every run has stored, to predict from; got none: "
            "keep more steps, or choose runs with the same ones"
        )
    return sorted(s for s in shared if s < before)


def spread_steps(steps: Sequence[float], most: int) -> list[float]:
    """At most so many of the steps, the first among them, evenly on a log scale of the time since the first."""
    since = np.log1p(np.array(steps) - steps[0])
    marks = np.linspace(0.0, since[-1], most)
    return [steps[i] for i in np.unique(np.argmin(np.abs(since[:, None] - marks), axis=0))]
