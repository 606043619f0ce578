"""Files and folders by URL, such as s3://bucket/run.nc: read through fsspec, whose packages each kind needs.

A command line's argument is a path before it is known to be a URL, and paths write two slashes as one: ``s3:/bucket``
is taken for ``s3://bucket``.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ecodyn.errors import UnusableDataError
from ecodyn.runtime.files import first_line
from ecodyn.runtime.temporary import temporary_folder

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["UrlPath", "forget", "is_url", "local", "named", "place", "shown", "state_of"]

# At least two letters, since one with a colon is a drive of Windows.
URL = re.compile(r"^(?P<protocol>[a-z][a-z0-9+.-]+(::[a-z][a-z0-9+.-]+)*):/+(?P<rest>.*)$", re.DOTALL)
LOCAL = ("file", "local")


class UrlPath:
    """What is at a URL, with the few methods of a path that readers use."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> UrlPath:
        return UrlPath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def suffix(self) -> str:
        """From its last dot on."""
        return Path(self.name).suffix

    @functools.cached_property
    def _there(self) -> tuple[AbstractFileSystem, str]:
        return _filesystem(self.url)

    def exists(self) -> bool:
        """Whether anything is there."""
        return self.is_file() or self.is_dir()

    def is_file(self) -> bool:
        """Whether it is a file."""
        with _said(self.url):
            return bool(self._there[0].isfile(self._there[1]))

    def is_dir(self) -> bool:
        """Whether it is a folder."""
        with _said(self.url):
            return bool(self._there[0].isdir(self._there[1]))

    def state(self) -> tuple[int, str]:
        """Its size, and what changes whenever it is written."""
        with _said(self.url):
            system, path = self._there
            return int(system.info(path)["size"]), str(system.ukey(path))

    def open(self) -> IO[bytes]:
        """The file, of which those parts are fetched that are read."""
        with _said(self.url):
            system, path = self._there
            if not system.isfile(path):  # a folder of objects opens as an empty file with some
                raise FileNotFoundError
            file: IO[bytes] = system.open(path, "rb")
            return file

    def fetched(self, folder: Path) -> Path:
        """A copy of the file or folder, in a local folder."""
        target = folder / (self.name or "root")
        with _said(self.url):
            system, path = self._there
            if not system.exists(path):
                raise FileNotFoundError
            if system.isdir(path):
                system.get(path.rstrip("/") + "/", f"{target}/", recursive=True)
            else:
                system.get_file(path, str(target))
        return target


def is_url(path: str | os.PathLike[str] | UrlPath) -> bool:
    """Whether a path, as text or as a path that was made of it, is a URL.

    Examples
    --------
    >>> from pathlib import Path
    >>> is_url("s3://bucket/run.nc"), is_url(Path("s3://bucket/run.nc")), is_url("runs/run.nc"), is_url("C:/run.nc")
    (True, True, False, False)
    """
    return isinstance(path, UrlPath) or URL.match(os.fspath(path)) is not None


def place(path: str | os.PathLike[str] | UrlPath) -> Path | UrlPath:
    """What is at a path or a URL; a file: URL is a local path."""
    if isinstance(path, UrlPath):
        return path
    match = URL.match(os.fspath(path))
    if match is None:
        return Path(path)
    if match["protocol"] in LOCAL:
        return Path("/" + match["rest"])
    return UrlPath(f"{match['protocol']}://{match['rest']}")


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
    if isinstance(there, Path):
        return there
    state = there.state() if there.is_file() else None
    if there.url not in _COPIES or state is None or _COPIES[there.url][1] != state:
        folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=_folder()))
        _COPIES[there.url] = there.fetched(folder), state
    return _COPIES[there.url][0]


def forget(path: str | os.PathLike[str] | UrlPath) -> None:
    """Delete the copy of what is at a URL, where there is one."""
    there = place(path)
    if isinstance(there, UrlPath) and there.url in _COPIES:
        shutil.rmtree(_COPIES.pop(there.url)[0].parent, ignore_errors=True)


def state_of(path: Path | UrlPath) -> tuple[int, int | str]:
    """Size of a file in bytes, and what changes whenever it is written."""
    if isinstance(path, UrlPath):
        return path.state()
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def shown(path: Path) -> str:
    """A path as it was given: the URL of what was fetched from one."""
    for url, (copy, _) in _COPIES.items():
        if path == copy or copy in path.parents:
            inside = path.relative_to(copy).as_posix()
            return url if inside == "." else f"{url}/{inside}"
    return str(path)


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


_COPIES: dict[str, tuple[Path, tuple[int, str] | None]] = {}  # by URL, with what was known of it when it was fetched


@functools.cache
def _folder() -> Path:
    """Where copies lie; it goes with the process."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(temporary_folder())


def _filesystem(url: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs
    from fsspec.registry import known_implementations

    protocol = url.split("://", 1)[0].split("::")[-1]
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        needed: dict[str, Any] = known_implementations.get(protocol, {})
        package = str(needed.get("class", protocol)).split(".")[0]
        raise ModuleNotFoundError(
            f"reading {url} needs the package {package}; install it with: python -m pip install {package}", name=package
        ) from error
    except ValueError as error:
        if protocol in known_implementations:
            raise
        raise ValueError(
            f"expected a path, or a URL that fsspec knows ({', '.join(sorted(COMMON))}, ...), got {url}; check how it "
            "begins"
        ) from error
    return system, path


COMMON = ("file", "gs", "hf", "https", "memory", "s3")  # of the kinds of URL, those that a message names


@contextmanager
def _said(url: str) -> Iterator[None]:
    """What the packages of fsspec raise, as one sentence with the URL."""
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file or folder {url}") from error
    except (ImportError, ValueError):
        raise
    except Exception as error:  # each package has its own: no credentials, no such bucket, no connection
        raise OSError(
            f"{url} can't be read ({type(error).__name__}: {first_line(error)}); check its name and your access to it"
        ) from error
