"""Where work is done: in processes of this machine unless a cluster or another back end was named for it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ecodyn.runtime.places.joblib_place import JoblibPlace
from ecodyn.runtime.places.place import Place, named_place

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["current_place"]


def current_place() -> Place | None:
    """What was named, the innermost first: by `ecodyn.on_cluster`, by a Dask client as a context, or to joblib.

    None where nothing was: a client that merely exists, or joblib's own choice, names nothing.
    """
    return named_place() or _of_client() or _of_joblib()


def _of_client() -> Place | None:
    """The client of a ``with Client(...)`` or ``with client.as_current()`` around this."""
    if "distributed" not in sys.modules:
        return None
    from distributed import Client

    try:
        client = Client.current(allow_global=False)
    except ValueError:
        return None
    return _dask(client)


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
        return _dask(backend.client)
    return JoblibPlace()


def _dask(client: Client) -> Place:
    from ecodyn.runtime.places.dask_place import DaskPlace

    return DaskPlace(client)
