"""One data set out of files and folders of either kind: trajectories files as they are, logs extracted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ecodyn.extraction.extract import Progress, extract
from ecodyn.extraction.recording.journal import journal_of
from ecodyn.extraction.recording.reading import is_recording
from ecodyn.extraction.request import Request
from ecodyn.logs import LogOptions
from ecodyn.tables import SUFFIXES, TableOptions
from ecodyn.trajectories import Trajectories, as_trajectories, load

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike
    from ecodyn.trajectories.values import Numbers

__all__ = ["Gathered", "data_of", "gather", "holds_logs"]

NETCDF = ".nc"


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What came of some paths.

    Attributes
    ----------
    trajectories : all runs, those of different files in clusters of their own
    extracted : how many of the runs were extracted from logs
    """

    trajectories: Trajectories
    extracted: int


def gather(
    paths: Sequence[str | os.PathLike[str]],
    request: Request | None = None,
    *,
    options: LogOptions | None = None,
    jobs: int = 1,
    command: str | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Load trajectories files and extract logs, and put all runs together.

    Parameters
    ----------
    paths : trajectories files (.nc), tables, logs, recordings, or folders of these
    request, options, jobs, command, progress : of the logs, as in `extract`; what `options` say of tables holds for
        tables

    Raises
    ------
    FileNotFoundError
        There is nothing at a path.
    UnusableDataError
        What is there can't be read, or belongs to networks with other features.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ecodyn import Trajectories
    >>> from ecodyn.extraction import gather
    >>> runs = Trajectories(np.random.default_rng(0).random((2, 5, 3)), range(5), ["a", "b", "c"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs.select(runs=0).save(f"{folder}/first.nc")
    ...     runs.select(runs=1).save(f"{folder}/second.csv")
    ...     gather([f"{folder}/first.nc", f"{folder}/second.csv"]).trajectories.shape
    (2, 5, 3)
    """
    options = options or LogOptions()
    files, logs = _told_apart(paths, options)
    tables = [file for file in files if file.suffix.lower() != NETCDF]
    # What is said of tables is refused with a netCDF file, which says it itself, unless it is meant for another file.
    parts = [_loaded(file, options.of_table() if file in tables or not (tables or logs) else None) for file in files]
    extracted = 0
    if logs:
        part = extract(logs, request, options=options, jobs=jobs, command=command, progress=progress)
        parts, extracted = [*parts, part], part.n_runs
    if len(parts) == 1:
        return Gathered(trajectories=parts[0], extracted=extracted)
    names = [file.stem for file in files]
    single = all(part.n_runs == 1 for part in parts) and not logs and len(set(names)) == len(names)
    return Gathered(trajectories=Trajectories.concat(parts, keys=names if single else None), extracted=extracted)


def data_of(X: DataLike, t: Numbers | float | None = None) -> Trajectories:
    """What `ecodyn.as_trajectories` takes, or paths of logs as well: these are extracted with default options."""
    if t is None and isinstance(X, str | os.PathLike):
        return gather([X]).trajectories
    if t is None and isinstance(X, list | tuple) and X and all(isinstance(path, str | os.PathLike) for path in X):
        return gather([os.fspath(path) for path in X if isinstance(path, str | os.PathLike)]).trajectories
    return as_trajectories(X, t)


def _members(path: Path) -> list[Path]:
    """The path itself, or of a folder of trajectories files alone, these."""
    if not path.is_dir():
        return [path]
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    stored = [entry for entry in entries if entry.suffix.lower() == NETCDF and not is_recording(entry)]
    return stored if stored and len(stored) == len(entries) else [path]


def holds_logs(paths: Sequence[str | os.PathLike[str]], options: LogOptions | None = None) -> bool:
    """Whether any of the paths has to be extracted."""
    return bool(_told_apart(paths, options or LogOptions())[1])


def _told_apart(paths: Sequence[str | os.PathLike[str]], options: LogOptions) -> tuple[list[Path], list[Path]]:
    """Trajectories files and tables, and logs."""
    files: list[Path] = []
    logs: list[Path] = []
    for path in [entry for given in paths for entry in _members(Path(given))]:
        recorded = journal_of(path).is_file() or is_recording(path)
        is_file = path.suffix.lower() in (NETCDF, *SUFFIXES) and not path.is_dir()
        (files if is_file and not recorded and options.format is None else logs).append(path)
    return files, logs


def _loaded(path: Path, table: TableOptions | None) -> Trajectories:
    return load(path) if table is None else load(path, **vars(table))
