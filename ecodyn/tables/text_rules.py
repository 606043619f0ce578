"""What lines of text that begin with # are, and numbers whose points may separate thousands."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import is_missing

__all__ = ["METADATA_MARK", "Lines", "check_points", "with_marked_rows"]

METADATA_MARK = "# ecodyn: "
WHOLE = re.compile(r"[+-]?\d{1,3}")  # a whole number that needs no separator of thousands
POINT_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")  # 1.000, which may be a thousand or one
OTHER_POINT = re.compile(r"[+-]?\d*\.\d*([eE][+-]?\d+)?")  # 0.5, which can't

Lines = list[tuple[int, str]]  # with their numbers in the file


def with_marked_rows(
    lines: Lines, body: Lines, cells: Callable[[str], list[str]]
) -> tuple[Lines, list[str], list[str]]:
    """The lines of a table, those that begin with # among them which are rows; the comments; and what was decided.

    Such a line is a row if it is below the names of columns and has as many cells as they: of the run #1, say, or with
    a spreadsheet's #DIV/0!. Where blanks separate the cells, a # by itself is none.
    """
    top, width = body[0][0], len(cells(body[0][1]))
    marked = [(number, line) for number, line in lines if line.startswith("#")]
    rows = [(number, line) for number, line in marked if number > top and _is_row(line, width, cells)]
    numbers = {number for number, _ in rows}
    comments = [(number, line) for number, line in marked if number not in numbers]
    below = sum(number > top and not line.startswith(METADATA_MARK) for number, line in comments)
    decided = [f"{below} lines below the names of columns begin with #, were taken for comments and left out"]
    return sorted([*body, *rows]), [line.rstrip() for _, line in comments], decided if below else []


def _is_row(line: str, width: int, cells: Callable[[str], list[str]]) -> bool:
    if line.startswith(METADATA_MARK) or width < 2:
        return False
    found = cells(line)
    return len(found) == width and found[0].strip() != "#"


def check_points(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Refuse numbers such as 1.000 beside whole ones below 1000 in a column, if no number in the file tells.

    Raises
    ------
    UnusableDataError
        A point may separate thousands, or decimals.
    """
    columns = [[cell.strip() for cell in column if not is_missing(cell)] for column in zip(*rows[1:], strict=False)]
    pointed = {cell for column in columns for cell in column if OTHER_POINT.fullmatch(cell)}
    if any(POINT_THOUSANDS.fullmatch(cell) is None for cell in pointed):
        return  # a decimal point somewhere
    for name, column in zip(rows[0], columns, strict=False):
        doubtful = [cell for cell in column if POINT_THOUSANDS.fullmatch(cell)]
        whole = sum(WHOLE.fullmatch(cell) is not None for cell in column)
        if doubtful and whole and len(doubtful) + whole == len(column):
            cell = doubtful[0]
            raise UnusableDataError(
                f"{path} holds {cell!r} in the column {name.strip()}, which may be {cell.replace('.', '')} (thousands) "
                f"or {cell} (a decimal point), and no number in the file tells; write the numbers without separators "
                "of thousands, or decimals as 1.0"
            )
