"""Standard streams whose reader may leave: what is written to them from then on goes nowhere, and the work goes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

__all__ = ["PatientStream", "outlive_readers"]


class PatientStream:
    """A text stream into a pipe that may be closed at its other end, as ``| head`` does.

    The first write that fails for that puts the null device in the pipe's place, with the same descriptor, so that
    libraries that write to it by themselves don't fail either. All else is the stream's own.

    Examples
    --------
    >>> reading, writing = os.pipe()
    >>> os.close(reading)
    >>> with os.fdopen(writing, "w") as pipe:
    ...     stream = PatientStream(pipe)
    ...     print("to nobody", file=stream, flush=True)
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or drop it where nobody reads it."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._to_nowhere()
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write texts one behind another."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Hand over what was written."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._to_nowhere()
            self._stream.flush()

    def _to_nowhere(self) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self._stream.fileno())
        os.close(null)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def outlive_readers() -> None:
    """Let this process's stdout and stderr outlive who reads them; those that were closed from the start stay so."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:
            setattr(sys, name, PatientStream(stream))
