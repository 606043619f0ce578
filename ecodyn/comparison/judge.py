"""From scores of single rollouts to a window's result: rows of the table, pairs, and a verdict a protocol."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.adequacy import Adequacy
from ecodyn.comparison.bands import HeldOutErrors
from ecodyn.comparison.by_run import Noise
from ecodyn.comparison.candidate import UNDECIDED, mean
from ecodyn.comparison.contenders import FORECAST, IN_SAMPLE, UNSEEN_RUNS
from ecodyn.comparison.entries import Entry, entries_of
from ecodyn.comparison.execution import DRAWN_POINTS, TaskResult, drawn_runs
from ecodyn.comparison.feature_bands import FeatureErrors
from ecodyn.comparison.folds import complete_before
from ecodyn.comparison.held_out import FoldModel, roll_out_folds
from ecodyn.comparison.kept import kept_or_made, task_keys
from ecodyn.comparison.model_score import ModelScore, Pair, Start
from ecodyn.comparison.plan import Plan
from ecodyn.comparison.ranking import Rule
from ecodyn.comparison.repeats import chance_to_repeat
from ecodyn.comparison.request import Request, Window
from ecodyn.comparison.residual_test import adequacy_of, runs_asked
from ecodyn.comparison.scores import order_crossing
from ecodyn.comparison.selections import against_selection
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.comparison.window_result import Drawn, WindowResult
from ecodyn.families.model_name import FAMILY, ModelName
from ecodyn.statistics.intervals import Estimate
from ecodyn.survivors.fates import area_under_curve, top_overlap
from ecodyn.survivors.survivors import alive_at_end
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.independence import FEWEST_RUNS
from ecodyn.trajectories.state import history_of, parse_state

__all__ = ["judge", "start_of", "verdict_of"]

WHERE = {UNSEEN_RUNS: "On trainings not seen", FORECAST: "Forecasting"}  # how sentences begin


def judge(plan: Plan, results: Mapping[int, TaskResult], request: Request) -> WindowResult:
    """Gather a window's single scores: a row for every model under every protocol, and who is best.

    Parameters
    ----------
    plan : the window's data and tasks
    results : by the index of their task; those of tasks that were not done are missing
    request : margin, seed and survivor rule
    """
    noise = Noise(plan.data, plan.warm_up)
    entries = entries_of(plan, results, request.protocols, noise)
    verdicts = _verdicts(plan, entries, request)
    models = [_with_verdict(e.score, verdicts) for e in entries]
    headline = _headline(verdicts, plan.data)
    if headline not in verdicts:
        first, last = plan.window
        verdicts[headline] = Verdict.undecided(f"Steps {first:g} to {last:g}: no protocol that ranks was run.")
    drawn = {(e.score.protocol, e.contender.name): _merged(r.drawn for r in e.results) for e in entries}
    truth = _drawn_truth(plan.data)
    return WindowResult(
        window=plan.window,
        headline=headline,
        verdicts=verdicts,
        models=models,
        pairs=_pairs(models),
        start=start_of(plan.data, request.survivor_rule),
        noise_share=noise.mean(),
        drawn=drawn,
        truth=truth,
        errors={e.contender.name: _held_out_errors(e, plan.data) for e in entries if any(r.errors for r in e.results)},
        feature_errors=_feature_errors(truth, drawn, plan.data),
    )


def _verdicts(plan: Plan, entries: Sequence[Entry], request: Request) -> dict[str, Verdict]:
    """The verdict of each protocol that ranks and has scores."""
    verdicts = {}
    for protocol in request.protocols:
        mine = [e for e in entries if e.score.protocol == protocol]
        if protocol == IN_SAMPLE or not mine:
            continue
        verdict = verdict_of(mine, protocol, plan.window, request)
        if plan.warm_up and protocol == UNSEEN_RUNS:
            verdict = verdict.with_sentence(_late_scores(plan))
        verdicts[protocol] = _asked_further(plan, mine, verdict, request) if protocol == UNSEEN_RUNS else verdict
    return verdicts


def _late_scores(plan: Plan) -> str:
    """From where scores begin, and what the steps before are for."""
    laws = [c for c in plan.contenders if c.estimator is not None]
    history = max(history_of(parse_state(c.state)) for c in laws)
    hidden = any(c.warm_up > history_of(parse_state(c.state)) for c in laws)
    told = [*(["from which where hidden variables start is estimated"] if hidden else [])]
    told += ["which hold the history of delayed signals"] if history else []
    return f"Of all models alike, scores begin after the first {plan.warm_up} steps of each run, {', and '.join(told)}."


def _asked_further(plan: Plan, entries: Sequence[Entry], verdict: Verdict, request: Request) -> Verdict:
    """Of a family that is named: whether it leaves noise only, and would be named again; else whether any does."""
    best = verdict.best
    if best is None:
        return _with_none_adequate(plan, entries, verdict, request)
    try:
        adequacy = _adequacy(plan, entries, verdict, best, request)
    except Exception as error:  # as of fits: whatever a user's own family runs into must not cost the comparison
        verdict = verdict.with_sentence(f"Whether it leaves noise only could not be asked: {error}.")
    else:
        verdict = verdict.with_adequacy(adequacy)
        if adequacy is None:
            verdict = verdict.with_sentence("These runs are too rough to tell whether it leaves noise only.")
    rule = Rule(folds=_folds(entries, UNSEEN_RUNS), margin=math.log1p(request.margin), seed=request.seed)
    asked = ([e.candidate for e in entries], best, rule)
    return verdict.with_chance(kept_or_made(request, "chance", asked, lambda: chance_to_repeat(*asked)))


def _with_none_adequate(plan: Plan, entries: Sequence[Entry], verdict: Verdict, request: Request) -> Verdict:
    """Of families that can't be told apart: whether all of them leave something, so that none can be the law.

    What leaves least is asked first; where one leaves noise only, or is too rough to be asked, nothing is said.
    """
    if verdict.status != UNDECIDED or verdict.runs < FEWEST_RUNS:
        return verdict
    found: dict[ModelName, Adequacy] = {}
    for name in verdict.undecided_against:
        try:
            adequacy = _adequacy(plan, entries, verdict, name, request)
        except Exception as error:  # whatever a user's own family runs into
            return verdict.with_sentence(f"Whether {name} leaves noise only could not be asked: {error}.")
        if adequacy is None or not adequacy.leaves_more_than_noise:
            return verdict
        found[name] = adequacy
    return verdict.with_none_adequate(found)


def verdict_of(entries: Sequence[Entry], protocol: str, window: Window, request: Request) -> Verdict:
    """The verdict of the rule on all entries of one protocol, before anything else is asked of the family it names."""
    where = f"{WHERE[protocol]}, steps {window[0]:g} to {window[1]:g}"
    folds, candidates = _folds(entries, protocol), [e.candidate for e in entries]
    return decide(candidates, folds=folds, margin=request.margin, where=where, seed=request.seed)


def _folds(entries: Sequence[Entry], protocol: str) -> int | None:
    """Folds share training runs where unseen runs are scored: of families with fewer folds the most."""
    shared = [e.folds for e in entries if e.score.kind == FAMILY] if protocol == UNSEEN_RUNS else []
    return min(shared, default=None)


def _adequacy(
    plan: Plan, entries: Sequence[Entry], verdict: Verdict, name: ModelName, request: Request
) -> Adequacy | None:
    """Whether a family leaves noise only on the runs that its folds' models were not fitted to.

    Asked of the fits that it was ranked by: a selection of no other terms, if that leaves less.
    """
    names = [name, *(twin for home, twin in verdict.same_model if home == name)]
    entry = min((e for e in entries if e.score.name in names), key=lambda e: mean(e.candidate.losses))
    asked = runs_asked(plan.data.n_runs, request.seed)
    selection = ""
    if entry.candidate.selects:
        terms = [of_fit for r in entry.results for of_fit in r.terms]
        selection = against_selection(terms, entry.score.n_coefficients, entry.score.library_size)

    def made() -> Adequacy | None:
        pairs = [(t, _only(r.fitted, asked)) for t, r in zip(entry.tasks, entry.results, strict=True)]
        held = [h for task, fitted in pairs for h in roll_out_folds(task, fitted, plan.data)]
        sample = None if asked is None else len(asked)
        return adequacy_of(held, plan.data, selection=selection, seed=request.seed, asked=sample)

    fits = task_keys(entry.tasks, plan.data, request.kept)
    return kept_or_made(request, "adequacy", (selection, request.seed), made, of=fits)


def _only(fitted: Sequence[FoldModel], runs: frozenset[int] | None) -> list[FoldModel]:
    """The fits with these of their held-out runs; with all of them where none are named."""
    if runs is None:
        return list(fitted)
    return [replace(f, fold=replace(f.fold, scored=tuple(r for r in f.fold.scored if r in runs))) for f in fitted]


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


def _held_out_errors(entry: Entry, data: Trajectories) -> HeldOutErrors:
    return HeldOutErrors.gathered(_merged(r.errors for r in entry.results), data.clusters)


def _feature_errors(
    truth: Drawn, drawn: Mapping[tuple[str, ModelName], Drawn], data: Trajectories
) -> dict[ModelName, FeatureErrors]:
    """Of each family and clock; of references no bands are drawn."""
    found = {
        name: FeatureErrors.gathered(truth, rollouts, data.clusters, named=data.labels_shared)
        for (protocol, name), rollouts in drawn.items()
        if protocol == UNSEEN_RUNS and name.is_law
    }
    return {name: errors for name, errors in found.items() if errors is not None}


def _drawn_truth(data: Trajectories) -> Drawn:
    out = {}
    for run in range(drawn_runs(data, UNSEEN_RUNS)):
        whole = complete_before(data, run, None)  # a line through a missing value has a hole, or no end
        rows = whole[np.unique(np.linspace(0, len(whole) - 1, DRAWN_POINTS).astype(int))]
        out[run] = (data.times[run, rows], data.values[run, rows])
    return out
