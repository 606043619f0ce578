"""Work in several processes, one thread each, where an interrupt or a killed worker costs only what was under way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["each_with", "one_torch_thread", "outcomes", "physical_memory"]

# Read when BLAS is loaded, so set before a worker starts.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
POLL_SECONDS = 0.2  # between two looks at the workers: often enough for a progress bar
ORPHAN_SECONDS = 1.0  # between two looks of a worker at its parent

Item = TypeVar("Item")
Shared = TypeVar("Shared")
Result = TypeVar("Result")


def outcomes(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    processes: int,
    *,
    poll: Callable[[], None] | None = None,
) -> Iterator[tuple[int, Result | Exception]]:
    """Index of each item with its result, or with the error that there is instead, as they finish.

    With one process all is done in this one, in order. A worker that is killed takes with it what the others were
    doing at that moment; the items not yet begun are done by new ones.

    Parameters
    ----------
    function
        What is done with an item; sent to the workers.
    items
        What is ahead.
    processes
        Workers at most.
    poll
        Called in this process a few times a second while workers are at it.
    """
    processes = min(processes, len(items))
    if processes <= 1:
        for index, item in enumerate(items):
            try:
                yield index, function(item)
            except Exception as error:  # whatever it is, it must not cost the items that are finished
                yield index, error
        return
    ahead = deque(range(len(items)))
    while ahead:
        with _worker_pool(processes) as pool:
            yield from _until_broken(pool, function, items, ahead, processes, poll)


def each_with(
    function: Callable[[Item, Shared], Result], items: Sequence[Item], shared: Shared, processes: int, *, ordered: bool
) -> Iterator[Result]:
    """``function(item, shared)`` of each item; large arrays of what is shared are mapped into the workers' memory.

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
    """
    if processes == 1:
        yield from (function(item, shared) for item in items)
        return
    from joblib import Parallel, delayed, parallel_config

    how = "generator" if ordered else "generator_unordered"
    with parallel_config(backend="loky", inner_max_num_threads=1):
        yield from Parallel(n_jobs=processes, return_as=how)(delayed(function)(item, shared) for item in items)


def _until_broken(
    pool: Any,
    function: Callable[[Item], Result],
    items: Sequence[Item],
    ahead: deque[int],
    processes: int,
    poll: Callable[[], None] | None,
) -> Iterator[tuple[int, Result | Exception]]:
    """Take items from ``ahead`` until there are none, or a worker was killed."""
    waiting: dict[Future[Result], int] = {}
    whole = True
    while waiting or (ahead and whole):
        # No more than are begun at once: loky stumbles over waiting ones when it is shut down.
        while ahead and whole and len(waiting) < processes:
            index = ahead.popleft()
            waiting[pool.submit(function, items[index])] = index
        finished, _ = wait(waiting, timeout=None if poll is None else POLL_SECONDS, return_when=FIRST_COMPLETED)
        if poll is not None:
            poll()
        for future in finished:
            result = _outcome(future)
            whole = whole and not isinstance(result, BrokenProcessPool)
            yield waiting.pop(future), result


@contextmanager
def _worker_pool(processes: int) -> Iterator[Any]:
    """Worker processes that leave Ctrl-C to the parent, and are gone afterwards whatever happened."""
    # joblib's own Parallel delivers nothing once a worker was killed; its executor keeps what is finished.
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(processes, initializer=_begin, initargs=(os.getpid(),), env=ONE_THREAD)
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


def _outcome(future: Future[Any]) -> Any:
    """What a finished future holds: its result, or the error of the worker or of the pool that lost it."""
    try:
        return future.result()
    except Exception as error:
        return error


def physical_memory() -> float:
    """Bytes of memory that this machine has; infinite where it can't be told."""
    try:
        return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the parent, and go when it is gone: a killed one can't say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_when_orphaned, args=(parent,), daemon=True).start()


def _leave_when_orphaned(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os._exit(1)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread of torch's, for networks so small that several only wait for each other; then as before."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
