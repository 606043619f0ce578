"""Tables of values already reduced to features: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.npy import check_signature
from ecodyn.logs.records import Records

__all__ = ["Table"]

STEP_NAMES = ("step", "_step", "global_step", "iteration", "steps")
RUN_NAME = "run"
CSV, JSON_LINES, PARQUET = (".csv", ".tsv"), (".jsonl", ".ndjson"), (".parquet", ".pq")


class Table(Format):
    """A table with a column ``step``, a column a feature, and optionally a column ``run``.

    Cells may be empty: a feature's series are its own rows. Columns are all that hold numbers, unless a pattern says
    which (`LogOptions.columns`).
    """

    name = "table"
    description = "a table in .csv, .jsonl or .parquet with a column step"

    def recognises(self, path: Path) -> bool:
        """Any file with one of the suffixes."""
        return path.is_file() and path.suffix.lower() in (*CSV, *JSON_LINES, *PARQUET)

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One log for each value of the column run."""
        records: dict[str, Records] = {}
        order: dict[str, None] = {}
        step_name = ""
        for number, row in enumerate(_rows(path), 1):
            step_name = step_name if step_name in row else _step_name(path, number, row)
            step = _step(path, number, step_name, row[step_name])
            run = row.get(RUN_NAME)
            into = records.setdefault("" if run is None else str(run).strip(), Records(order))
            for name, cell in row.items():
                if name and name not in (*STEP_NAMES, RUN_NAME):  # a column without a name is an index
                    into.add(name, step, cell)
        if not records:
            raise UnusableDataError(f"{path} has no rows; check that it was written")
        return [
            run_records.log(path, self.name, run or path.stem, (path,), options) for run, run_records in records.items()
        ]


def _rows(path: Path) -> Iterator[Mapping[str, object]]:
    """Rows as mappings of column to cell; None is an empty cell."""
    suffix = path.suffix.lower()
    if suffix in PARQUET:
        yield from _parquet(path)
        return
    check_signature(path, b"", "a table")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _json_lines(path, file) if suffix in JSON_LINES else _csv(path, file)
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not a text file in UTF-8 ({error}); save it in UTF-8") from None


def _csv(path: Path, file: TextIO) -> Iterator[Mapping[str, object]]:
    line = 0  # of the file; a reader would count those that are no comments

    def lines() -> Iterator[str]:
        nonlocal line
        for text in file:
            line += 1
            if not text.startswith("#"):
                yield text

    reader = csv.DictReader(lines(), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True)
    try:
        names = [name.strip() for name in reader.fieldnames or []]
        _check_names(path, names)
        reader.fieldnames = names
        for row in reader:
            if None in row or None in row.values():
                raise UnusableDataError(
                    f"{path}: line {line} has another number of cells than the {len(names)} columns; it may be "
                    "truncated: complete or delete it"
                )
            yield row
    except csv.Error as error:
        raise UnusableDataError(
            f"{path} can't be read as CSV: {error} (line {line}); complete that line, or save it again as CSV"
        ) from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise UnusableDataError(f"{path} has two columns of the same name in {', '.join(names)}; rename one")


def _json_lines(path: Path, file: TextIO) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnusableDataError(
                f"{path}: line {number} is not JSON ({error}); it may be truncated: complete or delete it"
            ) from None
        if not isinstance(row, dict):
            raise UnusableDataError(f"{path}: line {number} holds a {type(row).__name__}, expected an object")
        yield row


def _parquet(path: Path) -> Iterator[Mapping[str, object]]:
    check_signature(path, b"PAR1", "a Parquet file")
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            'reading Parquet needs pyarrow; install it with: python -m pip install "ecodyn-toolkit[logs]"',
            name="pyarrow",
        ) from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_names(path, file.schema_arrow.names)
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise UnusableDataError(f"{path} is damaged or truncated ({error}); copy or write it again") from None


def _step_name(path: Path, number: int, row: Mapping[str, object]) -> str:
    for name in STEP_NAMES:
        if name in row:
            return name
    raise UnusableDataError(
        f"{path} has no column named step in row {number}, only {', '.join(row)}; name the time column step"
    )


def _step(path: Path, number: int, name: str, cell: object) -> float:
    try:
        step = float(cell)  # type: ignore[arg-type]  # what is no number is told below
    except (TypeError, ValueError, OverflowError):
        step = math.nan
    if not math.isfinite(step):
        raise UnusableDataError(
            f"{path}: row {number} has the {name} {cell!r}, expected a number (turn dates into, say, days since the "
            "start); complete or delete the row"
        )
    return step
