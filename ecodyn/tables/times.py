"""Which column is the time: the one asked for, else a step, else the one that may be a time, else none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import first_wrong, increases
from ecodyn.tables.names import RUN_NAMES, STEP_NAMES, TIME_NAMES, listed, normal
from ecodyn.tables.sheet import INDEX, Sheet

__all__ = ["Time", "time_of"]

FLAG = "--time-column (time=)"  # what sentences ask for
FIRST_DATE, LAST_DATE = 15_000_101, 29_991_231  # of those that are written as eight digits
FEWEST_DATES = 3  # that no other numbers are
EVEN = 1e-6  # relative: what times written with six digits keep of their spacing


@dataclass(frozen=True, eq=False)
class Time:
    """The times of the rows.

    Attributes
    ----------
    name
        Of the column; "index" where the index has no name; None where the rows were counted.
    values
        (n,), NaN where a row has none.
    equal
        Other columns that offered times and hold the same ones.
    remarks
        What was decided, in sentences.
    """

    name: str | None
    values: Array
    equal: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def time_of(sheet: Sheet, column: str | None, features: set[str], *, count_rows: bool) -> Time:
    """The times of a table whose columns `features` were asked for by name.

    Raises
    ------
    UnusableDataError
        No column is one of times, or several may be.
    """
    if column is not None:
        return _stated(sheet, column)
    offering = [name for name in sheet.names if name not in features]
    for kind in (STEP_NAMES, TIME_NAMES):
        columns = sorted((n for n in offering if normal(n) in kind), key=lambda n: kind.index(normal(n)))
        if columns:
            return _one_of(sheet, columns, remarked=kind is TIME_NAMES)
    index = sheet.nameless_index
    if index is None and count_rows:
        _refuse_uncounted(sheet, offering)
        return Time(None, np.arange(float(sheet.rows)))
    if index is None:
        raise UnusableDataError(
            f"{sheet.where} has no column named step, only {listed(sheet.names)}; name the time column step, or say "
            f"which it is with {FLAG}"
        )
    return _index(sheet, index)


def _stated(sheet: Sheet, column: str) -> Time:
    if column == INDEX and INDEX not in sheet.columns and (index := sheet.nameless_index) is not None:
        return Time(INDEX, index)
    name = sheet.known(column, FLAG)
    return Time(name, _values(sheet, name))


def _one_of(sheet: Sheet, columns: list[str], *, remarked: bool) -> Time:
    """The first of columns that offer times; the others have to hold the same."""
    name, others = columns[0], columns[1:]
    values = _values(sheet, name)
    offered = [n for n in sheet.levels if normal(n) in (*STEP_NAMES, *TIME_NAMES) and n not in columns]
    differ = [n for n in [*others, *offered] if not np.array_equal(values, sheet.numbers(n).values, equal_nan=True)]
    if differ:
        raise UnusableDataError(
            f"{sheet.where} has several columns that may be the time: {listed([*columns, *offered])}, and they differ; "
            f"say which it is with {' or '.join(f'--time-column {n}' for n in [name, *differ])} (time={name!r})"
        )
    index = sheet.nameless_index
    if index is not None and _has_fractions(index) and not np.array_equal(index, values):
        raise UnusableDataError(
            f"{sheet.where} has a column {name} and an index without a name ({index[0]:g}, ...) that differs and may "
            f"be the time as well; say which it is with --time-column {name} or --time-column index (time={name!r})"
        )
    remarks = (f"there is no column step: the column {name} is taken as the time",) if remarked else ()
    return Time(name, values, tuple(others), remarks)


def _refuse_uncounted(sheet: Sheet, names: list[str]) -> None:
    """Refuse to count the rows of a table in which something may be the time: dates, or whole numbers that go on."""
    for name in names:
        where = "index" if name in sheet.levels else "column"
        if sheet.columns[name].dtype.kind in "mM":
            raise UnusableDataError(
                f"{sheet.where} has the {where} {name} of dates, expected times as numbers: turn them into, say, days "
                "since the start, and call them step"
            )
        if _may_be_time(sheet, name):
            raise UnusableDataError(
                f"{sheet.where} has no column named step, and the {where} {name} goes on by whole numbers or by equal "
                f"ones: it may be the time (call it step, or say so with --time-column {name}; time={name!r}) or a "
                "feature (then add a column step)"
            )


def _may_be_time(sheet: Sheet, name: str) -> bool:
    """Whether a column goes on as times do within every run: whole numbers that increase, or equally spaced ones."""
    numbers = sheet.numbers(name)
    if numbers.text is not None or np.isnan(numbers.values).any():
        return False
    telling = [column for column in sheet.names if normal(column) in RUN_NAMES and column != name]
    codes = sheet.labels(telling[0])[0] if telling else np.zeros(sheet.rows, dtype=np.int64)
    parts = [numbers.values[codes == code] for code in np.unique(codes)]
    return all(len(part) > 2 and (increases(part) or _evenly_spaced(part)) for part in parts)


def _evenly_spaced(values: Array) -> bool:
    gaps = np.diff(values)
    return bool(gaps[0] > 0 and np.allclose(gaps, gaps[0], rtol=EVEN, atol=0.0))


def _index(sheet: Sheet, index: Array) -> Time:
    """Row numbers are whole: an index with fractions is one of times, one of whole numbers may be either."""
    if not _has_fractions(index):
        raise UnusableDataError(
            f"{sheet.where} has no column named step, and its index ({index[0]:g}, {index[-1]:g} at the end) has no "
            "name: it may hold the times (say so with time='index', or frame.rename_axis('step')) or the numbers of "
            "rows that were picked (then add a column step)"
        )
    return Time(INDEX, index, (), ("there is no column step: the index is taken as the time",))


def _has_fractions(index: Array) -> bool:
    return bool((np.mod(index[np.isfinite(index)], 1) != 0).any())


def _values(sheet: Sheet, name: str) -> Array:
    """A column of times; empty cells are told later, text here."""
    numbers = sheet.numbers(name)
    if numbers.text is not None:
        raise UnusableDataError(not_a_time(sheet.where, name, numbers.row, numbers.text))
    if np.isinf(numbers.values).any():
        row = int(np.argmax(np.isinf(numbers.values)))
        raise UnusableDataError(not_a_time(sheet.where, name, row, f"{numbers.values[row]:g}"))
    if _are_dates(numbers.values):
        raise UnusableDataError(
            f"{sheet.where}: {name} holds dates written as numbers ({numbers.values[0]:.0f}, …), of which the last of "
            "a month and the first of the next would be some 70 apart: turn them into, say, days since the start"
        )
    return numbers.values


def _are_dates(values: Array) -> bool:
    """Whether all are YYYYMMDD; of other numbers with so many digits one in 27 is."""
    known = values[np.isfinite(values)]
    if not ((known >= FIRST_DATE) & (known <= LAST_DATE) & (known % 1 == 0)).all():
        return False
    distinct = np.unique(known).astype(int).tolist()
    if len(distinct) < FEWEST_DATES:
        return False
    try:
        for number in distinct:
            date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        return False
    return True


def not_a_time(where: str, name: str | None, row: int, cell: str) -> str:
    """The sentence on a row, counted from 0, whose time is no number."""
    return (
        f"{where}: row {row + 1} has the {name or 'step'} {cell!r}, expected a number (times must be numbers: turn "
        "dates into, say, days since the start); complete or delete the row"
    )


def check_times(where: str, time: Time, has_cells: Bools) -> None:
    """Refuse a row that holds values and no time."""
    wrong = ~np.isfinite(time.values) & has_cells
    if wrong.any():
        row = first_wrong(np.where(wrong, np.nan, 0.0))
        raise UnusableDataError(not_a_time(where, time.name, row, ""))
