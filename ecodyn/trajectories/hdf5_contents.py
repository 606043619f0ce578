"""What an HDF5 file has in it, looked at before anything is read: nothing outside it, and no more than it can hold."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from ecodyn.errors import UnusableDataError

if TYPE_CHECKING:
    import h5py

__all__ = ["check_contents"]


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


def _other_file(held: h5py.Dataset) -> str | None:
    """The file that has a variable's bytes, if it is another one."""
    if held.external:
        return f"bytes of {held.external[0][0]}"
    if held.is_virtual:
        files = [source.file_name for source in held.virtual_sources()]
        return f"a view of {files[0] if files else 'nothing'}"
    return None
