"""A path of what is at a URL: readers of logs look around in it, and read those parts of files that they need."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import IO, Any

from ecodyn.runtime.remote_copies import copy_of
from ecodyn.runtime.remote_parts import RemoteParts, forget_parts
from ecodyn.runtime.urls import UrlPath

__all__ = ["RemotePath", "opened_in_parts"]

AT_ONCE = 1 << 22  # bytes of a file that is read from one end to the other: a request costs as much as a megabyte
_INFO: dict[str, dict[str, Any]] = {}  # by URL, what a listing said of it: each question is a request otherwise


class RemotePath(type(Path())):  # type: ignore[misc]  # the class for this system
    """As a path that is only read: `open` reads what it is asked for, over the network.

    What needs a file of this machine (a memory map, a library that opens files itself) asks for ``os.fspath``, and then
    the file or folder is fetched whole, once.

    Examples
    --------
    >>> import fsspec
    >>> fsspec.filesystem("memory").pipe({"/runs/0/note.txt": b"kept", "/runs/1/note.txt": b"too"})
    >>> runs = RemotePath("memory://runs")
    >>> [path.name for path in sorted(runs.iterdir())], (runs / "0" / "note.txt").read_text()
    (['0', '1'], 'kept')
    """

    @property
    def there(self) -> UrlPath:
        """The same as a URL."""
        protocol, _, rest = self.as_posix().partition(":")
        return UrlPath(f"{protocol}://{rest.lstrip('/')}")

    def __str__(self) -> str:
        return self.there.url

    def as_posix(self) -> str:
        """Its parts with slashes."""
        return "/".join(self.parts)

    def __fspath__(self) -> str:
        return str(copy_of(self.there))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.parts

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """Whether it is a folder, and a file's size; there is no time that all stores know."""
        info = self._info()
        kind = stat.S_IFDIR if info["type"] == "directory" else stat.S_IFREG
        return os.stat_result((kind | 0o444, 0, 0, 1, 0, 0, int(info.get("size") or 0), 0, 0, 0))

    def _info(self) -> dict[str, Any]:
        url = self.there.url
        if url not in _INFO:
            _INFO[url] = self.there.info()
        return _INFO[url]

    def exists(self, **_: Any) -> bool:
        """Whether anything is there."""
        try:
            self._info()
        except FileNotFoundError:
            return False
        return True

    def is_dir(self, **_: Any) -> bool:
        """Whether it is a folder."""
        return self.exists() and self._info()["type"] == "directory"

    def is_file(self, **_: Any) -> bool:
        """Whether it is a file."""
        return self.exists() and self._info()["type"] != "directory"

    def is_symlink(self) -> bool:
        """No: stores have none, or follow them."""
        return False

    def resolve(self, strict: bool = False) -> RemotePath:
        """Itself."""
        return self

    def absolute(self) -> RemotePath:
        """Itself."""
        return self

    def iterdir(self) -> Iterator[RemotePath]:
        """What is in the folder."""
        for name, info in self.there.entries():
            yield self._entry(name, info)

    def rglob(self, pattern: str, **_: Any) -> Iterator[RemotePath]:
        """What is in the folder and in those within, and ends as the pattern says."""
        return (found for found in self._within() if found.relative_to(self).match(pattern))

    def glob(self, pattern: str, **_: Any) -> Iterator[RemotePath]:
        """What is in the folder as the pattern says, part by part."""
        parts = pattern.split("/")
        for found in self.iterdir() if len(parts) == 1 else self._within():
            own = found.relative_to(self).parts
            if len(own) == len(parts) and all(map(fnmatchcase, own, parts)):
                yield found

    def _within(self) -> Iterator[RemotePath]:
        for name, info in self.there.entries(within=True):
            yield self._entry(name, info)

    def _entry(self, name: str, info: dict[str, Any]) -> RemotePath:
        found: RemotePath = self / name
        _INFO[found.there.url] = info
        return found

    def open(self, mode: str = "r", buffering: int = -1, *args: Any, **kwargs: Any) -> Any:
        """The file, to read: bytes with mode "rb", and only parts of them without ``buffering``; else text."""
        if mode not in ("r", "rb", "rt"):
            raise io.UnsupportedOperation(f"{self} is only read, got mode {mode!r}")
        if not self.is_file():
            raise FileNotFoundError(f"there is no file {self}")
        raw = RemoteParts(self.there, self.stat().st_size)
        if mode == "rb" and buffering == 0:
            return raw
        buffered = io.BufferedReader(raw, AT_ONCE)
        return buffered if mode == "rb" else io.TextIOWrapper(buffered, *args, **kwargs)

    @classmethod
    def at(cls, url: str) -> RemotePath:
        """What is there now: nothing that was known of it before counts."""
        there = UrlPath(url)
        there.forget()
        for known in [known for known in _INFO if there.holds(known)]:
            del _INFO[known]
        forget_parts(there)
        return cls(url)


def opened_in_parts(path: Path) -> IO[bytes]:
    """A file of which a few parts are read, some of them small."""
    if not isinstance(path, RemotePath):
        return path.open("rb")
    return io.BufferedReader(path.open("rb", buffering=0))  # so that reads are whole
