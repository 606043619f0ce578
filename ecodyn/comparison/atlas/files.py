"""An atlas in a folder: atlas.json and index.html, and a folder for each cell with its own reports.

A cell's ``cell.json`` is written last: where it is, the cell's reports are whole. It holds a checksum of the cell's
data and of all that was asked of them, so that a later call takes a finished cell only for the same question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ecodyn.comparison.atlas.cell import AtlasCell
from ecodyn.comparison.atlas.cells import Place, folder_name, of_json
from ecodyn.comparison.result import Comparison
from ecodyn.errors import OutputExistsError, UnusableDataError
from ecodyn.runtime.files import check_output, write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.statistics.intervals import Estimate

__all__ = [
    "CELLS",
    "CELL_PAGE",
    "NUMBERS",
    "PAGE",
    "REPORT",
    "SCHEMA",
    "check_folder",
    "finished_cell",
    "read_cell",
    "read_numbers",
    "write_cell",
    "write_numbers",
]

SCHEMA = 1  # of atlas.json and cell.json
NUMBERS, PAGE, CELLS = "atlas.json", "index.html", "cells"
MARK, REPORT, CELL_PAGE = "cell.json", "report.json", "report.html"  # of a cell, in its folder


def check_folder(folder: Path, *, force: bool = False, resume: bool = False) -> None:
    """Refuse before the work what could not be written after it, and make the folder.

    Raises
    ------
    OutputExistsError
        An atlas, or cells of one, are there, and neither ``force`` nor ``resume`` says what is to become of them.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"expected a folder for the atlas, {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    for name in (NUMBERS, PAGE):
        check_output(folder / name, force=True)
    there = [path for path in (folder / NUMBERS, folder / PAGE, folder / CELLS) if path.exists()]
    if there and not (force or resume):
        raise OutputExistsError(
            f"{there[0]} exists already; pass resume=True (--resume) to take the cells that are finished, or "
            "force=True (--force) to replace them"
        )


def write_numbers(folder: Path, document: Mapping[str, object]) -> bool:
    """Write atlas.json, unless it says the same already; return whether it was written, so that a page has to be."""
    try:
        if json.loads((folder / NUMBERS).read_text(encoding="utf-8")) == document:
            return False
    except (OSError, ValueError):  # absent, or damaged
        pass
    _write_json(folder / NUMBERS, document)
    return True


def write_cell(folder: Path, cell: AtlasCell, *, key: str | None) -> None:
    """Write a cell's two reports, and then its mark with the checksum of the question; of one that failed nothing.

    What was there of the cell is replaced. One of whose models some could not be fitted is asked anew by a later call,
    as every fit that failed is: it has no checksum.
    """
    own = folder / CELLS / folder_name(cell.by, cell.place)
    for name in (MARK, REPORT, CELL_PAGE):
        (own / name).unlink(missing_ok=True)
    if cell.comparison is None:
        return
    own.mkdir(parents=True, exist_ok=True)
    cell.comparison.to_html(own / CELL_PAGE)
    cell.comparison.save(own / REPORT)
    survivors = None if cell.survivors is None else cell.survivors.to_json()
    key = None if cell.comparison.failures else key
    mark = {"schema": SCHEMA, "key": key, "setting": cell.setting, "runs": cell.runs, "clusters": cell.clusters}
    _write_json(own / MARK, plain_json({**mark, "survivors": survivors}))


def _write_json(path: Path, document: Mapping[str, object]) -> None:
    with write_whole(path, force=True) as temporary:
        temporary.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def finished_cell(folder: Path, by: tuple[str, ...], place: Place, key: str | None) -> AtlasCell | None:
    """The cell that an earlier call finished, if it was asked the same of the same data; else None."""
    own = folder / CELLS / folder_name(by, place)
    try:
        mark = json.loads((own / MARK).read_text(encoding="utf-8"))
        if key is None or mark["schema"] != SCHEMA or mark["key"] != key:
            return None
        return _of_mark(mark, by, place, Comparison.load(own / REPORT))
    except (OSError, ValueError, KeyError, TypeError):  # absent, or damaged: done anew
        return None


def _of_mark(mark: Mapping[str, Any], by: tuple[str, ...], place: Place, comparison: Comparison | None) -> AtlasCell:
    return AtlasCell(
        by=by,
        place=place,
        runs=mark["runs"],
        clusters=mark["clusters"],
        comparison=comparison,
        survivors=None if mark["survivors"] is None else Estimate.from_json(mark["survivors"]),
    )


def read_numbers(folder: Path) -> dict[str, Any]:
    """atlas.json of a folder.

    Raises
    ------
    UnusableDataError
        There is none, or one of another schema.
    """
    path = folder / NUMBERS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        schema = document["schema"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnusableDataError(
            f"expected an atlas of ecodyn compare --by in {folder}, got {type(error).__name__}: {error}; name the "
            "folder that it was written to"
        ) from error
    if schema != SCHEMA:
        raise UnusableDataError(
            f"{path} follows schema {schema}, this version reads {SCHEMA}: make the atlas again, or read it with the "
            "version that wrote it"
        )
    return dict(document)


def read_cell(folder: Path, by: tuple[str, ...], record: Mapping[str, Any]) -> AtlasCell:
    """A cell of atlas.json, with its own report.

    Raises
    ------
    UnusableDataError
        Its report is not there, or damaged.
    """
    place = tuple(of_json(record["setting"][name]) for name in by)
    # Where it is follows from its place: an atlas.json that came from elsewhere names no files of this machine.
    path = folder / CELLS / folder_name(by, place) / REPORT
    cell = _of_mark(record, by, place, None if record["report"] is None else _report(path))
    return replace(cell, failure=record["failure"] or "")


def _report(path: Path) -> Comparison:
    if not path.is_file():
        raise UnusableDataError(f"the atlas's cell {path} is not there; copy the whole folder, or make the atlas again")
    return Comparison.load(path)
