"""Folders that are either whole or absent: write beside, rename."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecodyn.errors import OutputExistsError
from ecodyn.runtime.files import SHOWN_OF_NAME

__all__ = ["check_folder_output", "write_folder"]

Replaceable = Callable[[Path], bool]


@contextmanager
def write_folder(
    path: str | os.PathLike[str], *, force: bool = False, replaceable: Replaceable | None = None
) -> Iterator[Path]:
    """Yield a new folder beside `path`; rename it to `path` once the block has ended well.

    It is removed if anything fails (Ctrl-C included): `path` holds the old content or the new. With `force`, what is
    there is replaced if `replaceable` says that it is what was written so before.

    Raises
    ------
    OutputExistsError
        `path` exists and `force` is false, or it is something else.
    FileNotFoundError, PermissionError
        The folder of `path` does not exist, or can't be written to.
    """
    target = Path(path)
    check_folder_output(target, force=force, replaceable=replaceable)
    temporary, aside = (target.with_name(f".{target.name[:SHOWN_OF_NAME]}.{secrets.token_hex(6)}") for _ in range(2))
    temporary.mkdir()
    try:
        yield temporary
        check_folder_output(target, force=force, replaceable=replaceable)  # another writer may have finished by now
        if target.exists():
            target.rename(aside)
        temporary.rename(target)
    finally:
        if aside.exists() and not target.exists():  # the second rename failed
            aside.rename(target)
        for left in (temporary, aside):
            shutil.rmtree(left, ignore_errors=True)


def check_folder_output(
    path: str | os.PathLike[str], *, force: bool = False, replaceable: Replaceable | None = None
) -> None:
    """Raise what `write_folder` would, before the work whose result is to be written."""
    target = Path(path)
    folder = target.absolute().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {target}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {folder} is read-only; choose another place")
    if not target.exists() and not target.is_symlink():
        return
    known = not target.is_symlink() and target.is_dir() and replaceable is not None and replaceable(target)
    if not known:
        raise OutputExistsError(
            f"{target} exists and is something else than what would be written there, so it is not replaced; choose "
            "another name"
        )
    if not force:
        raise OutputExistsError(f"{target} exists already; pass force=True (--force) to replace it")
