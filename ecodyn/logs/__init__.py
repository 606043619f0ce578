"""Training logs: a log in some format -> frames in chunks. One file a format, one line in the registry each.

``open_logs(path)`` finds the format out by looking. A format of your own is a `Format` with `register_format`.
"""

from __future__ import annotations

from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints import Checkpoints
from ecodyn.logs.log import Format, Frames, Log, LogOptions
from ecodyn.logs.run_directory import RunDirectory
from ecodyn.logs.stack import Stack
from ecodyn.logs.table import Table
from ecodyn.logs.tensorboard import TensorBoard

__all__ = ["FORMATS", "Format", "Frames", "Log", "LogOptions", "open_logs", "register_format"]

FORMATS: dict[str, Format] = {}
"""Formats by name, asked in this order whether a path is theirs."""


def register_format(log_format: Format) -> None:
    """Add a format; a later one of the same name takes the place of the earlier."""
    FORMATS[log_format.name] = log_format


for _format in (RunDirectory(), Checkpoints(), TensorBoard(), Stack(), Table()):
    register_format(_format)


def open_logs(path: Path, options: LogOptions | None = None) -> list[Log]:
    """Open the logs in a file or folder: of one run, of several, or those in the folders and files within a folder.

    Headers and times are read, frames are not.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    UnusableDataError
        No format recognises it, or the one that does can't read it.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    found = _format_of(path)
    if found is not None:
        return found.open(path, options or LogOptions())
    inner = [(entry, f) for entry in _entries(path) if (f := _format_of(entry)) is not None]
    if not inner:
        raise UnusableDataError(_unknown(path))
    return [log for entry, log_format in inner for log in log_format.open(entry, options or LogOptions())]


def _format_of(path: Path) -> Format | None:
    return next((f for f in FORMATS.values() if f.recognises(path)), None)


def _entries(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.name[0] != ".") if path.is_dir() else []


def _unknown(path: Path) -> str:
    if path.is_dir() and not any(path.iterdir()):
        return f"{path} is an empty folder, expected a training log; check the path"
    known = "; ".join(f.description for f in FORMATS.values())
    what = "folder" if path.is_dir() else "file"
    return f"the {what} {path} is no training log that is known here; known are: {known}"
