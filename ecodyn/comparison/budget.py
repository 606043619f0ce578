"""Would a further budget change the verdict? The family that is named and the next one, refitted with more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ecodyn.comparison.budget_check import BudgetCheck
from ecodyn.comparison.candidate import INADEQUATE, NAMING, mean
from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.entries import Entry, entries_of
from ecodyn.comparison.execution import TaskResult, execute
from ecodyn.comparison.judge import verdict_of
from ecodyn.comparison.plan import Plan, plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.window_result import WindowResult
from ecodyn.families.model_name import FAMILY
from ecodyn.runtime.processes import each_with

__all__ = ["FACTOR", "with_budget_check"]

FACTOR = 4  # times the iterations: a fit that is not done by then is slow, or has no optimum
REFITTED = 2  # families: what a verdict is most often between


def with_budget_check(
    window: WindowResult, plan: Plan, results: Mapping[int, TaskResult], request: Request
) -> WindowResult:
    """The window's result with the check of its verdict on unseen runs; as it is where there is none.

    Refitted are the family that is named and the one that leaves the least of the others; the two that leave the least
    where none is named.
    """
    verdict = window.verdicts.get(UNSEEN_RUNS)
    if verdict is None:
        return window
    entries = entries_of(plan, results, [UNSEEN_RUNS])
    families = [e for e in entries if e.score.kind == FAMILY and len(e.candidate.losses)]
    asked = sorted(families, key=lambda e: (e.score.name != verdict.best, mean(e.candidate.losses)))[:REFITTED]
    refitted = {e.score.name: e for e in _refitted(asked, plan, request)}
    again = verdict_of([refitted.get(e.score.name, e) for e in entries], UNSEEN_RUNS, plan.window, request)
    # Whether what is left is noise is not asked again: a status that rests on it stays while a best is named.
    status = INADEQUATE if verdict.status == INADEQUATE and again.status in NAMING else again.status
    check = BudgetCheck(
        factor=FACTOR,
        gains={e.score.name: _gain(e, refitted[e.score.name]) for e in asked if e.score.name in refitted},
        status=status,
        best=again.best,
        changed=(status, again.best) != (verdict.status, verdict.best),
    )
    return replace(window, budget=check)


def _refitted(entries: Sequence[Entry], work: Plan, request: Request) -> list[Entry]:
    """The same models under the same protocol and folds, with more budget."""
    more = [
        replace(e.contender, estimator=e.contender.estimator.with_budget(FACTOR))
        for e in entries
        if e.contender.estimator is not None
    ]
    asked = replace(request, protocols=[UNSEEN_RUNS])
    again = plan(work.data, more, asked)
    results = {r.index: r for r in each_with(execute, again.tasks, work.data, request.jobs, ordered=False)}
    return entries_of(again, results, asked.protocols)


def _gain(before: Entry, after: Entry) -> float:
    """The share by which less is left unexplained."""
    return float(1 - np.exp(mean(after.candidate.losses) - mean(before.candidate.losses)))
