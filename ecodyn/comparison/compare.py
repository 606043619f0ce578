"""``compare``: fit every model, score it on what it has not seen, and judge."""

from __future__ import annotations

import re
import warnings as python_warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecodyn._version import __version__
from ecodyn.comparison.aggregate import Window, window_result
from ecodyn.comparison.candidate import DECIDED, TIED
from ecodyn.comparison.contenders import FAMILY, PROTOCOLS, UNSEEN_RUNS, Contender, contenders, left_out
from ecodyn.comparison.phases import Phases, chosen_phases
from ecodyn.comparison.protocols import ORIGINS, SEEDS, Task, TaskResult, execute, tasks_of
from ecodyn.comparison.result import Comparison, WindowResult
from ecodyn.comparison.surrogate_refits import check_count, surrogate_tests, with_tests
from ecodyn.comparison.verdict import CLAIM_LEVEL, MARGIN
from ecodyn.errors import DataWarning, NothingFittedError, UnusableDataError
from ecodyn.families.estimator import Family
from ecodyn.rollouts.iteration import FLOW, parse_dynamics
from ecodyn.runtime.processes import each_with
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, observable_of, parse_state
from ecodyn.trajectories.velocity import STEPS

Progress = Callable[[int, int, str], None]


class InterruptedComparison(KeyboardInterrupt):
    """Ctrl-C while comparing: ``finished`` is the comparison of what was done by then, or None."""

    def __init__(self, finished: Comparison | None) -> None:
        super().__init__("interrupted")
        self.finished = finished


def compare(
    data: Trajectories,
    families: Sequence[str | Family | type[Family]] | None = None,
    couplings: Sequence[str] | None = None,
    *,
    protocols: Sequence[str] = PROTOCOLS,
    windows: Sequence[Window] | None = None,
    phases: str | Phases | None = None,
    every: int = 1,
    state: str = "signal",
    dynamics: str = FLOW,
    parameters: dict[str, dict[str, Any]] | None = None,
    folds: int | None = None,
    margin: float = MARGIN,
    surrogates: int = 0,
    jobs: int = 1,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Which equation family describes trainings it has not seen, by how much, or that the data can't tell.

    Parameters
    ----------
    data : Trajectories
    families : names, classes or configured estimators; all registered ones by default
    couplings : restrict the couplings of families given by name or class
    protocols : "unseen_runs", "forecast", "in_sample"
    windows : (first step, last step) pairs, both ends included; a verdict each. The data's own range by default.
    phases : instead of windows, "auto" or what `find_phases` returned: a window a phase, found on training folds only
    every : keep each so-many-th stored step of a window, its first one always
    state : channels of a feature's state, such as "signal,gradient@start" or "signal,velocity"
    dynamics : "flow", "map" or both, "flow,map": whether families that can be either are fitted as differential
        equations or as maps between stored steps, which must then be evenly spaced; neural ODEs are flows only
    parameters : further estimator parameters by family name, such as {"linear": {"refine": False}}
    folds : number of folds of unseen_runs. By default one for every run up to 16 runs, else 8, and 8 for neural ODEs.
    margin : a log ratio of unexplained shares within which two models are as good as equal
    surrogates : how many of each kind each window's best family is refitted to, at least 19; 0 for none. Each costs
        what that family cost. See ``ecodyn.comparison.surrogates`` for the kinds and what follows from them.
    jobs : processes, one thread each; results don't depend on it
    seed : of networks, batches and sign flips
    progress : called with (tasks done, tasks, what was done)

    Returns
    -------
    Comparison
        ``print(result.verdict)``, ``result.models``, ``result.to_html(path)``, ``result.to_json()``.

    Raises
    ------
    UnusableDataError, ValueError
        The data or the request can't be used, in a sentence.
    NothingFittedError
        No family could be fitted.
    InterruptedComparison
        On Ctrl-C, with what was finished.
    """
    unknown = set(protocols) - set(PROTOCOLS)
    if unknown or not protocols:
        raise ValueError(f"protocols are {', '.join(PROTOCOLS)}; got {', '.join(sorted(unknown)) or 'none'}")
    if folds is not None and folds < 2:
        raise ValueError(f"expected at least 2 folds, got {folds}: leave folds out for one a run")
    check_count(surrogates, protocols)
    available = parse_dynamics(dynamics)
    models = contenders(families, couplings, state, parameters, available)
    known = chosen_phases(data, phases, windows, folds)
    windows = known.windows if known else windows
    parts = [part.every(every) for part in ([data] if not windows else [data.window(*w) for w in windows])]
    for part in parts:
        _check(part, models)
        _check_velocity(part, models, protocols)
        _check_protocols(part, models, protocols)
        _say_ahead(part, models)
    notes = [*data.warnings, *(known.notes if known else ()), *left_out(families, available)]
    results, interrupted = [], False
    for number, part in enumerate(parts):
        tasks = tasks_of(models, protocols, part, folds, seed, jobs)
        done = _Progress(progress, number, len(parts), len(tasks), part)
        found, interrupted = _run(tasks, part, jobs, done)
        results.append((part, tasks, found))
        if interrupted:
            break
    finished = [
        window_result(part, models, tasks, found, protocols, margin, folds, seed) for part, tasks, found in results
    ]
    if surrogates and not interrupted:
        interrupted = _test_against_surrogates(finished, parts, models, surrogates, folds, seed, jobs, progress, notes)
    settings = {"protocols": list(protocols), "folds": folds, "every": every, "margin": margin, "seed": seed}
    settings |= {"surrogates": surrogates} if surrogates else {}
    answer = replace(_answer(data, models, finished, results, interrupted, notes, settings), phases=known)
    if interrupted:
        raise InterruptedComparison(answer if any(w.models for w in finished) else None)
    if not any(m.kind == FAMILY for m in answer.models):
        raise NothingFittedError("no family could be fitted: " + "; ".join(answer.failures))
    if answer.warnings:
        python_warnings.warn("; ".join(answer.warnings), DataWarning, stacklevel=2)
    return answer


def _check(data: Trajectories, models: Sequence[Contender]) -> None:
    """What no family could use is refused before any work; what one can't is that family's failure."""
    problems = []
    for m in models:
        if m.kind == FAMILY and m.estimator is not None:
            try:
                m.estimator.check(data)
                data.state(m.state)
            except UnusableDataError as error:
                problems.append(str(error))
    if problems and len(problems) == sum(m.kind == FAMILY for m in models):
        raise UnusableDataError(problems[0])
    moving = np.nanmax(np.abs(data.values - data.values[:, :1])) if data.values.size else 0.0
    if not moving > 0:
        raise UnusableDataError(
            "expected signals that change over the window, got constant ones in every run: nothing is left to explain"
        )


def _say_ahead(data: Trajectories, models: Sequence[Contender]) -> None:
    """What a reader should know before the work begins, said then."""
    for m in models:
        if m.kind == FAMILY and m.estimator is not None:
            for sentence in m.estimator.ahead(data):
                python_warnings.warn(sentence, DataWarning, stacklevel=3)


def _check_velocity(data: Trajectories, models: Sequence[Contender], protocols: Sequence[str]) -> None:
    """A held-out rollout must not start from a velocity that is told by the steps it is scored on."""
    wanted = any(observable_of(c) == VELOCITY for m in models for c in parse_state(m.state))
    if wanted and UNSEEN_RUNS in protocols and not data.knows_before.all():
        raise UnusableDataError(
            "expected a stored step before the window, to tell the velocity at its first step from; got a window that "
            f"begins where a run does, at {np.nanmin(data.times):g}: begin it {STEPS} stored steps later"
        )


def _check_protocols(data: Trajectories, models: Sequence[Contender], protocols: Sequence[str]) -> None:
    if not any(m.kind == FAMILY and m.takes_part(p, data) for m in models for p in protocols):
        raise ValueError(
            f"nothing can be fitted under {', '.join(protocols)}: unseen_runs needs at least 2 independent runs, got "
            f"{data.n_clusters}, and laws that transfer between them (full does only if labels are shared)"
        )


class _Progress:
    """Counts finished tasks for the caller's callback."""

    def __init__(self, callback: Progress | None, number: int, windows: int, tasks: int, data: Trajectories) -> None:
        self.callback, self.done, self.before, self.total = callback, 0, number * tasks, windows * tasks
        self.where = f"{np.nanmin(data.times):g}:{np.nanmax(data.times):g}"

    def __call__(self, task: Task) -> None:
        self.done += 1
        if self.callback is not None:
            self.callback(self.before + self.done, self.total, f"{self.where} {task.protocol} {task.contender.label}")


def _run(
    tasks: Sequence[Task], data: Trajectories, jobs: int, progress: _Progress
) -> tuple[dict[int, TaskResult], bool]:
    """Results by task; what was finished before an interrupt or a killed worker is kept."""
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    found: dict[int, TaskResult] = {}
    by_index = {t.index: t for t in tasks}
    try:
        for result in each_with(execute, tasks, data, jobs, ordered=False):
            found[result.index] = result
            progress(by_index[result.index])
    except KeyboardInterrupt:
        return found, True
    except TerminatedWorkerError:
        for task in tasks:
            if task.index not in found:
                lost = f"{task.contender.label} ({task.protocol}): its process was killed, perhaps for memory"
                found[task.index] = TaskResult(task.index, failure=lost)
    return found, False


def _test_against_surrogates(
    windows: list[WindowResult],
    parts: Sequence[Trajectories],
    models: Sequence[Contender],
    count: int,
    folds: int | None,
    seed: int,
    jobs: int,
    progress: Progress | None,
    notes: list[str],
) -> bool:
    """Put tests into the windows' results, one by one, and reasons for missing ones into the notes.

    True if it was interrupted: windows that were tested by then keep their tests.
    """
    try:
        for i, part in enumerate(parts):
            tests, reasons = surrogate_tests(
                windows[i], part, models, count, folds=folds, seed=seed, jobs=jobs, progress=progress
            )
            notes += reasons
            windows[i] = with_tests(windows[i], tests)
    except KeyboardInterrupt:
        return True
    return False


def _answer(
    data: Trajectories,
    models: Sequence[Contender],
    windows: list[WindowResult],
    results: list[tuple[Trajectories, list[Task], dict[int, TaskResult]]],
    interrupted: bool,
    notes: list[str],
    settings: dict[str, Any],
) -> Comparison:
    all_results = [r for _, _, found in results for r in found.values()]
    failures = dict.fromkeys(r.failure for r in all_results if r.failure)
    for m in models:
        if m.estimator is not None and m.kind == FAMILY:
            notes += m.estimator.notes(data)
    notes += _summed_up([w for r in all_results for w in r.warnings])
    return Comparison(
        windows=_holm(windows),
        settings={
            **settings,
            "ecodyn": __version__,
            "forecast_origins": ORIGINS,
            "neural_seeds": SEEDS,
            "models": [m.named() for m in models],
        },
        data={
            **data.provenance,
            "runs": data.n_runs,
            "clusters": data.n_clusters,
            "steps": data.n_steps,
            "features": data.n_features,
            "labels_shared": data.labels_shared,
        },
        features=data.features.tolist(),
        warnings=tuple(dict.fromkeys(notes)),
        failures=tuple(failures),
        interrupted=interrupted,
    )


def _summed_up(warnings: list[str]) -> list[str]:
    """One sentence a kind of warning: those that differ only in their numbers are counted."""
    kinds: dict[str, list[str]] = {}
    for text in warnings:
        kinds.setdefault(re.sub(r"[\d.e+-]+", "#", text), []).append(text)
    return [t[0] if len(t) == 1 else f"{t[0]} (so in {len(t)} fits)" for t in kinds.values()]


def _holm(windows: list[WindowResult]) -> list[WindowResult]:
    """Mark which verdicts stand when several windows are asked at once (Holm 1979)."""
    claims = [(w.verdict.p_value or 0.0, i) for i, w in enumerate(windows) if w.verdict.status in (DECIDED, TIED)]
    standing, holds = True, {}
    for rank, (p, i) in enumerate(sorted(claims)):
        standing = standing and p * (len(claims) - rank) <= 1 - CLAIM_LEVEL
        holds[i] = standing
    return [
        replace(w, verdicts={**w.verdicts, w.headline: replace(w.verdict, holds=holds.get(i, True))})
        for i, w in enumerate(windows)
    ]
