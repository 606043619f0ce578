"""What is in a log and what is wrong with it, without fitting or writing anything."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.extraction.layout import Layout, layout
from ecodyn.extraction.readings import Reading, UnclearTokensError
from ecodyn.extraction.recording.reading import logs_at
from ecodyn.extraction.reduction import choose_observables, reduce
from ecodyn.extraction.request import Request
from ecodyn.logs import Log, LogOptions
from ecodyn.logs.log import Setting

__all__ = ["LogFacts", "inspect_logs"]

MOST_INTERVALS = 4  # different ones, that are listed


class StrongFeature(TypedDict):
    """A feature and its share of the power in the last frame."""

    feature: int
    share_of_power: float


class ReadingFacts(TypedDict):
    """A reading of a log's axes: which axis has which tokens, what that gives, in a sentence, and its command."""

    token_axis: int
    tokens: list[int]
    p: int
    features: int
    strongest: list[StrongFeature]
    text: str
    command: str


class LogFacts(TypedDict):
    """What is in a log, and what is wrong with it.

    Attributes
    ----------
    path, format, run : where it is, what it is, and the run's name
    frames, dtype : shape of all frames together, (rows, ...), and as what they are stored
    arrays : shapes of all arrays of the log by name
    bytes : of all its files
    first_step, last_step, intervals : times of the rows, None without any, and the first few different intervals
    p, d, features : tokens, dimensions and features, None where the shapes don't tell
    gradients : shape of the logged gradients, None without any
    settings : what the log says of the training
    late_rows : the rows that were logged one update late, as text, "none" where there are none
    wrong : sentences
    observables : what else was measured of the features before it was logged
    readings : what may be meant, where it is not stated which are the tokens; the arguments of each and its command
    command : extracts it
    """

    path: str
    format: str
    run: str
    frames: list[int]
    dtype: str
    arrays: dict[str, list[int]]
    bytes: int
    first_step: float | None
    last_step: float | None
    intervals: list[float]
    p: int | None
    d: int | None
    features: int | None
    gradients: list[int] | None
    settings: dict[str, Setting]
    late_rows: str
    wrong: list[str]
    observables: list[str]
    readings: list[ReadingFacts]
    command: str


def inspect_logs(
    path: str | os.PathLike[str], request: Request | None = None, *, options: LogOptions | None = None
) -> list[LogFacts]:
    """Facts on each log at a path: format, shapes, steps, p, d, what is wrong, and the command that extracts it.

    Where it is not stated which axis has the tokens or how many there are, ``readings`` lists what may be meant.

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
    options = options or LogOptions()
    return [_facts(Path(path), log, request, options) for log in logs_at(path, options)]


def _facts(path: Path, log: Log, request: Request, options: LogOptions) -> LogFacts:
    given = _flags({**vars(options), **vars(request)})
    wrong: list[str] = []
    how: Layout | None = None
    late, mendable, repair, flags = "none", False, request.repair, given
    readings: tuple[Reading, ...] = ()
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
    except UnclearTokensError as error:
        wrong += [error.reason]
        readings, late = error.readings, "not looked for"
        flags = [*given, *_lacking(log, request, readings)]
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
        "readings": [_reading(path, one, request, options) for one in readings],
        "command": _command(path, [*["--repair"] * repair, *flags]),
    }


def _lacking(log: Log, request: Request, readings: Sequence[Reading]) -> list[str]:
    """Places for the flags that neither the log nor the request makes needless."""
    known = request.p is not None or (log.stated_shape is not None and log.stated_shape[0] is not None)
    axis = request.token_axis is None and not all(one.evident for one in readings)
    number = "--tokens FIRST:END" if known else "--p P"
    return ["--token-axis AXIS"] * axis + [number] * (request.tokens is None)


def _reading(path: Path, reading: Reading, request: Request, options: LogOptions) -> ReadingFacts:
    """What a reading would give, and the command that asks for it."""
    return {
        "token_axis": reading.token_axis,
        "tokens": list(reading.tokens),
        "p": reading.p,
        "features": reading.features,
        "strongest": [{"feature": k, "share_of_power": share} for k, share in reading.strongest],
        "text": str(reading),
        "command": _command(path, _flags({**vars(options), **vars(reading.asked(request))})),
    }


def _command(path: Path, flags: list[str]) -> str:
    return " ".join(["ecodyn extract", shlex.quote(str(path)), *flags, "-o runs.nc"])


def _flags(asked: dict[str, Any]) -> list[str]:
    """The options of `ecodyn extract` that ask for the same."""
    of_logs = ("format", "key", "interval", "first_step", "columns", "time_column", "run_column", "step_pattern")
    named = (*of_logs, "p", "token_axis", "over")
    if asked["columns"] is not None and not isinstance(asked["columns"], str):
        asked = {**asked, "columns": ",".join(asked["columns"])}
    flags = [f"--{n.replace('_', '-')} {shlex.quote(str(asked[n]))}" for n in named if asked[n] not in (None, 0)]
    if asked["missing"] != "drop":
        flags.append(f"--missing {asked['missing']}")
    if asked["token_axis"] == 0:
        flags.append("--token-axis 0")
    if asked["tokens"] is not None:
        flags.append("--tokens {}:{}".format(*asked["tokens"]))
    if asked["observables"]:
        flags.append(f"--observable {','.join(asked['observables'])}")
    return flags
