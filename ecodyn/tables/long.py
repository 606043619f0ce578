"""Long (tidy) tables: a row a value, with a column that names the feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.names import FEATURE_NAMES, VALUE_NAME, listed, matching, named, normal
from ecodyn.tables.sheet import Sheet
from ecodyn.tables.wide import sorted_if_whole

__all__ = ["Long", "long_of", "own_long"]

PLAIN = ("feature", "variable", "metric")  # names that nobody needs to be told of


@dataclass(frozen=True, eq=False)
class Long:
    """A long table's columns.

    Attributes
    ----------
    feature, value
        Names of the two columns.
    codes
        (n,), which feature a row is of; -1 for one that was not asked for.
    labels
        Of the features.
    remarks
        What was decided, in sentences.
    """

    feature: str
    value: str
    codes: Integers
    labels: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def long_of(
    sheet: Sheet, times: Array, runs: Integers, roles: set[str], columns: Sequence[str] | str | None
) -> Long | None:
    """How a long table is read, None if the table is wide.

    Raises
    ------
    UnusableDataError
        It may be either.
    """
    pair = _pair(sheet, roles, set(named(columns, sheet.names)))
    if pair is None or not _is_long(sheet, times, runs, *pair):
        return None
    feature, value = pair
    codes = sheet.labels(feature)[0]
    numbers = sheet.numbers(value)
    if numbers.text is not None:
        raise UnusableDataError(
            f"{sheet.where}: {value} holds {numbers.text!r} in row {numbers.row + 1}, expected numbers; correct that "
            "cell, or empty it if it is missing"
        )
    nameless = (codes < 0) & ~np.isnan(numbers.values)
    if nameless.any():
        raise UnusableDataError(
            f"{sheet.where}: row {int(np.argmax(nameless)) + 1} has a {value} and no {feature}; complete or delete it"
        )
    return _chosen(sheet, feature, value, roles, columns)


def own_long(sheet: Sheet, order: list[str]) -> Long | None:
    """The same of a long table that ecodyn made, whose features come in this order; None if it has others now."""
    codes, labels = sheet.labels("feature")
    if not set(labels) <= set(order):
        return None
    renumber = np.array([*map(order.index, labels), -1], dtype=np.int64)
    return Long("feature", "value", renumber[codes], tuple(order))


def _pair(sheet: Sheet, roles: set[str], asked: set[str]) -> tuple[str, str] | None:
    """The column that names features and the one that holds their values, if there are such."""
    free = [name for name in sheet.names if name not in roles | asked]
    values = [name for name in free if normal(name) == VALUE_NAME]
    names = sorted(
        (name for name in free if normal(name) in FEATURE_NAMES), key=lambda name: FEATURE_NAMES.index(normal(name))
    )
    return (names[0], values[0]) if names and values else None


def _is_long(sheet: Sheet, times: Array, runs: Integers, feature: str, value: str) -> bool:
    """Names that are text can't be values; numbers are names if they, and nothing else, tell rows of a step apart."""
    numbers = sheet.numbers(feature)
    if numbers.text is not None:
        return True
    if not numbers.some:
        return False
    rows = len(times)
    place = np.unique(times, return_inverse=True)[1] + runs * (rows + 1)
    codes, labels = sheet.labels(feature)
    steps, cells = len(np.unique(place)), len(np.unique(place * (len(labels) + 1) + codes))
    whole = all(label.removeprefix("-").isdecimal() for label in labels)  # 01 as well, unlike a label that is a number
    if whole and steps < rows and (cells == rows or 2 * steps <= rows):
        return True
    if steps == rows and not whole:
        return False
    raise UnusableDataError(
        f"{sheet.where} has a column {feature} of numbers and a column {value}: it may be a wide table with the "
        f"features {feature} and {value} (say so with --columns {feature},{value}; "
        f"columns=[{feature!r}, {value!r}]), or a long one in which {feature} names the feature (then "
        "write names such as f1 in it)"
    )


def _chosen(sheet: Sheet, feature: str, value: str, roles: set[str], columns: Sequence[str] | str | None) -> Long:
    codes, labels = sheet.labels(feature)
    chosen = {label: label for label in labels} if columns is None else matching(columns, labels)
    unknown = [name for name in named(columns, labels) if "*" not in name and name not in labels]
    if unknown or not chosen:
        raise UnusableDataError(
            f"{sheet.where}: none of {listed(labels)} is called {listed(unknown) or columns}; {feature} names the "
            "features: say which are meant with --columns PATTERN"
        )
    order = list(chosen) if any("*" not in n for n in named(columns, labels)) else list(sorted_if_whole(chosen))
    renumber = np.array([*(order.index(label) if label in chosen else -1 for label in labels), -1], dtype=np.int64)
    remarks = []
    if normal(feature) not in PLAIN:
        remarks.append(f"read as a long table: {feature} names {len(order)} features, {value} holds their values")
    others = [name for name in sheet.names if name not in roles | {feature, value}]
    if others:
        remarks.append(f"left out, beside {feature} and {value}: {listed(others)}")
    return Long(feature, value, renumber[codes], tuple(chosen[label] for label in order), tuple(remarks))
