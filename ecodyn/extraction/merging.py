"""Many trajectories files as one collection, read and written one at a time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.extraction.gathering import entries_of, gather
from ecodyn.extraction.pieces import known_of, piece_of_file
from ecodyn.logs import LogOptions
from ecodyn.runtime.files import check_output
from ecodyn.runtime.folders import check_folder_output
from ecodyn.runtime.provenance import versions
from ecodyn.runtime.remote import place
from ecodyn.tables import SUFFIXES
from ecodyn.tables.names import listed
from ecodyn.trajectories import Collection, load
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.facts import outline
from ecodyn.trajectories.collection.folder import Folder
from ecodyn.trajectories.collection.index import is_collection, is_replaceable
from ecodyn.trajectories.collection.one_file import OneFile, whole_file
from ecodyn.trajectories.collection.plan import checked_of, planned, unread
from ecodyn.trajectories.collection.writing import write_collection

__all__ = ["check_merged", "merge"]

NETCDF = ".nc"


def merge(
    paths: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    options: LogOptions | None = None,
    force: bool = False,
    command: str | None = None,
) -> Collection:
    """Write the runs of trajectories files, tables and collections as one collection, in the order of the paths.

    The runs are those of ``ecodyn.compare`` on the same paths: features are matched by label, run labels that repeat
    are named anew, what not all parts have is left out; each of it is said. No more than one part is in memory, unless
    `output` ends in .nc: a single file is put together whole.

    Parameters
    ----------
    paths
        Trajectories files (.nc), tables, collections, or folders of these.
    output
        The folder to write, or a single file.
    options
        What tables don't say; see `Trajectories.from_dataframe`.
    force
        Whether to replace a collection, or a file, that is there.
    command
        The command line, for the index.

    Returns
    -------
    What was written, to be read when used.

    Raises
    ------
    FileNotFoundError
        There is nothing at a path.
    OutputExistsError
        The output exists and `force` is false, or it is something else.
    UnusableDataError
        A part is damaged, or is a log, or has other features than the first.

    Warns
    -----
    DataWarning
        What not all parts have, and what is named anew.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from ecodyn import Trajectories, merge
    >>> runs = Trajectories(np.random.default_rng(0).random((4, 5, 2)), range(5), ["hare", "lynx"], labels_shared=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     runs[:2].save(f"{folder}/first.nc")
    ...     runs[2:].save(f"{folder}/second.nc")
    ...     merge([f"{folder}/first.nc", f"{folder}/second.nc"], f"{folder}/all").load()
    Trajectories: 4 runs × 5 steps (0 to 4) × 2 features; observables signal; labels shared
    """
    target, options = Path(output), options or LogOptions()
    check_merged(target, force=force)
    files = _files(paths, options, target)
    if target.suffix.lower() == NETCDF:
        gather(files, options=options).trajectories.save(target, force=force)
        return Collection.of(OneFile(target))
    parts = [_Part(file, options) for file in files]
    if len(parts) > 1:
        pieces = [piece_of_file(unread(part.outline), part.path) for part in parts]
        whole = planned([part.outline for part in parts], known_of(pieces))
    else:
        whole = parts[0].outline
    read = (data for part in parts for data in part.read())
    write_collection(read, whole, target, force=force, written={"command": command, **versions("numpy")})
    return Collection.of(Folder(target))


def check_merged(output: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise what `merge` would of its output, before any work."""
    target = Path(output)
    if target.suffix.lower() == NETCDF:
        check_output(target, force=force)
    elif target.suffix.lower() in SUFFIXES:
        raise ValueError(
            f"expected a folder for a collection, or a single file ending in .nc, got {target}; tables hold the signal "
            "only: name a folder"
        )
    else:
        check_folder_output(target, force=force, replaceable=is_replaceable)


def _files(paths: Sequence[str | os.PathLike[str]], options: LogOptions, target: Path) -> list[Path]:
    """What is merged, in order: folders that are no collections are replaced by what is in them.

    What an earlier merge wrote into one of these folders is not merged into itself: its runs would be there twice.
    """
    if not paths:
        raise ValueError("expected one or more trajectories files to merge, got none")
    entries, left_out = entries_of(paths, options)
    named = list(map(place, paths))
    kept = [entry for entry in entries if entry[0] in named or not _is_same(entry[0], target)]
    if 0 < len(kept) < len(entries):
        text = f"left out, as it is what is written anew: {target}"
        warnings.warn(text, DataWarning, stacklevel=3)
        entries = kept
    for path, extracted in entries:
        if not path.exists():
            raise FileNotFoundError(f"there is no file or folder {path}")
        if extracted:
            raise UnusableDataError(
                f"expected trajectories files, tables or collections to merge, got {path}, which would be a log; "
                "extract it first: ecodyn extract"
            )
    if left_out:
        text = f"left out, as no trajectories files: {listed(left_out)}"
        warnings.warn(text, DataWarning, stacklevel=3)
    return [path for path, _ in entries]


def _is_same(path: Path, target: Path) -> bool:
    return path.exists() and target.exists() and path.samefile(target)


class _Part:
    """One file, table or collection: what it says of its runs, and them once they are asked for."""

    def __init__(self, path: Path, options: LogOptions) -> None:
        self.path, self._options = path, options
        self._source = Folder(path) if is_collection(path) else OneFile(path) if path.suffix.lower() == NETCDF else None
        self.outline = outline(self._table()) if self._source is None else self._source.facts.outline

    def read(self) -> Iterator[Checked]:
        """Its runs, those of a collection file by file; refused if they are others than before."""
        if isinstance(self._source, Folder):
            ends = [0, *self._source.index.ends.tolist()]
            yield from (self._source.read(range(*span)) for span in pairwise(ends))
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # said when the outline was taken
            data = self._table() if self._source is None else whole_file(self.path)
        if data.runs.tolist() != self.outline.runs.tolist():
            raise UnusableDataError(f"{self.path} was written anew while it was read; merge again")
        yield data

    def _table(self) -> Checked:
        return checked_of(load(self.path, **vars(self._options.of_table())))
