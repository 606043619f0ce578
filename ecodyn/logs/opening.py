"""A path -> the logs there, of whatever format."""

from __future__ import annotations

import os
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.registry import FORMATS, as_format

__all__ = ["is_log", "open_logs"]


def open_logs(path: str | os.PathLike[str], options: LogOptions | None = None) -> list[Log]:
    """Open the logs in a file or folder: of one run, of several, or those in the folders and files within a folder.

    Headers and times are read, frames are not.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    UnusableDataError
        No format recognises it, or the one that does can't read it.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ecodyn.logs import LogOptions, open_logs
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/run.npy", np.ones((3, 7, 4)))
    ...     (log,) = open_logs(f"{folder}/run.npy", LogOptions(interval=100))
    >>> log.format, log.frames.shape, log.steps.tolist()
    ('stack', (3, 7, 4), [0.0, 100.0, 200.0])
    """
    path, options = Path(path), options or LogOptions()
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    own = _format_of(path)
    if own is not None:
        return own.open(path, options)
    within = [(entry, f) for entry in _entries(path) if (f := _format_of(entry)) is not None]
    if not within:
        raise UnusableDataError(_unknown(path))
    return [log for entry, log_format in within for log in log_format.open(entry, options)]


def is_log(path: Path) -> bool:
    """Whether a file or folder is itself a log of some format."""
    return _format_of(path) is not None


def _format_of(path: Path) -> Format | None:
    """The first that recognises a path; what comes after it is not loaded."""
    return next((f for f in (as_format(entry) for _, entry in FORMATS.usable()) if f.recognises(path)), None)


def _entries(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.name[0] != ".") if path.is_dir() else []


def _unknown(path: Path) -> str:
    if path.is_dir() and not any(path.iterdir()):
        return f"{path} is an empty folder, expected a training log; check the path"
    known = "; ".join(log_format.description for _, log_format in FORMATS.usable())
    what = "folder" if path.is_dir() else "file"
    unknown = f"the {what} {path} is no training log that is known here; known are: {known}"
    return "; ".join([unknown, *FORMATS.problems()])
