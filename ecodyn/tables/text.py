"""Tables as text: which character separates the cells, whether lines are whole, and what writes a decimal."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import MISSING, is_missing
from ecodyn.tables.names import FEATURE_NAMES, RUN_NAMES, STEP_NAMES, TIME_NAMES, listed, normal
from ecodyn.tables.own import NOTES
from ecodyn.tables.text_rules import METADATA_MARK, Lines, check_points, with_marked_rows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DECIDED", "METADATA_MARK", "read_text"]

DECIDED = "ecodyn_decided"  # key of sentences in DataFrame.attrs on how the text was read
SEPARATORS = (",", ";", "\t", "|")  # as spreadsheets and databases write them
SPREADSHEET_MARK = re.compile(r"sep=.")  # a first line that tells Excel the separator
MOST_COLUMNS = 100_000  # pandas takes about 50 µs for each of several passes over columns
SAMPLE = 50  # lines that are looked at for the separator
# Pandas compares cells letter by letter.
SPELLINGS = sorted({spelling for m in MISSING for spelling in (m, m.upper(), m.title(), m.replace("nan", "NaN"))})
DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?")  # 0,5
WHOLE = re.compile(r"[+-]?\d+([eE][+-]?\d+)?")  # says nothing of commas
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")  # what a comma between thousands looks like
SEVERAL_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(,\d{3}|\.\d+)")  # 1,000,000 or 1,000.5: no decimal comma
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")  # as Python and spreadsheets write them
DECIMAL_POINT = re.compile(r"\d\.\d")  # somewhere in the file


def read_text(path: Path, text: str, labels: Sequence[str] = ()) -> pd.DataFrame:
    """The table in a text, these columns as text; comments and what ecodyn noted go to its ``attrs``.

    Raises
    ------
    UnusableDataError
        It is damaged, or can be read in two ways.
    """
    lines = list(enumerate(io.StringIO(text, newline=""), 1))
    body = [(number, line) for number, line in lines if not line.startswith("#") and line.strip()]
    if body and SPREADSHEET_MARK.fullmatch(body[0][1].strip()):
        del body[0]
    if not body:
        raise UnusableDataError(f"{path} has no data: expected a line of column names and a line for each step")
    separator = _separator(path, [line for _, line in body[:SAMPLE]])
    header = [name.strip() for name in _cells(body[0][1], separator)]
    _check_columns(path, len(header))
    _check_not_commented(path, [line for number, line in lines if number == body[0][0] - 1], separator, header)
    body, comments, decided = with_marked_rows(lines, body, lambda line: _cells(line, separator))
    if separator == ";":
        check_points(path, [_cells(line, separator) for _, line in body])
    held = [name for name in header if name]
    if len(set(held)) < len(held):
        raise UnusableDataError(f"{path} has two columns of the same name in {', '.join(header)}; rename one")
    _check_widths(path, body, separator, len(header))
    if len(body) < 2:
        raise UnusableDataError(f"{path} has no rows: expected a line for each step; check that it was written")
    free = (name for i in range(2 * len(header)) if (name := f"Unnamed: {i}") not in header)
    names = [name or next(free) for name in header]
    own = {label.strip() for label in labels}
    numeric = [name for name in names if name not in own and normal(name) not in (*RUN_NAMES, *FEATURE_NAMES)]
    frame = _parsed(path, "".join(line for _, line in body), separator, names, numeric)
    points = any(DECIMAL_POINT.search(line) for _, line in body[1:])
    # Between commas, a cell such as "1,2" beside numbers with points is text: a place, a pair.
    decided += [] if separator == "," and points else _decide_commas(path, frame, numeric, points)
    frame.attrs = _notes(comments) | ({DECIDED: decided} if decided else {})
    return frame


def _separator(path: Path, lines: list[str]) -> str | None:
    """The character between cells; None for blanks."""
    header = lines[0].rstrip("\r\n")
    marks = [mark for mark in SEPARATORS if mark in header]
    if not marks:
        return None if len(header.split()) > 1 else ","
    agree = {mark: sum(len(_cells(line, mark)) == len(_cells(header, mark)) for line in lines) for mark in marks}
    best = [mark for mark in marks if agree[mark] == max(agree.values())]
    if len(best) > 1 and len(lines) > 1:
        raise UnusableDataError(
            f"{path}: its lines can be split at {' and at '.join(map(repr, best))}, expected one separator; write "
            "names of columns without the others, or in quotes"
        )
    return best[0]


def _cells(line: str, separator: str | None) -> list[str]:
    if separator is None:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error as error:
        raise UnusableDataError(f"a line of {len(line)} letters can't be read as CSV: {error}; shorten it") from None


def _check_columns(path: Path, count: int) -> None:
    """Refuse more columns than a table can have in reasonable time, before any of them is made."""
    if count > MOST_COLUMNS:
        raise UnusableDataError(
            f"{path} has {count} columns, expected at most {MOST_COLUMNS}; write so many features as netCDF "
            "(Trajectories.save), or in the long form, a row a value"
        )


def _check_not_commented(path: Path, above: list[str], separator: str | None, header: list[str]) -> None:
    """Refuse a table whose line of names is a comment, as ``numpy.savetxt`` writes it: the first row is no header."""
    names = [name.strip() for line in above if line.startswith("#") for name in _cells(line[1:].strip(), separator)]
    times = [i for i, name in enumerate(names) if normal(name) in (*STEP_NAMES, *TIME_NAMES)]
    if len(names) == len(header) and any(NUMBER.fullmatch(header[i]) for i in times):
        raise UnusableDataError(
            f"{path}: the line {above[0].strip()!r} has the names of the columns, it seems, and is a comment, as it "
            "begins with #; delete the # there (numpy.savetxt(..., comments='') writes none)"
        )


def _check_widths(path: Path, body: Lines, separator: str | None, width: int) -> None:
    """Refuse lines with more or fewer cells than the header: they are truncated, or two lines in one."""
    if any('"' in line for _, line in body):
        _check_quoted(path, body, separator or " ", width)
        return
    count: Callable[[str], int] = (
        (lambda line: len(line.split())) if separator is None else (lambda line: line.count(separator) + 1)
    )
    for number, line in body:
        if count(line) != width:
            raise UnusableDataError(_wrong_width(path, number, count(line), width, separator))


def _check_quoted(path: Path, body: Lines, separator: str, width: int) -> None:
    at = 0

    def lines() -> Any:
        nonlocal at
        for number, line in body:
            at = number
            yield line

    try:
        for row in csv.reader(lines(), delimiter=separator, skipinitialspace=True, strict=True):
            if len(row) != width:
                raise UnusableDataError(_wrong_width(path, at, len(row), width, separator))
    except csv.Error as error:
        raise UnusableDataError(
            f"{path} can't be read as CSV: {error} (line {at}); complete that line, or save it again as CSV"
        ) from None


def _wrong_width(path: Path, number: int, cells: int, width: int, separator: str | None) -> str:
    commas = "; decimal commas need another separator, or quotes" if separator == "," and cells > width else ""
    return (
        f"{path}: line {number} has another number of cells than the {width} columns ({cells}); it may be truncated: "
        f"complete or delete it{commas}"
    )


def _parsed(path: Path, text: str, separator: str | None, names: list[str], numeric: list[str]) -> pd.DataFrame:
    """The cells: of columns that may be numeric as such, of the others as they are written."""
    import pandas as pd

    try:
        return pd.read_csv(
            io.StringIO(text, newline=""),
            sep=r"\s+" if separator is None else separator,
            header=0,
            names=names,
            index_col=False,
            dtype={name: "object" for name in names if name not in numeric},
            na_values=dict.fromkeys(numeric, SPELLINGS),
            keep_default_na=False,
            skipinitialspace=True,
            **_exact(pd.__version__),
            low_memory=False,
        )
    except (ValueError, pd.errors.ParserError) as error:
        raise UnusableDataError(f"{path} can't be read as CSV: {error}; save it again as CSV") from None


def _exact(version: str) -> dict[str, Any]:
    """What makes pandas read the numbers that are written, to the last bit: from 3.1 on it does, and says so."""
    major, minor = map(int, version.split(".")[:2])
    return {} if (major, minor) >= (3, 1) else {"float_precision": "round_trip"}


def _decide_commas(path: Path, frame: pd.DataFrame, numeric: list[str], points: bool) -> list[str]:
    """Turn columns with decimal commas into numbers, where it is certain that that is what they are; and say so."""
    held: dict[str, list[Any]] = {}
    commas: list[str] = []
    for name in numeric:
        if frame[name].dtype.kind in "iufb":
            continue
        cells = [None if is_missing(cell) else str(cell).strip() for cell in frame[name].tolist()]
        own = [cell for cell in cells if cell and "," in cell]
        if own and all(_maybe_number(cell) for cell in cells if cell):
            held[name] = cells
            commas += own
    if not held:
        return []
    _check_commas(path, commas, points)
    for name, cells in held.items():
        frame[name] = [float("nan") if cell is None else float(cell.replace(",", ".")) for cell in cells]
    return [f"decimal commas, such as in {commas[0]}, were read as such in: {listed(held)}"]


def _maybe_number(cell: str) -> bool:
    return any(p.fullmatch(cell) is not None for p in (DECIMAL_COMMA, WHOLE, THOUSANDS, SEVERAL_THOUSANDS))


def _check_commas(path: Path, cells: list[str], points: bool) -> None:
    thousands = [cell for cell in cells if SEVERAL_THOUSANDS.fullmatch(cell)]
    decimals = [cell for cell in cells if not THOUSANDS.fullmatch(cell) and cell not in thousands]
    if thousands or (decimals and points):
        raise UnusableDataError(
            f"{path} holds {(thousands or decimals)[0]!r}"
            + ("" if thousands else " beside numbers with decimal points")
            + ", expected numbers without separators of thousands and with one mark of decimals; write it again so"
        )
    if not decimals:
        raise UnusableDataError(
            f"{path} holds {cells[0]!r}, which may be {cells[0].replace(',', '')} (thousands) or "
            f"{cells[0].replace(',', '.')} (a decimal comma), and no number in the file tells; write the numbers "
            "without commas"
        )


def _notes(comments: list[str]) -> dict[str, Any]:
    for line in comments:
        if line.startswith(METADATA_MARK):
            try:
                return {NOTES: dict(json.loads(line[len(METADATA_MARK) :]).items())}
            except (ValueError, AttributeError) as error:
                raise UnusableDataError(f"the comment line {line[:60]!r} is damaged ({error}); delete it") from error
    return {"comments": [line.lstrip("# ") for line in comments]} if comments else {}
