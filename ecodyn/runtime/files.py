"""Files that are either whole or absent: write beside, flush, rename."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecodyn.errors import OutputExistsError, UnusableDataError

__all__ = [
    "check_output",
    "first_bytes",
    "first_line",
    "sha256",
    "write_whole",
]

HASH_BLOCK = 1 << 20  # bytes read at a time, so that a file larger than memory can be hashed
LFS_SIGNATURE = b"version https://git-lfs"  # of a pointer in place of a file that Git LFS did not fetch


@contextmanager
def write_whole(path: str | os.PathLike[str], *, force: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` once the block has ended well.

    The temporary file has a hidden unique name and the suffix of `path`. It is flushed to the disk before
    the rename, and removed if anything fails (Ctrl-C included): `path` holds the old content or the new.

    Raises
    ------
    OutputExistsError
        `path` exists and `force` is false, or it is a folder or a symbolic link.
    FileNotFoundError, PermissionError
        The folder of `path` does not exist, or can't be written to.
    """
    target = Path(path)
    check_output(target, force=force)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(6)}{target.suffix}")
    try:
        yield temporary
        _flush(temporary)
        _refuse_existing(target, force)  # another writer may have finished in the meantime
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)  # after the rename there is nothing left under this name
    _flush_folder(target.parent)


def check_output(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Raise what `write_whole` would, before the work whose result is to be written."""
    _refuse_folder(Path(path))
    _refuse_existing(Path(path), force)


def sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 checksum of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def first_bytes(path: Path, kind: str) -> bytes:
    """Return the bytes that a file begins with, as many as tell what it is, where data of some `kind` are expected.

    Raises
    ------
    UnusableDataError
        The file is empty, or a git-lfs pointer.
    """
    with path.open("rb", buffering=0) as file:
        start = file.read(len(LFS_SIGNATURE))
    if not start:
        raise UnusableDataError(f"{path} is empty, expected {kind}; write it again")
    if start == LFS_SIGNATURE:
        raise UnusableDataError(f"{path} is a git-lfs pointer and not the data; fetch them with git lfs pull")
    return start


def first_line(error: BaseException) -> str:
    """What an error says in its first line, or its class where it says nothing: libraries' own go on for many."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _refuse_folder(target: Path) -> None:
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"cannot write {target}: there is no folder {folder}; create it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"cannot write {target}: the folder {folder} is read-only; choose another place")


def _refuse_existing(target: Path, force: bool) -> None:
    if target.is_symlink():  # a rename would replace the link and leave the file it points to as it was
        raise OutputExistsError(f"{target} is a symbolic link to {target.readlink()}; name that file itself")
    if target.is_dir():
        raise OutputExistsError(f"{target} is a folder, expected the name of a file; name a file inside it")
    if target.exists() and not force:
        raise OutputExistsError(f"{target} exists already; pass force=True (--force) to replace it")


def _flush(temporary: Path) -> None:
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name != "posix":  # only there can a folder be opened and flushed
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
