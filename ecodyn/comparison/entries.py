"""From scores of single rollouts to a row for every model under every protocol, and what a verdict needs of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.by_run import ByRun, Noise
from ecodyn.comparison.candidate import Candidate
from ecodyn.comparison.contenders import Contender
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.model_score import ModelScore, Window
from ecodyn.comparison.plan import Plan, Task
from ecodyn.comparison.training_scatter import training_influence
from ecodyn.families.model import FittedModel
from ecodyn.statistics.clustered import SKILL, mean_within

__all__ = ["Entry", "entries_of"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One model under one protocol: its row, what the verdict needs of it, and what is drawn."""

    contender: Contender
    tasks: Sequence[Task]
    results: Sequence[TaskResult]
    score: ModelScore
    candidate: Candidate

    @property
    def folds(self) -> int:
        """How many folds it was scored on."""
        return sum(len(task.folds) for task in self.tasks)


def entries_of(
    plan: Plan, results: Mapping[int, TaskResult], protocols: Sequence[str], noise: Noise | None = None
) -> list[Entry]:
    """All rows of a window; models that failed, or of which not all was done, have none.

    Parameters
    ----------
    plan : the window's data and tasks
    results : by the index of their task; those of tasks that were not done are missing
    protocols : that were asked for
    noise : of the window's data
    """
    noise = noise or Noise(plan.data, plan.warm_up)
    pairs = ((contender, protocol) for contender in plan.contenders for protocol in protocols)
    return _with_equations([e for c, protocol in pairs if (e := _entry(plan, results, c, protocol, noise))])


def _entry(
    plan: Plan, results: Mapping[int, TaskResult], contender: Contender, protocol: str, noise: Noise
) -> Entry | None:
    """A model's row; None where a fit failed, nothing was scored, or not all was done."""
    tasks = plan.tasks_of(contender.name, protocol)
    mine = [results[t.index] for t in tasks if t.index in results]
    if not mine or any(r.failure for r in mine) or not any(r.scores for r in mine):
        return None
    if sum(len(r.n_coefficients) for r in mine) < sum(t.fits for t in tasks):
        return None
    by_run = ByRun([s for r in mine for s in r.scores], plan.data, noise)
    score = _score(contender, plan.window, tasks, mine, by_run)
    found = {scored: left for r in mine for scored, left in r.on_all_runs.items()}
    selected = _selections(mine) if contender.selects else {}
    moved = training_influence(found, plan.data, noise, selected) if found else None
    training = None if moved is None else by_run.of_known_clusters(moved)
    candidate = _candidate(contender, score, mine, by_run, training)
    return Entry(contender=contender, tasks=tasks, results=mine, score=score, candidate=candidate)


def _selections(results: Sequence[TaskResult]) -> dict[tuple[int, ...], Hashable]:
    """The terms of each fold's law, by the runs that it was scored on."""
    laws = ((f.fold.scored, f.model) for r in results for f in r.fitted)
    found = {scored: law.selected_terms() for scored, law in laws if isinstance(law, FittedModel)}
    return {scored: None if terms is None else frozenset(terms) for scored, terms in found.items()}


def _score(
    contender: Contender, window: Window, tasks: Sequence[Task], results: Sequence[TaskResult], by_run: ByRun
) -> ModelScore:
    per_cluster = by_run.by_cluster(by_run.skills)
    finite = by_run.skills[np.isfinite(by_run.skills)]
    fitted = [m for r in results for m in r.models]
    return ModelScore(
        name=contender.name,
        protocol=tasks[0].protocol,
        window=window,
        skill_interval=mean_within(per_cluster, within=SKILL),
        skill_median=float(np.median(finite)) if len(finite) else float("nan"),
        skill_per_run=by_run.skills,
        skill_per_cluster=per_cluster,
        loss_per_run=by_run.losses,
        log_skill=by_run.mean(lambda s: s.score.log_skill),
        horizons=by_run.quarters(),
        skill_by_horizon=by_run.skill_by_horizon(),
        diverged=by_run.diverged,
        left_out=int((~by_run.kept).sum()),
        survivor_auc=by_run.mean(lambda s: s.survivor_auc),
        survivor_overlap=by_run.mean(lambda s: s.survivor_overlap),
        order_crossing=by_run.mean(lambda s: s.score.order_crossing),
        one_step_r2=by_run.mean(lambda s: s.one_step_r2),
        n_coefficients=float(np.mean([n for r in results for n in r.n_coefficients])),
        library_size=max(r.library_size for r in results),
        candidates=sum(r.candidates for r in results),
        optimality=float(np.fmax.reduce([r.optimality for r in results])),
        in_confidence_set=False,
        p_value=float("nan"),
        fit_seconds=sum(r.fit_seconds for r in results),
        folds=sum(len(t.folds) for t in tasks),
        seeds=len(tasks[0].seeds),
        fits=sum(len(r.n_coefficients) for r in results),
        parameters=results[0].parameters,
        model=fitted[0] if len(fitted) == 1 else None,
    )


def _candidate(
    contender: Contender, score: ModelScore, results: Sequence[TaskResult], by_run: ByRun, training: Array | None
) -> Candidate:
    estimator = contender.estimator
    library_size = score.library_size or int(score.n_coefficients)
    terms = [of_fit for r in results for of_fit in r.terms]
    return Candidate(
        name=contender.name,
        losses=by_run.losses,
        skills=score.skill_per_cluster,
        library_size=library_size,
        simplicity_rank=0 if estimator is None else estimator.simplicity,
        diverged=score.diverged,
        terms=frozenset().union(*terms) if terms else None,
        selects=contender.selects,
        universal=estimator is not None and estimator.universal,
        title="" if estimator is None else estimator.title,
        gross_losses=by_run.gross_losses,
        training=training,
    )


def _with_equations(entries: Sequence[Entry]) -> list[Entry]:
    """Every protocol's row of a model shows the law fitted to everything."""
    printed = {e.contender.name: (e.score.model, r) for e in entries for r in e.results if r.equations}
    out = []
    for e in entries:
        model, result = printed.get(e.contender.name, (None, None))
        if result is not None:
            score = replace(e.score, model=model, equations=result.equations, latex=result.latex)
            out.append(replace(e, score=score))
        else:
            out.append(e)
    return out
