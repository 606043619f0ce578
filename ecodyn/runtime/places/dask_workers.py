"""Loaded by the workers of a cluster on this machine."""

from __future__ import annotations

import signal

__all__ = ["dask_setup"]


def dask_setup(_worker: object) -> None:
    """Leave Ctrl-C to the process that began the cluster; Dask calls this in each of its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
