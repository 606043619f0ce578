"""One task done: its models fitted, rolled out from their held-out starts, and scored run by run."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.bands import worst_error
from ecodyn.comparison.contenders import IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.folds import Fold, first_row, origins, steps_before
from ecodyn.comparison.plan import Task
from ecodyn.comparison.references import Reference
from ecodyn.comparison.scores import RunScore, one_step_r2, score_rollout
from ecodyn.comparison.window_result import Drawn
from ecodyn.families.estimator import MIN_STEPS, Family
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import CLOCK, FAMILY
from ecodyn.families.side_by_side import simulate_all
from ecodyn.rollouts.integration import Rollout
from ecodyn.runtime.json_values import Json
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import SIGNAL

__all__ = ["DRAWN_POINTS", "DRAWN_RUNS", "Scored", "TaskResult", "execute"]

DRAWN_RUNS = 3  # held-out rollouts kept for drawing: a row of panels
DRAWN_POINTS = 200  # of each, as many as a panel has pixels for
MOST_EQUATIONS = 3  # that a table has room for; laws of hundreds of coefficients have figures of their own
DIGITS = 4  # of a coefficient there
DRAWN_ORIGIN = 1  # of the three origins, the one whose rollouts are drawn
Fitted = tuple[Fold, int, FittedModel | Reference]


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One held-out rollout's score; NaN where a number can't be had."""

    run: int
    seed: int
    origin: float | None
    score: RunScore
    one_step_r2: float
    survivor_auc: float
    survivor_overlap: float


@dataclass
class TaskResult:
    """What came of a task: scores, and what the report shows of its fits. Scores of fits that failed are missing.

    Attributes
    ----------
    window, index : whose task it was
    scores : of single rollouts
    models : of the fits to everything
    drawn : rollouts of a few runs, times and values, of the first seed
    errors : of all held-out runs elapsed times and worst error over features, of the first seed
    terms : names of the terms with a coefficient, of each fit of a law
    parameters : of the estimator as this protocol had it
    equations, latex : of the fit to everything, where there is one law for all runs and it is short
    failure : why there is nothing, None where there is something
    """

    window: int
    index: int
    scores: list[Scored] = field(default_factory=list)
    models: list[FittedModel] = field(default_factory=list)
    drawn: Drawn = field(default_factory=dict)
    errors: Drawn = field(default_factory=dict)
    terms: list[frozenset[str]] = field(default_factory=list)
    n_coefficients: list[int] = field(default_factory=list)
    library_size: int = 0
    fit_seconds: float = 0.0
    candidates: int = 0
    parameters: dict[str, Json] = field(default_factory=dict)
    equations: str = ""
    latex: str = ""
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None


def execute(task: Task, data: Trajectories) -> TaskResult:
    """Fit and score one task. A failed fit is a result that says why, not an exception."""
    result = TaskResult(task.window, task.index)
    started = time.perf_counter()
    try:
        fitted = list(_fit(task, data, result))
        result.fit_seconds = time.perf_counter() - started
        _score_all(task, fitted, data, result)
        if len(result.models) == 1 and not (task.run_by_run and data.n_runs > 1):
            result.equations, result.latex = _printed(result.models[0])
    except Exception as error:  # whatever one model runs into, a user's own family too, must not cost the others
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        result.failure = f"{task.name}: {kind}{error}"
    return result


def _fit(task: Task, data: Trajectories, result: TaskResult) -> Iterator[Fitted]:
    training = [_training(fold, data) for fold in task.folds]
    if task.contender.reference is not None:
        for fold, part in zip(task.folds, training, strict=True):
            reference = task.contender.reference.fit(part)
            if reference is not None:
                yield fold, task.seeds[0], reference
        return
    estimator = _estimator(task)
    result.parameters = estimator.stated_parameters()
    for part in training:
        estimator.check(part)
    clock = task.contender.kind == CLOCK
    if task.contender.stochastic:
        result.parameters["random_state"] = list(task.seeds)
        models = estimator.fit_seeds(training, task.seeds, clock=clock)
    else:
        models = estimator.fit_models(training, clock=clock)
    for (fold, seed), model in zip(itertools.product(task.folds, task.seeds), models, strict=True):
        yield fold, seed, model


def _estimator(task: Task) -> Family:
    """The contender's estimator, with what the protocol asks of it."""
    if task.contender.estimator is None:
        raise TypeError(f"{task.name} is a reference, which no estimator fits")
    return task.contender.estimator.for_protocol(task.protocol, run_by_run=task.run_by_run)


def _training(fold: Fold, data: Trajectories) -> Trajectories:
    """A fold's training part: complete steps only, since fits and references need whole states."""
    if fold.origin is None:
        return data.select(runs=[data.runs[r] for r in fold.training]).complete()
    # Runs with next to nothing before the origin are left out, and counted as such by their missing scores.
    counts = {r: steps_before(data, r, fold.origin) for r in fold.training}
    kept = [r for r, n in counts.items() if n >= MIN_STEPS]
    if not kept:
        raise ValueError(f"no run has {MIN_STEPS} steps before the origin at {fold.origin:g}; widen the window")
    part = data.select(runs=[data.runs[r] for r in kept])
    return part.head([counts[r] for r in kept]).complete()


def _printed(model: FittedModel) -> tuple[str, str]:
    """The equations of a law as text and in LaTeX; nothing of a law of more equations than a table has room for."""
    equations = model.equations()
    if len(equations) > MOST_EQUATIONS:
        return "", ""
    return "; ".join(f"{e.lhs} = {e.rhs.evalf(DIGITS)}" for e in equations), model.to_latex()


# ---------------------------------------------------------------------- scores


@dataclass(frozen=True, kw_only=True)
class _HeldOut:
    """What a fold's model is rolled out from.

    ``runs`` are positions, ``first`` (run,) the rows where rollouts start, ``state`` (run, step, feature, channel),
    ``times`` (run, step) from there on, ``starts`` (run, feature, channel).
    """

    runs: list[int]
    first: Integers
    state: Array
    times: Array
    starts: Array


def _score_all(task: Task, fitted: Sequence[Fitted], data: Trajectories, result: TaskResult) -> None:
    """Roll all of a task's models out from their held-out starts, together, and score them one by one."""
    pairs = [(_held_out(task, fold, model, data), fold, seed, model) for fold, seed, model in fitted]
    pairs = [pair for pair in pairs if pair[0].runs]
    laws = [(held, model) for held, _, _, model in pairs if isinstance(model, FittedModel)]
    rollouts = iter(simulate_all([m for _, m in laws], [h.starts for h, _ in laws], [h.times for h, _ in laws]))
    for held, fold, seed, model in pairs:
        rollout = next(rollouts) if isinstance(model, FittedModel) else model.simulate(held.starts, held.times)
        _score(task, (fold, seed, model), held, rollout, data, result)


def _held_out(task: Task, fold: Fold, model: FittedModel | Reference, data: Trajectories) -> _HeldOut:
    runs = [r for r in fold.scored if fold.origin is None or steps_before(data, r, fold.origin) >= MIN_STEPS]
    state = data.state(task.contender.state if isinstance(model, FittedModel) else SIGNAL)[runs]
    first = _first_rows(runs, fold.origin, data)
    times = _from_origin(data.times[runs], first) if runs else data.times[runs]
    return _HeldOut(runs=runs, first=first, state=state, times=times, starts=state[np.arange(len(runs)), first])


def _score(
    task: Task, fitted: Fitted, held: _HeldOut, rollout: Rollout, data: Trajectories, result: TaskResult
) -> None:
    fold, seed, model = fitted
    for i, r in enumerate(held.runs):
        rows = slice(int(held.first[i]), int(data.lengths[r]))
        count = rows.stop - rows.start
        truth, t, signal = data.values[r, rows], data.times[r, rows], rollout.signal[i, :count]
        auc, overlap = _fate(task, data, r, signal[-1])
        result.scores.append(
            Scored(
                run=r,
                seed=seed,
                origin=fold.origin,
                score=score_rollout(truth, signal, t, rollout.status[i]),
                one_step_r2=_one_step(task, model, held.state[i], data, r),
                survivor_auc=auc,
                survivor_overlap=overlap,
            )
        )
        if seed == task.seeds[0]:
            _keep(task, fold, r, (t, truth, signal), data, result)
    _describe(model, task.contender, result)
    if task.protocol == IN_SAMPLE and seed == task.seeds[0] and isinstance(model, FittedModel):
        result.models.append(model)


def _keep(
    task: Task, fold: Fold, run: int, path: tuple[Array, Array, Array], data: Trajectories, result: TaskResult
) -> None:
    """What is drawn of a run's rollout, and how far off it is; ``path`` are times, truth and rollout."""
    t, truth, signal = path
    whole = np.flatnonzero(~np.isnan(truth).any(axis=1))  # how far off a rollout is, only complete steps tell
    thin = whole[np.unique(np.linspace(0, len(whole) - 1, DRAWN_POINTS).astype(int))]
    if task.protocol == UNSEEN_RUNS:
        result.errors[run] = (t[thin] - t[0], worst_error(truth[thin], signal[thin]))
    if run < DRAWN_RUNS and (fold.origin is None or fold.origin == origins(data)[DRAWN_ORIGIN]):
        result.drawn[run] = (t[thin], signal[thin])


def _first_rows(runs: Sequence[int], origin: float | None, data: Trajectories) -> Integers:
    # The last step that was fitted on is where a forecast starts.
    return np.array([first_row(data, r, origin) for r in runs], dtype=np.intp)


def _from_origin(times: Array, first: Integers) -> Array:
    """Times from each row's own first column on, padded by NaN."""
    out = np.full_like(times, np.nan)
    for i, f in enumerate(first):
        out[i, : times.shape[1] - f] = times[i, f:]
    return out[:, : times.shape[1] - int(first.min())]


def _one_step(task: Task, model: FittedModel | Reference, state: Array, data: Trajectories, run: int) -> float:
    if task.protocol != IN_SAMPLE or isinstance(model, Reference):
        return float("nan")
    n = int(data.lengths[run])
    with np.errstate(all="ignore"):
        slopes = model.rhs(state[:n], data.times[run, :n])[..., 0]
    return one_step_r2(slopes, data.values[run, :n], data.times[run, :n])


def _fate(task: Task, data: Trajectories, run: int, last: Array) -> tuple[float, float]:
    """AUC and top-m overlap of the rollout's last values with the survivors, where the law can reorder features."""
    nothing = float("nan"), float("nan")
    if not task.contender.can_reorder(data):
        return nothing
    alive = alive_at_end(data, run, task.survivor_rule)
    return nothing if alive is None else (area_under_curve(last, alive), top_overlap(last, alive))


def _describe(model: FittedModel | Reference, contender: Contender, result: TaskResult) -> None:
    result.n_coefficients.append(model.n_coefficients)
    if isinstance(model, Reference):
        return
    result.library_size = max(result.library_size, model.library_size)
    if isinstance(model, Law):
        result.terms.append(model.selected_terms())
        if model.diagnostics is not None:
            result.candidates += model.diagnostics.candidates
    if contender.kind == FAMILY:  # a clock's trait is a constant column, by construction
        result.warnings += model.warnings
