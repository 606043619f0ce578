"""The verdict among the laws alone, while networks are still being fitted: they take most of a comparison's time."""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.comparison.contenders import FORECAST, IN_SAMPLE, UNSEEN_RUNS
from ecodyn.comparison.entries import entries_of
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.judge import verdict_of
from ecodyn.comparison.plan import Plan, Task
from ecodyn.comparison.request import Request
from ecodyn.families.model_name import FAMILY

__all__ = ["TO_COME", "is_ready", "statement"]

TO_COME = "Still to come: "
OTHERS = {FORECAST: "forecasts of all models", IN_SAMPLE: "in-sample fits of all models"}


def is_ready(plan: Plan, results: Mapping[int, TaskResult]) -> bool:
    """Whether all but networks is scored on unseen runs, and a network is not."""
    laws = [t for t in plan.tasks if t.of_law_on_unseen_runs]
    if not any(t.contender.kind == FAMILY for t in laws) or not all(t.index in results for t in laws):
        return False
    return any(t.index not in results for t in _networks(plan))


def statement(plan: Plan, results: Mapping[int, TaskResult], request: Request) -> str:
    """Which law is best on unseen runs, in a sentence, and in a line below it what is still to come.

    Empty where no law could be fitted. Whether it leaves noise only, and would be named again, is not asked here: it is
    asked of the family that is named among all.
    """
    laws = {t.index for t in plan.tasks if t.of_law_on_unseen_runs}
    entries = entries_of(plan, {i: r for i, r in results.items() if i in laws}, [UNSEEN_RUNS])
    if not any(e.score.kind == FAMILY for e in entries):
        return ""
    return f"{verdict_of(entries, UNSEEN_RUNS, plan.window, request).statement}\n{_to_come(plan, results)}"


def _networks(plan: Plan) -> list[Task]:
    return [t for t in plan.tasks if t.protocol == UNSEEN_RUNS and t.contender.stochastic]


def _to_come(plan: Plan, results: Mapping[int, TaskResult]) -> str:
    """A line on the tasks that are not done: which networks the verdict waits for, and what else is fitted."""
    ahead = [t for t in plan.tasks if t.index not in results]
    names = dict.fromkeys(str(t.name) for t in _networks(plan) if t.index not in results and t.contender.kind == FAMILY)
    others = dict.fromkeys(OTHERS[t.protocol] for t in ahead if t.protocol != UNSEEN_RUNS)
    parts = [f"{', '.join(names)} on unseen runs, which may change this"] if names else []
    return f"{TO_COME}{'; '.join([*parts, *others])} ({len(ahead)} of {len(plan.tasks)} tasks)"
