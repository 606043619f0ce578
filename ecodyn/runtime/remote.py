"""Files and folders by URL, such as s3://bucket/run.nc: read through fsspec, whose packages each kind needs.

A command line's argument is a path before it is known to be a URL, and paths write two slashes as one: ``s3:/bucket``
is taken for ``s3://bucket``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.remote_copies import copy_of, forget_copy
from ecodyn.runtime.remote_path import RemotePath
from ecodyn.runtime.urls import UrlPath

__all__ = ["RemotePath", "UrlPath", "forget", "is_url", "local", "looked_into", "named", "place", "state_of"]

# At least two letters, since one with a colon is a drive of Windows.
URL = re.compile(r"^(?P<protocol>[a-z][a-z0-9+.-]+(::[a-z][a-z0-9+.-]+)*):/+(?P<rest>.*)$", re.DOTALL)
LOCAL = ("file", "local")


def is_url(path: str | os.PathLike[str] | UrlPath) -> bool:
    """Whether a path, as text or as a path that was made of it, is a URL.

    Examples
    --------
    >>> from pathlib import Path
    >>> is_url("s3://bucket/run.nc"), is_url(Path("s3://bucket/run.nc")), is_url("runs/run.nc"), is_url("C:/run.nc")
    (True, True, False, False)
    """
    return isinstance(path, UrlPath | RemotePath) or URL.match(os.fspath(path)) is not None


def place(path: str | os.PathLike[str] | UrlPath) -> Path | UrlPath:
    """What is at a path or a URL; a file: URL is a local path."""
    if isinstance(path, UrlPath):
        return path
    if isinstance(path, RemotePath):
        return path.there
    match = URL.match(os.fspath(path))
    if match is None:
        return Path(path)
    if match["protocol"] in LOCAL:
        return Path("/" + match["rest"])
    return UrlPath(f"{match['protocol']}://{match['rest']}")


def looked_into(path: str | os.PathLike[str]) -> Path:
    """A path to look for logs at: of what is at a URL that is fetched which is read.

    Raises
    ------
    FileNotFoundError, OSError, ModuleNotFoundError
        As `local`.
    """
    if isinstance(path, RemotePath):
        return path
    there = place(path)
    if isinstance(there, Path):
        return there
    found = RemotePath.at(there.url)
    if not found.exists():
        raise FileNotFoundError(f"there is no file or folder {there.url}")
    return found


def local(path: str | os.PathLike[str] | UrlPath) -> Path:
    """A local path; what is at a URL is fetched for as long as this process lives, once unless it changes.

    Raises
    ------
    FileNotFoundError
        There is nothing at the URL.
    OSError
        It can't be reached.
    ModuleNotFoundError
        The package that its kind needs is not installed.
    """
    there = place(path)
    return there if isinstance(there, Path) else copy_of(there)


def forget(path: str | os.PathLike[str] | UrlPath) -> None:
    """Delete the copy of what is at a URL, where there is one."""
    there = place(path)
    if isinstance(there, UrlPath):
        forget_copy(there)


def state_of(path: Path | UrlPath) -> tuple[int, int | str]:
    """Size of a file in bytes, and what changes whenever it is written."""
    there = place(path)
    if isinstance(there, UrlPath):
        return there.state()
    found = there.stat()
    return found.st_size, found.st_mtime_ns


@contextmanager
def named(path: str | os.PathLike[str] | UrlPath) -> Iterator[Path]:
    """A local path, as `local`; what is wrong with a copy is said of its URL."""
    copy = local(path)
    try:
        yield copy
    except UnusableDataError as error:
        if type(error) is not UnusableDataError or not is_url(path) or str(copy) not in str(error):
            raise
        raise UnusableDataError(str(error).replace(str(copy), str(place(path)))) from error
