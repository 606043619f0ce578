"""The verdict among the laws alone, while networks are still being fitted: they take most of a comparison's time."""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.comparison.contenders import UNSEEN_RUNS
from ecodyn.comparison.entries import entries_of
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.judge import verdict_of
from ecodyn.comparison.plan import Plan
from ecodyn.comparison.request import Request
from ecodyn.families.model_name import FAMILY

__all__ = ["is_ready", "statement"]


def is_ready(plan: Plan, results: Mapping[int, TaskResult]) -> bool:
    """Whether all but networks is scored on unseen runs, and a network is not."""
    laws = [t for t in plan.tasks if t.of_law_on_unseen_runs]
    networks = [t for t in plan.tasks if t.protocol == UNSEEN_RUNS and t.contender.stochastic]
    if not any(t.contender.kind == FAMILY for t in laws):
        return False
    return all(t.index in results for t in laws) and any(t.index not in results for t in networks)


def statement(plan: Plan, results: Mapping[int, TaskResult], request: Request) -> str:
    """Which law is best on unseen runs, in a sentence; empty where none could be fitted.

    Whether it leaves noise only, and would be named again, is not asked here: it is asked of the family that is named
    among all.
    """
    laws = {t.index for t in plan.tasks if t.of_law_on_unseen_runs}
    entries = entries_of(plan, {i: r for i, r in results.items() if i in laws}, [UNSEEN_RUNS])
    if not any(e.score.kind == FAMILY for e in entries):
        return ""
    return verdict_of(entries, UNSEEN_RUNS, plan.window, request).statement
