"""``analyse``: who survives in some runs, when the rest died, and what predicted it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

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
from ecodyn.survivors.rules import RULES
from ecodyn.survivors.survivors import DEFAULT_RULE, Survivors, stored_at, survivors
from ecodyn.trajectories import Trajectories

Progress = Callable[[int, int | None, str], None]

LAW_STARTS = 4.0, 20.0  # steps after the first; a velocity needs some before
CURVE_STEPS = 40  # at which predictors are drawn over time


@dataclass(frozen=True, eq=False)
class Analysis:
    """Who survives, and what predicted it. What could not be had is in `notes`, a sentence each.

    Attributes
    ----------
    runs : what was analysed
    found : survivors under the rule asked for
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
    found: Survivors
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
    def survivors(self) -> Estimate:
        """Number of survivors a run."""
        return clustered_mean(self.found.counts, self.runs.clusters, within=(0.0, float(self.runs.n_features)))

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
            "rule": self.found.rule,
            "steps": self.found.steps,
            "runs": self.runs.runs,
            "features": self.runs.features,
            "clusters": self.runs.n_clusters,
            "survivors": self.survivors.to_json(),
            "counts": self.found.counts,
            "alive": {rule: found.alive for rule, found in s.found.items()},
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

    def rows(self) -> tuple[list[str], list[list[Any]]]:
        """A table of all features of all runs: its header, and a row each."""
        rules = self.sensitivity.rules
        header = ["run", "feature", "start", "end", *(f"alive_{r}" for r in rules), "death", "order", "cluster"]
        rows = []
        for r, run in enumerate(self.runs.runs):
            end = int(np.searchsorted(self.runs.times[r, : self.runs.lengths[r]], self.found.steps[r]))
            for k, feature in enumerate(self.runs.features):
                alive = [int(self.sensitivity.found[rule].alive[r, k]) for rule in rules]
                ends = self.runs.values[r, [0, end], k].tolist()
                died = [_blank(self.deaths.steps[r, k]), _blank(self.deaths.order[r, k])]
                rows.append([run, feature, *ends, *alive, *died, self.runs.clusters[r]])
        return header, rows


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
    RULES.named(rule)
    found = survivors(runs, rule, step)
    if (short := np.flatnonzero(found.steps <= runs.times[:, 0])).size:
        raise UnusableDataError(
            f"expected survivors to be told after the start, run {runs.runs[short[0]]} ends where it begins, at "
            f"{found.steps[short[0]]:g}: keep more steps, or ask a later one"
        )
    for asked in early or ():
        _before_the_end(runs, found, asked)
    varied = [name for name, values in runs.settings.items() if len(np.unique(values)) > 1 and name != "seed"]
    told = Analysis(
        runs,
        found,
        sensitivity(runs, step),
        deaths(runs, found),
        rank_changes(runs, found),
        {name: counts_by(runs, found, name) for name in varied},
        notes=_remarks(runs, found),
    )
    steps = None if early is None else sorted(set(early))
    parts: list[Callable[[], None]] = [lambda: _predict(told, steps)]
    if runs.n_clusters > 1:
        parts.append(lambda: _predict_together(told, steps))
    if laws and runs.n_clusters > 1:
        parts.append(lambda: _ask_laws(told, windows, progress))
    parts.append(lambda: told.scaled.extend(scaled_runs(runs, found, law=laws)))
    for part in parts:
        try:
            part()
        except UnusableDataError as error:
            if str(error) not in told.notes:
                told.notes.append(str(error))
    return told


def _before_the_end(runs: Trajectories, found: Survivors, step: float) -> None:
    for run in range(runs.n_runs):
        stored_at(runs, run, step)
    if step >= float(found.steps.min()):
        raise UnusableDataError(
            f"expected early steps before the one at which survivors are told, {found.steps.min():g}; got {step:g}"
        )


def _remarks(runs: Trajectories, found: Survivors) -> list[str]:
    """What a reader should know of the runs before reading on."""
    notes = []
    if runs.n_clusters < 2:
        notes.append("one independent run: nothing has an interval, and no law or model can be tried on an unseen one")
    if "gradient" not in runs.observables:
        notes.append("the data have no gradient: neither it nor laws with it are tried")
    one_fate = int(found.one_fate.sum())
    if 0 < one_fate < runs.n_runs:
        notes.append(
            f"in {one_fate} of {runs.n_runs} runs all features share a fate; predictors are scored on the rest"
        )
    return notes


def _predict(told: Analysis, early: Sequence[float] | None) -> None:
    told.scores.extend(fitness(told.runs, told.found, early))
    curve = spread_steps(common_steps(told.runs, float(told.found.steps.min())), CURVE_STEPS)
    told.curves.extend(fitness(told.runs, told.found, curve))


def _predict_together(told: Analysis, early: Sequence[float] | None) -> None:
    both_fates(told.found)
    unfitted: dict[str, list[float]] = {}
    for step in early or early_steps(told.runs, told.found):
        try:
            told.together[step] = together(told.runs, told.found, step)
        except UnusableDataError as error:
            unfitted.setdefault(str(error), []).append(step)
    for why, steps in unfitted.items():
        told.notes.append(f"no logistic model at step {', '.join(f'{s:g}' for s in steps)}: {why}")


def _ask_laws(told: Analysis, windows: Sequence[tuple[float, float]] | None, progress: Progress | None) -> None:
    both_fates(told.found)
    first, last = float(np.nanmin(told.runs.times)), float(told.found.steps.min())
    chosen = list(windows or ((first + s, last) for s in LAW_STARTS if first + s < last))
    for number, window in enumerate(chosen):
        if progress is not None:
            progress(number, len(chosen), f"laws over {window[0]:g}:{window[1]:g}")
        try:
            told.laws.append(law_fates(told.runs, told.found, window))
        except UnusableDataError as error:
            told.notes.append(f"no laws over {window[0]:g}:{window[1]:g}: {error}")


def _blank(value: float) -> float | str:
    return value if np.isfinite(value) else ""
