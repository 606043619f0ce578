"""A task as a worker of whatever kind does it: with one thread, and nothing beside it in its process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ecodyn.runtime.threads import one_thread

__all__ = ["alone"]

Item = TypeVar("Item")
Result = TypeVar("Result")

# Filters of warnings, the working folder and threads of BLAS are of a process, not of a thread.
_one_at_a_time = threading.RLock()  # a task may have work of its own to do


def alone(function: Callable[[Item], Result], item: Item, folder: str | None = None) -> Result:
    """``function(item)`` in the process's turn, in a folder where there is one of that name."""
    known = folder is not None and Path(folder).is_dir()
    place = contextlib.chdir(folder) if known and folder is not None else contextlib.nullcontext()
    with _one_at_a_time, place, one_thread():
        return function(item)
