"""Schedules of rates from their text, such as ``cosine:final=0.1``, and from tables."""

from __future__ import annotations

import re
import typing
from dataclasses import fields
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.networks.training.decaying_rates import CosineRate, LinearRate
from ecodyn.networks.training.rates import ConstantRate, RateSchedule, StepRate
from ecodyn.networks.training.tabulated_rates import TableRate
from ecodyn.tables import TableOptions, interpret, read_table

__all__ = ["KINDS", "as_schedule"]

KINDS: dict[str, type[RateSchedule]] = {
    kind.name: kind for kind in (ConstantRate, CosineRate, LinearRate, StepRate, TableRate)
}
COLUMNS = {  # of a table, by what it is a schedule of; the first that is there
    "learning_rate": ("lr", "learning_rate", "train/learning_rate"),
    "weight_decay": ("weight_decay", "wd"),
}
PARAMETER = re.compile(r"([a-z_]+)=(.*)")


def as_schedule(given: RateSchedule | str, of: str) -> RateSchedule:
    """A schedule, or the one that a text means, such as ``step:milestones=300+600`` or ``table:rates.csv``.

    Parameters
    ----------
    given
        The schedule or text.
    of
        The setting that it is a schedule of, "learning_rate" or "weight_decay": sentences name it, and a table's column
        is called so.

    Raises
    ------
    ValueError
        The text means none.
    UnusableDataError
        A table can't be read, or has no rates.

    Examples
    --------
    >>> as_schedule("cosine:final=0.1:warmup_steps=50", "learning_rate")
    CosineRate(warmup_steps=50, final=0.1, steps=None)
    """
    if isinstance(given, RateSchedule):
        return given
    if not isinstance(given, str):
        raise ValueError(f"{of}_schedule must be a schedule or its text, such as 'cosine:final=0.1', got {given!r}")
    name, *parts = given.strip().split(":")
    if name not in KINDS:
        raise ValueError(f"{of}_schedule must be one of {', '.join(KINDS)}, got {name!r}; such as cosine:final=0.1")
    kind = KINDS[name]
    read: dict[str, object] = {}
    while parts and (match := PARAMETER.fullmatch(parts[0])):
        _read_into(read, kind, match[1], match[2], of)
        parts.pop(0)
    if parts and kind is TableRate:
        return _from_file(Path(":".join(parts)), of, read)
    if parts:
        raise ValueError(f"{of}_schedule: expected PARAMETER=VALUE after {name}, got {':'.join(parts)!r}")
    try:
        return kind(**read)
    except ValueError as error:
        raise ValueError(f"{of}_schedule: {error}") from None


def _read_into(read: dict[str, object], kind: type[RateSchedule], name: str, text: str, of: str) -> None:
    """One parameter of a kind of schedule, from its text."""
    hints = {f.name: typing.get_type_hints(kind)[f.name] for f in fields(kind)}
    if name not in hints:
        raise ValueError(f"{of}_schedule: {kind.name} has no {name}; it has {', '.join(hints)}")
    if name in read:
        raise ValueError(f"{of}_schedule: {name} is given twice")
    parsers = {tuple[int, ...]: (int, True), tuple[float, ...]: (float, True), float: (float, False), str: (str, False)}
    parse, several = parsers.get(hints[name], (int, False))
    try:
        read[name] = tuple(map(parse, text.split("+"))) if several else parse(text)
    except ValueError:
        wanted = "whole numbers" if parse is int else "numbers"
        how = f"{wanted} with + between them" if several else f"one of the {wanted}"
        raise ValueError(f"{of}_schedule: {name} takes {how}, got {text!r}") from None


def _from_file(path: Path, of: str, stated: dict[str, object]) -> TableRate:
    """The rates in a table with the columns step and lr (or what else `COLUMNS` has)."""
    kind = str(stated.pop("kind", "steps"))
    if stated:
        raise ValueError(f"{of}_schedule: {', '.join(stated)} given beside the table {path}; leave that out")
    frame = read_table(path)
    column = next((name for name in COLUMNS[of] if name in frame.columns), None)
    if column is None:
        raise UnusableDataError(
            f"{path} has the columns {', '.join(map(str, frame.columns))}, expected a column step and one called "
            f"{' or '.join(COLUMNS[of])}"
        )
    table = interpret(frame, TableOptions(columns=[column]), where=str(path))
    if len(table.runs) > 1:
        raise UnusableDataError(f"{path} holds rates of {len(table.runs)} runs, expected one; keep one of them")
    steps = _whole(table.times[0], path)
    try:
        return TableRate(steps=steps, values=tuple(table.values[0][:, 0].tolist()), kind=kind)
    except ValueError as error:
        raise UnusableDataError(f"{path}: {error}") from None


def _whole(steps: Array, path: Path) -> tuple[int, ...]:
    if (odd := steps[steps != np.round(steps)]).size:
        raise UnusableDataError(f"{path} has the step {odd[0]:g}, expected whole numbers of updates")
    return tuple(steps.astype(int).tolist())
