"""Do a cluster's workers have the same ecodyn? Numbers are the same only where the code is."""

from __future__ import annotations

import warnings
from importlib import metadata
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ecodyn._version import __version__

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["check_versions"]

NUMERICAL = ("numpy", "scipy", "numba", "torch", "scikit-learn")  # which numbers depend on, in their last digits
checked: WeakKeyDictionary[Client, set[str]] = WeakKeyDictionary()  # workers by client: each is asked once


def check_versions(client: Client) -> None:
    """Ask the workers that were not asked yet.

    Raises
    ------
    ValueError
        A worker has another ecodyn, or none.

    Warns
    -----
    UserWarning
        A worker has another NumPy or the like.
    """
    known = checked.setdefault(client, set())
    new = sorted(set(client.nthreads()) - known)
    here = versions()
    differing: dict[str, set[str]] = {}
    for worker, found in client.run(versions, workers=new, on_error="return").items() if new else ():
        if isinstance(found, Exception):
            raise ValueError(
                f"expected ecodyn {__version__} on the worker {worker}, which has none ({found}); install it there"
            )
        if found["ecodyn"] != __version__:
            raise ValueError(
                f"expected ecodyn {__version__} on the worker {worker}, got {found['ecodyn']}; install the same there"
            )
        for name in NUMERICAL:
            if found[name] != here[name]:
                differing.setdefault(f"{name} {found[name]}, {here[name]} here", set()).add(worker)
        known.add(worker)
    if differing:
        said = "; ".join(f"{len(workers)} workers have {what}" for what, workers in differing.items())
        warnings.warn(f"{said}: numbers may differ in their last digits", UserWarning, stacklevel=2)


def versions() -> dict[str, str]:
    """Of what numbers depend on, in this process."""
    return {"ecodyn": __version__} | {name: _version(name) for name in NUMERICAL}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"
