"""A DataFrame -> runs, times and values, by the columns' names and what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.observables.features import Label
from ecodyn.tables.cells import EXACT
from ecodyn.tables.chart import SEPARATOR, chart_of
from ecodyn.tables.entries import Conflict, Entries, Rows, gathered, rows_of
from ecodyn.tables.gaps import filled, none_complete
from ecodyn.tables.long import Long, long_of, own_long
from ecodyn.tables.names import are_whole, is_nameless, listed, named, whole_numbers
from ecodyn.tables.own import NOTES, Own, notes_missing, own_layout
from ecodyn.tables.remarks import summed
from ecodyn.tables.runs import Runs, check_runs, check_split, rows_of_codes, runs_of
from ecodyn.tables.sheet import Sheet
from ecodyn.tables.table import Columns, Table, TableOptions
from ecodyn.tables.text import DECIDED
from ecodyn.tables.times import Time, check_times, time_of
from ecodyn.tables.wide import Features, features_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["interpret"]

MOST_PAIRED = 12  # columns whose pairs are tried for a sentence: 66 pairs take no time
LONG = "if each row is of a feature that a column names, call that column feature and the other value; "


def interpret(
    frame: pd.DataFrame,
    options: TableOptions | None = None,
    *,
    where: str = "the table",
    count_rows: bool = False,
) -> Table:
    """Say what a table holds: which column is the time, which tells the runs, which are features; and order its rows.

    Parameters
    ----------
    frame
        Wide (a column a feature) or long (a row a value); index levels with a name are columns as well.
    options
        What the table does not say about itself.
    where
        What sentences call it, such as the path of a file.
    count_rows
        Take 0, 1, 2, ... in each run as times where nothing offers any.

    Raises
    ------
    UnusableDataError
        It can be read in two ways, or lacks what is needed; the sentence says what to do.

    Examples
    --------
    >>> import pandas as pd
    >>> from ecodyn.tables import interpret
    >>> frame = pd.DataFrame({"seed": [0, 0, 1, 1], "epoch": [0, 1, 0, 1], "x": [1.0, 2.0, 3.0, 5.0]})
    >>> table = interpret(frame)
    >>> table.runs, table.features, table.times[1].tolist(), table.values[1].tolist()
    ((0, 1), ('x',), [0.0, 1.0], [[3.0], [5.0]])
    >>> for remark in table.remarks:
    ...     print(remark)
    there is no column step: the column epoch is taken as the time
    the column seed is taken to tell the runs
    """
    options, sheet = options or TableOptions(), Sheet(frame, where)
    chart = chart_of(frame, options, where)
    if chart is not None:
        options, sheet = chart.options, Sheet(chart.frame, where)
    if not sheet.rows:
        raise UnusableDataError(f"{where} has no rows; check that it was written")
    return _Reading(sheet, options, count_rows).table()


class _Reading:
    """One table, as it is interpreted."""

    def __init__(self, sheet: Sheet, options: TableOptions, count_rows: bool) -> None:
        self.sheet, self.options, self.where = sheet, options, sheet.where
        claimed = {name for name in named(options.columns, sheet.names) if "*" not in name}
        free = options.time is None and options.run is None and options.columns is None
        noted = own_layout(sheet.notes(NOTES), sheet.names)
        self.own: Own | None = noted if free else None
        own, sheet.literal = self.own, self.own is not None
        self.time: Time = time_of(sheet, options.time if own is None else "step", claimed, count_rows=count_rows)
        equal = {self.time.name or "", *self.time.equal}
        self.runs: Runs = self._own_runs() if own is not None else runs_of(sheet, options.run, claimed | equal)
        if self.time.name is None:
            self.time = _counted(self.runs)
        elif own is None and options.run is None:
            check_split(self.where, self.runs, self.time.values)
        self.lacking: list[Integers] = []  # of each run: how many steps lack each feature
        self.roles = {name for name in (self.time.name, self.runs.name, *self.time.equal) if name is not None}
        self.long: Long | None = None
        self.features = Features({}, {})  # of a wide table
        if own is not None:
            labels = [str(label) for label in own.labels]
            if own.wide:
                self.features = Features(dict(zip(labels, labels, strict=True)), {})
            elif (long := own_long(sheet, labels)) is not None:
                self.long = long
            else:
                self.own = None
        self.as_noted = noted is not None and (self.own is not None or not free)
        if self.own is None:
            self.long = long_of(sheet, self.time.values, self.runs.codes, self.roles, options.columns)
        if self.own is None and self.long is None:
            self.features = features_of(sheet, self.roles, self.runs.beside, self.runs.codes, options.columns)

    def _own_runs(self) -> Runs:
        if "run" not in self.sheet.columns:
            return runs_of(self.sheet, None, set(self.sheet.names))
        return runs_of(self.sheet, "run", set(self.sheet.names))

    def table(self) -> Table:
        """What it comes to."""
        has_cells = self._has_cells()
        check_times(self.where, self.time, has_cells)
        check_runs(self.where, self.runs, has_cells)
        labels = self._labels()
        held = {code: rows[has_cells[rows]] for code, rows in rows_of_codes(self.runs.codes).items()}
        present = [code for code, rows in held.items() if code >= 0 and len(rows)]
        rows = [self._rows(code, held[code], len(labels)) for code in present]
        names = self._run_labels([self.runs.labels[code] for code in present])
        self._check_some(rows, names, labels)
        general = (*self._general(has_cells), *self._mostly_lacking(rows))
        of_run = [(name, own.remarks) for name, own in zip(names, rows, strict=True)]
        return Table(
            runs=names,
            times=[own.times for own in rows],
            values=[own.values for own in rows],
            features=labels,
            shared=any(isinstance(label, str) for label in labels),
            remarks=(*general, *summed(of_run)),
            general=general,
            of_run=tuple(tuple(map(str, remarks)) for _, remarks in of_run),
            columns=self._columns(),
            index_used=bool({self.time.name, self.runs.name} & {*self.sheet.levels})
            or (self.time.name is not None and self.time.name not in self.sheet.columns),
            own=self.as_noted,
        )

    def _run_labels(self, texts: list[str]) -> tuple[Label, ...]:
        noted = {} if self.own is None else self.own.runs
        return tuple(noted[text] for text in texts) if set(texts) <= set(noted) else whole_numbers(texts)

    def _labels(self) -> tuple[Label, ...]:
        if self.own is not None:
            return self.own.labels
        return whole_numbers(self.long.labels if self.long else list(self.features.labels.values()))

    def _has_cells(self) -> Bools:
        """Rows that hold something: a line of a spreadsheet may be blank throughout."""
        held = np.isfinite(self.time.values)
        names = [self.long.value] if self.long else list(self.features.labels)
        for name in names:
            held |= ~np.isnan(self.sheet.numbers(name).values)
        return held

    def _rows(self, code: int, held: Integers, K: int) -> Rows:
        times = self.time.values[held]
        if self.long is not None:
            rows = gathered(_entries(self.sheet, self.long, held, times), K)
        else:
            columns = [self.sheet.numbers(name).values[held] for name in self.features.labels]
            rows = rows_of(times, np.stack(columns, axis=1))
        if isinstance(rows, Conflict):
            raise UnusableDataError(self._contradiction(rows, held, code))
        self.lacking.append(np.isnan(rows.values).sum(axis=0))
        return filled(rows, self.options.missing, noted=notes_missing(self.sheet.notes(NOTES)))

    def _contradiction(self, conflict: Conflict, held: Integers, code: int) -> str:
        label = self._labels()[conflict.feature]
        a, b = held[conflict.first], held[conflict.second]
        run = f"run {self.runs.labels[code]}: " if self.runs.name is not None else ""
        which = self._which_tell()
        time = self.time.name or "step"
        if abs(conflict.step) >= EXACT:
            return (
                f"{self.where}: {run}the {time} {conflict.step:.0f} repeats in rows {a + 1} and {b + 1}: double "
                "precision does not hold each whole number above 2^53; subtract the first one from all"
            )
        long = "" if self.long or len(self.features.labels) > 1 else LONG
        other = f"if {time} is not the time, say what is with --time-column (time=); " if self.time.remarks else ""
        return (
            f"{self.where}: {run}the {time} {conflict.step:g} repeats with different values, in rows {a + 1} and "
            f"{b + 1} ({label} is {conflict.values[0]:g} and {conflict.values[1]:g}; {conflict.count} such); {other}"
            f"{long}if these are several runs, say which column tells them apart with --run-column (run=){which}; if a "
            "training was resumed, its steps have to go back and on again to the last one; else delete the rows that "
            "don't count"
        )

    def _which_tell(self) -> str:
        """Which column tells the runs, or which two together, as a sentence has it; nothing if none does."""
        likely = [name for name in self.sheet.names if self._may_name_runs(name)]
        if telling := [name for name in likely if self._tell(name)]:
            return f" (such as {listed(telling)})"
        pairs = ((a, b) for i, a in enumerate(likely[:MOST_PAIRED]) for b in likely[i + 1 : MOST_PAIRED])
        pair = next((pair for pair in pairs if self._tell(*pair)), None)
        if pair is None:
            return ""
        return (
            f" (no column does, but {pair[0]} and {pair[1]} together: make one column of them, as in "
            f"frame['run'] = frame[{[*pair]}].astype(str).agg('/'.join, axis=1), and drop these)"
        )

    def _may_name_runs(self, name: str) -> bool:
        """Whether a column holds few names or whole numbers, as runs have."""
        used = {*self.roles, *([self.long.feature, self.long.value] if self.long else ())} - {self.runs.name}
        if name in used or is_nameless(name):
            return False
        labels = self.sheet.labels(name)[1]
        whole = self.sheet.numbers(name).text is not None or are_whole(labels)
        return whole and 2 * len(labels) <= self.sheet.rows

    def _tell(self, *names: str) -> bool:
        """Whether no step would repeat in runs by these columns."""
        codes = [self.sheet.labels(name)[0] for name in names]
        parts = [np.unique(self.time.values, return_inverse=True)[1], *codes]
        if self.long is not None:
            parts.append(self.long.codes)
        return np.unique(np.stack(parts), axis=1).shape[1] == self.sheet.rows

    def _check_some(self, rows: list[Rows], names: tuple[Label, ...], labels: tuple[Label, ...]) -> None:
        empty = [name for name, own in zip(names, rows, strict=True) if not len(own.times)]
        if not rows:
            raise UnusableDataError(f"{self.where} has no rows with values; check that it was written")
        if empty:
            run = f"of run {empty[0]} " if self.runs.name is not None else ""
            raise UnusableDataError(f"{self.where}: {none_complete(labels, run)}")

    def _mostly_lacking(self, rows: list[Rows]) -> list[str]:
        """The feature that costs most steps, where more are left out than kept."""
        lacking = np.sum(self.lacking, axis=0)
        whole = sum(int((~np.isnan(own.values).any(axis=1)).sum()) for own in rows)
        worst = int(np.argmax(lacking))
        if lacking[worst] <= whole or len(lacking) < 2 or self.options.missing == "keep":
            return []
        return [
            f"{lacking[worst]} steps lack {self._labels()[worst]}, more than have all features; choose those that were "
            "logged together with --columns (columns=)"
        ]

    def _general(self, has_cells: Bools) -> tuple[str, ...]:
        decided = self.sheet.notes(DECIDED)
        remarks = [*(decided if isinstance(decided, list) else ()), *self.time.remarks, *self.runs.remarks]
        if self.time.equal:
            remarks.append(f"left out, holding the same as {self.time.name}: {listed(self.time.equal)}")
        remarks += self.long.remarks if self.long else self.features.remarks
        lines = [] if self.long or self.own else list(self.features.labels)
        if len(lines) > 1 and all(SEPARATOR in name for name in lines):
            remarks.append(
                f"columns such as {lines[0]} may be of several runs, as in a chart of Weights & Biases, which has "
                "__MIN and __MAX beside each: they are taken as features of one run"
            )
        used = [self.time.name, self.long.value] if self.long else [self.time.name, *self.features.labels]
        for name in used:
            if name in self.sheet.columns and (rounded := self.sheet.numbers(name).rounded):
                remarks.append(f"{rounded} whole numbers of {name} have more digits than a double and were rounded")
        blank = int((~has_cells).sum())
        return (*remarks, *([f"{blank} rows that hold neither a time nor a feature were left out"] if blank else []))

    def _columns(self) -> Columns:
        long = (self.long.feature, self.long.value) if self.long else (None, None)
        used = {*self.roles, *long, *self.features.labels} - set(self.time.equal)
        aside = tuple(name for name in self.sheet.names if name not in used)
        return Columns(time=self.time.name, run=self.runs.name, feature=long[0], value=long[1], aside=aside)


def _counted(runs: Runs) -> Time:
    """The number of each row within its run."""
    values = np.empty(len(runs.codes))
    for rows in rows_of_codes(runs.codes).values():
        values[rows] = np.arange(len(rows))
    return Time(None, values)


def _entries(sheet: Sheet, long: Long, held: Integers, times: Array) -> Entries:
    values, features = sheet.numbers(long.value).values[held], long.codes[held]
    rows = np.flatnonzero(~np.isnan(values) & (features >= 0))
    return Entries(times, rows, features[rows], values[rows], long=True)
