"""Where work is done: processes of this machine unless a cluster or another back end was named for it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["Place", "current_place", "working_at"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Place(ABC):
    """Workers elsewhere than in processes of this one.

    Attributes
    ----------
    size : how many tasks are done at once, for work to be cut by
    """

    size: int

    @abstractmethod
    def outcomes(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Any]]:
        """Index of each item with its result, or with the error that there is instead, as they finish."""


_named: ContextVar[Place | None] = ContextVar("ecodyn_place", default=None)


@contextmanager
def working_at(place: Place) -> Iterator[None]:
    """All work begun inside is done there."""
    token = _named.set(place)
    try:
        yield
    finally:
        _named.reset(token)


def current_place() -> Place | None:
    """What was named, the innermost first: by `ecodyn.on_cluster`, by a Dask client as a context, or to joblib.

    None where nothing was: a client that merely exists, or joblib's own choice, names nothing.
    """
    return _named.get() or _of_client() or _of_joblib()


def _of_client() -> Place | None:
    """The client of a ``with Client(...)`` or ``with client.as_current()`` around this."""
    if "distributed" not in sys.modules:
        return None
    from distributed import Client

    try:
        client = Client.current(allow_global=False)
    except ValueError:
        return None
    from ecodyn.runtime.dask_place import DaskPlace

    return DaskPlace(client)


def _of_joblib() -> Place | None:
    """The back end of a ``with joblib.parallel_config(...)`` around this, but for joblib's own processes."""
    if "joblib" not in sys.modules:
        return None
    from joblib.parallel import get_active_backend

    backend, _ = get_active_backend()
    name = type(backend).__name__
    if backend.nesting_level or name == "LokyBackend":  # within joblib's own workers nothing was named for these
        return None
    if name == "DaskDistributedBackend":
        from ecodyn.runtime.dask_place import DaskPlace

        return DaskPlace(backend.client)
    from ecodyn.runtime.joblib_place import JoblibPlace

    return JoblibPlace()
