"""Which column tells the runs apart."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.names import RUN_NAMES, listed, normal
from ecodyn.tables.sheet import Sheet

__all__ = ["Runs", "candidates", "check_runs", "check_split", "rows_of_codes", "runs_of"]

FLAG = "--run-column (run=)"  # what sentences ask for
ALWAYS = ("run", "run_id", "run_name")  # names that mean nothing else


@dataclass(frozen=True, eq=False)
class Runs:
    """The run of each row.

    Attributes
    ----------
    name
        Of the column, None where the whole table is one run.
    codes
        (n,), which of the labels; -1 where the cell is missing.
    labels
        In the order in which they come.
    beside
        Other columns that name runs and are told by this one.
    remarks
        What was decided, in sentences.
    """

    name: str | None
    codes: Integers
    labels: tuple[str, ...]
    beside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def runs_of(sheet: Sheet, column: str | None, taken: set[str]) -> Runs:
    """The runs of a table whose columns `taken` are the time, or features asked for by name.

    Raises
    ------
    UnusableDataError
        Several columns may tell the runs, and none of them tells the others.
    """
    offering = [name for name in candidates(sheet) if name not in taken]
    if column is not None:
        name = sheet.known(column, FLAG)
        return _by(sheet, name, tuple(other for other in offering if other != name))
    if not offering:
        return Runs(None, np.zeros(sheet.rows, dtype=np.int64), ("0",))
    differ = [(a, b) for a in offering for b in offering if a != b and not _tells(sheet, a, b)]
    finest = [name for name in offering if name not in {a for a, _ in differ}]
    alike = [pair for pair in differ if normal(pair[0]) == normal(pair[1])]  # run and RUN: neither is the finer one
    if alike or not finest:
        a, b = (alike or differ)[0]
        raise UnusableDataError(
            f"{sheet.where} has several columns that may tell the runs: {listed(offering)}, and {a} does not tell {b}; "
            f"say which it is with {' or '.join(f'--run-column {shlex.quote(n)}' for n in offering)} (run={a!r}), or, "
            "if a run is one of each, make one column of them"
        )
    name = finest[0]
    others = tuple(n for n in offering if n != name)
    remarks = () if normal(name) == "run" else (f"the column {name} is taken to tell the runs",)
    return _by(sheet, name, others, remarks)


def candidates(sheet: Sheet) -> list[str]:
    """Columns that may tell the runs, the likelier first."""
    names = [name for name in sheet.names if normal(name) in RUN_NAMES and _may_be(sheet, name)]
    return sorted(names, key=lambda name: RUN_NAMES.index(normal(name)))


def _may_be(sheet: Sheet, name: str) -> bool:
    """Whether cells are names or whole numbers, and not a different one in every row."""
    if normal(name) in ALWAYS:
        return True
    numbers = sheet.numbers(name)
    held = numbers.values[~np.isnan(numbers.values)]
    if numbers.text is None and (not len(held) or (np.mod(held, 1) != 0).any()):
        return False
    return sheet.rows < 2 or len(sheet.labels(name)[1]) < sheet.rows


def _tells(sheet: Sheet, name: str, other: str) -> bool:
    """Whether rows of one run by `name` are of one run by `other`."""
    codes, others = sheet.labels(name)[0], sheet.labels(other)[0]
    return len(np.unique(codes * (sheet.rows + 1) + others)) == len(np.unique(codes))


def _by(sheet: Sheet, name: str, beside: tuple[str, ...] = (), remarks: tuple[str, ...] = ()) -> Runs:
    codes, labels = sheet.labels(name)
    return Runs(name, codes, tuple(labels), beside, remarks)


def check_split(where: str, runs: Runs, times: Array) -> None:
    """Refuse to split rows that are in order of time as they stand by labels that come and go in them.

    Such rows may be one run, and the column a feature: the state that it is in, say.
    """
    held = runs.codes >= 0
    changes = int((np.diff(runs.codes[held]) != 0).sum())
    one_run = (np.diff(times[held]) > 0).all()
    if normal(runs.name or "run") in ALWAYS or changes < len(runs.labels) or not one_run:
        return
    raise UnusableDataError(
        f"{where} has a column {runs.name} that may tell the runs (say so with --run-column {runs.name}; "
        f"run={runs.name!r}) or be a feature (name the features with --columns; columns=): all its rows are in order "
        "of time, as those of one run are"
    )


def rows_of_codes(codes: Integers) -> dict[int, Integers]:
    """The rows of each code, in the order of the table; -1, a missing one, among them."""
    order = np.argsort(codes, kind="stable")
    present, firsts = np.unique(codes[order], return_index=True)
    return dict(zip(present.tolist(), np.split(order, firsts[1:]), strict=True))


def check_runs(where: str, runs: Runs, has_cells: Bools) -> None:
    """Refuse a row that holds values and no run."""
    wrong = (runs.codes < 0) & has_cells
    if wrong.any():
        raise UnusableDataError(
            f"{where}: row {int(np.argmax(wrong)) + 1} has no {runs.name} ({int(wrong.sum())} such rows), expected the "
            "label of a run in every row; complete or delete the row"
        )
