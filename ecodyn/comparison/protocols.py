"""The three protocols: what is fitted on, what is rolled out, and the scores of single runs that come of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.comparison.bands import worst_error
from ecodyn.comparison.contenders import CLOCK, FAMILY, IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.references import Reference
from ecodyn.comparison.scores import RunScore, one_step_r2, score_rollout
from ecodyn.families.estimator import MIN_STEPS
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.families.side_by_side import simulate_all
from ecodyn.rollouts.integration import Rollout
from ecodyn.survivors.fates import area_under_curve, survivors, top_overlap
from ecodyn.trajectories import Trajectories

ORIGINS = (0.4, 0.6, 0.8)  # of the window, where forecasts start
MOST_FOLDS = 16  # leave one out up to so many runs
FOLDS = 8
NEURAL_FOLDS = 8
SEEDS = 3
DRAWN_RUNS = 3  # held-out rollouts kept for drawing
DRAWN_POINTS = 200


@dataclass(frozen=True)
class Task:
    """Some folds of one contender under one protocol: the unit of work that runs in one process."""

    index: int
    contender: Contender
    protocol: str
    folds: tuple[Fold, ...]
    seeds: tuple[int, ...]
    run_by_run: bool


@dataclass(frozen=True)
class Fold:
    """What is fitted on (runs, and steps up to an origin) and what is scored on; run positions, not labels."""

    training: tuple[int, ...]
    scored: tuple[int, ...]
    origin: float | None = None


@dataclass(frozen=True)
class Scored:
    """One held-out rollout's score."""

    run: int
    seed: int
    origin: float | None
    score: RunScore
    one_step_r2: float
    survivor_auc: float
    survivor_overlap: float


@dataclass
class TaskResult:
    """What a task found: scores, and what the report shows of its fits. Scores of fits that failed are missing.

    ``drawn`` are rollouts of a few runs, ``errors`` how far off those of all held-out runs are (elapsed times, worst
    error over features), both of the first seed.
    """

    index: int
    scores: list[Scored] = field(default_factory=list)
    models: list[FittedModel] = field(default_factory=list)
    drawn: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    errors: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    terms: list[frozenset[str]] = field(default_factory=list)
    n_coefficients: list[int] = field(default_factory=list)
    library_size: int = 0
    fit_seconds: float = 0.0
    candidates: int = 0
    warnings: list[str] = field(default_factory=list)
    failure: str | None = None


def folds_by_cluster(clusters: NDArray[Any], folds: int | None) -> list[tuple[int, ...]]:
    """Run positions of each fold; runs of a cluster stay together. Leave one cluster out up to 16, else 8 folds."""
    labels = list(dict.fromkeys(clusters.tolist()))
    count = min(len(labels), folds or (MOST_FOLDS if len(labels) <= MOST_FOLDS else FOLDS))
    if count < 2:
        return []
    groups = [set(labels[f::count]) for f in range(count)]
    return [tuple(i for i, c in enumerate(clusters.tolist()) if c in group) for group in groups]


def folds_of(contender: Contender, protocol: str, data: Trajectories, folds: int | None) -> list[Fold]:
    """The folds of a contender under a protocol."""
    everyone = tuple(range(data.n_runs))
    if protocol == UNSEEN_RUNS:
        count = folds or (NEURAL_FOLDS if contender.stochastic else None)
        held_out = folds_by_cluster(data.clusters, count)
        return [Fold(tuple(r for r in everyone if r not in h), h) for h in held_out]
    groups = [(r,) for r in everyone] if contender.run_by_run(data) else [everyone]
    if protocol == IN_SAMPLE:
        return [Fold(g, g) for g in groups]
    return [Fold(g, g, origin) for g in groups for origin in _origins(data)]


def _origins(data: Trajectories) -> list[float]:
    first, last = float(np.nanmin(data.times)), float(np.nanmax(data.times))
    return [first + share * (last - first) for share in ORIGINS]


def execute(task: Task, data: Trajectories) -> TaskResult:
    """Fit and score one task. A failed fit is a result that says why, not an exception."""
    result = TaskResult(task.index)
    started = time.perf_counter()
    try:
        fitted = list(_fit(task, data))
        result.fit_seconds = time.perf_counter() - started
        _score_all(task, fitted, data, result)
    except Exception as error:  # whatever one model runs into, a user's own family too, must not cost the others
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        result.failure = f"{task.contender.label}: {kind}{error}"
    return result


def _fit(task: Task, data: Trajectories) -> Iterator[tuple[Fold, int, FittedModel | Reference]]:
    training = [_training(fold, data) for fold in task.folds]
    if task.contender.reference is not None:
        for fold, part in zip(task.folds, training, strict=True):
            reference = task.contender.reference.fit(part)
            if reference is not None:
                yield fold, 0, reference
        return
    if task.contender.estimator is None:
        return
    estimator = task.contender.estimator.for_protocol(task.protocol, run_by_run=task.run_by_run)
    for part in training:
        estimator.check(part)
    clock = task.contender.kind == CLOCK
    if task.contender.stochastic:
        models = estimator.fit_seeds(training, task.seeds, clock=clock)
        seeds = task.seeds
    else:
        models, seeds = estimator.fit_models(training, clock=clock), (0,)
    for i, model in enumerate(models):
        yield task.folds[i // len(seeds)], seeds[i % len(seeds)], model


def own_origin(data: Trajectories, run: int, origin: float) -> float:
    """An origin on a run's own clock: it is stated for the earliest run, and shifts with a run's first step."""
    return origin + float(data.times[run, 0] - np.nanmin(data.times))


def _steps_before(data: Trajectories, run: int, origin: float) -> int:
    n = int(data.lengths[run])
    return int(np.sum(data.times[run, :n] <= own_origin(data, run, origin)))


def _training(fold: Fold, data: Trajectories) -> Trajectories:
    if fold.origin is None:
        return data.select(runs=[data.runs[r] for r in fold.training])
    # Runs with next to nothing before the origin are left out, and counted as such by their missing scores.
    counts = {r: _steps_before(data, r, fold.origin) for r in fold.training}
    kept = [r for r, n in counts.items() if n >= MIN_STEPS]
    if not kept:
        raise ValueError(f"no run has {MIN_STEPS} steps before the origin at {fold.origin:g}; widen the window")
    part = data.select(runs=[data.runs[r] for r in kept])
    return part.head([counts[r] for r in kept])


@dataclass(frozen=True)
class _HeldOut:
    """What a fold's model is rolled out from: runs, and their first rows, states (run, step, …), times and starts."""

    runs: list[int]
    first: NDArray[np.intp]
    state: Array
    times: Array
    starts: Array


def _score_all(
    task: Task, fitted: Sequence[tuple[Fold, int, FittedModel | Reference]], data: Trajectories, result: TaskResult
) -> None:
    """Roll all of a task's models out from their held-out starts, together, and score them one by one."""
    pairs = [(_held_out(task, fold, model, data), fold, seed, model) for fold, seed, model in fitted]
    pairs = [pair for pair in pairs if pair[0].runs]
    laws = [(held, model) for held, _, _, model in pairs if isinstance(model, FittedModel)]
    rollouts = iter(simulate_all([m for _, m in laws], [h.starts for h, _ in laws], [h.times for h, _ in laws]))
    for held, fold, seed, model in pairs:
        rollout = next(rollouts) if isinstance(model, FittedModel) else model.simulate(held.starts, held.times)
        _score(task, fold, seed, model, held, rollout, data, result)


def _held_out(task: Task, fold: Fold, model: FittedModel | Reference, data: Trajectories) -> _HeldOut:
    runs = [r for r in fold.scored if fold.origin is None or _steps_before(data, r, fold.origin) >= MIN_STEPS]
    state = data.state(task.contender.state if isinstance(model, FittedModel) else "signal")[runs]
    first = _first_rows(runs, fold.origin, data)
    times = _from_origin(data.times[runs], first) if runs else data.times[runs]
    return _HeldOut(runs, first, state, times, state[np.arange(len(runs)), first])


def _score(
    task: Task,
    fold: Fold,
    seed: int,
    model: FittedModel | Reference,
    held: _HeldOut,
    rollout: Rollout,
    data: Trajectories,
    result: TaskResult,
) -> None:
    first, state = held.first, held.state
    for i, r in enumerate(held.runs):
        rows = slice(int(first[i]), int(data.lengths[r]))
        count = rows.stop - rows.start
        truth, t = data.values[r, rows], data.times[r, rows]
        score = score_rollout(truth, rollout.signal[i, :count], t, rollout.status[i])
        one_step = _one_step(task, model, state[i], data, r)
        fate = _fate(task.contender, data, r, rollout.signal[i, count - 1])
        result.scores.append(Scored(r, seed, fold.origin, score, one_step, *fate))
        thin = np.unique(np.linspace(0, count - 1, DRAWN_POINTS).astype(int))
        if task.protocol == UNSEEN_RUNS and seed == task.seeds[0]:
            result.errors[r] = (t[thin] - t[0], worst_error(truth[thin], rollout.signal[i, :count][thin]))
        if r < DRAWN_RUNS and seed == task.seeds[0] and (fold.origin is None or fold.origin == _origins(data)[1]):
            result.drawn[r] = (t[thin], rollout.signal[i, :count][thin])
    _describe(model, task.contender.kind, result)
    if task.protocol == IN_SAMPLE and seed == task.seeds[0] and isinstance(model, FittedModel):
        result.models.append(model)


def _first_rows(runs: Sequence[int], origin: float | None, data: Trajectories) -> NDArray[np.intp]:
    if origin is None:
        return np.zeros(len(runs), dtype=np.intp)
    # The last step that was fitted on is where a forecast starts.
    return np.array([_steps_before(data, r, origin) - 1 for r in runs])


def _from_origin(times: Array, first: NDArray[np.intp]) -> Array:
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


def _fate(contender: Contender, data: Trajectories, run: int, last: Array) -> tuple[float, float]:
    """AUC and top-m overlap of the rollout's last values with the survivors, where the law can reorder features."""
    if not contender.can_reorder(data):
        return float("nan"), float("nan")
    alive = survivors(*signal_and_dc(data, run))
    return area_under_curve(last, alive), top_overlap(last, alive)


def signal_and_dc(data: Trajectories, run: int) -> tuple[Array, Array | None]:
    """One run's signal (step, feature) and DC component (step,), without padding."""
    n = int(data.lengths[run])
    return data.values[run, :n], None if data.dc is None else data.dc[run, :n]


def _describe(model: FittedModel | Reference, kind: str, result: TaskResult) -> None:
    result.n_coefficients.append(model.n_coefficients)
    if isinstance(model, Law):
        result.library_size = max(result.library_size, model.library_size)
        result.terms.append(model.selected_terms())
        if model.diagnostics is not None:
            result.candidates += model.diagnostics.candidates
    elif isinstance(model, FittedModel):
        result.library_size = model.library_size
    if isinstance(model, FittedModel) and kind == FAMILY:  # a clock's trait is a constant column, by construction
        result.warnings += model.warnings


def seeds_of(contender: Contender, protocol: str, data: Trajectories) -> int:
    """With how many seeds a contender is fitted: networks that are ranked with three, others with one."""
    ranked = contender.stochastic and protocol != IN_SAMPLE and not contender.run_by_run(data)
    return SEEDS if ranked else 1


def tasks_of(
    contenders: Sequence[Contender],
    protocols: Sequence[str],
    data: Trajectories,
    folds: int | None,
    seed: int,
    jobs: int,
) -> list[Task]:
    """All tasks of a window, the longest first; a contender's folds are spread over the processes."""
    tasks: list[Task] = []
    for contender in contenders:
        for protocol in protocols:
            if not contender.takes_part(protocol, data):
                continue
            all_folds = folds_of(contender, protocol, data, folds)
            seeds = tuple(range(seed, seed + seeds_of(contender, protocol, data)))
            # Networks are batched, and better off in few large tasks; other fits even out over many small ones.
            count = min(len(all_folds), jobs)
            for piece in range(count):
                chosen = tuple(all_folds[piece::count])
                alone = contender.run_by_run(data)
                tasks.append(Task(len(tasks), contender, protocol, chosen, seeds, alone))
    return sorted(tasks, key=lambda t: (not t.contender.stochastic, t.contender.reference is not None, -t.index))
