"""The cells of a column as numbers and as labels; a missing cell is one however it is written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.arrays import Array, Bools, Integers

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXACT", "MISSING", "Numbers", "is_missing", "labels_of", "number_of", "numbers_of"]

MISSING = ("", "na", "nan", "-nan", "none", "null", "<na>")  # in small letters
EXACT = 1 << 53  # up to here a double holds every whole number


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column as numbers.

    Attributes
    ----------
    values
        (n,), NaN where a cell is missing or is no number.
    text
        The first cell that is no number, as text; None if there is none.
    row
        Its row, counted from 0.
    rounded
        How many whole numbers have more digits than a double holds.
    """

    values: Array
    text: str | None = None
    row: int = -1
    rounded: int = 0

    @property
    def some(self) -> bool:
        """Whether any cell is a number."""
        return not bool(np.isnan(self.values).all())


def is_missing(cell: object) -> bool:
    """Whether a cell is empty, None, NaN, or text that means one of them."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell) in ("<NA>", "NaT")


def numbers_of(column: pd.Series) -> Numbers:
    """A column as numbers; of text, those cells that write one. True and False are no numbers, and dates neither."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype.kind in "iuf":
        whole = column.dropna().tolist() if column.dtype.kind in "iu" and _is_large(column) else []
        return Numbers(column.to_numpy(dtype=np.float64, na_value=np.nan), rounded=sum(map(_is_rounded, whole)))
    return _parsed(column.astype(object).tolist())


def _is_large(column: pd.Series) -> bool:
    return bool(column.max() > EXACT or column.min() < -EXACT)


def _is_rounded(cell: object) -> bool:
    return isinstance(cell, int) and abs(cell) > EXACT and number_of(cell) != cell


def _parsed(cells: list[Any]) -> Numbers:
    values = np.full(len(cells), np.nan)
    text, row = None, -1
    for i, cell in enumerate(cells):
        if is_missing(cell):
            continue
        number = number_of(cell)
        if number is not None:
            values[i] = number
        elif text is None:
            text, row = str(cell), i
    return Numbers(values, text, row, sum(map(_is_rounded, cells)))


def number_of(cell: object) -> float | None:
    """A number, or text that writes one; None for anything else."""
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, int | float | str | np.integer | np.floating):
        return None
    if isinstance(cell, str) and "_" in cell:  # Python takes 1_000 for a number, nobody writes it in a table
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.inf if str(cell)[0] != "-" else -math.inf
    except ValueError:
        return None


def labels_of(column: pd.Series, *, literal: bool = False) -> tuple[Integers, list[str]]:
    """Which label each cell has, -1 where it is missing, and the labels in the order in which they come.

    With `literal`, text such as NA is a label.
    """
    import pandas as pd

    if column.dtype.kind not in "iuf":
        column = column.astype(object).map(lambda cell: str(cell) if isinstance(cell, dict | list) else cell)
    codes, uniques = pd.factorize(column)
    order: dict[str, int] = {}
    renumber = np.array([*(_code(cell, order, literal) for cell in list(uniques)), -1], dtype=np.int64)
    return renumber[codes], list(order)


def _code(cell: object, order: dict[str, int], literal: bool) -> int:
    missing = is_missing(cell) and not (literal and isinstance(cell, str))
    return -1 if missing else order.setdefault(label_of(cell), len(order))


def label_of(cell: object) -> str:
    """A cell as a label: a whole number without a decimal point, text without blanks around it."""
    if isinstance(cell, float | np.floating) and math.isfinite(cell) and cell == int(cell):
        return str(int(cell))
    return str(cell).strip()


def increases(values: Array) -> bool:
    """Whether numbers are whole and, read downwards, each larger than the one before."""
    return bool(np.isfinite(values).all() and (np.mod(values, 1) == 0).all() and (np.diff(values) > 0).all())


def first_wrong(values: Array) -> int:
    """The first row that holds no finite number."""
    finite: Bools = np.isfinite(values)
    return int(np.argmin(finite))
