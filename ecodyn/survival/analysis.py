"""``analyse``: who survives in some runs, when the rest died, and what predicted it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.statistics.clustered import SHARE, clustered_mean
from ecodyn.statistics.intervals import Estimate
from ecodyn.survival.counts import Count, Sensitivity, counts_by, sensitivity
from ecodyn.survival.extinction import Deaths, RankChanges, deaths, rank_changes
from ecodyn.survival.laws import LawFates, law_fates
from ecodyn.survival.logistic import Together, together
from ecodyn.survival.predictors import Score, both_fates, common_steps, early_steps, fitness, spread_steps
from ecodyn.survival.scaling import ScaledRuns, scaled_runs
from ecodyn.survivors.survivors import DEFAULT_RULE, Survivors, stored_at, survivors
from ecodyn.trajectories import Trajectories

__all__ = ["Analysis", "FeatureRow", "Progress", "analyse"]

Progress = Callable[[int, int | None, str], None]
"""Takes how many parts are done, of how many, and what is being done."""

Part = TypeVar("Part")

LAW_STARTS = 4.0, 20.0  # steps after the first, two of the usual early ones; a velocity needs some before
CURVE_STEPS = 40  # at which predictors are drawn over time: enough for a smooth line


@dataclass(frozen=True)
class FeatureRow:
    """One feature of one run.

    Attributes
    ----------
    run, feature, cluster : labels
    start, end : signal at the run's first step and at the one where survivors are judged
    alive : by rule, those that could be used
    death : step from which on it is out of the competition; NaN for survivors and what is still up
    order : 1 for the first to die in its run; NaN as above
    """

    run: Any
    feature: Any
    start: float
    end: float
    alive: dict[str, bool]
    death: float
    order: float
    cluster: Any


@dataclass(frozen=True, eq=False)
class Analysis:
    """Who survives, and what predicted it. What could not be had is in `notes`, a sentence each.

    Attributes
    ----------
    runs : what was analysed
    survivors : who is alive under the rule asked for
    sensitivity : the same under every rule
    deaths, changes : when the rest died, and how the order changed
    counts : survivors by each setting that takes several values
    scores : every predictor at every early step
    curves : the same over time, for figures
    together : a logistic model of the predictors at early steps
    laws : what equations know, a window each
    scaled : what scaling a feature at the start did, if runs were
    notes : sentences
    """

    runs: Trajectories
    survivors: Survivors
    sensitivity: Sensitivity
    deaths: Deaths
    changes: RankChanges
    counts: dict[str, list[Count]]
    scores: list[Score] = field(default_factory=list)
    curves: list[Score] = field(default_factory=list)
    together: dict[float, Together] = field(default_factory=dict)
    laws: list[LawFates] = field(default_factory=list)
    scaled: list[ScaledRuns] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def survivor_count(self) -> Estimate:
        """Number of survivors a run."""
        return clustered_mean(self.survivors.counts, self.runs.clusters, within=(0.0, float(self.runs.n_features)))

    @property
    def crossed(self) -> Estimate:
        """Share of pairs of features whose order at the end is not that at the start."""
        return clustered_mean(self.changes.crossed, self.runs.clusters, within=SHARE)

    @property
    def kendall_tau(self) -> Estimate:
        """Kendall's τ of the two orders."""
        return clustered_mean(self.changes.tau, self.runs.clusters, within=(-1.0, 1.0))

    def to_json(self) -> dict[str, Any]:
        """All numbers as plain JSON values but for non-finite ones; runs and features by label."""
        s = self.sensitivity
        return {
            "schema": 1,
            "rule": self.survivors.rule,
            "steps": self.survivors.steps,
            "runs": self.runs.runs,
            "features": self.runs.features,
            "clusters": self.runs.n_clusters,
            "survivors": self.survivor_count.to_json(),
            "counts": self.survivors.counts,
            "alive": {rule: own.alive for rule, own in s.survivors.items()},
            "deaths": {"steps": self.deaths.steps, "order": self.deaths.order},
            "rank_changes": {
                "crossed": self.crossed.to_json(),
                "kendall_tau": self.kendall_tau.to_json(),
            },
            "rules": {
                "counts": [asdict(c) for c in s.counts],
                "agreement": s.agreement,
                "starting_signal_auc": {rule: e.to_json() for rule, e in s.auc.items()},
                "unusable": s.unusable,
            },
            "counts_by": {name: [asdict(c) for c in counts] for name, counts in self.counts.items()},
            "predictors": [asdict(x) for x in self.scores],
            "together": {f"{step:g}": asdict(t) for step, t in self.together.items()},
            "laws": [asdict(x) for x in self.laws],
            "scaled": [x.to_json() for x in self.scaled],
            "notes": self.notes,
            "data": self.runs.provenance,
        }

    def feature_rows(self) -> list[FeatureRow]:
        """All features of all runs, a row each, for a table."""
        rows = []
        for r, run in enumerate(self.runs.runs):
            end = stored_at(self.runs, r, float(self.survivors.steps[r]))
            for k, feature in enumerate(self.runs.features):
                rows.append(
                    FeatureRow(
                        run=run,
                        feature=feature,
                        start=float(self.runs.values[r, 0, k]),
                        end=float(self.runs.values[r, end, k]),
                        alive={rule: bool(own.alive[r, k]) for rule, own in self.sensitivity.survivors.items()},
                        death=float(self.deaths.steps[r, k]),
                        order=float(self.deaths.order[r, k]),
                        cluster=self.runs.clusters[r],
                    )
                )
        return rows


def analyse(
    runs: Trajectories,
    rule: str = DEFAULT_RULE,
    step: float | None = None,
    *,
    early: Sequence[float] | None = None,
    laws: bool = True,
    windows: Sequence[tuple[float, float]] | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Who survives under a rule, when the rest died, and what predicted it; see `Analysis`.

    Parameters
    ----------
    rule, step : as in `survivors`
    early : steps at which survival is predicted; see `fitness`
    laws : whether equations are fitted and asked, which takes a minute
    windows : of the laws, each (first, last); by default from 4 and from 20 steps after the start to the step

    Raises
    ------
    ValueError
        There is no such rule.
    UnusableDataError
        The rule can't be used on these runs, a run lacks a step asked for, or has no step but the first.
    """
    judged = survivors(runs, rule, step)
    _refuse_bad_steps(runs, judged, early)
    notes = _remarks(runs, judged)
    steps = None if early is None else sorted(set(early))
    varied = [name for name, values in runs.settings.items() if len(np.unique(values)) > 1 and name != "seed"]
    predicted: tuple[list[Score], list[Score]] = [], []
    models: dict[float, Together] = {}
    known: list[LawFates] = []
    predicted = _or_note(lambda: _predictions(runs, judged, steps), predicted, notes)
    if runs.n_clusters > 1:
        models = _or_note(lambda: _models(runs, judged, steps, notes), models, notes)
    if laws and runs.n_clusters > 1:
        known = _or_note(lambda: _laws(runs, judged, windows, notes, progress), known, notes)
    return Analysis(
        runs=runs,
        survivors=judged,
        sensitivity=sensitivity(runs, step),
        deaths=deaths(runs, judged),
        changes=rank_changes(runs, judged),
        counts={name: counts_by(runs, judged, name) for name in varied},
        scores=predicted[0],
        curves=predicted[1],
        together=models,
        laws=known,
        scaled=_or_note(lambda: scaled_runs(runs, judged, law=laws), [], notes),
        notes=notes,
    )


def _or_note(part: Callable[[], Part], otherwise: Part, notes: list[str]) -> Part:
    """A part of the analysis; where the data don't allow it, a note says why."""
    try:
        return part()
    except UnusableDataError as error:
        if str(error) not in notes:
            notes.append(str(error))
        return otherwise


def _refuse_bad_steps(runs: Trajectories, survivors: Survivors, early: Sequence[float] | None) -> None:
    """Survivors are judged after the start, and predicted from stored steps before that."""
    if (short := np.flatnonzero(survivors.steps <= runs.times[:, 0])).size:
        raise UnusableDataError(
            f"expected survivors to be told after the start, run {runs.runs[short[0]]} ends where it begins, at "
            f"{survivors.steps[short[0]]:g}: keep more steps, or ask a later one"
        )
    for step in early or ():
        for run in range(runs.n_runs):
            stored_at(runs, run, step)
        if step >= float(survivors.steps.min()):
            raise UnusableDataError(
                f"expected early steps before the one at which survivors are told, {survivors.steps.min():g}; "
                f"got {step:g}: ask for earlier ones"
            )


def _remarks(runs: Trajectories, survivors: Survivors) -> list[str]:
    """What a reader should know of the runs before reading on."""
    notes = []
    if runs.n_clusters < 2:
        notes.append("one independent run: nothing has an interval, and no law or model can be tried on an unseen one")
    if "gradient" not in runs.observables:
        notes.append("the data have no gradient: neither it nor laws with it are tried")
    one_fate = int(survivors.one_fate.sum())
    if 0 < one_fate < runs.n_runs:
        notes.append(
            f"in {one_fate} of {runs.n_runs} runs all features share a fate; predictors are scored on the rest"
        )
    return notes


def _predictions(
    runs: Trajectories, survivors: Survivors, early: Sequence[float] | None
) -> tuple[list[Score], list[Score]]:
    """Every predictor at every early step, and at steps enough for a curve."""
    scores = fitness(runs, survivors, early)
    curve = spread_steps(common_steps(runs, float(survivors.steps.min())), CURVE_STEPS)
    return scores, fitness(runs, survivors, curve)


def _models(
    runs: Trajectories, survivors: Survivors, early: Sequence[float] | None, notes: list[str]
) -> dict[float, Together]:
    """Logistic models at early steps; a note says where none can be fitted."""
    both_fates(survivors)
    models: dict[float, Together] = {}
    unfitted: dict[str, list[float]] = {}
    for step in early or early_steps(runs, survivors):
        try:
            models[step] = together(runs, survivors, step)
        except UnusableDataError as error:
            unfitted.setdefault(str(error), []).append(step)
    for why, steps in unfitted.items():
        notes.append(f"no logistic model at step {', '.join(f'{s:g}' for s in steps)}: {why}")
    return models


def _laws(
    runs: Trajectories,
    survivors: Survivors,
    windows: Sequence[tuple[float, float]] | None,
    notes: list[str],
    progress: Progress | None,
) -> list[LawFates]:
    """What laws know over each window; a note says over which none can be fitted."""
    both_fates(survivors)
    first, last = float(np.nanmin(runs.times)), float(survivors.steps.min())
    chosen = list(windows or ((first + s, last) for s in LAW_STARTS if first + s < last))
    fates = []
    for number, window in enumerate(chosen):
        if progress is not None:
            progress(number, len(chosen), f"laws over {window[0]:g}:{window[1]:g}")
        try:
            fates.append(law_fates(runs, survivors, window))
        except UnusableDataError as error:
            notes.append(f"no laws over {window[0]:g}:{window[1]:g}: {error}")
    return fates
