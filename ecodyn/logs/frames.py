"""Arrays of one shape, one a logged row, that are read in chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError

__all__ = ["CHUNK_BYTES", "NUMBERS", "ArrayFrames", "Frames", "check_numbers"]

CHUNK_BYTES = 2 << 20  # a chunk and what is computed from it stay in a core's cache
NUMBERS = "fiub"  # kinds of NumPy's types that are real numbers


class Frames(ABC):
    """Arrays of one shape, one for each logged row, read in chunks.

    Attributes
    ----------
    shape
        (rows, ...): the number of frames, then the shape of one.
    dtype
        As it is stored.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.logs import ArrayFrames
    >>> frames = ArrayFrames(np.arange(24.0).reshape(4, 3, 2))
    >>> len(frames), frames.frame_bytes
    (4, 48)
    >>> frames.read(np.array([0, 3]))[:, 0]
    array([[ 0.,  1.],
           [18., 19.]])
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def read(self, rows: Integers) -> np.ndarray:
        """Frames of these ascending rows, (len(rows), ...). The next call may write into the same memory."""

    def chunks(self, rows: Integers) -> Iterator[tuple[Integers, np.ndarray]]:
        """These ascending rows and their frames, a chunk at a time, each as `read` returns it."""
        for part in self.parts(rows):
            yield part, self.read(part)

    def parts(self, rows: Integers) -> list[Integers]:
        """The rows, as many in each part as make a chunk."""
        return np.split(rows, np.arange(self.chunk_rows, len(rows), self.chunk_rows))

    @property
    def chunk_rows(self) -> int:
        """Frames in a chunk."""
        return max(1, CHUNK_BYTES // max(1, self.frame_bytes))

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame as it is stored."""
        return int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]


class ArrayFrames(Frames):
    """Frames that are in memory already, or mapped into it."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        self.shape = array.shape
        self.dtype = array.dtype

    def read(self, rows: Integers) -> np.ndarray:
        """A copy of these rows."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
            return np.ascontiguousarray(self.array[rows[0] : rows[-1] + 1])
        return self.array[rows]


def check_numbers(dtype: np.dtype, where: str) -> None:
    """Raise UnusableDataError unless an array of this type holds real numbers."""
    if dtype.kind not in NUMBERS:
        kind = {"O": "Python objects", "c": "complex numbers", "U": "text", "S": "text", "V": "records"}
        raise UnusableDataError(
            f"{where} holds {kind.get(dtype.kind, str(dtype))} ({dtype}), expected real numbers; "
            "write it again as an array of floats"
        )
