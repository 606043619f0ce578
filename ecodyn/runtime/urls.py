"""What is at a URL, such as s3://bucket/run.nc: read through fsspec, whose packages each kind needs."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ecodyn.runtime.files import first_line

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["UrlPath"]

COMMON = ("file", "gs", "hf", "https", "memory", "s3")  # of the kinds of URL, those that a message names


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

    def info(self) -> dict[str, Any]:
        """What its store says of it: ``type``, ``size`` and more of its own."""
        with _said(self.url):
            return dict(self._there[0].info(self._there[1]))

    def entries(self, *, within: bool = False) -> list[tuple[str, dict[str, Any]]]:
        """What is in a folder by its path there, or also in folders ``within``, with what the store says of it."""
        with _said(self.url):
            system, path = self._there
            if within:
                found = system.find(path, withdirs=True, detail=True).items()
            else:
                found = [(entry["name"], entry) for entry in system.ls(path, detail=True)]
            root = path.strip("/") + "/"  # some stores begin paths with a slash here and not there
            names = [(name.strip("/"), entry) for name, entry in found]
            return [(name.removeprefix(root), entry) for name, entry in names if name.startswith(root)]

    def forget(self) -> None:
        """What is there may have changed: ask again."""
        with _said(self.url):
            self._there[0].invalidate_cache()

    def open(self) -> IO[bytes]:
        """The file, of which those parts are fetched that are read."""
        with _said(self.url):
            system, path = self._there
            if not system.isfile(path):  # a folder of objects opens as an empty file with some
                raise FileNotFoundError
            file: IO[bytes] = system.open(path, "rb")
            return file

    def holds(self, url: str) -> bool:
        """Whether a URL is this one, or within the folder here."""
        return url == self.url or url.startswith(f"{self.url}/")

    def part(self, first: int, end: int) -> bytes:
        """So many of the file's bytes.

        Raises
        ------
        OSError
            They can't be had, or there are fewer.
        """
        with _said(self.url):
            system, path = self._there
            data = bytes(system.cat_file(path, start=first, end=end))
            if len(data) != end - first:
                raise OSError(f"expected {end - first} bytes from byte {first} on, got {len(data)}")
            return data

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
