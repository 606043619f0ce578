"""The third step: every task of every window done, in as many processes as were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecodyn.comparison import laws_first
from ecodyn.comparison.execution import TaskResult
from ecodyn.comparison.kept import executed, kept_tasks
from ecodyn.comparison.plan import Plan, Task
from ecodyn.comparison.request import Request
from ecodyn.errors import LostWorkError

__all__ = ["Outcome", "run"]


@dataclass
class Outcome:
    """What came of the plans that were begun.

    Attributes
    ----------
    plans : those begun, in order
    results : for each of these, what was done of it by the index of its task
    interrupted : whether the user ended it
    """

    plans: list[Plan] = field(default_factory=list)
    results: list[dict[int, TaskResult]] = field(default_factory=list)
    interrupted: bool = False

    @property
    def all_results(self) -> list[TaskResult]:
        """Over all windows."""
        return [result for of_window in self.results for result in of_window.values()]


def run(plans: Sequence[Plan], request: Request) -> Outcome:
    """Do the tasks, window by window; what was finished before an interrupt or a killed worker is kept."""
    outcome = Outcome()
    total = sum(len(plan.tasks) for plan in plans)
    done = 0
    for plan in plans:
        results: dict[int, TaskResult] = {}
        outcome.plans.append(plan)
        outcome.results.append(results)
        outcome.interrupted = _run_window(plan, request, results, done, total)
        if outcome.interrupted:
            break
        done += len(plan.tasks)
    return outcome


def _run_window(plan: Plan, request: Request, results: dict[int, TaskResult], done: int, total: int) -> bool:
    """Fill in a window's results; True if it was interrupted."""
    by_index = {t.index: t for t in plan.tasks}
    tell = request.on_laws
    kept = frozenset() if tell is None else kept_tasks(plan.tasks, plan.data, request)
    try:
        for result in executed(plan.tasks, plan.data, request):
            results[result.index] = result
            if callable(request.progress):
                request.progress(done + len(results), total, _what(plan, by_index[result.index]))
            if tell is not None and laws_first.is_ready(plan, results, kept):
                if statement := laws_first.statement(plan, results, request):
                    tell(statement)
                tell = None  # once a window
    except KeyboardInterrupt:
        return True
    except LostWorkError as error:
        for task in plan.tasks:
            lost = f"{task.name} ({task.protocol}): {error}"
            results.setdefault(task.index, TaskResult(task.window, task.index, failure=lost))
    return False


def _what(plan: Plan, task: Task) -> str:
    return f"{plan.window[0]:g}:{plan.window[1]:g} {task.protocol} {task.name}"
