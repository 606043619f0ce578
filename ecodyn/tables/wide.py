"""Which columns of a wide table are features, and which are set aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import increases
from ecodyn.tables.names import (
    ROW_NAMES,
    RUN_NAMES,
    are_whole,
    is_logged_beside,
    is_nameless,
    listed,
    matching,
    named,
    normal,
)
from ecodyn.tables.runs import rows_of_codes
from ecodyn.tables.sheet import Sheet

__all__ = ["LOGGED", "NO_NUMBERS", "Features", "features_of", "sorted_if_whole"]

FEWEST_ROWS = 3  # of a run, before a column that stays as it is there counts as a setting of the run


@dataclass(frozen=True)
class Features:
    """Columns that are features.

    Attributes
    ----------
    labels
        Column to label.
    aside
        Columns that are none, with the reason as a sentence begins: ``{"left out, as loggers write it": ["epoch"]}``.
    """

    labels: dict[str, str]
    aside: dict[str, list[str]]

    @property
    def remarks(self) -> tuple[str, ...]:
        """A sentence for each reason."""
        return tuple(f"{reason}: {listed(names)}" for reason, names in self.aside.items() if names)


COUNTS_ROWS = "left out, counting rows"
NO_NUMBERS = "left out, holding no numbers"
EMPTY = "left out, holding nothing"
LOGGED = "left out, as loggers write them beside features (--columns has those that are asked for)"
SETTING = "left out, being constant in every run and another in each, as settings are (--columns has them)"
INDEX_LEVEL = "left out, being levels of the index"
LABELS = "left out, as they name runs"


def features_of(
    sheet: Sheet, roles: set[str], run_names: Sequence[str], codes: Integers, columns: Sequence[str] | str | None
) -> Features:
    """The features of a wide table: those asked for, or every column of numbers that is nothing else.

    Parameters
    ----------
    sheet
        The table.
    roles
        Columns that are the time or the run.
    run_names
        Columns that name runs beside the one that tells them.
    codes
        Run of each row, (n,).
    columns
        What was asked for.

    Raises
    ------
    UnusableDataError
        None is one, or one that was asked for is not there or holds text.
    """
    names = [name for name in sheet.names if name not in roles]
    if columns is not None:
        return Features(_chosen(sheet, names, columns), {})
    aside: dict[str, list[str]] = {
        reason: [] for reason in (COUNTS_ROWS, NO_NUMBERS, EMPTY, LABELS, LOGGED, INDEX_LEVEL)
    }
    labels = {}
    for name in names:
        reason = _why_not(sheet, name, run_names, codes)
        if reason is None:
            labels[name] = name
        else:
            aside[reason].append(name)
    settings = _settings(sheet, list(labels), codes)
    if len(settings) < len(labels):
        aside[SETTING] = settings
        labels = {name: label for name, label in labels.items() if name not in settings}
    check_numbers(sheet, labels, names)
    return Features(sorted_if_whole(labels), aside)


def _chosen(sheet: Sheet, names: list[str], columns: Sequence[str] | str) -> dict[str, str]:
    wanted = named(columns, names)
    unknown = [name for name in wanted if "*" not in name and name not in names]
    if unknown and len(unknown) < len(wanted):
        raise UnusableDataError(
            f"{sheet.where} has no column {listed(unknown)} to be a feature, only {listed(names)}; correct --columns"
        )
    labels = matching(wanted, names)
    twice = [label for label in labels.values() if list(labels.values()).count(label) > 1]
    if twice:
        raise UnusableDataError(
            f"{sheet.where}: --columns calls {sum(label == twice[0] for label in labels.values())} columns "
            f"{twice[0]!r}, expected labels that differ; ask for them by names without *"
        )
    check_numbers(sheet, labels, names)
    return labels if any("*" not in name for name in wanted) else sorted_if_whole(labels)


def check_numbers(sheet: Sheet, labels: dict[str, str], names: list[str]) -> None:
    """Refuse features that hold text, and a table without features."""
    for name in labels:
        numbers = sheet.numbers(name)
        if numbers.text is not None:
            raise UnusableDataError(
                f"{sheet.where}: {name} holds {numbers.text!r}, expected columns of numbers (row {numbers.row + 1}); "
                "correct that cell (or empty it, if it is missing), or say which columns are features with --columns, "
                "such as signal_*"
            )
        if not numbers.some:
            raise UnusableDataError(
                f"{sheet.where}: {name} holds no numbers, expected columns of numbers; leave it out"
            )
    if not labels:
        numeric = [name for name in names if sheet.numbers(name).some]
        raise UnusableDataError(
            f"{sheet.where}: none of {listed(numeric or names or sheet.names)} is a feature, expected columns of "
            "numbers; say which they are with --columns PATTERN, such as signal_*"
        )


def _why_not(sheet: Sheet, name: str, run_names: Sequence[str], codes: Integers) -> str | None:
    """The reason why a column is no feature."""
    numbers = sheet.numbers(name)
    if name in run_names:
        return LABELS
    if is_nameless(name) or (normal(name) in (*ROW_NAMES, *RUN_NAMES) and _counts(sheet, name, codes)):
        return _nameless(sheet, name, codes)
    if name in sheet.levels:
        return INDEX_LEVEL
    if is_logged_beside(name):
        return LOGGED
    if not numbers.some:
        return EMPTY if numbers.text is None else NO_NUMBERS
    return None


def _nameless(sheet: Sheet, name: str, codes: Integers) -> str:
    """Row numbers have no name; anything else that has none may be a feature, or not."""
    if not sheet.numbers(name).some and sheet.numbers(name).text is None:
        return EMPTY
    if _counts(sheet, name, codes):
        return COUNTS_ROWS
    raise UnusableDataError(
        f"{sheet.where} has a column without a name ({name!r}) that does not count rows: name it if it is a feature, "
        "delete it if it is not"
    )


def _counts(sheet: Sheet, name: str, codes: Integers) -> bool:
    """Whether a column holds whole numbers that increase downwards, in the table or in each run, or in any order."""
    numbers = sheet.numbers(name)
    if numbers.text is not None or not len(numbers.values):
        return False
    values = numbers.values
    parts = [values[rows] for rows in rows_of_codes(codes).values()]
    return increases(values) or all(map(increases, parts)) or increases(np.sort(values))


def _settings(sheet: Sheet, names: list[str], codes: Integers) -> list[str]:
    """Columns that are constant in every run, and not the same in all."""
    order = np.argsort(codes, kind="stable")
    present, firsts, counts = np.unique(codes[order], return_index=True, return_counts=True)
    if len(present) < 2 or not names or counts.min() < FEWEST_ROWS:
        return []
    values: Array = np.stack([sheet.numbers(name).values[order] for name in names], axis=1)
    low, high = np.fmin.reduceat(values, firsts), np.fmax.reduceat(values, firsts)
    constant = (low == high).all(axis=0) & (low != low[:1]).any(axis=0)
    return [name for name, setting in zip(names, constant, strict=True) if setting]


def sorted_if_whole(labels: dict[str, str]) -> dict[str, str]:
    """Numbers ascend, names come as they do."""
    if are_whole(labels.values()):
        return dict(sorted(labels.items(), key=lambda item: int(item[1])))
    return labels
