"""Which of the numbers in the names of a run's checkpoints is the time: decided if one alone can be, else refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import CHECKPOINT, EPOCH, PLAIN, STEP, Number
from ecodyn.logs.checkpoints.patterns import distinct_patterns, with_pattern

__all__ = ["MOST_NAMED", "Column", "ColumnChoice", "chosen_column", "repeated", "without_dates"]

MOST_NAMED = 3  # files or values that a sentence lists
DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")  # 20240131
CLOCK = re.compile(r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")  # 1230 or 123000, after a date
ORDINALS = ("first", "second", "third", "fourth", "fifth")  # further ones are written 6th
# As sentences call them.
KINDS = {STEP: "steps", EPOCH: "epochs", CHECKPOINT: "numbers of checkpoints", PLAIN: "numbers"}


@dataclass(frozen=True)
class Column:
    """The n-th number of one kind in every name.

    Attributes
    ----------
    kind
        Of its numbers.
    numbers
        One a name.
    """

    kind: str
    numbers: tuple[Number, ...]

    @property
    def values(self) -> list[float]:
        """What the numbers count."""
        return [number.value for number in self.numbers]

    @property
    def varies(self) -> bool:
        """Whether it can be a time: of several checkpoints not all have the same."""
        return len(self.numbers) == 1 or len(set(self.values)) > 1

    @property
    def differs(self) -> bool:
        """Whether no two are the same."""
        return len(set(self.values)) == len(self.numbers)


@dataclass(frozen=True)
class ColumnChoice:
    """What the names of a run's checkpoints say.

    Attributes
    ----------
    column
        The numbers that are times.
    remarks
        Sentences on how they were told from others.
    """

    column: Column
    remarks: tuple[str, ...] = ()


def chosen_column(where: Path, names: Sequence[str], rows: Sequence[tuple[Number, ...]]) -> ColumnChoice:
    """The column of numbers that is the time: steps before numbers of checkpoints before epochs before others.

    Raises
    ------
    UnusableDataError
        Several may be, or names are of several kinds, or two checkpoints have the same.
    """
    choice = _of_steps(where, names, rows) or _of_checkpoints(names, rows) or _of_epochs(where, names, rows)
    choice = choice or _of_numbers(where, names, rows)
    if any(number.rival for number in choice.column.numbers):
        raise UnusableDataError(_rivals(where, names, choice.column))
    same = repeated(choice.column.values)
    if same is not None:
        value, first, second = choice.column.numbers[same[0]].text, names[same[0]], names[same[1]]
        patterns = distinct_patterns(names, choice.column.numbers, same)
        meant = " or ".join(f"--step-pattern {pattern!r}" for pattern in patterns)
        asked = f", or say which are meant with {meant}" if patterns else ""
        each = ", one run each" * (len(patterns) > 1)
        raise UnusableDataError(
            f"{where}: {first} and {second} are both {value}, expected one checkpoint a step; keep one of them"
            f"{asked}{each}"
        )
    return choice


def repeated(values: Sequence[float]) -> tuple[int, int] | None:
    """The places of the first two values that are the same, None if all differ."""
    seen: dict[float, int] = {}
    for i, value in enumerate(values):
        if value in seen:
            return seen[value], i
        seen[value] = i
    return None


def without_dates(rows: Sequence[tuple[Number, ...]]) -> list[tuple[Number, ...]]:
    """The numbers without those that are dates in all names that have any, and times of day after these."""
    having = [row for row in rows if row]
    count = min(map(len, having), default=0)
    untied = [i for i in range(count) if all(row[i].kind in (CHECKPOINT, PLAIN) for row in having)]
    dates = {i for i in untied if all(DATE.fullmatch(row[i].text) for row in having)}
    clocks = {i + 1 for i in dates if i + 1 < count and all(CLOCK.fullmatch(row[i + 1].text) for row in having)}
    return [tuple(number for i, number in enumerate(row) if i not in dates | clocks) for row in rows]


def _columns(rows: Sequence[tuple[Number, ...]], kind: str) -> list[Column]:
    """Columns of a kind that every name has."""
    own = [[number for number in row if number.kind == kind] for row in rows]
    return [Column(kind, tuple(row[i] for row in own)) for i in range(min(map(len, own)))]


def _varying(rows: Sequence[tuple[Number, ...]], kind: str) -> list[Column]:
    return [column for column in _columns(rows, kind) if column.varies]


def _of_steps(where: Path, names: Sequence[str], rows: Sequence[tuple[Number, ...]]) -> ColumnChoice | None:
    _check_all_or_none(where, names, rows, STEP)
    columns = _varying(rows, STEP)
    if len(columns) > 1:
        raise UnusableDataError(_several(where, names, columns))
    if not columns:
        return None
    (column,) = columns
    for epochs in _varying(rows, EPOCH):
        ascending = [epoch for _, epoch in sorted(zip(column.values, epochs.values, strict=True))]
        if ascending != sorted(ascending):
            raise UnusableDataError(
                f"{where}: steps go back as epochs advance in names such as {names[0]}, so that they seem to be steps "
                f"within an epoch; {_choices(names, [column, epochs])}"
            )
    return ColumnChoice(column)


def _of_checkpoints(names: Sequence[str], rows: Sequence[tuple[Number, ...]]) -> ColumnChoice | None:
    """Numbers after the word checkpoint, unless they are less than the epochs beside them: no step is."""
    columns, epochs = _varying(rows, CHECKPOINT), _varying(rows, EPOCH)
    plain = {sum(number.kind == PLAIN for number in row) for row in rows}
    if len(columns) != 1 or len(epochs) > 1 or len(plain) > 1 or _varying(rows, PLAIN):
        return None
    if epochs and epochs[0].values == columns[0].values:
        return ColumnChoice(epochs[0])
    if not any(e > n for column in epochs for e, n in zip(column.values, columns[0].values, strict=True)):
        return ColumnChoice(columns[0])
    remark = f"in names such as {names[0]} the epoch is the time: the number beside it is less and so no step"
    return ColumnChoice(epochs[0], (remark,))


def _of_epochs(where: Path, names: Sequence[str], rows: Sequence[tuple[Number, ...]]) -> ColumnChoice | None:
    """Numbers of epochs; unless they repeat and others don't, or what follows the word checkpoint is no less a time."""
    _check_all_or_none(where, names, rows, EPOCH)
    columns = _varying(rows, EPOCH)
    if len(columns) > 1:
        raise UnusableDataError(_several(where, names, columns))
    if not columns or _varying(rows, CHECKPOINT):
        return None
    others = any(column.differs for column in _varying(rows, PLAIN))
    return ColumnChoice(columns[0]) if columns[0].differs or not others else None


def _of_numbers(where: Path, names: Sequence[str], rows: Sequence[tuple[Number, ...]]) -> ColumnChoice:
    """The one column of numbers that are no two the same."""
    kinds = {tuple(number.kind for number in row) for row in rows}
    if len(kinds) > 1:
        first = names[0]
        other = next(
            n for n, row in zip(names, rows, strict=True) if [x.kind for x in row] != [x.kind for x in rows[0]]
        )
        raise UnusableDataError(
            f"{where}: the names are of several kinds, such as {first} and {other}, expected one; say which files are "
            f"meant and where the step is with --step-pattern, such as {with_pattern(first, rows[0][0])!r}"
        )
    columns = [column for kind in (EPOCH, CHECKPOINT, PLAIN, STEP) for column in _columns(rows, kind)]
    times = [column for column in columns if column.differs]
    if len(times) > 1:
        raise UnusableDataError(_several(where, names, times))
    if not times:
        return ColumnChoice(next((column for column in columns if column.varies), columns[0]))
    if len(columns) == 1:
        return ColumnChoice(times[0])
    place = sorted(number.at for number in rows[0]).index(times[0].numbers[0].at)
    which = ORDINALS[place] if place < len(ORDINALS) else f"{place + 1}th"
    remark = f"of the numbers in names such as {names[0]} the {which} was taken as the step: no other differs in all"
    return ColumnChoice(times[0], (remark,))


def _check_all_or_none(where: Path, names: Sequence[str], rows: Sequence[tuple[Number, ...]], kind: str) -> None:
    """Refuse names of which some state this kind and others don't."""
    have = [any(number.kind == kind for number in row) for row in rows]
    if all(have) or not any(have):
        return
    with_it, without = names[have.index(True)], names[have.index(False)]
    number = next(n for n in rows[have.index(True)] if n.kind == kind)
    other = rows[have.index(False)][0]
    raise UnusableDataError(
        f"{where}: names state {KINDS[kind]} ({sum(have)}, such as {with_it}) and {KINDS[other.kind]} "
        f"({len(have) - sum(have)}, such as {without}), expected one kind in a run; say which are meant with "
        f"--step-pattern {with_pattern(with_it, number)!r} or --step-pattern {with_pattern(without, other)!r}"
    )


def _several(where: Path, names: Sequence[str], columns: Sequence[Column]) -> str:
    return f"{where}: several numbers in names such as {names[0]} may be the step; {_choices(names, columns)}"


def _choices(names: Sequence[str], columns: Sequence[Column]) -> str:
    """What each reading would give, and how to ask for it."""
    texts = []
    for column in columns:
        values = sorted(set(column.values))
        shown = ", ".join(f"{v:g}" for v in values[:MOST_NAMED]) + (", ..." if len(values) > MOST_NAMED else "")
        texts.append(f"{KINDS[column.kind]} {shown} with --step-pattern {with_pattern(names[0], column.numbers[0])!r}")
    return "say which: " + ", or ".join(texts)


def _rivals(where: Path, names: Sequence[str], column: Column) -> str:
    i = next(i for i, number in enumerate(column.numbers) if number.rival)
    number = column.numbers[i]
    return (
        f"{where}: {number.text} in {names[i]} may count {KINDS[number.kind]} or {KINDS[number.rival]}; if it is the "
        f"time, say so with --step-pattern {with_pattern(names[i], number)!r}"
    )
