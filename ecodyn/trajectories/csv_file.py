"""Trajectories as CSV: columns step, run and one a feature; times and signal only."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterable
from pathlib import Path

from ecodyn.runtime.files import write_whole
from ecodyn.tables.text import METADATA_MARK
from ecodyn.trajectories.dataset import Fields
from ecodyn.trajectories.tabular import check_feature_names, not_in_tables, notes_of

__all__ = ["write_csv"]


def write_csv(fields: Fields, path: Path, *, force: bool = False) -> None:
    """Write times and signal as columns step, run and one per feature; numbers as short as they read back."""
    check_feature_names(fields["features"], "a CSV file")
    if left_out := not_in_tables(fields):
        warnings.warn(f"a CSV file holds the signal only; left out: {', '.join(left_out)}", stacklevel=4)
    with (
        write_whole(path, force=force) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        file.write(f"{METADATA_MARK}{json.dumps(notes_of(fields))}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "run", *fields["features"]])
        writer.writerows(_csv_rows(fields))


def _csv_rows(fields: Fields) -> Iterable[list[object]]:
    for r, run in enumerate(fields["runs"]):
        steps = fields["steps"] if fields["steps"].ndim == 1 else fields["steps"][r]
        for t in range(fields["length"][r]):
            yield [_number(steps[t]), run, *map(repr, fields["values"][r, t].tolist())]


def _number(step: float) -> str:
    return str(int(step)) if step == int(step) else repr(float(step))
