"""Worker processes on this machine, by loky: one thread each, Ctrl-C left to their parent."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from ecodyn.errors import LostWorkError
from ecodyn.runtime.threads import ONE_THREAD

__all__ = ["KILLED", "Pool", "in_pools", "kept_workers", "new_workers"]

ORPHAN_SECONDS = 1.0  # between two looks of a worker at its parent
IDLE_SECONDS = 300  # that workers are kept for the next call: a new one takes seconds to import what it needs
KILLED = "its process was killed each time that it was tried, perhaps for memory"

MANAGER = "ExecutorManagerThread"  # loky's name for the thread that hands out items
# loky replaces a worker that grew by 300 MB since its first item, as one does that imports torch, and warns of a leak.
REPLACED = "A worker stopped while some jobs were given to the executor"

Item = TypeVar("Item")
Result = TypeVar("Result")
Pool = Callable[[int], AbstractContextManager[Any]]
"""Opens an executor of so many workers."""


def in_pools(
    pool: Pool,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    poll: Callable[[], None] | None,
    seconds: float,
) -> Iterator[tuple[int, Result | Exception]]:
    """Index of each item with its result or the error that there is instead, as they finish.

    A killed worker breaks its pool. What was under way is then tried once more, one after the other in a pool of one,
    so that what kills its worker is told from what was beside it; new workers do the rest.

    Parameters
    ----------
    pool
        Opens a pool of so many workers.
    function
        What is done with an item; sent to the workers.
    items
        What is ahead.
    processes
        Workers at most.
    poll
        Called in this process every so many ``seconds`` while workers are at it.
    """
    ahead, again = deque(range(len(items))), deque[int]()
    while ahead or again:
        alone = bool(again)
        queue, most = (again, 1) if alone else (ahead, min(processes, len(ahead)))
        with pool(most) as workers:
            for index, result in _until_broken(workers, function, items, queue, most, poll, seconds):
                if not isinstance(result, BrokenProcessPool):
                    yield index, result
                elif alone:
                    yield index, LostWorkError(KILLED)
                else:
                    again.append(index)
        again = deque(sorted(again))  # the first is waited for where results are wanted in order


def _until_broken(
    workers: Any,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    queue: deque[int],
    most: int,
    poll: Callable[[], None] | None,
    seconds: float,
) -> Iterator[tuple[int, Result | Exception]]:
    """Take items from the queue until there are none, or a worker was killed."""
    waiting: dict[Future[Result], int] = {}
    ready: list[tuple[int, Result | Exception]] = []
    whole = True
    while True:
        # No more than are begun at once: only these are suspected, and loky stumbles over others when it is shut down.
        while queue and whole and len(waiting) < most:
            try:
                waiting[workers.submit(function, items[queue[0]])] = queue[0]
            except BrokenProcessPool:  # an idle worker was killed
                whole = False
            else:
                queue.popleft()
        yield from ready  # once all workers have something to do: who takes these may take a while over them
        if not waiting:
            return
        finished, _ = wait(waiting, timeout=None if poll is None else seconds, return_when=FIRST_COMPLETED)
        if poll is not None:
            poll()
        ready = [(waiting.pop(future), _outcome(future)) for future in finished]
        whole = whole and not any(isinstance(result, BrokenProcessPool) for _, result in ready)


@contextmanager
def new_workers(processes: int) -> Iterator[Any]:
    """Workers that are gone afterwards, whatever happened."""
    # joblib's own Parallel delivers nothing once a worker was killed; its executor keeps what is finished.
    from joblib.externals.loky import ProcessPoolExecutor

    _replace_silently()
    pool = ProcessPoolExecutor(processes, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD)
    try:
        yield pool
    finally:
        _ended(pool)


@contextmanager
def kept_workers(processes: int) -> Iterator[Any]:
    """Workers that wait for the next call for some minutes; gone at once where something went wrong."""
    from joblib.externals.loky import get_reusable_executor

    _replace_silently()
    pool = get_reusable_executor(
        processes, timeout=IDLE_SECONDS, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD
    )
    try:
        yield pool
    except BaseException:  # an interrupt, or nobody wants the rest
        _ended(pool)
        raise


def _ended(pool: Any) -> None:
    """End a pool with what it is at.

    Where an interrupt came while an item was submitted, loky's thread stumbles over it on its way out, once the workers
    are gone: its traceback would be all that a user sees.
    """
    hook = threading.excepthook

    def without_that(args: threading.ExceptHookArgs) -> None:
        if not (args.exc_type is KeyError and args.thread is not None and args.thread.name == MANAGER):
            hook(args)

    threading.excepthook = without_that
    try:
        pool.shutdown(kill_workers=True)
    finally:
        threading.excepthook = hook


def _replace_silently() -> None:
    """Nothing is lost with such a worker; but where warnings are errors, its thread dies of its own, and all waits."""
    warnings.filterwarnings("ignore", REPLACED, UserWarning)  # for good: it is that thread that warns, at any time


def _outcome(future: Future[Any]) -> Any:
    """What a finished future holds: its result, or the error of the worker or of the pool that lost it."""
    try:
        return future.result()
    except Exception as error:
        return error


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the parent, and go when it is gone: a killed one can't say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_when_orphaned, args=(parent,), daemon=True).start()


def _leave_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)
