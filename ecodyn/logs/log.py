"""What every format comes down to: a log of one run, its steps, and frames that are read in chunks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ecodyn.errors import UnusableDataError

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
    """

    shape: tuple[int, ...]
    dtype: np.dtype

    @abstractmethod
    def read(self, rows: np.ndarray) -> np.ndarray:
        """Frames of these ascending rows, (len(rows), ...). The next call may write into the same memory."""

    def chunks(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """These ascending rows and their frames, a chunk at a time, each as `read` returns it."""
        for part in self.parts(rows):
            yield part, self.read(part)

    def parts(self, rows: np.ndarray) -> list[np.ndarray]:
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

    def read(self, rows: np.ndarray) -> np.ndarray:
        """A copy of these rows."""
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
            return np.ascontiguousarray(self.array[rows[0] : rows[-1] + 1])
        return self.array[rows]


@dataclass(frozen=True, kw_only=True)
class Log:
    """The log of one run, opened: headers and times are read, frames are not.

    Attributes
    ----------
    path
        The file or folder.
    format
        Name in the registry of formats.
    name
        What the run is called; unique among the runs of one folder.
    steps
        Optimiser steps of the rows, in the order logged; may repeat or go back.
    frames
        (rows, ...) arrays; or (rows, K) values of features if `features` is given.
    features
        Labels, if the log holds values already reduced to features.
    gradients
        The same of the loss gradient, if it was logged.
    gradient_steps
        Their steps.
    settings
        Facts on the run that the log states, such as ``{"dim": 128}``.
    late
        Rows that show the parameters one update after their step, (rows,) bool.
    remarks
        Sentences on what is wrong with the log, or was decided on opening it.
    sources
        The files that the numbers come from.
    stated_shape
        (p, d) where the log states them.
    arrays
        Name to shape of everything that the log holds, as far as it is known.
    """

    path: Path
    format: str
    name: str
    steps: np.ndarray
    frames: Frames
    sources: tuple[Path, ...]
    features: tuple[Any, ...] | None = None
    gradients: Frames | None = None
    gradient_steps: np.ndarray | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    late: np.ndarray | None = None
    remarks: tuple[str, ...] = ()
    stated_shape: tuple[int, int] | None = None
    arrays: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class LogOptions:
    """What a log does not say about itself.

    Attributes
    ----------
    key
        Name of the tensor or array that holds the frames.
    interval
        Steps between rows, where the log states no times.
    first_step
        Step of the first row, used with `interval`.
    columns
        Pattern of the columns or tags that are features; a ``*`` stands for the feature's label.
    """

    key: str | None = None
    interval: float | None = None
    first_step: float = 0
    columns: str | None = None

    def __post_init__(self) -> None:
        if self.interval is not None and not 0 < self.interval < np.inf:
            raise ValueError(f"the interval between rows must be a positive number of steps, got {self.interval}")

    def times(self, path: Path, rows: int) -> np.ndarray:
        """Steps of rows that state none, reconstructed from `interval`.

        Raises
        ------
        UnusableDataError
            There is no interval to reconstruct them from.
        """
        if self.interval is None:
            raise UnusableDataError(
                f"{path} has {rows} frames and does not say at which steps: expected an array of steps beside them; "
                "say how many steps lie between two frames with --interval N (and --first-step)"
            )
        return self.first_step + self.interval * np.arange(rows)


class Format(ABC):
    """A log format: how to recognise it and how to open it."""

    name: ClassVar[str]
    description: ClassVar[str]

    @abstractmethod
    def recognises(self, path: Path) -> bool:
        """Whether `path`, which exists, is one; by its name and first bytes only."""

    @abstractmethod
    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """The logs in `path`, one a run.

        Raises
        ------
        UnusableDataError
            It is damaged, or lacks what was asked for.
        """


def check_numbers(dtype: np.dtype, where: str) -> None:
    """Raise UnusableDataError unless an array of this type holds real numbers."""
    if dtype.kind not in NUMBERS:
        kind = {"O": "Python objects", "c": "complex numbers", "U": "text", "S": "text", "V": "records"}
        raise UnusableDataError(
            f"{where} holds {kind.get(dtype.kind, str(dtype))} ({dtype}), expected real numbers; "
            "write it again as an array of floats"
        )
