"""Temporary folders that go with the process that made them, however that ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["temporary_folder"]

PREFIX = "ecodyn-"
OWNER = ".owner"  # a file in each, locked by its process for as long as that lives
NEW = ".owner-to-be"  # its name until it is locked, so that a file called OWNER is locked or left behind


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A new folder among temporary files, gone afterwards.

    A process that is killed can't remove what it made: folders of such processes are removed when the next one is
    made. The operating system ends a lock with the process that holds it, so that nobody's in use is removed.

    Examples
    --------
    >>> with temporary_folder() as folder:
    ...     there = folder.is_dir()
    >>> there, folder.exists()
    (True, False)
    """
    _remove_left_behind(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as name:
        descriptor = _owned(Path(name))
        try:
            yield Path(name)
        finally:
            if descriptor is not None:
                os.close(descriptor)


def _owned(folder: Path) -> int | None:
    """Mark a folder as this process's; None where the system has no locks."""
    try:
        import fcntl
    except ImportError:  # no POSIX
        return None
    descriptor = os.open(folder / NEW, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / NEW).rename(folder / OWNER)
    except OSError:  # some file systems know no locks: what is left behind there stays
        os.close(descriptor)
        return None
    return descriptor


def _remove_left_behind(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another user's, or removed by somebody else in this moment
            if _is_left_behind(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _is_left_behind(folder: Path) -> bool:
    """Whether it has an owner's mark that nobody holds."""
    try:
        import fcntl
    except ImportError:
        return False
    if folder.is_symlink() or folder.stat().st_uid != os.getuid() or not (folder / OWNER).is_file():
        return False
    descriptor = os.open(folder / OWNER, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
