"""One task done: its models fitted, rolled out from their held-out starts, and scored run by run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.comparison.bands import worst_error
from ecodyn.comparison.contenders import IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.folds import Fold, origins
from ecodyn.comparison.held_out import FoldModel, HeldOut, estimator_of, fit_folds, roll_out_folds
from ecodyn.comparison.plan import Task
from ecodyn.comparison.references import Reference
from ecodyn.comparison.scores import RunScore, one_step_r2, score_rollout
from ecodyn.comparison.training_scatter import OnAllRuns, on_all_runs
from ecodyn.comparison.window_result import Drawn
from ecodyn.families.known import inputs_of_runs
from ecodyn.families.model import FittedModel
from ecodyn.families.model_name import FAMILY
from ecodyn.runtime.json_values import Json
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.scales import own_scales
from ecodyn.trajectories.state import history_of

__all__ = ["DRAWN_POINTS", "DRAWN_RUNS", "Scored", "TaskResult", "drawn_runs", "execute"]

DRAWN_RUNS = 3  # runs whose rollouts are kept for drawing at least
MOST_DRAWN = 1_000_000  # numbers of a model's rollouts on unseen runs: of small data all runs are kept
DRAWN_POINTS = 200  # of each, as many as a panel has pixels for
MOST_KEPT, FEWEST_KEPT = 400_000, 20  # of errors in all, and a run: bands of thousands of runs need no finer grid
MOST_EQUATIONS = 3  # that a table has room for; laws of hundreds of coefficients have figures of their own
DIGITS = 4  # of a coefficient there
DRAWN_ORIGIN = 1  # of the three origins, the one whose rollouts are drawn


@dataclass(frozen=True, kw_only=True, slots=True)  # there is one for each run and model
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
    models : of the fits to everything, where there is one law for all runs
    drawn : rollouts of a few runs, times and values, of the first seed
    errors : of all held-out runs elapsed times and worst error over features, of the first seed
    terms : names of the terms with a coefficient, of each fit that has any
    optimality : the largest of any fit, see ``FittedModel.optimality``
    parameters : of the estimator as this protocol had it
    fitted : models of the folds of unseen runs, of the first seed, for what is asked of the one that is named
    on_all_runs : what each of these leaves unexplained of all runs
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
    optimality: float = float("nan")
    library_size: int = 0
    fit_seconds: float = 0.0
    candidates: int = 0
    parameters: dict[str, Json] = field(default_factory=dict)
    fitted: list[FoldModel] = field(default_factory=list)
    on_all_runs: OnAllRuns = field(default_factory=dict)
    equations: str = ""
    latex: str = ""
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None


def execute(task: Task, data: Trajectories, *, judged: bool = True) -> TaskResult:
    """Fit and score one task. A failed fit is a result that says why, not an exception.

    What a verdict asks beside scores is left out where nothing is ``judged``.
    """
    result = TaskResult(task.window, task.index)
    started = time.perf_counter()
    try:
        result.parameters = _parameters(task)
        fitted = fit_folds(task, data)
        result.fit_seconds = time.perf_counter() - started
        if judged and task.protocol == UNSEEN_RUNS and task.contender.kind == FAMILY:
            result.fitted = [f for f in fitted if f.seed == task.seeds[0]]
            result.on_all_runs = on_all_runs(task, fitted, data)
        described: FoldModel | None = None
        for held in roll_out_folds(task, fitted, data):
            _score(task, held, data, result)
            if held.fitted is not described:
                described = held.fitted
                _describe_fit(task, described, data, result)
        if len(result.models) == 1:
            result.equations, result.latex = _printed(result.models[0])
    except Exception as error:  # whatever one model runs into, a user's own family too, must not cost the others
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        result.failure = f"{task.name}: {kind}{error}"
    return result


def _parameters(task: Task) -> dict[str, Json]:
    """Of the estimator as the protocol has it, with the seeds it is fitted with; none of a reference."""
    if task.contender.reference is not None:
        return {}
    parameters = estimator_of(task).stated_parameters()
    return {**parameters, "random_state": list(task.seeds)} if task.contender.stochastic else parameters


def _printed(model: FittedModel) -> tuple[str, str]:
    """The equations of a law as text and in LaTeX; nothing of a law of more equations than a table has room for."""
    equations = model.equations()
    if len(equations) > MOST_EQUATIONS:
        return "", ""
    return "; ".join(f"{e.lhs} = {e.rhs.evalf(DIGITS)}" for e in equations), model.to_latex()


# ---------------------------------------------------------------------- scores


def _score(task: Task, held: HeldOut, data: Trajectories, result: TaskResult) -> None:
    scales = own_scales(data)
    fold, seed, model = held.fitted.fold, held.fitted.seed, held.fitted.model
    for i, r in enumerate(held.runs):
        rows = held.rows(i, data)
        truth, t, signal = data.values[r, rows], data.times[r, rows], held.rollout.signal[i, : rows.stop - rows.start]
        auc, overlap = _fate(task, data, r, signal[-1])
        result.scores.append(
            Scored(
                run=r,
                seed=seed,
                origin=fold.origin,
                score=score_rollout(truth, signal, t, held.rollout.status[i], scales),
                one_step_r2=_one_step(task, model, held.state[i], data, r, scales),
                survivor_auc=auc,
                survivor_overlap=overlap,
            )
        )
        if seed == task.seeds[0]:
            _keep(task, fold, r, (t, truth, signal), data, result)


def _describe_fit(task: Task, fitted: FoldModel, data: Trajectories, result: TaskResult) -> None:
    model = fitted.model
    _describe(model, task.contender, result)
    of_each = task.run_by_run and data.n_runs > 1  # none of which is the model's own
    first = fitted.seed == task.seeds[0]
    if task.protocol == IN_SAMPLE and first and isinstance(model, FittedModel) and not of_each:
        result.models.append(model)


def _keep(
    task: Task, fold: Fold, run: int, path: tuple[Array, Array, Array], data: Trajectories, result: TaskResult
) -> None:
    """What is drawn of a run's rollout, and how far off it is; ``path`` are times, truth and rollout."""
    t, truth, signal = path
    whole = np.flatnonzero(~np.isnan(truth).any(axis=1))  # how far off a rollout is, only complete steps tell
    thin = _thinned(whole, DRAWN_POINTS)
    if task.protocol == UNSEEN_RUNS:
        kept = _thinned(whole, max(FEWEST_KEPT, min(DRAWN_POINTS, MOST_KEPT // data.n_runs)))
        result.errors[run] = (t[kept] - t[0], worst_error(truth[kept], signal[kept]))
    if run < drawn_runs(data, task.protocol) and (fold.origin is None or fold.origin == origins(data)[DRAWN_ORIGIN]):
        with np.errstate(over="ignore"):  # what diverged is infinite in half the digits too
            result.drawn[run] = (t[thin], signal[thin].astype(np.float32))  # a picture needs no more digits


def drawn_runs(data: Trajectories, protocol: str) -> int:
    """How many runs' rollouts are kept for drawing, the first so many: bands and a worst run take more than a few."""
    most = MOST_DRAWN // (DRAWN_POINTS * data.n_features) if protocol == UNSEEN_RUNS else 0
    return min(max(DRAWN_RUNS, most), data.n_runs)


def _thinned(rows: Integers, most: int) -> Integers:
    return rows[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]


def _one_step(
    task: Task, model: FittedModel | Reference, state: Array, data: Trajectories, run: int, scales: Array | None
) -> float:
    if task.protocol != IN_SAMPLE or isinstance(model, Reference):
        return float("nan")
    n = int(data.lengths[run])
    known = inputs_of_runs(model.inputs, data, [run], model.step)
    model = model.driven(None if known is None else known.take(np.zeros(n, dtype=np.intp)))
    with np.errstate(all="ignore"):
        slopes = model.rhs(state[:n], data.times[run, :n])[..., 0]
    begin = history_of(model.channels)  # which has no slopes
    return one_step_r2(slopes[begin:], data.values[run, begin:n], data.times[run, begin:n], scales)


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
    result.candidates += model.candidates
    result.optimality = float(np.fmax(result.optimality, model.optimality))
    if (terms := model.selected_terms()) is not None:
        result.terms.append(terms)
    if contender.kind == FAMILY:  # a clock's trait is a constant column, by construction
        result.warnings += model.warnings
