"""One data set out of files and folders of either kind: trajectories files as they are, logs extracted."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import TYPE_CHECKING

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.damaged import logs_by_path
from ecodyn.extraction.extract import Progress, extract_logs, run_names
from ecodyn.extraction.incomplete import IncompleteExtractionError
from ecodyn.extraction.logged_inputs import logged_inputs
from ecodyn.extraction.pieces import Piece, piece_of_file, piece_of_logs, put_together
from ecodyn.extraction.recording.journal import journal_of
from ecodyn.extraction.recording.reading import is_recording
from ecodyn.extraction.request import Request
from ecodyn.logs import Log, LogOptions
from ecodyn.logs.opening import is_log
from ecodyn.runtime.remote import looked_into
from ecodyn.tables import SUFFIXES
from ecodyn.tables.names import listed
from ecodyn.trajectories import Trajectories, as_trajectories, load
from ecodyn.trajectories.collection.index import is_collection

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike
    from ecodyn.trajectories.labels import Label
    from ecodyn.trajectories.values import Numbers

__all__ = ["Gathered", "data_of", "entries_of", "gather", "holds_logs"]

NETCDF = ".nc"


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """What came of some paths.

    Attributes
    ----------
    trajectories : all runs, in the order of the paths; those of different files in clusters of their own, but for
        recordings that begin with equal parameters
    extracted : how many of the runs were extracted from logs
    lacking : a sentence on each log that can't be used
    """

    trajectories: Trajectories
    extracted: int
    lacking: tuple[str, ...] = ()


def gather(
    paths: Sequence[str | os.PathLike[str]],
    request: Request | None = None,
    *,
    options: LogOptions | None = None,
    jobs: int = 1,
    command: str | None = None,
    progress: Progress | None = None,
) -> Gathered:
    """Load trajectories files and extract logs, and put all runs together, in the order of the paths.

    A recording that is finished is a trajectories file, and one under way a log. Of a folder with either in it, each
    entry is taken for what it is. Runs keep their labels; where these repeat, those of files of one run are named by
    the file.

    Parameters
    ----------
    paths : trajectories files (.nc), collections, tables, logs, recordings, or folders of these
    request, options, jobs, command, progress : of the logs, as in `extract`; what `options` say of tables holds for
        tables

    A log among others that can't be read is left out, which `Gathered.lacking` says.

    Raises
    ------
    FileNotFoundError
        There is nothing at a path.
    UnusableDataError
        No log can be read, a trajectories file or table can't, or they belong to networks with other features.

    Warns
    -----
    DataWarning
        A folder with trajectories files holds something else as well, or the runs differ in what they have.

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
    entries, left_out = entries_of(paths, options)
    if left_out:
        text = f"left out, as no trajectories files and no logs: {listed(left_out)}"
        warnings.warn(text, DataWarning, stacklevel=2)
    logs, log_paths, lacking = logs_by_path([path for path, extracted in entries if extracted], options)
    opened = [log for of_path in logs for log in of_path]
    if lacking and not opened and all(extracted for _, extracted in entries):
        raise UnusableDataError("; ".join(lacking))
    loaded = _loaded([path for path, extracted in entries if not extracted], options, beside_logs=bool(logs))
    extraction = None
    if opened:
        said = logged_inputs(log_paths, opened, options, {}, None)  # rates that vary, which nobody asked for here
        try:
            extraction = extract_logs(
                opened, request or Request(), options, said, jobs=jobs, command=command, progress=progress
            )
        except IncompleteExtractionError as error:
            extraction, lacking = error.finished, [*lacking, *error.failures]
    pieces = _pieces(entries, loaded, logs, extraction)
    found = pieces[0].runs if len(pieces) == 1 else put_together(pieces)
    return Gathered(
        trajectories=found, extracted=0 if extraction is None else extraction.n_runs, lacking=tuple(lacking)
    )


def data_of(X: DataLike, t: Numbers | float | None = None) -> Trajectories:
    """What `ecodyn.as_trajectories` takes, or paths of logs as well: these are extracted with default options."""
    if t is None and isinstance(X, str | os.PathLike):
        return _all_that_can_be_used([X])
    if t is None and isinstance(X, list | tuple) and X and all(isinstance(path, str | os.PathLike) for path in X):
        return _all_that_can_be_used([os.fspath(path) for path in X if isinstance(path, str | os.PathLike)])
    return as_trajectories(X, t)


def _all_that_can_be_used(paths: Sequence[str | os.PathLike[str]]) -> Trajectories:
    found = gather(paths)
    if found.lacking:
        warnings.warn(f"left out, as they can't be used: {'; '.join(found.lacking)}", DataWarning, stacklevel=4)
    return found.trajectories


def holds_logs(paths: Sequence[str | os.PathLike[str]], options: LogOptions | None = None) -> bool:
    """Whether any of the paths has to be extracted."""
    return any(extracted for _, extracted in entries_of(paths, options or LogOptions())[0])


def entries_of(
    paths: Sequence[str | os.PathLike[str]], options: LogOptions
) -> tuple[list[tuple[Path, bool]], list[str]]:
    """Files and folders in their order, each with whether it is extracted; and what of folders is neither."""
    entries: list[tuple[Path, bool]] = []
    left_out: list[str] = []
    for given in map(looked_into, paths):
        members, others = _members(given, options)
        entries += [(member, _is_extracted(member, options)) for member in members]
        left_out += map(str, others)
    return entries, left_out


def _members(path: Path, options: LogOptions) -> tuple[list[Path], list[Path]]:
    """The path itself, or of a folder with trajectories files or recordings in it, its entries; and what is neither."""
    if not path.is_dir() or options.format is not None or is_collection(path):
        return [path], []
    entries = sorted(entry for entry in path.iterdir() if entry.name[0] != ".")
    kept = [e for e in entries if e.suffix.lower() == NETCDF or is_recording(e) or is_collection(e)]
    if not kept or is_log(path):
        return [path], []
    replaced = [entry for entry in kept if journal_of(entry) in kept]  # a recording goes on, its journal has all of it
    further = [e for e in entries if e not in kept and (e.suffix.lower() in SUFFIXES or is_log(e))]
    members = [entry for entry in entries if entry in (*kept, *further) and entry not in replaced]
    return members, [entry for entry in entries if entry not in (*kept, *further)]


def _is_extracted(path: Path, options: LogOptions) -> bool:
    """Whether a path is a log, or a recording under way: a finished one is a trajectories file."""
    if options.format is None and is_collection(path):
        return False
    if options.format is not None or path.is_dir() or journal_of(path).is_file():
        return True
    return path.suffix.lower() not in (NETCDF, *SUFFIXES)


def _loaded(files: Sequence[Path], options: LogOptions, *, beside_logs: bool) -> dict[Path, Trajectories]:
    """Trajectories files and tables, with what the options say of tables."""
    tables = [file for file in files if file.suffix.lower() != NETCDF and not is_collection(file)]
    # What is said of tables is refused with a netCDF file, which says it itself, unless it is meant for another file.
    meant = vars(options.of_table())
    return {file: load(file, **(meant if file in tables or not (tables or beside_logs) else {})) for file in files}


def _pieces(
    entries: Sequence[tuple[Path, bool]],
    loaded: Mapping[Path, Trajectories],
    logs: Sequence[Sequence[Log]],
    extraction: Trajectories | None,
) -> list[Piece]:
    """Runs by file, and those of logs that were named one after the other, in the order of the paths."""
    pieces: list[Piece] = []
    done: set[Label] = set() if extraction is None else set(extraction.runs.tolist())
    opened = [log for of_path in logs for log in of_path]
    names = run_names(opened) if opened else []
    used = [log for name, log in zip(names, opened, strict=True) if name in done]
    ahead = iter(names)
    labels_of_paths = iter([[name for name in islice(ahead, len(of_path)) if name in done] for of_path in logs])
    for extracted, group in groupby(entries, key=lambda entry: entry[1]):
        paths = [path for path, _ in group]
        if not extracted:
            pieces += [piece_of_file(loaded[path], path) for path in paths]
            continue
        labels = [label for _ in paths for label in next(labels_of_paths)]
        if extraction is not None and labels:
            pieces.append(piece_of_logs(extraction, labels, used))
    return pieces
