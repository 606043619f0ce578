"""Logs among others that can't be opened: the others are extracted, and these are named."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.extraction.logged_inputs import LoggedInputs, with_logged_inputs
from ecodyn.extraction.recording.reading import logs_at
from ecodyn.logs import Log, LogOptions
from ecodyn.logs.opening import is_log
from ecodyn.runtime.files import first_line
from ecodyn.runtime.remote import looked_into
from ecodyn.trajectories.inputs import Kind

__all__ = ["logs_by_path", "readable_logs"]


def readable_logs(
    paths: Sequence[str | os.PathLike[str]],
    options: LogOptions,
    columns: Mapping[str, str],
    kind: Kind | Mapping[str, Kind] | None,
    *,
    all_or_none: bool,
) -> tuple[list[Log], LoggedInputs, list[str]]:
    """The logs at some paths with their inputs, and sentences on those that are damaged or no logs.

    Parameters
    ----------
    paths, options, columns, kind
        As of `with_logged_inputs`.
    all_or_none
        Whether one that is damaged is refused with all others: shares count logs, and would not be the same ones.

    Raises
    ------
    UnusableDataError
        None can be opened; and what `with_logged_inputs` raises of the others.
    """
    try:
        return *with_logged_inputs(paths, options, columns, kind), []
    except UnusableDataError:
        if all_or_none:
            raise
        whole, damaged = _sorted_out(paths, options)
        if not whole or not damaged:
            raise
    return *with_logged_inputs(whole, options, columns, kind), damaged


def logs_by_path(paths: Sequence[Path], options: LogOptions) -> tuple[list[list[Log]], list[Path], list[str]]:
    """The logs at each path, none where none can be opened; the paths of those that can; and sentences on the others.

    Raises
    ------
    UnusableDataError
        What is wrong with a path is no matter of single logs in it.
    """
    logs: list[list[Log]] = []
    whole: list[Path] = []
    damaged: list[str] = []
    for path in paths:
        try:
            logs.append(list(logs_at(path, options)))
            whole.append(path)
        except UnusableDataError:
            readable, sentences = _sorted_out([path], options)
            if not sentences:
                raise
            logs.append([log for entry in readable for log in logs_at(entry, options)])
            whole += readable
            damaged += sentences
    return logs, whole, damaged


def _sorted_out(paths: Sequence[str | os.PathLike[str]], options: LogOptions) -> tuple[list[Path], list[str]]:
    """The paths that can be opened, of folders of several logs the entries; and what is wrong with the others."""
    whole, damaged = [], []
    for path in map(looked_into, paths):
        several = path.is_dir() and not is_log(path)
        entries = [entry for entry in sorted(path.iterdir()) if is_log(entry)] if several else [path]
        for entry in entries:
            try:
                logs_at(entry, options)
                whole.append(entry)
            except UnusableDataError as error:
                text = first_line(error)
                damaged.append(text if str(entry) in text else f"{entry}: {text}")
    return whole, damaged
