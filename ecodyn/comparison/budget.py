"""Would a further budget change the verdict? The family that is named and the next one, refitted with more of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ecodyn.comparison.budget_check import BudgetCheck
from ecodyn.comparison.candidate import INADEQUATE, mean
from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.entries import Entry, entries_of
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.judge import verdict_of
from ecodyn.comparison.kept import executed, parts_of
from ecodyn.comparison.plan import Plan, plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.window_result import WindowResult, WindowsWithTests
from ecodyn.errors import LostWorkError
from ecodyn.families.model_name import FAMILY

__all__ = ["FACTOR", "with_budget_checks"]

FACTOR = 4  # times the iterations: a fit that is not done by then is slow, or has no optimum
REFITTED = 2  # families: what a verdict is most often between


def with_budget_checks(
    windows: Sequence[WindowResult],
    plans: Sequence[Plan],
    results: Sequence[Mapping[int, TaskResult]],
    request: Request,
) -> WindowsWithTests:
    """The windows' results with the check of their verdicts on unseen runs, where it was asked for.

    Refitted are the family that is named and the one that leaves the least of the others; the two that leave the least
    where none is named. What is finished is kept when the user ends it, or a worker is killed.
    """
    checked = list(windows)
    if not request.check_budget:
        return WindowsWithTests(checked)
    said, interrupted = _Said(), False
    for number, (window, work, done) in enumerate(zip(windows, plans, results, strict=True)):
        try:
            checked[number] = _checked(window, work, done, request, said)
        except KeyboardInterrupt:
            interrupted = True
            break
        except LostWorkError as error:
            said.failures.append(f"the check of the budget: {error}")
    return WindowsWithTests(checked, tuple(said.notes), tuple(said.failures), interrupted)


@dataclass(frozen=True)
class _Said:
    """What kept checks from being made, as it comes."""

    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def _checked(
    window: WindowResult, work: Plan, results: Mapping[int, TaskResult], request: Request, said: _Said
) -> WindowResult:
    entries = entries_of(work, results, [UNSEEN_RUNS])
    families = [e for e in entries if e.score.kind == FAMILY and len(e.candidate.losses)]
    verdict = window.verdicts.get(UNSEEN_RUNS)
    if verdict is None or not families:
        said.notes.append("no check of the budget: it is made on unseen runs, and nothing was ranked there")
        return window
    asked = sorted(families, key=lambda e: (e.score.name != verdict.best, mean(e.candidate.losses)))[:REFITTED]
    more = [c for e in asked if (c := _with_more(e.contender, said)) is not None]
    refitted = {e.score.name: e for e in _refitted(more, work, request, said)}
    if not refitted:
        return window
    again = verdict_of([refitted.get(e.score.name, e) for e in entries], UNSEEN_RUNS, work.window, request)
    # Whether what is left is noise is not asked again: a status that rests on it stays with the family it was said of.
    same = verdict.status == INADEQUATE and again.best == verdict.best
    status = INADEQUATE if same else again.status
    check = BudgetCheck(
        factor=FACTOR,
        gains={e.score.name: _gain(e, refitted[e.score.name]) for e in asked if e.score.name in refitted},
        status=status,
        best=again.best,
        changed=(status, again.best) != (verdict.status, verdict.best),
    )
    return replace(window, budget=check)


def _with_more(contender: Contender, said: _Said) -> Contender | None:
    """The contender with more budget; None, and a note, where its family has none to increase."""
    if contender.estimator is None:
        return None
    more = contender.estimator.with_budget(FACTOR)
    if more.stated_parameters() == contender.estimator.stated_parameters():
        said.notes.append(f"no check of the budget of {contender.label}: its fits have none to increase")
        return None
    return replace(contender, estimator=more)


def _refitted(more: Sequence[Contender], work: Plan, request: Request, said: _Said) -> list[Entry]:
    """The same models under the same protocol and folds, with more budget."""
    asked = replace(request, protocols=[UNSEEN_RUNS])
    again = plan(work.data, more, asked, warm_up=work.warm_up, parts=parts_of(work.data, request.kept))
    results = {r.index: r for r in sorted(executed(again.tasks, work.data, request), key=lambda r: r.index)}
    said.failures.extend(f"with {FACTOR} times the budget, {r.failure}" for r in results.values() if r.failure)
    return entries_of(again, results, asked.protocols)


def _gain(before: Entry, after: Entry) -> float:
    """The share by which less is left unexplained."""
    return float(1 - np.exp(mean(after.candidate.losses) - mean(before.candidate.losses)))
