"""A path -> the logs there, of whatever format."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.logs.checkpoints.folders import holds_checkpoints
from ecodyn.logs.log import STORED, Format, Log, LogOptions
from ecodyn.logs.registry import FORMATS, as_format
from ecodyn.logs.wandb import export_advice
from ecodyn.runtime.registry import EntryPointError
from ecodyn.runtime.remote import looked_into

__all__ = ["is_log", "open_logs"]

CHECKPOINTS, EVENTS = "checkpoints", "tensorboard"  # names in the registry
DEEPEST = 5  # folders within each other that are searched: experiment/model/seed/version/checkpoints


def open_logs(path: str | os.PathLike[str], options: LogOptions | None = None) -> list[Log]:
    """Open the logs in a file or folder: of one run, of several, or those in the folders and files within a folder.

    Headers and times are read, frames are not. The first format that recognises a path opens it, or the one of
    ``options.format``, which then is asked alone. Folders of checkpoints are found in folders further in as well, and
    are runs named by their path from `path`.

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
    path, options = looked_into(path), options or LogOptions()
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    search = _Search(options, None if options.format is None else as_format(FORMATS.named(options.format)))
    own = search.format_of(path)
    within = [(path, own)] if own is not None else list(search.within(path))
    if not within:
        raise UnusableDataError(_unknown(path) if search.asked is None else _not_of(search.asked, path))
    if search.asked is None:
        _check_one_kind(path, within)
    if search.broken:
        warnings.warn("; ".join(search.broken), DataWarning, stacklevel=2)
    return [_named(log, path) for entry, log_format in within for log in log_format.open(entry, options)]


def is_log(path: Path) -> bool:
    """Whether a file or folder is itself a log of some format."""
    return _Search(LogOptions(), None).format_of(path) is not None


@dataclass
class _Search:
    """Which format opens which path.

    Attributes
    ----------
    options
    asked
        The format that is asked for, alone.
    broken
        Sentences on formats that could not be asked, each once.
    """

    options: LogOptions
    asked: Format | None
    broken: dict[str, None] = field(default_factory=dict)

    def format_of(self, path: Path) -> Format | None:
        """The first that recognises a path, what comes after it is not loaded; or the one asked for, if it does."""
        if self.asked is not None:
            return self.asked if self.asked.recognises(path) else None
        pattern = self.options.step_pattern
        if pattern not in (None, STORED) and path.is_dir() and holds_checkpoints(path, pattern):
            return as_format(FORMATS[CHECKPOINTS])
        for name in FORMATS:
            try:
                log_format = as_format(FORMATS.named(name))
            except EntryPointError as error:
                self.broken[str(error)] = None
                continue
            if log_format.recognises(path):
                _check_alone(path, log_format)
                return log_format
        return None

    def within(self, path: Path) -> Iterator[tuple[Path, Format]]:
        """The logs in a folder; and those in folders further in, where these are folders of checkpoints."""
        entries = [(entry, self.format_of(entry)) for entry in _entries(path)]
        search = all(f.name == CHECKPOINTS for _, f in entries if f is not None)
        for entry, log_format in entries:
            if log_format is not None:
                yield entry, log_format
            elif search:
                yield from self._further_in(entry, 1)

    def _further_in(self, folder: Path, depth: int) -> Iterator[tuple[Path, Format]]:
        if not folder.is_dir() or folder.is_symlink() or depth > DEEPEST:
            return
        for sub in _entries(folder):
            log_format = self.format_of(sub) if sub.is_dir() else None
            if log_format is not None:
                yield sub, log_format
            else:
                yield from self._further_in(sub, depth + 1)


def _named(log: Log, root: Path) -> Log:
    """The log of a folder further in by its path from where the search began."""
    inside = log.path.parent != root and log.name == log.path.name and log.path.is_relative_to(root)
    return replace(log, name=log.path.relative_to(root).as_posix()) if inside and log.path != root else log


def _check_alone(path: Path, log_format: Format) -> None:
    """Refuse a folder with event files beside a folder of checkpoints, as Lightning writes them."""
    if log_format.name != EVENTS or not path.is_dir():
        return
    beside = next((sub for sub in _entries(path) if sub.is_dir() and holds_checkpoints(sub)), None)
    if beside is not None:
        raise UnusableDataError(
            f"{path} has event files of scalars, and checkpoints in {beside.name}/, expected one log; name the one "
            f"that is meant: {beside}, or --format {EVENTS} for the scalars"
        )


def _check_one_kind(path: Path, within: Sequence[tuple[Path, Format]]) -> None:
    """Refuse folders of checkpoints beside logs of features."""
    checkpoints = [entry for entry, f in within if f.name == CHECKPOINTS]
    others = [(entry, f) for entry, f in within if f.name in (EVENTS, "table")]
    if checkpoints and others:
        entry, log_format = others[0]
        raise UnusableDataError(
            f"{path} holds folders of checkpoints ({len(checkpoints)}, such as {checkpoints[0]}) and logs of scalars "
            f"({len(others)}, such as {entry}), expected one kind; name those that are meant one by one, or ask for a "
            f"kind with --format {CHECKPOINTS} or --format {log_format.name}"
        )


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
    advice = export_advice(path)
    if advice is not None:
        return advice
    known = "; ".join(log_format.description for _, log_format in FORMATS.usable())
    what = "folder" if path.is_dir() else "file"
    unknown = f"the {what} {path} is no training log that is known here; known are: {known}"
    return "; ".join([unknown, *FORMATS.problems()])
