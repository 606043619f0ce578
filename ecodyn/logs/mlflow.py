"""MLflow's file store: metrics as text files, a line a value."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions, Setting
from ecodyn.logs.records import Records

__all__ = ["MLflow"]

META, METRICS, PARAMETERS, TAGS = "meta.yaml", "metrics", "params", "tags"
RUN_NAME = "mlflow.runName"  # the tag that holds the name that MLflow's pages show
DELETED = re.compile(r"^lifecycle_stage:\s*deleted\s*$", re.MULTILINE)  # what MLflow writes of a run in its bin
FIELDS = 3  # of a line: milliseconds since 1970, value, step; later versions of MLflow may write more behind them


class MLflow(Format):
    """A folder ``mlruns``, one experiment's or one run's in it: metrics by name, a metric a feature.

    ``RUN/metrics/NAME`` holds a line for each value, "milliseconds value step"; folders within are parts of the name
    (``signal/3``). Parameters become settings of the run. Runs that were deleted in MLflow stay in its store: they are
    left out, which is said.
    """

    name = "mlflow"
    description = "a file store of MLflow (mlruns, an experiment's or a run's folder)"

    def recognises(self, path: Path) -> bool:
        """A run, an experiment with runs, or a store with experiments; by their files ``meta.yaml``."""
        return bool(_runs_in(path))

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One log for each run that was not deleted."""
        runs = _runs_in(path)
        kept = [run for run in runs if not DELETED.search(_text(run / META))]
        if not kept:
            raise UnusableDataError(f"{path} holds {len(runs)} runs, all deleted in MLflow; restore them there first")
        deleted = len(runs) - len(kept)
        remarks = (f"{deleted} runs that were deleted in MLflow were left out",) * (deleted > 0)
        logs = [_log(run, options) for run in kept]
        return [dataclasses.replace(logs[0], remarks=(*remarks, *logs[0].remarks)), *logs[1:]]


def _runs_in(path: Path) -> list[Path]:
    """The folders of runs at, in, or one level further in a path."""
    if not path.is_dir():
        return []
    if _is_run(path):
        return [path]
    entries = sorted(entry for entry in path.iterdir() if entry.is_dir() and entry.name[0] != ".")
    runs = [entry for entry in entries if _is_run(entry)]
    if runs or (path / META).is_file():
        return runs if (path / META).is_file() else []
    experiments = [entry for entry in entries if (entry / META).is_file()]
    return [run for entry in experiments for run in _runs_in(entry)]


def _is_run(path: Path) -> bool:
    return (path / META).is_file() and (path / METRICS).is_dir()


def _log(run: Path, options: LogOptions) -> Log:
    records, lines = Records(), 0
    files = sorted(file for file in (run / METRICS).rglob("*") if file.is_file())
    for file in files:
        name = file.relative_to(run / METRICS).as_posix()
        for number, line in enumerate(_text(file).splitlines(), 1):
            step, value = _value(file, number, line)
            records.add(name, step, value)
            lines += 1
    if len({step for steps in records.steps.values() for step in steps}) == 1 and len(records.values) < lines:
        raise UnusableDataError(
            f"{run}: all values of all metrics are of one step; log them with mlflow.log_metric(NAME, value, step=STEP)"
        )
    if not records.values:
        raise UnusableDataError(f"{run} has no metrics; log each feature with mlflow.log_metric(NAME, value, step)")
    named = run / TAGS / RUN_NAME
    name = _text(named).strip() if named.is_file() else ""
    log = records.log(run, MLflow.name, name or run.name, files, options)
    return dataclasses.replace(log, settings=_parameters(run))


def _value(file: Path, number: int, line: str) -> tuple[float, float]:
    """Step and value of a line."""
    fields = line.split()
    try:
        if len(fields) < FIELDS:
            raise ValueError
        return float(fields[2]), float(fields[1])
    except ValueError:
        raise UnusableDataError(
            f"{file}: line {number} is {line!r}, expected milliseconds, value and step; it may be truncated: complete "
            "or delete it"
        ) from None


def _parameters(run: Path) -> dict[str, Setting]:
    """Parameters of a run, numbers as such."""
    folder = run / PARAMETERS
    files = sorted(file for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []
    return {file.name: _setting(_text(file).strip()) for file in files}


def _setting(text: str) -> Setting:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not text in UTF-8 ({error}); copy it again") from None
