"""MLflow's file store: metrics as text files, a line a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.records import Records
from ecodyn.logs.tracked import TrackedRun, logs_of_runs, setting_of
from ecodyn.tables.names import is_logged_beside, listed

__all__ = ["RUN_NAME", "MLflow", "remarks_on_runs", "written_beside"]

META, METRICS, PARAMETERS, TAGS = "meta.yaml", "metrics", "params", "tags"
RUN_NAME = "mlflow.runName"  # the tag that holds the name that MLflow's pages show
DELETED = re.compile(r"^lifecycle_stage:\s*['\"]?deleted\b", re.MULTILINE)  # what MLflow writes of a run in its bin
FIELDS = 3  # of a line: milliseconds since 1970, value, step; later versions of MLflow may write more behind them
MACHINE = "system/"  # MLflow's own measurements of the machine


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
        folders = _runs_in(path)
        kept = [folder for folder in folders if not DELETED.search(_text(folder / META))]
        experiments = sorted({folder.parent.name for folder in kept})
        remarks = remarks_on_runs(path, len(folders), len(kept), experiments)
        return logs_of_runs(path, self.name, [_run(folder) for folder in kept], options, remarks)


def written_beside(name: str) -> bool:
    """Whether MLflow or another logger writes such a metric beside features."""
    return name.startswith(MACHINE) or is_logged_beside(name)


def remarks_on_runs(path: Path, runs: int, kept: int, experiments: Sequence[str]) -> list[str]:
    """What is to be said of a store of which these runs count.

    Raises
    ------
    UnusableDataError
        All its runs were deleted.
    """
    if not kept:
        raise UnusableDataError(f"{path} holds {runs} runs, all deleted in MLflow; restore those that are meant there")
    remarks = []
    if kept < runs:
        remarks.append(f"{runs - kept} of {runs} runs were deleted in MLflow and were left out")
    if len(experiments) > 1:
        remarks.append(f"runs of {len(experiments)} experiments were read together: {listed(experiments)}")
    return remarks


def _runs_in(path: Path) -> list[Path]:
    """The folders of runs at, in, or one level further in a path."""
    if not path.is_dir():
        return []
    if _is_run(path):
        return [path]
    entries = sorted(entry for entry in path.iterdir() if entry.is_dir() and entry.name[0] != ".")
    if (path / META).is_file():
        return [entry for entry in entries if _is_run(entry)]
    experiments = [entry for entry in entries if (entry / META).is_file() and not _is_run(entry)]
    return [run for entry in experiments for run in _runs_in(entry)]


def _is_run(path: Path) -> bool:
    return (path / META).is_file() and (path / METRICS).is_dir()


def _run(folder: Path) -> TrackedRun:
    records = Records(beside=written_beside)
    files = _files_in(folder / METRICS)
    for name, file in files.items():
        text = _text(file)
        lines = text.splitlines()
        if lines and not text.endswith("\n"):
            raise UnusableDataError(_damaged(file, len(lines), lines[-1]))
        for number, line in enumerate(lines, 1):
            step, value = _value(file, number, line)
            records.add(name, step, value)
    tag = folder / TAGS / RUN_NAME
    return TrackedRun(
        name=_text(tag).strip() if tag.is_file() else "",
        id=folder.name,
        path=folder,
        records=records,
        sources=tuple(files.values()),
        parameters={name: setting_of(_text(file).strip()) for name, file in _files_in(folder / PARAMETERS).items()},
    )


def _files_in(folder: Path) -> dict[str, Path]:
    """The files in and within a folder by what they are of: folders are parts of the name."""
    return {file.relative_to(folder).as_posix(): file for file in sorted(folder.rglob("*")) if file.is_file()}


def _value(file: Path, number: int, line: str) -> tuple[float, float]:
    """Step and value of a line."""
    fields = line.split()
    try:
        if len(fields) < FIELDS:
            raise ValueError
        return float(fields[2]), float(fields[1])
    except ValueError:
        raise UnusableDataError(_damaged(file, number, line)) from None


def _damaged(file: Path, number: int, line: str) -> str:
    return (
        f"{file}: line {number} is {line!r}, expected milliseconds, value and step, and an end of the line; it may be "
        "truncated: complete or delete it"
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnusableDataError(f"{path} is not text in UTF-8 ({error}); copy it again") from None
