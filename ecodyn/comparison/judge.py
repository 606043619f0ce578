"""From scores of single rollouts to a window's result: rows of the table, pairs, and a verdict a protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.adequacy import Adequacy
from ecodyn.comparison.bands import HeldOutErrors
from ecodyn.comparison.by_run import ByRun, Noise
from ecodyn.comparison.candidate import FEWEST_RUNS, Candidate
from ecodyn.comparison.contenders import FORECAST, IN_SAMPLE, UNSEEN_RUNS, Contender
from ecodyn.comparison.execution import DRAWN_POINTS, DRAWN_RUNS, TaskResult
from ecodyn.comparison.folds import complete_before
from ecodyn.comparison.held_out import roll_out_folds
from ecodyn.comparison.model_score import ModelScore, Pair, Start
from ecodyn.comparison.plan import Plan, Task
from ecodyn.comparison.request import Request, Window
from ecodyn.comparison.residual_test import adequacy_of
from ecodyn.comparison.scores import order_crossing
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.comparison.window_result import Drawn, WindowResult
from ecodyn.families.model_name import FAMILY
from ecodyn.statistics.intervals import Estimate
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories

__all__ = ["judge", "start_of"]

WHERE = {UNSEEN_RUNS: "On trainings not seen", FORECAST: "Forecasting"}  # how sentences begin


@dataclass(frozen=True, kw_only=True)
class _Entry:
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


def judge(plan: Plan, results: Mapping[int, TaskResult], request: Request) -> WindowResult:
    """Gather a window's single scores: a row for every model under every protocol, and who is best.

    Parameters
    ----------
    plan : the window's data and tasks
    results : by the index of their task; those of tasks that were not done are missing
    request : margin, seed and survivor rule
    """
    noise = Noise(plan.data)
    pairs = ((contender, protocol) for contender in plan.contenders for protocol in request.protocols)
    entries = [e for contender, protocol in pairs if (e := _entry(plan, results, contender, protocol, noise))]
    entries = _with_equations(entries)
    verdicts = {
        protocol: verdict.with_adequacy(_adequacy(plan, entries, protocol, verdict, request))
        for protocol, verdict in _verdicts(plan, entries, request).items()
    }
    models = [_with_verdict(e.score, verdicts) for e in entries]
    headline = _headline(verdicts, plan.data)
    if headline not in verdicts:
        first, last = plan.window
        verdicts[headline] = Verdict.undecided(f"Steps {first:g} to {last:g}: no protocol that ranks was run.")
    return WindowResult(
        window=plan.window,
        headline=headline,
        verdicts=verdicts,
        models=models,
        pairs=_pairs(models),
        start=start_of(plan.data, request.survivor_rule),
        noise_share=noise.mean(),
        drawn={(e.score.protocol, e.contender.name): _merged(r.drawn for r in e.results) for e in entries},
        truth=_drawn_truth(plan.data),
        errors={e.contender.name: _held_out_errors(e, plan.data) for e in entries if any(r.errors for r in e.results)},
    )


def _entry(
    plan: Plan, results: Mapping[int, TaskResult], contender: Contender, protocol: str, noise: Noise
) -> _Entry | None:
    """A model's row; None where a fit failed, nothing was scored, or not all was done."""
    tasks = plan.tasks_of(contender.name, protocol)
    mine = [results[t.index] for t in tasks if t.index in results]
    if not mine or any(r.failure for r in mine) or not any(r.scores for r in mine):
        return None
    if sum(len(r.n_coefficients) for r in mine) < sum(t.fits for t in tasks):
        return None
    by_run = ByRun([s for r in mine for s in r.scores], plan.data, noise)
    score = _score(contender, plan.window, tasks, mine, by_run)
    candidate = _candidate(contender, score, mine, by_run)
    return _Entry(contender=contender, tasks=tasks, results=mine, score=score, candidate=candidate)


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
        skill_interval=Estimate.of(per_cluster),
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
        in_confidence_set=False,
        p_value=float("nan"),
        fit_seconds=sum(r.fit_seconds for r in results),
        folds=sum(len(t.folds) for t in tasks),
        seeds=len(tasks[0].seeds),
        fits=sum(len(r.n_coefficients) for r in results),
        parameters=results[0].parameters,
        model=fitted[0] if len(fitted) == 1 else None,
    )


def _candidate(contender: Contender, score: ModelScore, results: Sequence[TaskResult], by_run: ByRun) -> Candidate:
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
        over_flexible=contender.over_flexible(library_size),
        terms=frozenset().union(*terms) if terms else None,
        selects=estimator is not None and estimator.selects,
        universal=estimator is not None and estimator.universal,
        title="" if estimator is None else estimator.title,
        gross_losses=by_run.gross_losses,
    )


def _with_equations(entries: Sequence[_Entry]) -> list[_Entry]:
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


def _verdicts(plan: Plan, entries: Sequence[_Entry], request: Request) -> dict[str, Verdict]:
    """The verdict of each protocol that ranks and has scores."""
    verdicts = {}
    first, last = plan.window
    for protocol in request.protocols:
        mine = [e for e in entries if e.score.protocol == protocol]
        if protocol == IN_SAMPLE or not mine:
            continue
        shared = [e.folds for e in mine if e.candidate.over_flexible] if protocol == UNSEEN_RUNS else []
        verdicts[protocol] = decide(
            [e.candidate for e in mine],
            folds=min(shared, default=None),
            margin=request.margin,
            where=f"{WHERE[protocol]}, steps {first:g} to {last:g}",
            seed=request.seed,
        )
    return verdicts


def _adequacy(
    plan: Plan, entries: Sequence[_Entry], protocol: str, verdict: Verdict, request: Request
) -> Adequacy | None:
    """Whether the family that is named leaves noise only; asked of models of folds of unseen runs."""
    named = [e for e in entries if e.score.protocol == protocol and e.score.name == verdict.best]
    if protocol != UNSEEN_RUNS or not named:
        return None
    entry = named[0]
    held = [h for t, r in zip(entry.tasks, entry.results, strict=True) for h in roll_out_folds(t, r.fitted, plan.data)]
    return adequacy_of(held, plan.data, seed=request.seed)


def _with_verdict(score: ModelScore, verdicts: Mapping[str, Verdict]) -> ModelScore:
    """The row with its place in the confidence set."""
    verdict = verdicts.get(score.protocol)
    if verdict is None or score.name not in verdict.p_values:
        return score
    p_value = verdict.p_values[score.name]
    return replace(score, in_confidence_set=score.name in verdict.members, p_value=p_value)


def _headline(verdicts: Mapping[str, Verdict], data: Trajectories) -> str:
    preferred = UNSEEN_RUNS if data.n_clusters >= FEWEST_RUNS else FORECAST
    return preferred if preferred in verdicts or not verdicts else next(iter(verdicts))


def _pairs(models: Sequence[ModelScore]) -> list[Pair]:
    pairs = []
    for a, b in combinations([m for m in models if m.kind == FAMILY], 2):
        if a.protocol != b.protocol or len(a.skill_per_cluster) != len(b.skill_per_cluster):
            continue
        difference = Estimate.of(a.skill_per_cluster - b.skill_per_cluster)
        if difference.n:
            pairs.append(Pair(a=a.name, b=b.name, protocol=a.protocol, window=a.window, difference=difference))
    return pairs


def start_of(data: Trajectories, rule: str) -> Start:
    """What the starting signals say of who survives under a rule; NaN where it can't be asked."""
    rows, data = [], data.complete()
    for run in range(data.n_runs):
        signal = data.values[run, : int(data.lengths[run])]
        alive = alive_at_end(data, run, rule)
        of_start = [np.nan] * 3 if alive is None else _of_start(signal[0], alive)
        rows.append((*of_start, order_crossing(signal)))
    auc, overlap, survivors, crossing = (Estimate.of(column).mean for column in np.array(rows).T)
    return Start(auc, overlap, crossing, survivors)


def _of_start(start: Array, alive: Bools) -> list[float]:
    """AUC and top-m overlap of a run's starting signal, and its number of survivors."""
    return [area_under_curve(start, alive), top_overlap(start, alive), float(alive.sum())]


def _merged(parts: Iterable[Drawn]) -> Drawn:
    return {run: path for part in parts for run, path in part.items()}


def _held_out_errors(entry: _Entry, data: Trajectories) -> HeldOutErrors:
    return HeldOutErrors.gathered(_merged(r.errors for r in entry.results), data.clusters)


def _drawn_truth(data: Trajectories) -> Drawn:
    out = {}
    for run in range(min(DRAWN_RUNS, data.n_runs)):
        whole = complete_before(data, run, None)  # a line through a missing value has a hole, or no end
        rows = whole[np.unique(np.linspace(0, len(whole) - 1, DRAWN_POINTS).astype(int))]
        out[run] = (data.times[run, rows], data.values[run, rows])
    return out
