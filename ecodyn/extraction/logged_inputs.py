"""Inputs that logs hold beside what they measure: a learning rate that was logged, as a curve of each run."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.recording.reading import logs_at
from ecodyn.logs import Log, LogOptions
from ecodyn.logs.integrity import last_wins
from ecodyn.tables.names import is_learning_rate, listed
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.inputs import STEPS, Input, Kind

__all__ = ["LoggedInputs", "inputs_from_logs", "logged_inputs", "with_logged_inputs"]

AGREES = 1e-9  # relative: a rate that goes by less is a constant one that was rounded


@dataclass(frozen=True, kw_only=True)
class LoggedInputs:
    """Curves that were logged beside what is extracted.

    Attributes
    ----------
    columns
        By the name of the input, the column, tag or metric: ``{"lr": "train/learning_rate"}``.
    curves
        By the name of the input, a curve for each log.
    remarks
        Sentences on learning rates that vary and were not asked for.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    curves: Mapping[str, Sequence[Input]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def with_logged_inputs(
    paths: Sequence[str | os.PathLike[str]],
    options: LogOptions,
    columns: Mapping[str, str],
    kind: Kind | Mapping[str, Kind] | None,
) -> tuple[list[Log], LoggedInputs]:
    """The logs at some paths, with what is an input no feature of theirs, and these inputs.

    For parameters and what is raised, see `logged_inputs`.
    """
    logs = [log for path in paths for log in logs_at(path, options)]
    features = [str(label) for label in logs[0].features or ()] if logs else []
    if options.columns is None and {*columns.values()} & {*features}:
        others = [label for label in features if label not in columns.values()]
        if not others:
            raise UnusableDataError(f"{logs[0].path} has no values beside those of inputs ({listed(features)})")
        again = _opened(paths, logs, options, others)
        logs = [replace(new, remarks=log.remarks) for new, log in zip(again, logs, strict=True)]
    return logs, logged_inputs(paths, logs, options, columns, kind)


def logged_inputs(
    paths: Sequence[str | os.PathLike[str]],
    logs: Sequence[Log],
    options: LogOptions,
    columns: Mapping[str, str],
    kind: Kind | Mapping[str, Kind] | None,
) -> LoggedInputs:
    """The curves that were asked for of the logs, which are those at these paths.

    Parameters
    ----------
    paths
        What the logs were opened at.
    logs
        All of them, in their order.
    options
        That they were opened with.
    columns
        By the name of the input, the column, tag or metric that holds it.
    kind
        "steps" holds each value until the next, "linear" goes straight from one to the next; for all, or by the name
        of the input. Where a value changes, it has to be said, since logs don't.

    Raises
    ------
    UnusableDataError
        A log has no such values, or its format has none but frames.
    ValueError
        The kind has to be said.
    """
    curves = {}
    for name, column in columns.items():
        own = kind.get(name) if isinstance(kind, Mapping) else kind
        series = _series(paths, logs, options, column)
        curves[name] = [_curve(name, column, own, log, *each) for log, each in zip(logs, series, strict=True)]
    remarks = [f"read as inputs: {listed(f'{n} from {c}' for n, c in columns.items())}"] if columns else []
    remarks += _noticed(paths, logs, options, {*columns.values()})
    return LoggedInputs(columns=dict(columns), curves=curves, remarks=tuple(remarks))


def inputs_from_logs(
    data: Trajectories,
    paths: Sequence[str | os.PathLike[str]],
    options: LogOptions,
    name: str,
    column: str,
    kind: Kind | None,
) -> list[Input]:
    """The curve of each run of data that were extracted from the logs at these paths, by what the logs call it.

    Raises
    ------
    UnusableDataError
        A run is called as none of the logs, or as several of them; or what `logged_inputs` raises.
    """
    logs = [log for path in paths for log in logs_at(path, replace(options, columns=[column], missing="drop"))]
    found: dict[str, list[Input]] = {}
    for log in logs:
        found.setdefault(log.name, []).append(_curve(name, column, kind, log, *_values(log, column)))
    called = list(map(str, data.runs.tolist()))
    if lacking := [run for run in called if len(found.get(run, ())) != 1]:
        raise UnusableDataError(
            f"expected {column} of each run for the input {name}, got none or several for {listed(lacking)}; "
            f"extract the logs first, with ecodyn extract --input {name}={column}"
        )
    return [found[run][0] for run in called]


def _curve(name: str, column: str, kind: Kind | None, log: Log, steps: Array, values: Array) -> Input:
    """One run's; the kind of one that stays as it is makes no difference."""
    if kind is not None:
        return Input(name, steps, values, kind)
    if (values != values[0]).any():
        raise ValueError(
            f"{log.path}: expected to be told how {column} goes between the {len(steps)} steps that it was logged at; "
            "kind 'steps' holds each value until the next, as a decay at milestones, kind 'linear' goes straight from "
            f"one to the next, as along a cosine: --input {name}={column}:linear (input_kind='linear')"
        )
    return Input(name, steps[:1], values[:1], STEPS)


def _series(
    paths: Sequence[str | os.PathLike[str]], logs: Sequence[Log], options: LogOptions, column: str
) -> list[tuple[Array, Array]]:
    """Steps and values of a column in each of the logs: opened again with that column as their only feature."""
    return [_values(log, column) for log in _opened(paths, logs, replace(options, missing="drop"), [column])]


def _opened(
    paths: Sequence[str | os.PathLike[str]], logs: Sequence[Log], options: LogOptions, columns: list[str]
) -> list[Log]:
    """The same logs once more, for these columns as their features."""
    asked = replace(options, columns=columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # they were said when the logs were opened before
        try:
            again = [log for path in paths for log in logs_at(path, asked)]
        except UnusableDataError as error:
            lacking = next((c for c in columns if logs[0].arrays and c not in logs[0].arrays), None)
            reason = error if lacking is None else f"there is no {lacking}, only {listed(logs[0].arrays)}"
            raise UnusableDataError(f"{logs[0].path}: expected {listed(columns)} by steps; {reason}") from None
    if [(log.path, log.name) for log in again] != [(log.path, log.name) for log in logs]:
        missing = [log.name for log in logs if (log.path, log.name) not in {(a.path, a.name) for a in again}]
        raise UnusableDataError(
            f"expected {listed(columns)} in the log of each of {len(logs)} runs, got none for {listed(missing)}; leave "
            "these runs out, or give the input as a table"
        )
    return again


def _values(log: Log, column: str) -> tuple[Array, Array]:
    """Steps and values of a log that was opened for one column alone."""
    if log.features is None or len(log.features) != 1 or len(log.frames.shape) != 2:
        raise UnusableDataError(
            f"{log.path}: a log of the format {log.format} holds no values of {column} by their steps; give the input "
            "as a table with the columns step and its name"
        )
    kept = last_wins(log.steps)
    return log.steps[kept], np.asarray(log.frames.read(kept)[:, 0], dtype=np.float64)


def _noticed(
    paths: Sequence[str | os.PathLike[str]], logs: Sequence[Log], options: LogOptions, asked: set[str]
) -> Iterator[str]:
    """A sentence for each learning rate that varies within these logs and that was not asked for, as whatever."""
    offered = dict.fromkeys(name for log in logs for name in log.arrays if is_learning_rate(name))
    features = {str(label) for log in logs for label in log.features or ()}
    known = asked if options.columns is None else asked | features
    for name in [name for name in offered if name not in known and all(name in log.arrays for log in logs)]:
        try:
            series = _series(paths, logs, options, name)
        except (UnusableDataError, ValueError):  # it is no series of numbers: nothing to tell of
            continue
        spans = [(values.min(), values.max()) for _, values in series if len(values)]
        low, high = min(a for a, _ in spans), max(b for _, b in spans)
        if any(b - a > AGREES * abs(b) for a, b in spans):
            yield (
                f"the learning rate varies ({name}, from {low:g} to {high:g})"
                f"{' and is taken as a feature' * (name in features)}; laws can be told of it with --input "
                f"lr={name}:linear, or :steps where it jumps (inputs=, input_kind=)"
            )
