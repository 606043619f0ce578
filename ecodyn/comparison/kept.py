"""Tasks of a comparison that are done once: what decides them, and the work where what is kept is not done again.

The name of a task's result is the fingerprint of all that decides it: the window's data, the contender with its
parameters, protocol, folds, seeds, who counts as a survivor, and what computes (see `opened`). A margin is none of
these, nor how many processes there are, nor which other models are compared, but for the steps that the one sees first
that needs most. Results that can't be told apart from others that way, and those of fits that failed, are not kept.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.metadata import version
from typing import TypeVar

from ecodyn._version import __version__
from ecodyn.comparison.execution import TaskResult, execute
from ecodyn.comparison.folds import Fold
from ecodyn.comparison.plan import Plan, Task
from ecodyn.comparison.request import Request
from ecodyn.families import MODELS
from ecodyn.runtime.fingerprints import fingerprint, source_fingerprint
from ecodyn.runtime.kept_values import KeptValues
from ecodyn.runtime.processes import each_with
from ecodyn.runtime.provenance import NUMERICAL
from ecodyn.survivors.rules import RULES
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.fingerprint import fingerprint_of

__all__ = [
    "each_kept",
    "executed",
    "kept_or_made",
    "keys_on",
    "opened",
    "parts_of",
    "say_what_is_there",
    "task_keys",
    "what_computes",
]

# Another version of any of these may give other last bits, and kept beside new results they would not be those of one
# comparison. Processors of one kind that differ in what they can do may as well; nothing says so, and the docs do.
PACKAGES = (*NUMERICAL, "sympy")
MOST_PARTS = 64  # into which a model's folds are looked for; more processes are rare

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")


def what_computes() -> dict[str, object]:
    """Versions, source texts and the kind of processor, as far as they have a say in numbers."""
    return {
        "ecodyn": __version__,
        "source": source_fingerprint(),
        "packages": {package: version(package) for package in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


def opened(folder: str | os.PathLike[str], tell: Callable[[str], None]) -> KeptValues:
    """The results that are kept in a folder, of this version of whatever has a say in their numbers."""
    return KeptValues(folder, what_computes(), others=[model for _, model in MODELS.usable()], tell=tell)


def task_keys(tasks: Sequence[Task], data: Trajectories, kept: KeptValues | None) -> list[str | None]:
    """The names of tasks' results; None for those that can't be kept."""
    if kept is None or not tasks:
        return [None] * len(tasks)
    of_data = fingerprint_of(data)
    return [_key(kept, _of_model(kept, task, of_data), task) for task in tasks]


def _of_model(kept: KeptValues, task: Task, of_data: str) -> str | None:
    """What decides a task's result beside its folds."""
    rule = RULES.named(task.survivor_rule)  # another distribution's may be another by the same name
    asked = (task.contender, task.protocol, task.seeds, task.run_by_run, task.survivor_rule, rule, task.warm_up)
    return kept.key("model", of_data, asked)


def _key(kept: KeptValues, of_model: str | None, task: Task) -> str | None:
    return None if of_model is None else kept.key("task", of_model, [_of_fold(fold) for fold in task.folds])


@lru_cache(4096)  # asked of each task several times
def _of_fold(fold: Fold) -> str:
    return fingerprint(fold)


def keys_on(data: Trajectories, asked: Sequence[object], kept: KeptValues | None) -> list[str | None]:
    """The names of other results on these data, by all that decides each."""
    if kept is None or not asked:
        return [None] * len(asked)
    of_data = fingerprint_of(data)
    return [kept.key(type(one).__qualname__, of_data, one) for one in asked]


def parts_of(data: Trajectories, kept: KeptValues | None) -> Callable[[Task, int], int]:
    """Into how many tasks a model's folds are parted: as many as is wanted, or as what is kept of them was.

    The function returned takes the task of all folds, and the number that is wanted.
    """
    if not kept:
        return lambda _, wanted: wanted
    of_data = fingerprint_of(data)

    def parts(whole: Task, wanted: int) -> int:
        of_model = _of_model(kept, whole, of_data)
        if of_model is None:
            return wanted
        folds = [_of_fold(fold) for fold in whole.folds]

        def found(count: int) -> int:
            pieces = [folds[piece::count] for piece in range(count)]
            return sum(len(piece) for piece in pieces if kept.has(kept.key("task", of_model, piece)))

        if found(wanted) == len(folds):
            return wanted
        return max([wanted, *range(1, min(MOST_PARTS, len(folds)) + 1)], key=found)  # the first of equal ones

    return parts


def say_what_is_there(plans: Sequence[Plan], request: Request) -> None:
    """Tell how many tasks are kept already, and how many are computed."""
    if request.kept is None or request.on_kept is None:
        return
    keys = [key for plan in plans for key in task_keys(plan.tasks, plan.data, request.kept)]
    found = sum(request.kept.has(key) for key in keys)
    left = "nothing is left to compute" if found == len(keys) else f"{len(keys) - found} are computed"
    request.on_kept(f"{found} of {len(keys)} tasks are kept in {request.kept.folder}; {left}")


def kept_tasks(tasks: Sequence[Task], data: Trajectories, request: Request) -> frozenset[int]:
    """The indices of the tasks that are kept already."""
    kept = request.kept
    if kept is None:
        return frozenset()
    keys = task_keys(tasks, data, kept)
    return frozenset(task.index for task, key in zip(tasks, keys, strict=True) if kept.has(key))


def executed(tasks: Sequence[Task], data: Trajectories, request: Request) -> Iterator[TaskResult]:
    """Results of tasks, first those that are kept, then the others as they finish; these are kept from then on."""
    keys = task_keys(tasks, data, request.kept)
    for place, result in each_kept(execute, tasks, data, request, keys, ordered=False, worth=_is_whole):
        yield replace(result, window=tasks[place].window, index=tasks[place].index)


def _is_whole(result: TaskResult) -> bool:
    """Whether a task came to its end: what failed for want of memory may not fail again."""
    return result.failure is None


def each_kept(
    function: Callable[[Item, Shared], Result],
    items: Sequence[Item],
    shared: Shared,
    request: Request,
    keys: Sequence[str | None],
    *,
    ordered: bool,
    worth: Callable[[Result], bool] = lambda _: True,
) -> Iterator[tuple[int, Result]]:
    """Place and result of each item, as ``each_with`` does them where there is none that is kept.

    Parameters
    ----------
    function, items, shared, ordered : see ``each_with``; results that are kept come first unless ordered
    request : how many processes, and what is kept
    keys : of each item's result
    worth : whether a result is worth keeping
    """
    kept = request.kept
    read = {} if kept is None else {i: kept.get(key) for i, key in enumerate(keys) if kept.has(key)}
    found = {i: value for i, (whole, value) in read.items() if whole}
    ahead = [(i, item) for i, item in enumerate(items) if i not in found]
    new: dict[int, Result] = {}  # finished, kept from then on, and waiting for their turn

    def finished(_: int, numbered: tuple[int, Result]) -> None:
        place, result = numbered
        new[place] = kept.put(keys[place], result) if kept is not None and worth(result) else result

    work = partial(_numbered, function)
    done = each_with(work, ahead, shared, request.jobs, ordered=ordered, finished=finished) if ahead else iter(())
    if not ordered:
        yield from found.items()
    for place, _ in done:
        while ordered and found and min(found) < place:
            yield min(found), found.pop(min(found))
        yield place, new.pop(place)
    if ordered:
        yield from sorted(found.items())


def kept_or_made(
    request: Request, what: str, decided_by: object, make: Callable[[], Result], *, of: Sequence[str | None] = ()
) -> Result:
    """A single result that is kept, or made here and then kept.

    It is decided by the results of these names, too; where one of them has none, this one has none either.
    """
    if request.kept is None or None in of:
        return make()
    return request.kept.of(request.kept.key(what, decided_by, list(of)), make)


def _numbered(
    function: Callable[[Item, Shared], Result], numbered: tuple[int, Item], shared: Shared
) -> tuple[int, Result]:
    """With the place of the item, which results that come as they finish don't tell."""
    place, item = numbered
    return place, function(item, shared)
