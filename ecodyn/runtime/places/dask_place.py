"""Work on a Dask cluster: what tasks share goes to a worker once, and what a worker takes with it is done again."""

from __future__ import annotations

import contextlib
import pickle
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from ecodyn.errors import LostWorkError
from ecodyn.runtime.alone import alone
from ecodyn.runtime.places.dask_versions import check_versions
from ecodyn.runtime.places.place import Place
from ecodyn.runtime.pools import KILLED

if TYPE_CHECKING:
    from distributed import Client, Future

__all__ = ["OPEN", "WORKER_SECONDS", "DaskPlace"]

WORKER_SECONDS = 60.0  # for the first worker of a cluster that is said to be there: as long as Dask's own wait for one
LOOK_SECONDS = 5.0  # without a result, and then it is asked whether there are workers
MARGIN_BYTES = 1_000_000  # of a task beside what it carries
DISCONNECTED = "scheduler-connection-lost"  # Dask's reason for cancelling everything
OPEN = ("running", "connecting")  # a client's status
AGAIN = "see that the cluster is there, and go on"

Item = TypeVar("Item")
Result = TypeVar("Result")


class DaskPlace(Place):
    """The workers of a client's cluster.

    Parameters
    ----------
    client
        Of the cluster; it stays as it is.
    size
        Workers that there will be; by default those that there are.
    wait
        Seconds for the first worker; None for as long as it takes, as in a queue.

    Raises
    ------
    ValueError
        The client is one for coroutines.
    """

    def __init__(self, client: Client, size: int | None = None, wait: float | None = WORKER_SECONDS) -> None:
        if client.asynchronous:
            raise ValueError("expected a client that waits for results, got an asynchronous one; make it without that")
        self.client, self.wait = client, wait
        self.address = str(client.scheduler.address) if client.scheduler is not None else "an unknown address"
        self.size = size or max(1, _count(client))

    def outcomes(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result | Exception]]:
        """As they finish; a task during which workers died as often as the scheduler allows is tried once more, alone.

        Should the connection be lost, what is not finished is: an error each.

        Raises
        ------
        LostWorkError
            There is no worker, or no connection to begin with.
        """
        if not items:
            return
        with self._connected():
            self._await_worker()
            check_versions(self.client)
            work = _Work(self, function, items)
        try:
            yield from work.outcomes()
        finally:
            work.cancel()

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Raise a LostWorkError where there is no connection to the scheduler, or none any longer."""
        lost = f"{self.disconnected()}; {AGAIN}"
        if self.client.status not in OPEN:
            raise LostWorkError(lost)
        try:
            yield
        except OSError as error:  # of which Dask's own are
            raise LostWorkError(lost) from error

    def disconnected(self) -> str:
        """The connection is lost, in words."""
        return f"the connection to the scheduler at {self.address} was lost"

    def _await_worker(self) -> None:
        try:
            self.client.wait_for_workers(1, timeout=self.wait)
        except TimeoutError:
            raise LostWorkError(
                f"the cluster at {self.address} has had no worker for {self.wait:g} s; start one: dask worker "
                f"{self.address} --nthreads 1"
            ) from None
        several = {address: n for address, n in self.client.nthreads().items() if n > 1}
        if several:
            warnings.warn(
                f"{len(several)} of the cluster's workers have several threads, and do one task at a time even so; "
                "start them with --nthreads 1, as many as there are cores",
                UserWarning,
                stacklevel=2,
            )


class _Work:
    """Items under way: what is ahead, and what is tried again alone."""

    def __init__(self, place: DaskPlace, function: Callable[[Any], Any], items: Sequence[Any]) -> None:
        self.place, self.client, self.items, self.wait = place, place.client, items, place.wait
        self.done: SimpleQueue[Future] = SimpleQueue()
        self.ahead, self.again = list(range(len(items))), deque[int]()
        self.folder, self.name = str(Path.cwd()), f"ecodyn-{uuid4().hex}"
        self.waiting: dict[Future, int] = {}
        self.function = self._sent(function)

    def _sent(self, function: Callable[[Any], Any]) -> Future:
        """The function with what it holds, such as the data: to one worker, from which the others have it.

        It is a task's result and not scattered: what is scattered is lost with the last worker that has it, and all
        tasks with it, while a task is done again. As bytes, so that the scheduler need not look into it.
        """
        import cloudpickle
        import dask

        payload = cloudpickle.dumps(function)
        # That a task of ours is large is meant: it is sent once.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": f"{len(payload) + MARGIN_BYTES} B"}):
            return self.client.submit(pickle.loads, payload, pure=False, key=f"{self.name}-function")

    def outcomes(self) -> Iterator[tuple[int, Any]]:
        """As they finish."""
        while self.ahead or self.again:
            alone_now = not self.ahead
            self._submit([self.again.popleft()] if alone_now else self.ahead)
            while self.waiting:
                future = self._finished()
                if future is None:
                    yield from self._lost(f"the cluster at {self.place.address} has had no worker for a while")
                    return
                index, result = self.waiting[future], _result(future)
                if isinstance(result, _Cancelled):
                    yield from self._lost(self._cancelled(result.reason))
                    return
                del self.waiting[future]
                future.release()  # so that the workers need not keep it
                if isinstance(result, _Killed) and not alone_now:
                    self.again.append(index)
                else:
                    yield index, LostWorkError(KILLED) if isinstance(result, _Killed) else result

    def _submit(self, indices: Sequence[int]) -> None:
        for index in indices:
            key = f"{self.name}-{index}-{uuid4().hex}"
            future = self.client.submit(alone, self.function, self.items[index], self.folder, pure=False, key=key)
            self.waiting[future] = index
            future.add_done_callback(self.done.put)
        self.ahead = []

    def _finished(self) -> Future | None:
        """The next that is; None where the workers are gone, and no other has come."""
        since = time.monotonic()
        while True:
            try:
                return self.done.get(timeout=LOOK_SECONDS)
            except Empty:
                if self.wait is None or self._has_worker():
                    since = time.monotonic()
                elif time.monotonic() - since > self.wait:
                    return None

    def _has_worker(self) -> bool:
        try:
            return bool(self.client.nthreads())
        except OSError:  # then all is cancelled in a moment, and says why
            return True

    def _cancelled(self, reason: str) -> str:
        if reason == DISCONNECTED:
            return self.place.disconnected()
        return f"the scheduler at {self.place.address} cancelled it ({reason})"

    def _lost(self, what: str) -> Iterator[tuple[int, LostWorkError]]:
        """All that is not finished."""
        rest = sorted([*self.waiting.values(), *self.again])
        self.cancel()
        yield from ((index, LostWorkError(f"{what}; {AGAIN}")) for index in rest)

    def cancel(self) -> None:
        """What nobody waits for any longer is not begun."""
        if self.waiting and self.client.status == "running":
            with contextlib.suppress(OSError):  # lost meanwhile, and all with it
                self.client.cancel(list(self.waiting), force=True)
        self.waiting.clear()
        self.function.release()


@dataclass(frozen=True)
class _Cancelled:
    """All is cancelled, for a reason of Dask's."""

    reason: str


class _Killed:
    """As many workers as the scheduler allows died one after the other while they had it."""


def _result(future: Future) -> Any:
    """What a finished future holds: its result, the error of the task, or how it was lost."""
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.comm import CommClosedError

    try:
        return future.result()
    except KilledWorker:
        return _Killed()
    except CommClosedError:  # the result was on its way, and is as lost as those that are not finished
        return _Cancelled(DISCONNECTED)
    except CancelledError as error:
        return _Cancelled(getattr(error, "reason", "unknown"))
    except Exception as error:
        return error


def _count(client: Client) -> int:
    """Workers that there are; none where the connection is lost, which is told when there is work."""
    if client.status not in OPEN:
        return 0
    try:
        return len(client.nthreads())
    except OSError:
        return 0
