"""What is in a log and what is wrong with it, without fitting or writing anything."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.extraction.recording.reading import logs_at
from ecodyn.extraction.reduction import choose_observables, reduce
from ecodyn.extraction.request import Layout, Request, layout
from ecodyn.logs import Log, LogOptions

__all__ = ["inspect_logs"]

MOST_INTERVALS = 4  # different ones, that are listed


def inspect_logs(
    path: str | os.PathLike[str], request: Request | None = None, *, options: LogOptions | None = None
) -> list[dict[str, Any]]:
    """Facts on each log at a path: format, shapes, steps, p, d, what is wrong, and the command that extracts it.

    Every frame is read once, as an extraction would. What would make an extraction refuse the log is one of the things
    that are wrong with it.

    Raises
    ------
    FileNotFoundError
        There is nothing at `path`.
    UnusableDataError
        What is there is no log, or can't be opened.
    """
    request = replace(request or Request(), checksums=False)
    given = _flags({**vars(options or LogOptions()), **vars(request)})
    return [_facts(Path(path), log, request, given) for log in logs_at(path, options)]


def _facts(path: Path, log: Log, request: Request, given: list[str]) -> dict[str, Any]:
    wrong: list[str] = []
    how: Layout | None = None
    late, mendable, repair, flags = "none", False, request.repair, given
    try:
        how = layout(log, request)
        observables, wrong = choose_observables([log], request)
        try:
            reduced = reduce(log, request, observables)
        except UnusableDataError as error:  # what can be mended is looked at once more, mended
            wrong.append(str(error))
            repair = True
            reduced = reduce(log, replace(request, repair=True), observables)
        late, mendable = reduced.late_rows, reduced.mendable
        wrong += reduced.remarks
    except UnusableDataError as error:
        wrong += [str(error)]
        flags = [*given, "--p P"] if how is None else given
    repair |= mendable
    steps = log.steps
    return {
        "path": str(log.path),
        "format": log.format,
        "run": log.name,
        "frames": list(log.frames.shape),
        "dtype": str(log.frames.dtype),
        "arrays": {name: list(shape) for name, shape in log.arrays.items()},
        "bytes": sum(source.stat().st_size for source in log.sources),
        "first_step": float(np.nanmin(steps)) if len(steps) else None,
        "last_step": float(np.nanmax(steps)) if len(steps) else None,
        "intervals": np.unique(np.diff(steps)).tolist()[:MOST_INTERVALS],
        "p": how.p if how else None,
        "d": how.d if how else None,
        "features": len(how.labels) if how else None,
        "gradients": None if log.gradients is None else list(log.gradients.shape),
        "observables": ["signal", *log.observables] if log.observables else [],
        "settings": dict(log.settings),
        "late_rows": late,
        "wrong": list(dict.fromkeys(wrong)),
        "command": " ".join(["ecodyn extract", shlex.quote(str(path)), *["--repair"] * repair, *flags, "-o runs.nc"]),
    }


def _flags(asked: dict[str, Any]) -> list[str]:
    """The options of `ecodyn extract` that ask for the same."""
    named = ("key", "interval", "first_step", "columns", "p", "token_axis", "over")
    flags = [f"--{n.replace('_', '-')} {shlex.quote(str(asked[n]))}" for n in named if asked[n] not in (None, 0)]
    if asked["token_axis"] == 0:
        flags.append("--token-axis 0")
    if asked["tokens"] is not None:
        flags.append("--tokens {}:{}".format(*asked["tokens"]))
    if asked["observables"]:
        flags.append(f"--observable {','.join(asked['observables'])}")
    return flags
