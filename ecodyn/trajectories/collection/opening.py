"""A path -> the collection there."""

from __future__ import annotations

from pathlib import Path

from ecodyn.runtime.remote import UrlPath
from ecodyn.trajectories.collection.collection import Collection
from ecodyn.trajectories.collection.folder import Folder
from ecodyn.trajectories.collection.index import is_collection
from ecodyn.trajectories.collection.one_file import OneFile

__all__ = ["opened"]


def opened(path: Path | UrlPath) -> Collection:
    """The runs of a folder with an index, or of one netCDF file, unread.

    Raises
    ------
    FileNotFoundError
        There is none.
    UnusableDataError
        The index or the file is damaged, or a file of the collection is missing or of another size.
    """
    return Collection.of(Folder(path) if is_collection(path) else OneFile(path))
