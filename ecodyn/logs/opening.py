"""A path -> the logs there, of whatever format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoint_folders import holds_checkpoints
from ecodyn.logs.log import STORED, Format, Log, LogOptions
from ecodyn.logs.registry import FORMATS, as_format

__all__ = ["open_logs"]

CHECKPOINTS, EVENTS = "checkpoints", "tensorboard"  # names in the registry
DEEPEST = 5  # folders within each other that are searched: experiment/model/seed/version/checkpoints


def open_logs(path: str | os.PathLike[str], options: LogOptions | None = None) -> list[Log]:
    """Open the logs in a file or folder: of one run, of several, or those in the folders and files within a folder.

    Headers and times are read, frames are not. Folders of checkpoints are found in folders further in as well, and are
    runs named by their path from `path`.

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
    own = _format_of(path, options)
    if own is not None:
        _check_alone(path, own)
        return own.open(path, options)
    within = list(_within(path, options))
    if not within:
        raise UnusableDataError(_unknown(path))
    _check_one_kind(path, within)
    return [_named(log, path) for entry, log_format in within for log in log_format.open(entry, options)]


def _within(path: Path, options: LogOptions) -> Iterator[tuple[Path, Format]]:
    """The logs in a folder; and those in folders further in, where these are folders of checkpoints."""
    entries = [(entry, _format_of(entry, options)) for entry in _entries(path)]
    known = [(entry, f) for entry, f in entries if f is not None]
    search = all(f.name == CHECKPOINTS for _, f in known)
    for entry, log_format in entries:
        if log_format is not None:
            _check_alone(entry, log_format)
            yield entry, log_format
        elif search:
            yield from _further_in(entry, options, 1)


def _further_in(folder: Path, options: LogOptions, depth: int) -> Iterator[tuple[Path, Format]]:
    if not folder.is_dir() or folder.is_symlink() or depth > DEEPEST:
        return
    for sub in _entries(folder):
        log_format = _format_of(sub, options) if sub.is_dir() else None
        if log_format is not None:
            _check_alone(sub, log_format)
            yield sub, log_format
        else:
            yield from _further_in(sub, options, depth + 1)


def _named(log: Log, root: Path) -> Log:
    """The log of a folder further in by its path from where the search began."""
    inside = log.path.parent != root and log.name == log.path.name and log.path.is_relative_to(root)
    return replace(log, name=log.path.relative_to(root).as_posix()) if inside else log


def _check_alone(path: Path, log_format: Format) -> None:
    """Refuse a folder with event files beside a folder of checkpoints, as Lightning writes them."""
    if log_format.name != EVENTS or not path.is_dir():
        return
    beside = next((sub for sub in _entries(path) if sub.is_dir() and holds_checkpoints(sub)), None)
    if beside is not None:
        raise UnusableDataError(
            f"{path} has event files of scalars, and checkpoints in {beside.name}/, expected one log; name the one "
            f"that is meant: {beside}, or an event file in {path}"
        )


def _check_one_kind(path: Path, within: Sequence[tuple[Path, Format]]) -> None:
    """Refuse folders of checkpoints beside logs of features."""
    checkpoints = [entry for entry, f in within if f.name == CHECKPOINTS]
    others = [(entry, f) for entry, f in within if f.name in (EVENTS, "table")]
    if checkpoints and others:
        entry, _ = others[0]
        raise UnusableDataError(
            f"{path} holds folders of checkpoints ({len(checkpoints)}, such as {checkpoints[0]}) and logs of scalars "
            f"({len(others)}, such as {entry}), expected one kind; name those that are meant one by one"
        )


def _format_of(path: Path, options: LogOptions) -> Format | None:
    """The first that recognises a path; what comes after it is not loaded."""
    asked = options.step_pattern not in (None, STORED)
    if asked and path.is_dir() and holds_checkpoints(path, options.step_pattern):
        return as_format(FORMATS[CHECKPOINTS])
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
