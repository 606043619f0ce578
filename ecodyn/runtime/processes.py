"""Work in several processes, one thread each, where an interrupt or a killed worker costs only what was under way."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Any, Generic, TypeVar

from ecodyn.errors import LostWorkError
from ecodyn.runtime.places.current_place import current_place
from ecodyn.runtime.pools import Pool, in_pools, kept_workers, new_workers
from ecodyn.runtime.shared_data import SharedData, shared_data
from ecodyn.runtime.threads import one_thread
from ecodyn.runtime.threads import one_torch_thread as one_torch_thread

__all__ = ["each_with", "is_elsewhere", "one_torch_thread", "outcomes", "physical_memory", "workers"]

POLL_SECONDS = 0.2  # between two looks at the workers: often enough for a progress bar

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")


def workers(jobs: int) -> int:
    """How many tasks are done at once: as many as a cluster or other back end has, if one was named, else ``jobs``."""
    place = current_place()
    return jobs if place is None else place.size


def is_elsewhere() -> bool:
    """Whether work is done by a cluster or another back end, which may have no disk in common with this process."""
    return current_place() is not None


def outcomes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    *,
    poll: Callable[[], None] | None = None,
) -> Iterator[tuple[int, Result | Exception]]:
    """Index of each item with its result, or with the error that there is instead, as they finish.

    With one process all is done in this one, in order, unless a cluster or another back end was named: see
    `ecodyn.on_cluster`. What a killed worker was doing is tried again; an item that is lost each time has a
    `LostWorkError`. Whoever does it has one thread, and this process too meanwhile.

    Parameters
    ----------
    function
        What is done with an item; sent to the workers.
    items
        What is ahead.
    processes
        Workers at most.
    poll
        Called in this process a few times a second while workers of this machine are at it.
    """
    yield from _outcomes(function, items, processes, new_workers, poll)


def each_with(
    function: Callable[[Item, Shared], Result],
    items: Sequence[Item],
    shared: Shared,
    processes: int,
    *,
    ordered: bool,
    finished: Callable[[int, Result], None] | None = None,
) -> Iterator[Result]:
    """``function(item, shared)`` of each item; what is shared goes to a worker once, and large arrays are mapped there.

    Unlike `outcomes`, an error ends it. With one process all is done in this one.

    Parameters
    ----------
    function
        What is done with an item; sent to the workers.
    items
        What is ahead.
    shared
        What every item needs, such as the data.
    processes
        Workers, one thread each.
    ordered
        Whether results come in the order of the items, or as they finish.
    finished
        Called with an item's place and result as soon as that is there, before its turn has come.

    Raises
    ------
    LostWorkError
        Items were lost with their workers each time that they were tried, or with the cluster: at the end, or with
        ``ordered`` where the first of them is due.
    """
    lost: LostWorkError | None = None
    with closing(_shared_outcomes(function, items, shared, processes)) as outcomes_there:
        found = outcomes_there if finished is None else _told(outcomes_there, finished)
        for result in _in_order(found) if ordered else (result for _, result in found):
            if isinstance(result, LostWorkError) and not ordered:
                lost = result
            elif isinstance(result, Exception):
                raise result
            else:
                yield result
    if lost is not None:
        raise lost


def _told(
    found: Iterator[tuple[int, Result | Exception]], finished: Callable[[int, Any], None]
) -> Iterator[tuple[int, Result | Exception]]:
    """What is found, each result told before it is passed on."""
    for place, result in found:
        if not isinstance(result, Exception):
            finished(place, result)
        yield place, result


def _outcomes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    pool: Pool,
    poll: Callable[[], None] | None,
) -> Iterator[tuple[int, Result | Exception]]:
    place = current_place()
    with one_thread():
        if place is not None:
            yield from place.outcomes(function, items)
        elif min(processes, len(items)) > 1:
            yield from in_pools(pool, function, items, processes, poll, POLL_SECONDS)
        else:
            yield from _here(function, items)


def _here(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Result | Exception]]:
    for index, item in enumerate(items):
        try:
            yield index, function(item)
        except Exception as error:  # whatever it is, it must not cost the items that are finished
            yield index, error


def _shared_outcomes(
    function: Callable[[Item, Shared], Result], items: Sequence[Item], shared: Shared, processes: int
) -> Generator[tuple[int, Result | Exception], None, None]:
    if is_elsewhere() or min(processes, len(items)) <= 1:
        yield from _outcomes(_With(function, shared), items, processes, kept_workers, None)
        return
    with shared_data(_With(function, shared)) as data:
        in_worker: _WithData[Item, Result] = _WithData(data)
        yield from _outcomes(in_worker, items, processes, kept_workers, None)


class _With(Generic[Item, Shared, Result]):
    """A function of an item and of what all items share, as one of an item."""

    def __init__(self, function: Callable[[Item, Shared], Result], shared: Shared) -> None:
        self.function, self.shared = function, shared

    def __call__(self, item: Item) -> Result:
        return self.function(item, self.shared)


class _WithData(Generic[Item, Result]):
    """The same, of what is in a file that workers of this machine read."""

    def __init__(self, data: SharedData) -> None:
        self.data = data

    def __call__(self, item: Item) -> Result:
        does: Callable[[Item], Result] = self.data.read()
        return does(item)


def _in_order(found: Iterator[tuple[int, Result]]) -> Iterator[Result]:
    """Results in the order of their items, each as soon as those before it are there."""
    early: dict[int, Result] = {}
    due = 0
    for index, result in found:
        early[index] = result
        while due in early:
            yield early.pop(due)
            due += 1


def physical_memory() -> float:
    """Bytes of memory that this machine has; infinite where it can't be told."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
