"""The bytes of a file at a URL: what is read is fetched, and small parts near each other only once."""

from __future__ import annotations

import io
from collections import OrderedDict
from typing import Any

from ecodyn.runtime.urls import UrlPath

__all__ = ["RemoteParts", "forget_parts"]

# Headers, tables of zips and small tensors are asked for again and again, each a request: they come in blocks, which
# are kept for a while. What is larger is fetched as it is asked for.
BLOCK, LARGE, KEPT_BLOCKS = 1 << 16, 1 << 20, 1 << 10
_BLOCKS: OrderedDict[tuple[str, int], bytes] = OrderedDict()  # by URL and number, the last used one last


class RemoteParts(io.RawIOBase):
    """A file that is only read, from anywhere in it."""

    def __init__(self, path: UrlPath, size: int) -> None:
        self.path, self.size, self._at = path, size, 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where it is read next."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go there."""
        self._at = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence] + offset
        if self._at < 0:
            raise OSError(f"expected a place within {self.path}, got one before it")
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As many bytes as there are, up to as many as have room."""
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self.size)
        data = b"" if end <= self._at else self._part(self._at, end)
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _part(self, first: int, end: int) -> bytes:
        if end - first >= LARGE:
            return self.path.part(first, end)
        blocks = range(first // BLOCK, (end - 1) // BLOCK + 1)
        data = b"".join(map(self._block, blocks))
        return data[first - blocks[0] * BLOCK : end - blocks[0] * BLOCK]

    def _block(self, number: int) -> bytes:
        key = self.path.url, number
        if key not in _BLOCKS:
            _BLOCKS[key] = self.path.part(number * BLOCK, min((number + 1) * BLOCK, self.size))
        _BLOCKS.move_to_end(key)
        while len(_BLOCKS) > KEPT_BLOCKS:
            _BLOCKS.popitem(last=False)
        return _BLOCKS[key]


def forget_parts(path: UrlPath) -> None:
    """What is kept of a file, or of those in a folder."""
    for key in [key for key in _BLOCKS if path.holds(key[0])]:
        del _BLOCKS[key]
