"""What every task needs, written to a file once: each worker reads it once, and maps the large arrays of it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.runtime.temporary import temporary_folder

__all__ = ["SharedData", "shared_data"]

MAPPED_BYTES = 1_000_000  # of an array: smaller ones are read, as joblib does by default
ALIGNED = 64  # bytes: a cache line, on which numpy's own large arrays begin as well


@dataclass(frozen=True)
class SharedData:
    """Where it is. Small enough to be sent with every task.

    Attributes
    ----------
    path : of the file
    head : bytes of what is pickled; arrays follow
    arrays : first byte and length of each
    """

    path: Path
    head: int
    arrays: tuple[tuple[int, int], ...]

    def read(self) -> Any:
        """What was written: by a process the first time only, and then what it has."""
        return _read(self)


@contextmanager
def shared_data(value: object) -> Iterator[SharedData]:
    """Write it to a temporary file, which is gone afterwards; who has read it keeps it."""
    import cloudpickle

    arrays: list[pickle.PickleBuffer] = []

    def is_pickled(buffer: pickle.PickleBuffer) -> bool:
        if buffer.raw().nbytes < MAPPED_BYTES:
            return True
        arrays.append(buffer)
        return False

    # By value what a worker can't import: families from a notebook, and classes made in functions.
    head = cloudpickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL, buffer_callback=is_pickled)
    with temporary_folder() as folder:
        path, places = folder / "shared", []
        with path.open("wb") as file:
            file.write(head)
            for array in arrays:
                file.write(bytes(-file.tell() % ALIGNED))
                places.append((file.tell(), array.raw().nbytes))
                file.write(array.raw())
        yield SharedData(path, len(head), tuple(places))


@lru_cache(maxsize=1)
def _read(shared: SharedData) -> Any:
    with shared.path.open("rb") as file:
        head = file.read(shared.head)
    mapped = np.memmap(shared.path, mode="r") if shared.arrays else None
    buffers = [mapped[first : first + length] for first, length in shared.arrays] if mapped is not None else []
    return pickle.loads(head, buffers=buffers)  # noqa: S301 - written by the parent of this process a moment ago
