"""MLflow's database ``mlflow.db``: a row a value in SQLite."""

from __future__ import annotations

import math
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.mlflow import remarks_on_runs, written_beside
from ecodyn.logs.records import Records
from ecodyn.logs.tracked import TrackedRun, logs_of_runs, setting_of

__all__ = ["MLflowDatabase"]

SUFFIXES = (".db", ".sqlite", ".sqlite3")
SIGNATURE = b"SQLite format 3\x00"
TABLES = {"experiments", "runs", "metrics", "params", "tags"}
LARGEST = sys.float_info.max  # MLflow writes infinity as this, and what is no number as 0 with a mark


class MLflowDatabase(Format):
    """MLflow's SQLite database, which newer versions of it write by default: metrics by name, a metric a feature.

    Values of a metric come in the order of the times at which they were logged. Parameters become settings of the run.
    Runs that were deleted in MLflow are left out, which is said. The file is opened for reading only.
    """

    name = "mlflow_database"
    description = "MLflow's database (mlflow.db, SQLite)"

    def recognises(self, path: Path) -> bool:
        """A file .db or .sqlite that begins as SQLite's do and has MLflow's tables; or that is called mlflow.db."""
        if path.suffix not in SUFFIXES or not path.is_file() or not _is_sqlite(path):
            return False
        try:
            with _opened(path) as database:
                names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except UnusableDataError:
            return path.name == "mlflow.db"
        return names >= TABLES

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One log for each run that was not deleted."""
        if not _is_sqlite(path):
            raise UnusableDataError(f"{path} is no SQLite database; check what it is, or copy it again")
        with _opened(path) as database:
            rows = database.execute(
                "SELECT run_uuid, name, experiment_id, lifecycle_stage FROM runs ORDER BY run_uuid"
            ).fetchall()
            if not rows:
                raise UnusableDataError(f"{path} holds no runs; name the store that was logged to")
            kept = [row for row in rows if row[-1] != "deleted"]
            experiments = dict(database.execute("SELECT experiment_id, name FROM experiments"))
            named = sorted({str(experiments.get(experiment, experiment)) for _, _, experiment, _ in kept})
            remarks = remarks_on_runs(path, len(rows), len(kept), named)
            runs = [_run(database, path, str(run), name or "") for run, name, _, _ in kept]
        return logs_of_runs(path, self.name, runs, options, remarks)


def _is_sqlite(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The database, for reading only; what SQLite reports of it becomes a sentence."""
    try:
        with closing(sqlite3.connect(f"{Path(os.fspath(path)).resolve().as_uri()}?mode=ro", uri=True)) as database:
            yield database
    except sqlite3.Error as error:
        raise UnusableDataError(
            f"{path} can't be read as a database of MLflow ({error}); copy it again, with the files {path.name}-wal "
            f"and {path.name}-shm if there are such"
        ) from None


def _run(database: sqlite3.Connection, path: Path, run: str, name: str) -> TrackedRun:
    records = Records(beside=written_beside)
    rows = database.execute(
        "SELECT key, step, value, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, timestamp, rowid", (run,)
    )
    for key, step, value, is_nan in rows:
        infinite = math.copysign(math.inf, value) if abs(value) >= LARGEST else value
        records.add(key, float(step), math.nan if is_nan else infinite)
    stated = database.execute("SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key", (run,))
    parameters = {key: setting_of(str(value).strip()) for key, value in stated}
    return TrackedRun(name=name.strip(), id=run, path=path, records=records, sources=(path,), parameters=parameters)
