"""Copies of what is at URLs, for what needs a file of this machine; they go with the process."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

from ecodyn.runtime.temporary import temporary_folder
from ecodyn.runtime.urls import UrlPath

__all__ = ["copy_of", "forget_copy"]

_COPIES: dict[str, tuple[Path, tuple[int, str] | None]] = {}  # by URL, with what was known of it when it was fetched


def copy_of(there: UrlPath) -> Path:
    """The path of a file's or folder's copy, fetched once; a file again where it changed."""
    state = there.state() if there.is_file() else None
    if there.url not in _COPIES or state is None or _COPIES[there.url][1] != state:
        folder = Path(tempfile.mkdtemp(prefix="fetched-", dir=_folder()))
        _COPIES[there.url] = there.fetched(folder), state
    return _COPIES[there.url][0]


def forget_copy(there: UrlPath) -> None:
    """Delete it, where there is one."""
    if there.url in _COPIES:
        shutil.rmtree(_COPIES.pop(there.url)[0].parent, ignore_errors=True)


@functools.cache
def _folder() -> Path:
    """Where copies lie."""
    held = ExitStack()
    atexit.register(held.close)
    return held.enter_context(temporary_folder())
