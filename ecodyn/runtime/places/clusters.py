"""Which cluster: named by a text, a file of dask-jobqueue's settings, or a client that is there."""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ecodyn.runtime.places.dask_place import OPEN, WORKER_SECONDS, DaskPlace
from ecodyn.runtime.places.place import Place, working_at
from ecodyn.runtime.places.queued_clusters import QueuedCluster
from ecodyn.runtime.threads import ONE_THREAD

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["on_cluster"]

CONNECTED = ("tcp://", "tls://", "ucx://", "ws://", "wss://")  # Dask's protocols
LOCAL = "local:"
TRIES = 1  # of a task whose worker died, on workers of our own, beside the first one: as processes without Dask have
# A worker that is killed again and again is started again as often; Dask would leave out one gone for 15 s.
OWN = {
    "distributed.scheduler.allowed-failures": TRIES,
    "distributed.deploy.lost-worker-timeout": "1 day",
    "distributed.worker.profile.enabled": False,  # a look at every thread's stack each 10 ms, which nobody asks for
    # Dask's own also has freed memory given back at once, and to be asked for again: a third of our time.
    "distributed.nanny.pre-spawn-environ": ONE_THREAD,
}
INSTALL = 'python -m pip install "ecodyn-toolkit[scale]"'

Item = TypeVar("Item")
Result = TypeVar("Result")
Opening = Callable[[], AbstractContextManager["Client"]]


@contextmanager
def on_cluster(cluster: Client | str | os.PathLike[str]) -> Iterator[None]:
    """Do what is trained, extracted, compared or asked of survival inside on a cluster; no number depends on it.

    Without it, work goes to what is named by one of these, the innermost first: ``with Client(...)`` or ``with
    client.as_current()`` of Dask, and ``with joblib.parallel_config(backend=...)``. Else ``jobs`` processes of this
    machine do it. A client that merely exists is left alone.

    Parameters
    ----------
    cluster
        "local:4", so many processes of one thread each on this machine; "tcp://host:port", a scheduler that is there;
        the path of a .yaml file, what dask-jobqueue is to ask of SLURM, PBS or the like; or a client of
        ``distributed``, which stays open. One named by a text is opened when there is something to do, and closed at
        the end.

    Raises
    ------
    ValueError
        It is none of these, or the file has unknown keys.
    ModuleNotFoundError
        Dask is not installed.
    LostWorkError
        There is no worker.

    Examples
    --------
    >>> import numpy as np, ecodyn
    >>> starts = np.linspace(1.0, 3.0, 18).reshape(6, 1, 3)
    >>> decays = ecodyn.Trajectories(starts * np.exp(-0.1 * np.arange(30.0))[:, None], np.arange(30.0))
    >>> from distributed import Client
    >>> with Client(processes=False, threads_per_worker=1, dashboard_address="127.0.0.1:0") as client:
    ...     with ecodyn.on_cluster(client):  # or "local:2", without a client
    ...         result = ecodyn.compare(decays, ["linear"], ["independent"], protocols=["unseen_runs"])
    >>> str(result.verdict.best)
    'linear/independent'
    """
    if not isinstance(cluster, str | os.PathLike):
        with working_at(DaskPlace(_client(cluster))):
            yield
        return
    opening, size, wait = _named(os.fspath(cluster))
    place = _OpenedPlace(opening, size, wait)
    with place.stack, working_at(place):
        yield


class _OpenedPlace(Place):
    """A cluster that is opened once there is something to do."""

    def __init__(self, opening: Opening, size: int | None, wait: float | None) -> None:
        self.opening, self.wait, self.stack = opening, wait, ExitStack()
        self.place: DaskPlace | None = None
        self.known_size = size

    @property
    def size(self) -> int:  # type: ignore[override]
        """As many as were asked for; of a cluster that is there, as many as it has."""
        return self.known_size or self._opened().size

    def _opened(self) -> DaskPlace:
        if self.place is None:
            self.place = DaskPlace(self.stack.enter_context(self.opening()), self.known_size, self.wait)
        return self.place

    def outcomes(
        self, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Iterator[tuple[int, Result | Exception]]:
        """As those of the cluster."""
        if items:
            yield from self._opened().outcomes(function, items)


def _named(text: str) -> tuple[Opening, int | None, float | None]:
    """How it is opened, of what size it will be, and how long its first worker may take."""
    if text.startswith(LOCAL):
        count = _count(text)
        _check_installed("distributed")
        return lambda: _local(count), count, WORKER_SECONDS
    if text.startswith(CONNECTED):
        _check_installed("distributed")
        return lambda: _connected(text), None, WORKER_SECONDS
    if Path(text).suffix.lower() in (".yaml", ".yml"):
        _check_installed("dask_jobqueue")
        queued = QueuedCluster.read(Path(text))
        return queued.opened, queued.size, None
    raise ValueError(f"a cluster is local:N, tcp://host:port or a .yaml file of dask-jobqueue's settings; got {text!r}")


def _count(text: str) -> int:
    from joblib import cpu_count

    number = text.removeprefix(LOCAL)
    if not (number.isascii() and number.isdecimal()) or int(number) < 1:
        raise ValueError(f"local:N is a cluster of N processes on this machine, at least 1; got {text!r}")
    if int(number) > cpu_count():
        warnings.warn(f"{text}: there are {cpu_count()} cores, so many processes are taken", UserWarning, stacklevel=5)
    return min(int(number), cpu_count())


@contextmanager
def _local(count: int) -> Iterator[Client]:
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(OWN),
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",  # any free port, and for this machine only
            memory_limit=0,  # as processes without Dask have none
            silence_logs="CRITICAL",  # what is lost is said by us
            preload=["ecodyn.runtime.places.dask_workers"],
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(address, set_as_default=False)
    except OSError as error:
        raise ValueError(f"no scheduler answers at {address} ({error}); start one: dask scheduler") from None
    with client:
        yield client


def _client(given: object) -> Client:
    _check_installed("distributed")
    from distributed import Client

    if not isinstance(given, Client):
        raise ValueError(
            f"a cluster is a text or a client of distributed, got {type(given).__name__}; of a cluster object pass "
            "Client(cluster)"
        )
    if given.status not in OPEN:
        raise ValueError(f"expected a client with a connection, got one that is {given.status}; make a new one")
    return given


def _check_installed(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        raise ModuleNotFoundError(f"work on a cluster needs Dask; install it with: {INSTALL}", name=module)
