"""The journal of a recording under way: a line of JSON, then rows of one length, appended one by one.

A row is handed to the operating system at once, so that a process that is killed loses none but the one it was writing:
that one is incomplete and is left out on reading. (A machine that loses its power may lose what the system had not
written to the disk yet.) Steps ascend: a training that goes back cuts off what it overwrites.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import write_whole
from ecodyn.trajectories.paths import RECORDING_SUFFIX

__all__ = ["MARK", "SUFFIX", "VERSION", "Header", "Journal", "Kept", "journal_of", "read_journal", "row_type"]

SUFFIX = RECORDING_SUFFIX
VERSION = 1  # of the layout of a journal
MARK = "ecodyn_recording"  # the header's entry that says so, and the attribute of the file that becomes of a journal
CHECKSUM_BYTES = 4  # at the end of a row
LOCK_TRIES, LOCK_PAUSE = 5, 0.02  # seconds; a reader holds the lock for microseconds, another recorder for good

Header = Mapping[str, Any]
"""What a journal says of its rows, as JSON holds it; ``columns`` and ``features`` say how long they are."""


def journal_of(out: Path) -> Path:
    """Where the journal of a file is."""
    return out.with_name(out.name + SUFFIX)


@dataclass(frozen=True)
class Kept:
    """What a journal holds.

    Attributes
    ----------
    header
        As it was begun with.
    rows
        Of `row_type`: step, start (which start of the training recorded it, from 1), dc, values (column, feature).
    torn
        Bytes of an incomplete last row, which is left out.
    in_progress
        Whether a process holds the journal.
    """

    header: Header
    rows: np.ndarray
    torn: int
    in_progress: bool


class Journal:
    """A journal that this process appends to; another process that tries is refused."""

    def __init__(self, path: Path) -> None:
        kept = read_journal(path)
        self.path, self.header = path, kept.header
        self._start = int(kept.rows["start"].max(initial=0)) + 1
        self._row = np.zeros(1, kept.rows.dtype)
        self._offset = path.stat().st_size - kept.torn - kept.rows.nbytes
        self._file: IO[bytes] = path.open("r+b", buffering=0)
        try:
            _lock(self._file, path)
        except ValueError:
            self._file.close()
            raise
        self._keep(kept.rows["step"])

    @classmethod
    def begin(cls, path: Path, header: Header, rows: np.ndarray | None = None) -> Journal:
        """A new one, in place of any that is there, with these rows of an earlier start; their checksums are added.

        Raises
        ------
        ValueError
            Another process records there.
        """
        if path.exists():
            with path.open("r+b", buffering=0) as replaced:
                _lock(replaced, path)
        line = json.dumps({MARK: VERSION, **header}, allow_nan=False).encode() + b"\n"
        sealed = np.zeros(0, row_type(header)) if rows is None else rows.copy()
        for row in sealed:
            row["crc"] = _checksum(row.tobytes())
        with write_whole(path, force=True) as temporary:
            temporary.write_bytes(line + sealed.tobytes())
        return cls(path)

    def append(self, step: int, values: Array, dc: float) -> None:
        """One row, values (column, feature), at a step after the last one.

        Raises
        ------
        OSError
            It can't be written, as on a full disk; the rows before it are kept.
        """
        row = self._row
        row["step"], row["start"], row["dc"], row["values"] = step, self._start, dc, values
        row["crc"] = _checksum(row.tobytes())
        written = self._file.write(row.tobytes())
        if written != row.nbytes:
            raise OSError(f"{self.path} took {written} of the {row.nbytes} bytes of a row; is the disk full?")
        self.n_rows += 1
        self.last_step = step

    def repeats(self, step: int, values: Array, dc: float) -> bool:
        """Whether a row is the last one over again."""
        if not self.n_rows or step != self.last_step:
            return False
        last = read_journal(self.path).rows[-1]
        return np.array_equal(last["values"], values) and np.array_equal(last["dc"], dc, equal_nan=True)

    def rewind(self, step: int) -> int:
        """Cut off the rows at a step or after it; how many."""
        before, steps = self.n_rows, read_journal(self.path).rows["step"]
        self._keep(steps[steps < step])
        return before - self.n_rows

    def close(self) -> None:
        """Let go of it; it stays."""
        self._file.close()

    def _keep(self, steps: Array) -> None:
        """Cut off all but the rows of these steps, the first ones, and go on after them."""
        self.n_rows = len(steps)
        self.last_step = int(steps[-1]) if len(steps) else -1
        self._file.truncate(self._offset + self.n_rows * self._row.nbytes)
        self._file.seek(0, os.SEEK_END)


def read_journal(path: Path) -> Kept:
    """What a journal holds, without an incomplete last row.

    Raises
    ------
    UnusableDataError
        It is none, of a newer version, or damaged.
    """
    with path.open("rb") as file:
        in_progress = _held(file)
        content = file.read()
    line, _, body = content.partition(b"\n")
    try:
        header = json.loads(line)
        version = int(header[MARK])
        dtype = row_type(header)
    except (ValueError, KeyError, TypeError):
        raise UnusableDataError(
            f"{path} is damaged or no recording: it begins with {line[:16]!r}; delete it and train again"
        ) from None
    if version > VERSION:
        raise UnusableDataError(f"{path} is of version {version}, this ecodyn reads up to {VERSION}; upgrade ecodyn")
    count = len(body) // dtype.itemsize
    rows = np.frombuffer(body, dtype, count)
    torn = len(body) - rows.nbytes
    wrong = [r for r in range(count) if _checksum(rows[r].tobytes()) != rows["crc"][r]]
    if wrong == [count - 1] and not torn:  # blocks of a file are not always written in their order
        rows, torn, wrong = rows[:-1], dtype.itemsize, []
    if wrong:
        raise UnusableDataError(
            f"{path} is damaged: row {wrong[0]} of {count} does not match its checksum; restore it, or delete it"
        )
    return Kept(header, rows, torn, in_progress)


def row_type(header: Header) -> np.dtype:
    """What a row is made of, its checksum last."""
    values = ("values", "<f8", (len(header["columns"]), len(header["features"])))
    return np.dtype([("step", "<f8"), ("start", "<u4"), ("dc", "<f8"), values, ("crc", "<u4")])


def _checksum(row: bytes) -> int:
    """Of a row without its last entry, the checksum."""
    return zlib.crc32(row[:-CHECKSUM_BYTES])


def _lock(file: IO[bytes], path: Path) -> None:
    """Keep other recorders out for as long as this process has the file open, however it ends."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system, where two recorders of one file are not noticed
        return
    for attempt in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(LOCK_PAUSE * (attempt < LOCK_TRIES - 1))
        except OSError:  # a file system without locks
            return
    raise ValueError(
        f"another process, or another recorder of this one, records into {path.name.removesuffix(SUFFIX)}; name "
        "another out, one a run"
    )


def _held(file: IO[bytes]) -> bool:
    """Whether a recorder has the file open."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except (ImportError, OSError):  # no locks here: nothing tells
        return False
    return False
