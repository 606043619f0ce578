"""Trajectories as CSV: columns step, one a feature and an optional run; times and signal only."""

from __future__ import annotations

import csv
import io
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import cast

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import write_whole
from ecodyn.trajectories.dataset import OPTIONAL, Arguments, Fields
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.paths import beginning

__all__ = ["read_csv", "write_csv"]

METADATA_MARK = "# ecodyn: "
KEPT = ("labels_shared", "provenance", "cluster")


def write_csv(fields: Fields, path: Path, *, force: bool = False) -> None:
    """Write times and signal as columns step, run and one per feature; numbers as short as they read back."""
    _check_csv_labels(fields)
    left_out = [*fields["observables"], *fields["curves"], *fields["settings"]]
    left_out += [name for name in OPTIONAL if name not in KEPT and fields[name] is not None]
    if left_out:
        warnings.warn(f"a CSV file holds the signal only; left out: {', '.join(left_out)}", stacklevel=4)
    metadata: dict[str, object] = {"labels_shared": fields["labels_shared"], "provenance": fields["provenance"]}
    if fields["cluster"] is not None:
        metadata["cluster"] = fields["cluster"].tolist()
    with (
        write_whole(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(f"{METADATA_MARK}{json.dumps(metadata)}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "run", *fields["features"]])
        writer.writerows(_csv_rows(fields))


def _check_csv_labels(fields: Fields) -> None:
    taken = {"step", "run"} & set(map(str, fields["features"]))
    if taken:
        raise ValueError(f"a CSV file can't have a feature named {taken.pop()}; rename it or save as .nc")


def _csv_rows(fields: Fields) -> Iterable[list[object]]:
    for r, run in enumerate(fields["runs"]):
        steps = fields["steps"] if fields["steps"].ndim == 1 else fields["steps"][r]
        for t in range(fields["length"][r]):
            yield [_number(steps[t]), run, *map(repr, fields["values"][r, t].tolist())]


def _number(step: float) -> str:
    return str(int(step)) if step == int(step) else repr(float(step))


def read_csv(path: Path) -> Arguments:
    """Read columns step, one per feature and an optional run; lines that start with # are comments."""
    beginning(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(file)
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not a text file in UTF-8 ({error}); save it as CSV in UTF-8") from error
    comments = [line.rstrip() for line in lines if line.startswith("#")]
    rows = _parse(path, [line for line in lines if not line.startswith("#")])
    header = [name.strip() for name in rows[0]]
    _check_header(path, header)
    given = _split_runs(header, _numbers(path, header, rows[1:]))
    given["labels_shared"] = any(not _is_number(name) for name in header if name not in ("step", "run"))
    return cast(Arguments, {**given, **_csv_metadata(comments)})


def _parse(path: Path, lines: list[str]) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(io.StringIO("".join(lines), newline="")) if row]
    except csv.Error as error:
        raise UnusableDataError(f"{path} can't be read as CSV: {error}; save it again as CSV") from error
    if len(rows) < 2:
        raise UnusableDataError(f"{path} has no data: expected a line of column names and a line for each step")
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise UnusableDataError(
                f"{path}: data line {number} has {len(row)} cells, expected {len(rows[0])} as the line of "
                "column names; it may be truncated: complete or delete it"
            )
    return rows


def _check_header(path: Path, header: list[str]) -> None:
    columns = ", ".join(header)
    if "step" not in header:
        raise UnusableDataError(
            f"{path} has no column named step, only {columns}; "
            "name the time column step, and separate columns by commas"
        )
    if len(set(header)) < len(header):
        raise UnusableDataError(f"{path} has two columns of the same name in {columns}; rename one")
    if not set(header) - {"step", "run"}:
        raise UnusableDataError(f"{path} has no feature columns, only {columns}; add one column for each feature")


def _numbers(path: Path, header: list[str], rows: list[list[str]]) -> tuple[list[str], Array]:
    """Return the run label and the numbers (step first, then the features) of each line."""
    order = [header.index("step"), *(i for i, name in enumerate(header) if name not in ("step", "run"))]
    labels = [row[header.index("run")].strip() if "run" in header else "0" for row in rows]
    try:
        return labels, np.array([[float(row[i]) for i in order] for row in rows])
    except ValueError as error:
        raise UnusableDataError(_first_text(path, header, rows, order)) from error


def _first_text(path: Path, header: list[str], rows: list[list[str]], order: list[int]) -> str:
    number, column = next((n, i) for n, row in enumerate(rows, 1) for i in order if not _is_number(row[i]))
    cell = rows[number - 1][column]
    advice = "delete the line or fill the gap"
    if header[column] == "step":
        advice = "times must be numbers: turn dates or text into, say, days since the start"
    return f"{path}: data line {number}, column {header[column]}: expected a number, got {cell!r}; {advice}"


def _split_runs(header: list[str], parsed: tuple[list[str], Array]) -> Arguments:
    labels, numbers = np.array(parsed[0]), parsed[1]
    runs = list(dict.fromkeys(parsed[0]))
    parts = [numbers[labels == run] for run in runs]
    return {
        "values": [part[:, 1:] for part in parts],
        "steps": [part[:, 0] for part in parts],
        "features": _whole_numbers([name for name in header if name not in ("step", "run")]),
        "runs": _whole_numbers(runs),
    }


def _csv_metadata(comments: list[str]) -> dict[str, object]:
    for line in comments:
        if line.startswith(METADATA_MARK):
            try:
                return {key: value for key, value in json.loads(line[len(METADATA_MARK) :]).items() if key in KEPT}
            except (ValueError, AttributeError) as error:
                raise UnusableDataError(f"the comment line {line[:60]!r} is damaged ({error}); delete it") from error
    return {"provenance": {"comments": [line.lstrip("# ") for line in comments]}} if comments else {}


def _whole_numbers(names: list[str]) -> list[Label]:
    """Labels as integers if all of them are written as such ("007" is a name), else as they are."""
    if all(name.lstrip("-").isdecimal() and str(int(name)) == name for name in names):
        return [int(name) for name in names]
    return list(names)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
