"""Which kind of trajectories file a path is, asked before it is read or written."""

from __future__ import annotations

from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import first_bytes

__all__ = ["RECORDING_SUFFIX", "beginning", "refuse_recording", "suffix_of"]

RECORDING_SUFFIX = ".recording"  # of the journal of a training under way, after the whole name of its file


def beginning(path: Path) -> bytes:
    """The first bytes of a file that has to be there.

    Raises
    ------
    FileNotFoundError
        There is none.
    UnusableDataError
        It is a folder, empty, or a pointer to a file that was not downloaded.
    """
    if path.is_dir():
        raise UnusableDataError(f"{path} is a folder, expected a trajectories file; name a file inside it")
    refuse_recording(path)
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    return first_bytes(path, "a trajectories file")


def refuse_recording(path: Path) -> None:
    """Refuse a file that is not there yet, as it is being recorded.

    Raises
    ------
    FileNotFoundError
        There is no such file, and a journal of it.
    """
    journal = path.with_name(path.name + RECORDING_SUFFIX) if path.name else path
    if journal.is_file() and not path.exists():
        raise FileNotFoundError(
            f"there is no file {path} yet: it is being recorded, or its training was stopped; what {journal} holds by "
            f"now is read with ecodyn extract {journal} (ecodyn.extract)"
        )


def suffix_of(path: Path) -> str:
    """Its suffix in lower case, .nc or .csv.

    Raises
    ------
    ValueError
        It has another.
    """
    suffix = path.suffix.lower()
    if suffix not in (".nc", ".csv"):
        raise ValueError(f"expected a trajectories file ending in .nc (netCDF4) or .csv, got {path}; rename it")
    return suffix
