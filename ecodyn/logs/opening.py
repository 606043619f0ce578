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

    Headers and times are read, frames are not. The first format that recognises a path opens it, or the one of
    ``options.format``, which then is asked alone.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    ValueError
        ``options.format`` is not known; the sentence lists those that are.
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
    asked = None if options.format is None else as_format(FORMATS.named(options.format))
    broken: dict[str, None] = {}  # sentences, each once
    own = _format_of(path, asked, broken)
    within = [(path, own)] if own is not None else _recognised(_entries(path), asked, broken)
    if not within:
        raise UnusableDataError(_unknown(path) if asked is None else _not_of(asked, path))
    if broken:
        warnings.warn("; ".join(broken), DataWarning, stacklevel=2)
    return [log for entry, log_format in within for log in log_format.open(entry, options)]


def _format_of(path: Path, asked: Format | None, broken: dict[str, None]) -> Format | None:
    """The first that recognises a path, what comes after it is not loaded; or the one that is asked for, if it does.

    Adds what is broken and comes before it.
    """
    if asked is not None:
        return asked if asked.recognises(path) else None
    for name in FORMATS:
        try:
            log_format = as_format(FORMATS.named(name))
        except EntryPointError as error:
            broken[str(error)] = None
            continue
        if log_format.recognises(path):
            return log_format
    return None


def _recognised(paths: list[Path], asked: Format | None, broken: dict[str, None]) -> list[tuple[Path, Format]]:
    return [(path, own) for path in paths if (own := _format_of(path, asked, broken)) is not None]


def _entries(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.name[0] != ".") if path.is_dir() else []


def _not_of(asked: Format, path: Path) -> str:
    """Why a path is not opened with the format that was asked for, and which would take it."""
    others = [name for name, entry in FORMATS.usable() if as_format(entry).recognises(path)]
    advice = f"{' and '.join(others)} would take it" if others else f"known are {', '.join(FORMATS)}"
    where = f"nothing in the folder {path} is" if path.is_dir() else f"the file {path} is not"
    return (
        f"{where} of the format {asked.name}, which was asked for: expected {asked.description}; {advice}: name "
        "another format, or none"
    )


def _unknown(path: Path) -> str:
    if path.is_dir() and not any(path.iterdir()):
        return f"{path} is an empty folder, expected a training log; check the path"
    known = "; ".join(log_format.description for _, log_format in FORMATS.usable())
    what = "folder" if path.is_dir() else "file"
    unknown = f"the {what} {path} is no training log that is known here; known are: {known}"
    return "; ".join([unknown, *FORMATS.problems()])
