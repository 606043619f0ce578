"""``analyse``: who survives in some runs, when the rest died, and what predicted it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ecodyn.errors import LostWorkError, UnusableDataError
from ecodyn.extraction.gathering import data_of
from ecodyn.survival.counts import Count, counts_by, sensitivity
from ecodyn.survival.extinction import deaths, rank_changes
from ecodyn.survival.laws import LawFates, law_fates
from ecodyn.survival.logistic import Together, together
from ecodyn.survival.pairs import FACTOR
from ecodyn.survival.predictors import (
    PREDICTORS,
    Score,
    both_fates,
    common_steps,
    early_steps,
    fitness,
    spread_steps,
)
from ecodyn.survival.result import Analysis
from ecodyn.survival.scaling import ScaledRuns, scaled_runs
from ecodyn.survivors.survivors import DEFAULT_RULE, Survivors, stored_at, survivors
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.independence import with_copies_together
from ecodyn.trajectories.parts import some

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike

__all__ = ["Progress", "analyse"]

Progress = Callable[[int, int | None, str], None]
"""Takes how many parts are done, of how many, and what is being done."""

Part = TypeVar("Part")

LAW_STARTS = 4.0, 20.0  # steps after the first, two of the usual early ones; a velocity needs some before
NO_SCORES: tuple[Sequence[Score], Sequence[Score]] = (), ()  # where nothing could be predicted
CURVE_STEPS = 40  # at which predictors are drawn over time: enough for a smooth line


def analyse(
    runs: DataLike,
    rule: str = DEFAULT_RULE,
    step: float | None = None,
    *,
    early: Sequence[float] | None = None,
    laws: bool = True,
    windows: Sequence[tuple[float, float]] | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Analysis:
    """Who survives under a rule, when the rest died, and what predicted it; see `Analysis`.

    Parameters
    ----------
    runs : Trajectories, or what `ecodyn.as_trajectories` takes, or paths of logs
    rule, step : as in `survivors`
    early : steps at which survival is predicted; see `fitness`
    laws : whether equations are fitted and asked, which takes a minute
    windows : of the laws, each (first, last); by default from 4 and from 20 steps after the start to the step
    jobs : processes that fit laws, one thread each; results don't depend on it

    Raises
    ------
    ValueError
        There is no such rule.
    UnusableDataError
        The rule can't be used on these runs, a run lacks a step asked for, or has no step but the first.
    """
    stored, dependent = with_copies_together(data_of(runs))
    runs = stored.complete()  # `data.warnings` says what is missing
    judged = survivors(runs, rule, step)
    _refuse_bad_steps(runs, judged, early)
    notes = [*dependent, *_remarks(runs, judged)]
    steps = None if early is None else sorted(set(early))
    scores, curves = _or_note(lambda: _predictions(runs, judged, steps), NO_SCORES, notes)
    none: dict[float, Together] = {}
    models = _or_note(lambda: _models(runs, judged, steps, notes), none, notes)
    fates: list[LawFates] = []
    if laws:
        fates = _laws_or_note(lambda: _laws(runs, judged, windows, notes, jobs, progress), notes)
    return Analysis(
        runs=runs,
        survivors=judged,
        sensitivity=sensitivity(runs, step),
        deaths=deaths(runs, judged),
        changes=rank_changes(runs, judged),
        counts=_counts(runs, judged),
        scores=list(scores),
        curves=list(curves),
        together=models,
        laws=fates,
        scaled=_or_note(lambda: _scaled(stored, runs, judged, laws), [], notes),
        notes=notes,
    )


def _scaled(stored: Trajectories, runs: Trajectories, survivors: Survivors, laws: bool) -> list[ScaledRuns]:
    """What scaling did, if the complete steps of the runs, as they are stored, are still the same ones in all runs."""
    scaled = FACTOR in runs.settings and len(np.unique(runs.settings[FACTOR])) > 1
    if scaled and stored.shares_times and not runs.shares_times:
        lacking = stored.runs[stored.missing.any(axis=(1, 2))]
        raise UnusableDataError(
            "what scaling did is not told: scaled and unscaled runs are compared at the same steps, and missing values "
            f"leave other steps complete in one run than in another (runs {some(lacking)} lack some); "
            "leave out the steps, features or runs that lack them"
        )
    return scaled_runs(runs, survivors, law=laws)


def _counts(runs: Trajectories, survivors: Survivors) -> dict[str, list[Count]]:
    """Survivors by each setting that takes several values; seeds are no setting of interest."""
    varied = [name for name, values in runs.settings.items() if len(np.unique(values)) > 1 and name != "seed"]
    return {name: counts_by(runs, survivors, name) for name in varied}


def _laws_or_note(asked: Callable[[], list[LawFates]], notes: list[str]) -> list[LawFates]:
    """What laws know; where the data or a lost worker don't allow it, a note says why."""
    none: list[LawFates] = []
    try:
        return _or_note(asked, none, notes)
    except LostWorkError as error:
        notes.append(f"no laws: {error}")
        return none


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
    notes = PREDICTORS.problems()
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
) -> tuple[Sequence[Score], Sequence[Score]]:
    """Every predictor at every early step, and at steps enough for a curve."""
    scores = fitness(runs, survivors, early)
    curve = spread_steps(common_steps(runs, float(survivors.steps.min())), CURVE_STEPS)
    return scores, fitness(runs, survivors, curve)


def _models(
    runs: Trajectories, survivors: Survivors, early: Sequence[float] | None, notes: list[str]
) -> dict[float, Together]:
    """Logistic models at early steps; a note says where none can be fitted."""
    if runs.n_clusters < 2:
        return {}
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
    jobs: int,
    progress: Progress | None,
) -> list[LawFates]:
    """What laws know over each window; a note says over which none can be fitted."""
    if runs.n_clusters < 2:
        return []
    both_fates(survivors)
    first, last = float(np.nanmin(runs.times)), float(survivors.steps.min())
    chosen = list(windows or ((first + s, last) for s in LAW_STARTS if first + s < last))
    fates = []
    for number, window in enumerate(chosen):
        if progress is not None:
            progress(number, len(chosen), f"laws over {window[0]:g}:{window[1]:g}")
        try:
            fates.append(law_fates(runs, survivors, window, jobs=jobs))
        except UnusableDataError as error:
            notes.append(f"no laws over {window[0]:g}:{window[1]:g}: {error}")
    return fates
