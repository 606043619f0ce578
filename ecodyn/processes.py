"""Work in several processes, one thread each, where an interrupt or a killed worker costs only what was under way."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["outcome", "outcomes", "worker_pool"]

ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

Item = TypeVar("Item")
Result = TypeVar("Result")


@contextmanager
def worker_pool(processes: int) -> Iterator[Any]:
    """Worker processes that leave Ctrl-C to the parent, and are gone afterwards whatever happened."""
    # joblib's own Parallel delivers nothing once a worker was killed; its executor keeps what is finished.
    from joblib.externals.loky import ProcessPoolExecutor

    pool = ProcessPoolExecutor(processes, initializer=_ignore_interrupts, env=ONE_THREAD)
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


def outcomes(
    function: Callable[[Item], Result], items: Sequence[Item], processes: int
) -> Iterator[tuple[int, Result | Exception]]:
    """Index of each item with its result, or with the error that there is instead, as they finish.

    With one process all is done in this one, in order.
    """
    processes = min(processes, len(items))
    if processes <= 1:
        for index, item in enumerate(items):
            try:
                yield index, function(item)
            except Exception as error:  # whatever it is, it must not cost the items that are finished
                yield index, error
        return
    with worker_pool(processes) as pool:
        waiting = {pool.submit(function, item): index for index, item in enumerate(items)}
        while waiting:
            finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield waiting.pop(future), outcome(future)


def outcome(future: Future[Any]) -> Any:
    """What a finished future holds: its result, or the error of the worker or of the pool that lost it."""
    try:
        return future.result()
    except Exception as error:
        return error


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
