"""What an HDF5 file has in it, looked at before anything is read: nothing outside it, and nothing that never ends."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.memo import Memo
from ecodyn.runtime.probing import killed_by
from ecodyn.runtime.remote import state_of

if TYPE_CHECKING:
    import h5py

__all__ = ["check_contents", "check_readable"]

LOOKED_AT = 5  # seconds of processor time in which a file's list of contents is read: milliseconds, if it is sound
READ = 1 << 26  # bytes of values, at most, that are read by way of trial too
# What ended the trial of a file as it is: one whose runs are read when they are used is opened many times.
_tried = Memo[str | None](1024)


def check_contents(source: Path | IO[bytes], path: object) -> None:
    """Refuse a file that refers to other files, by whichever of HDF5's ways: who reads it would read those too.

    Parameters
    ----------
    source : the file, or its path
    path : what sentences call it

    Raises
    ------
    UnusableDataError
        It does.
    OSError, RuntimeError, KeyError
        It is damaged.
    """
    import h5py

    # A visit ends with the first answer that is not None. Nothing may be raised within one.
    def elsewhere(name: str, link: object) -> tuple[str, str] | None:
        return (name, f"a link to {link.filename}") if isinstance(link, h5py.ExternalLink) else None

    def stored_elsewhere(name: str, item: object) -> tuple[str, str] | None:
        where = _other_file(item) if isinstance(item, h5py.Dataset) else None
        return None if where is None else (name, where)

    with h5py.File(source, "r") as file:
        found = file.visititems_links(elsewhere) or file.visititems(stored_elsewhere)
    if found is not None:
        raise UnusableDataError(
            f"{path}: {found[0]} is {found[1]}, expected all data in the file itself, since no other file is read for "
            "it; copy them into one, such as with h5repack or Trajectories.save"
        )


def check_readable(path: Path, *, values: bool) -> None:
    """Refuse a file on which HDF5 never ends or crashes, as it does on one bit flipped in the wrong place.

    Parameters
    ----------
    path : the file
    values : whether the values are read as well, where they are at most 64 MB

    Raises
    ------
    UnusableDataError
        It does. Damage that raises is left to whoever reads the file.
    """
    import h5py

    def read() -> None:
        found: list[h5py.Dataset] = []

        def look(_: str, item: h5py.Group | h5py.Dataset) -> None:
            dict(item.attrs)
            if isinstance(item, h5py.Dataset) and _other_file(item) is None:
                found.append(item)

        with h5py.File(path, "r") as file:
            dict(file.attrs)
            file.visititems(look)
            sizes = [held.dtype.itemsize * math.prod(held.shape or ()) for held in found]
            for held in found if values and sum(sizes) <= READ else ():
                held[()]

    key = path, *state_of(path), values
    if (signal := _tried.of(key, lambda: killed_by(read, LOOKED_AT))) is not None:
        raise UnusableDataError(
            f"{path} is damaged: HDF5 {'does not come to an end with' if signal == 'SIGXCPU' else 'crashes on'} what "
            "it lists; copy or write it again"
        )


def _other_file(held: h5py.Dataset) -> str | None:
    """The file that has a variable's bytes, if it is another one."""
    if held.external:
        return f"bytes of {held.external[0][0]}"
    if held.is_virtual:
        files = [source.file_name for source in held.virtual_sources()]
        return f"a view of {files[0] if files else 'nothing'}"
    return None
