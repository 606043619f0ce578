"""A path -> the logs there, of whatever format."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.registry import FORMATS, as_format
from ecodyn.runtime.registry import EntryPointError

__all__ = ["open_logs"]


def open_logs(path: str | os.PathLike[str], options: LogOptions | None = None) -> list[Log]:
    """Open the logs in a file or folder: of one run, of several, or those in the folders and files within a folder.

    Headers and times are read, frames are not.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    UnusableDataError
        No format recognises it, or the one that does can't read it.

    Warns
    -----
    DataWarning
        A format of another distribution that might have recognised it is broken.

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
    broken: dict[str, None] = {}  # sentences, each once
    own = _format_of(path, broken)
    within = [(path, own)] if own is not None else _recognised(_entries(path), broken)
    if not within:
        raise UnusableDataError(_unknown(path))
    if broken:
        warnings.warn("; ".join(broken), DataWarning, stacklevel=2)
    return [log for entry, log_format in within for log in log_format.open(entry, options)]


def _format_of(path: Path, broken: dict[str, None]) -> Format | None:
    """The first that recognises a path; what comes after it is not loaded. Adds what is broken and comes before it."""
    for name in FORMATS:
        try:
            log_format = as_format(FORMATS.named(name))
        except EntryPointError as error:
            broken[str(error)] = None
            continue
        if log_format.recognises(path):
            return log_format
    return None


def _recognised(paths: list[Path], broken: dict[str, None]) -> list[tuple[Path, Format]]:
    return [(path, log_format) for path in paths if (log_format := _format_of(path, broken)) is not None]


def _entries(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.name[0] != ".") if path.is_dir() else []


def _unknown(path: Path) -> str:
    if path.is_dir() and not any(path.iterdir()):
        return f"{path} is an empty folder, expected a training log; check the path"
    known = "; ".join(log_format.description for _, log_format in FORMATS.usable())
    what = "folder" if path.is_dir() else "file"
    unknown = f"the {what} {path} is no training log that is known here; known are: {known}"
    return "; ".join([unknown, *FORMATS.problems()])
