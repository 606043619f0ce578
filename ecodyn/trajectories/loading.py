"""Reading trajectories files of either kind, and tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, overload

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import check_output
from ecodyn.runtime.remote import UrlPath, named, place
from ecodyn.tables import SUFFIXES, TableOptions, read_table
from ecodyn.trajectories.collection.collection import Collection
from ecodyn.trajectories.collection.index import is_collection
from ecodyn.trajectories.collection.opening import opened
from ecodyn.trajectories.netcdf import read_netcdf
from ecodyn.trajectories.paths import RECORDING_SUFFIX, refuse_recording, suffix_of
from ecodyn.trajectories.tabular import fields_of_frame
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["check_target", "load"]

SPREADSHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".zst")


@overload
def load(
    path: str | os.PathLike[str],
    *,
    time: str | None = None,
    run: str | None = None,
    columns: Sequence[str] | str | None = None,
    missing: Literal["drop", "interpolate", "keep"] = "drop",
    lazy: Literal[False] = False,
) -> Trajectories: ...
@overload
def load(path: str | os.PathLike[str], *, lazy: Literal[True]) -> Collection: ...
def load(
    path: str | os.PathLike[str],
    *,
    time: str | None = None,
    run: str | None = None,
    columns: Sequence[str] | str | None = None,
    missing: Literal["drop", "interpolate", "keep"] = "drop",
    lazy: bool = False,
) -> Trajectories | Collection:
    """Read a trajectories file, netCDF4 (.nc), a collection of them, or a table that any program wrote.

    A collection is the folder that ``ecodyn merge`` writes. With `lazy`, nothing of it, or of a netCDF file, is read
    until it is used: see `Collection`.

    A table (.csv, .tsv, .jsonl, .parquet) has a column step, one column for each feature and an optional column run;
    or, in the long form, columns feature and value. Columns that are names and not numbers count as shared labels. For
    `time`, `run`, `columns` and `missing`, which say what a table doesn't, see `Trajectories.from_dataframe`.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Something is said of a file that says it itself, or a table is to be read later.
    UnusableDataError
        The file is truncated, altered or of another kind, or its data can be read in two ways or break a rule.

    Warns
    -----
    DataWarning
        What was decided, left out or filled in, and what looks odd in the data.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = Path(folder, "pelts.csv")
    ...     _ = table.write_text("step,hare,lynx\\n1900,30,4\\n1901,47.2,6.1\\n1902,70.2,9.8\\n")
    ...     load(table)
    Trajectories: 1 run × 3 steps (1900 to 1902) × 2 features; observables signal; labels shared
    """
    options = TableOptions(time=time, run=run, columns=columns, missing=missing)
    if isinstance(there := place(path), UrlPath):
        return _remote(there, options, lazy)
    with _named(there):  # in this function, so that warnings of what was decided point to its caller
        if there.suffix.lower() not in SUFFIXES:
            return _netcdf(there, options, lazy)
        _refuse_lazy(there, lazy)
        frame = read_table(there, [] if run is None else [run])
        return Trajectories(**fields_of_frame(frame, options, str(there)))


def _remote(url: UrlPath, options: TableOptions, lazy: bool) -> Trajectories | Collection:
    """What is at a URL: a collection file by file, one file as a copy, or unread."""
    if lazy or is_collection(url):
        if url.suffix.lower() in SUFFIXES:
            _refuse_lazy(url, lazy)
        return opened(url) if lazy else opened(url).load()
    with named(url) as copy:
        return load(copy, time=options.time, run=options.run, columns=options.columns, missing=options.missing)


def _netcdf(source: Path, options: TableOptions, lazy: bool) -> Trajectories | Collection:
    """A trajectories file, or a collection of them."""
    _check_kind(source)
    if options != TableOptions():
        raise ValueError(f"{source} is no table and says itself what time, runs and features are; leave that out")
    if lazy:
        return opened(source)
    return opened(source).load() if is_collection(source) else Trajectories.from_dataset(read_netcdf(source))


@contextmanager
def _named(source: Path) -> Iterator[None]:
    """Errors in what a file holds, with the file's name."""
    refuse_recording(source)
    try:
        yield
    except UnusableDataError as error:
        raise error if str(source) in str(error) else UnusableDataError(f"{source}: {error}") from error


def _refuse_lazy(source: Path | UrlPath, lazy: bool) -> None:
    if lazy:
        raise ValueError(
            f"{source} is a table, which is read whole; write it as netCDF or as a collection first: ecodyn merge "
            f"{source} -o all/"
        )


def _check_kind(source: Path) -> None:
    """Refuse what is neither a trajectories file nor a table, and say what to do with it."""
    suffix = source.suffix.lower()
    if suffix == ".nc" or is_collection(source):
        return
    if source.is_dir():
        todo = "it is a folder: name a file inside it; ecodyn compare and ecodyn extract read folders of logs"
    elif suffix == RECORDING_SUFFIX:
        todo = "it is the journal of a recording: ecodyn extract (ecodyn.extract) reads it"
    elif not suffix and not source.exists():
        raise FileNotFoundError(f"there is no file {source}")
    elif suffix in SPREADSHEETS:
        todo = "save the sheet as CSV"
    elif suffix in COMPRESSED:
        todo = "decompress it first"
    else:
        todo = "if it is one of these, rename it; ecodyn compare and ecodyn extract read logs"
    raise UnusableDataError(
        "expected a trajectories file ending in .nc (netCDF4) or .csv, or another table (.tsv .jsonl .parquet), got "
        f"{source}; {todo}"
    )


def check_target(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise what `Trajectories.save` would, before the work whose result is to be saved."""
    suffix_of(Path(path))
    check_output(path, force=force)
