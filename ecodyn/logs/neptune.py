"""Neptune's export to Parquet: a row a value of an attribute of a run."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions, Setting
from ecodyn.logs.records import Records
from ecodyn.logs.tracked import TrackedRun, logs_of_runs, natural
from ecodyn.tables.names import is_logged_beside, listed
from ecodyn.tables.parquet import SIGNATURE, SUFFIX, opened_parquet
from ecodyn.tables.reading import NEPTUNE, SUFFIXES

__all__ = ["Neptune"]

SERIES = "float_series"
VALUES = {"float": "float_value", "int": "int_value", "string": "string_value", "bool": "bool_value"}  # of parameters
COLUMNS = ("project_id", "run_id", "attribute_path", "attribute_type", "step", *sorted({*VALUES.values()}))
OWN = ("monitoring/", "sys/")  # Neptune's own measurements of the machine, and what it notes of a run
PART = re.compile(r"(.*part_)(\d+)\.parquet")
UNFINISHED = ".parquet.tmp"  # what the exporter calls a part until its run is complete
LARGEST = 1 << 53  # up to here a double holds every whole number


class Neptune(Format):
    """The Parquet files that Neptune's exporter writes, one or a folder of them: a path of a float series a feature.

    All parts of a run are one run, in whatever files. Whole numbers, numbers and text that were stored once become
    settings of the run; attributes of other types are left out and counted.
    """

    name = "neptune"
    description = "Neptune's export to Parquet (a part, or the folder of a run or of a project)"

    def recognises(self, path: Path) -> bool:
        """A file of these columns, or a folder with one in it, or of nothing but folders with some in each."""
        return any(_is_part(file) for file in _files(path))

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One log for each run."""
        files = _files(path)
        parts = [file for file in files if _is_part(file)]
        others = [file.name for file in files if file not in parts]
        others += [file.name for file in _beside_parts(path) if file.suffix != SUFFIX]
        reading = _Reading()
        for part in parts:
            reading.add(part)
        remarks = [*_on_parts(path, parts), *reading.remarks()]
        if others:
            remarks.append(f"{len(others)} tables that are no export of Neptune's were left out: {listed(others)}")
        return logs_of_runs(path, self.name, reading.runs(path), options, remarks)


class _Reading:
    """Values of the runs in several parts."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], Records] = {}  # by project and run
        self.parameters: dict[tuple[str, str], dict[str, Setting]] = {}
        self.sources: dict[tuple[str, str], list[Path]] = {}
        self.left_out: Counter[str] = Counter()
        self.order: dict[str, None] = {}

    def add(self, part: Path) -> None:
        """The rows of one part."""
        rows = zip(*_columns(part), strict=True)
        for i, cells in enumerate(rows):
            row = dict(zip(COLUMNS, cells, strict=True))
            key = self._key(part, i, row)
            kind, path = str(row["attribute_type"]), str(row["attribute_path"])
            if kind == SERIES:
                self._point(part, i, row, self.records[key])
            elif kind in VALUES and not path.startswith(OWN):
                self._parameter(part, path, row[VALUES[kind]], self.parameters[key])
            else:
                self.left_out[f"of the type {kind}" if kind not in VALUES else f"in {path.split('/')[0]}/"] += 1

    def _key(self, part: Path, i: int, row: dict[str, object]) -> tuple[str, str]:
        if not row["run_id"] or not row["attribute_path"]:
            raise UnusableDataError(
                f"{part}: row {i + 1} has no {'attribute_path' if row['run_id'] else 'run_id'}, expected the run and "
                "the attribute in every row; export it again"
            )
        key = (str(row["project_id"] or ""), str(row["run_id"]))
        if key not in self.records:
            self.records[key] = Records(self.order, _beside)
            self.parameters[key], self.sources[key] = {}, []
        if part not in self.sources[key]:
            self.sources[key].append(part)
        return key

    def _point(self, part: Path, i: int, row: dict[str, object], records: Records) -> None:
        step, value = row["step"], row["float_value"]
        if step is None or value is None:
            raise UnusableDataError(
                f"{part}: row {i + 1}, of the series {row['attribute_path']}, has no "
                f"{'step' if step is None else 'float_value'}, expected both; export it again"
            )
        records.add(str(row["attribute_path"]), float(str(step)), value)

    def _parameter(self, part: Path, path: str, value: object, held: dict[str, Setting]) -> None:
        if value is None:
            return
        new: Setting = str(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST:  # NaN is not
            new = value
        if held.setdefault(path, new) != new:
            raise UnusableDataError(
                f"{part}: {path} is {held[path]} and {new} in one run, expected one value; keep the parts of one export"
            )

    def remarks(self) -> list[str]:
        """What was left out, counted."""
        kinds = [f"{count} {kind}" for kind, count in sorted(self.left_out.items())]
        return [f"rows left out, being of no series of numbers and no parameter: {', '.join(kinds)}"] * bool(kinds)

    def runs(self, path: Path) -> list[TrackedRun]:
        """The runs, by their ids, and by their projects where two projects have the same."""
        ids = Counter(run for _, run in self.records)
        return [
            TrackedRun(
                name="",
                id=key[1] if ids[key[1]] == 1 else "/".join(key),
                path=path,
                records=records,
                sources=tuple(self.sources[key]),
                parameters=self.parameters[key],
            )
            for key, records in self.records.items()
        ]


def _beside(name: str) -> bool:
    return name.startswith(OWN) or is_logged_beside(name)


def _files(path: Path) -> list[Path]:
    """The Parquet files at or in a path, or in its folders where it holds nothing else; in the order of their names."""
    if not path.is_dir():
        return [path] if path.suffix == SUFFIX and path.is_file() else []
    entries = [entry for entry in path.iterdir() if entry.name[0] != "."]
    found = [entry for entry in entries if entry.suffix == SUFFIX]
    within = [[*entry.glob(f"*{SUFFIX}")] for entry in entries] if all(entry.is_dir() for entry in entries) else []
    if not found and all(within):
        found = [file for files in within for file in files]
    return sorted(
        (file for file in found if file.is_file() and file.name[0] != "."),
        key=lambda file: (file.parent, natural(file.name)),
    )


def _on_parts(path: Path, parts: list[Path]) -> list[str]:
    """What is to be said of parts that are not there, or not read.

    Raises
    ------
    UnusableDataError
        A part between others is missing.
    """
    numbers: dict[tuple[Path, str], set[int]] = {}
    for part in parts:
        if found := PART.fullmatch(part.name):
            numbers.setdefault((part.parent, found[1]), set()).add(int(found[2]))
    for (folder, start), held in numbers.items() if path.is_dir() else ():
        missing = sorted({*range(max(held) + 1)} - held)
        if missing:
            raise UnusableDataError(
                f"{folder} lacks {start}{missing[0]}{SUFFIX} ({len(missing)} of {max(held) + 1} parts), expected all "
                "parts of a run; export or copy it again, or name a part as a file"
            )
    remarks = []
    if path.is_file() and (found := PART.fullmatch(path.name)):
        others = [file.name for file in _files(path.parent) if _is_other_part(path, file, found[1])]
        remarks += [f"parts of the same run beside it were not read (its folder has them): {listed(others)}"] * bool(
            others
        )
    unfinished = len([*path.rglob(f"*{UNFINISHED}")]) if path.is_dir() else 0
    remarks += [f"{unfinished} files {UNFINISHED} of an export that did not finish were left out"] * bool(unfinished)
    return remarks


def _beside_parts(path: Path) -> list[Path]:
    """Tables in a folder."""
    return sorted(file for file in path.iterdir() if file.suffix in SUFFIXES) if path.is_dir() else []


def _is_other_part(path: Path, file: Path, start: str) -> bool:
    found = PART.fullmatch(file.name)
    return file.parent == path.parent and file.name != path.name and found is not None and found[1] == start


def _is_part(file: Path) -> bool:
    """Whether a file has the columns; where Parquet can't be read, or the file can't, it is a table's to say so."""
    try:
        with file.open("rb") as stream:
            if stream.read(len(SIGNATURE)) != SIGNATURE:
                return False
    except OSError:
        return False
    try:
        with opened_parquet(file) as part:
            return {*part.schema_arrow.names} >= NEPTUNE
    except (ModuleNotFoundError, UnusableDataError):
        return False


def _columns(part: Path) -> list[list[object]]:
    """Cells of each of `COLUMNS`; of nothing where the export has none of that name."""
    with opened_parquet(part, "copy or export it again") as file:
        held = {*file.schema_arrow.names}
        table = file.read(columns=[name for name in COLUMNS if name in held])
        return [table.column(name).to_pylist() if name in held else [None] * table.num_rows for name in COLUMNS]
