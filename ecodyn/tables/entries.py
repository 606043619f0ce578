"""Cells with a step and a feature -> one row a step: sorted, joined, and of a resumed training the last branch."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.tables.remarks import Remark

__all__ = ["FEW_RESUMES", "MOST_BACKWARD", "RESUMED", "Conflict", "Entries", "Rows", "gathered", "rows_of"]

FEW_RESUMES = 3  # times that steps may go back in a table of any length
MOST_BACKWARD = 0.1  # share of rows whose step goes back beyond which the rows are in no order at all

JOINED = "rows of the same step that hold different columns were joined: {} rows into {}"
REPEATED = "{} rows repeat earlier ones cell by cell and were dropped"
RESUMED = "steps repeat or go back, as after a resume: the last value wins, {} rows were dropped"
SORTED = "the rows are not in the order of their steps (a row goes back {} times) and were sorted"


@dataclass(frozen=True, eq=False)
class Entries:
    """The cells of one run that are not missing, in the order of the file.

    Attributes
    ----------
    steps
        Of every row, (n,).
    rows, features, values
        Row, feature and number of every cell, (m,) each.
    long
        Whether a row is one cell, so that rows of one step are no surprise.
    """

    steps: Array
    rows: Integers
    features: Integers
    values: Array
    long: bool

    def of(self, kept: Bools) -> Entries:
        """The cells in these rows; rows keep their numbers."""
        held = kept[self.rows]
        return replace(self, rows=self.rows[held], features=self.features[held], values=self.values[held])


@dataclass(frozen=True, eq=False)
class Rows:
    """One row a step: times (T,), values (T, K) with NaN where no cell is, and what was done to get there."""

    times: Array
    values: Array
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True)
class Conflict:
    """Two cells of one step and feature that hold different numbers: their rows, how many such there are in all."""

    first: int
    second: int
    step: float
    feature: int
    values: tuple[float, float]
    count: int


def rows_of(steps: Array, values: Array) -> Rows | Conflict:
    """The same of a wide table's rows (n,) and (n, K); most have one row a step, in order, and nothing to be done."""
    intervals = np.diff(steps)
    if (intervals > 0).all():
        return Rows(steps, values)
    order = np.argsort(steps, kind="stable")
    if (np.diff(steps[order]) > 0).all():
        return Rows(steps[order], values[order], (Remark(SORTED, (int((intervals < 0).sum()),)),))
    rows, features = np.nonzero(~np.isnan(values))
    return gathered(Entries(steps, rows, features, values[rows, features], long=False), values.shape[1])


def gathered(entries: Entries, K: int) -> Rows | Conflict:
    """One row a step, or two cells that contradict each other and can't come of a resume."""
    conflict = _conflict(entries, K)
    if conflict is None:
        return _scattered(entries, K, np.ones(len(entries.steps), dtype=bool))
    for kept in (_of_resumed_rows(entries), _of_resumed_features(entries, K)):
        if kept is not None:
            remaining = entries.of(kept)
            if _conflict(remaining, K) is None:
                rows = _scattered(remaining, K, kept)
                dropped = Remark(RESUMED, (int((~kept).sum()),))
                return replace(rows, remarks=(dropped, *rows.remarks))
    return conflict


def _keys(entries: Entries, K: int) -> tuple[Array, Integers]:
    """The different steps, and a number for each cell's step and feature."""
    times, place = np.unique(entries.steps, return_inverse=True)
    return times, place[entries.rows] * K + entries.features


def _conflict(entries: Entries, K: int) -> Conflict | None:
    _, keys = _keys(entries, K)
    order = np.argsort(keys, kind="stable")
    a, b = order[:-1], order[1:]
    wrong = np.flatnonzero((keys[a] == keys[b]) & (entries.values[a] != entries.values[b]))
    if not len(wrong):
        return None
    i, j = int(a[wrong[0]]), int(b[wrong[0]])
    return Conflict(
        first=int(entries.rows[i]),
        second=int(entries.rows[j]),
        step=float(entries.steps[entries.rows[i]]),
        feature=int(entries.features[i]),
        values=(float(entries.values[i]), float(entries.values[j])),
        count=len(wrong),
    )


def _scattered(entries: Entries, K: int, kept: Bools) -> Rows:
    """The cells, none of which contradicts another, at their steps."""
    held = np.flatnonzero(kept)
    times, place = np.unique(entries.steps[held], return_inverse=True)
    row = np.full(len(entries.steps), -1)
    row[held] = place
    values = np.full((len(times), K), np.nan)
    values[row[entries.rows], entries.features] = entries.values
    return Rows(times, values, tuple(_remarks(entries, K)))


def _remarks(entries: Entries, K: int) -> list[Remark]:
    remarks = []
    _, keys = _keys(entries, K)
    first = np.zeros(len(keys), dtype=bool)
    first[np.unique(keys, return_index=True)[1]] = True
    new = np.zeros(len(entries.steps), dtype=bool)  # rows that tell something new
    new[entries.rows[first]] = True
    repeats = np.setdiff1d(entries.rows, np.flatnonzero(new))
    if len(repeats):
        remarks.append(Remark(REPEATED, (len(repeats),)))
    steps = len(np.unique(entries.steps[entries.rows]))
    rows = len(np.unique(entries.rows)) - len(repeats)
    if rows > steps and not entries.long:
        remarks.append(Remark(JOINED, (rows, steps)))
    if unsorted := _out_of_order(entries, K):
        remarks.append(Remark(SORTED, (unsorted,)))
    return remarks


def _out_of_order(entries: Entries, K: int) -> int:
    """Cells' rows whose step is before that of an earlier cell of the same feature."""
    order = np.argsort(entries.features, kind="stable")
    steps, features = entries.steps[entries.rows[order]], entries.features[order]
    back = (features[1:] == features[:-1]) & (steps[1:] < steps[:-1])
    return len(np.unique(entries.rows[order[1:]][back]))


def _of_resumed_rows(entries: Entries) -> Bools | None:
    return after_resumes(entries.steps)


def _of_resumed_features(entries: Entries, K: int) -> Bools | None:
    """Rows that count where each feature was written in one go, resumes and all; for rows of one cell."""
    if len(np.unique(entries.rows)) < len(entries.rows):
        return None
    kept = np.ones(len(entries.steps), dtype=bool)
    for k in range(K):
        rows = entries.rows[entries.features == k]
        count = after_resumes(entries.steps[rows])
        if count is not None:
            kept[rows] = count
    return kept


def after_resumes(steps: Array) -> Bools | None:
    """Which rows count if a training was resumed: those before the step at which a later branch begins; None if not.

    A resume begins after the first step, at one that was reached before, and the steps go on to the last one. Steps
    that begin anew are another run, and a row here and there that goes back is out of place.
    """
    back = np.flatnonzero(np.diff(steps) < 0) + 1
    few = len(back) <= max(FEW_RESUMES, MOST_BACKWARD * len(steps))
    if not len(back) or not few or not (steps[back] > steps[0]).all() or steps[-1] < steps.max():
        return None
    begins = np.full(len(steps) + 1, np.inf)
    begins[back] = steps[back]
    later = np.minimum.accumulate(begins[::-1])[::-1][1:]  # least first step of the branches that begin after a row
    return steps < later
