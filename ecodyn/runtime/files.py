"""Files that are either whole or absent: write beside, flush, rename."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecodyn.errors import FullDiskError, OutputExistsError, UnusableDataError

__all__ = [
    "check_output",
    "check_regular",
    "damaged",
    "first_bytes",
    "first_line",
    "flush",
    "sha256",
    "unfinished",
    "write_whole",
]

LONGEST_LINE = 300  # letters of another's error that a sentence quotes
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # of a place that can take nothing more
ERROR_NUMBER = re.compile(r"(?:os error|errno =) (\d+)")  # as safetensors and HDF5 write it
SHOWN_OF_NAME = 40  # letters of a name in that of its temporary file: names end at 255 bytes
TOKEN_BYTES = 6  # of what makes that name one of its own
TEMPORARY = re.compile(rf"\..+\.[0-9a-f]{{{2 * TOKEN_BYTES}}}(\.[^.]*)?")
PERMISSIONS = 0o777
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
    FullDiskError
        There is no room for it, or the disk fails; `path` is as it was.
    """
    target = Path(path)
    check_output(target, force=force)
    # Of a long name as much as leaves room for what is added.
    temporary = target.with_name(f".{target.stem[:SHOWN_OF_NAME]}.{secrets.token_hex(TOKEN_BYTES)}{target.suffix}")
    try:
        mode = _mode_of_new(temporary)
        yield temporary
        temporary.chmod(mode)  # some libraries' files are their owner's alone, whatever the umask says
        flush(temporary)
        _refuse_existing(target, force)  # another writer may have finished in the meantime
        temporary.replace(target)
    except Exception as error:
        number = _error_number(error)
        if number not in NO_ROOM:
            raise
        raise FullDiskError(
            f"{target} can't be written ({os.strerror(number)}); make room, or choose another place"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # after the rename there is nothing left under this name
    _flush_folder(target.parent)


def unfinished(folder: str | os.PathLike[str]) -> list[Path]:
    """Temporary files of `write_whole` in a folder: somebody is writing them, or was killed while writing.

    Nothing tells one from the other, so that they may be removed only where nobody else can be writing.
    """
    return sorted(path for path in Path(folder).glob(".*") if TEMPORARY.fullmatch(path.name))


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
        The file is empty, a git-lfs pointer, or a pipe or device, which has no end.
    """
    check_regular(path)
    with path.open("rb", buffering=0) as file:
        start = file.read(len(LFS_SIGNATURE))
    if not start:
        raise UnusableDataError(f"{path} is empty, expected {kind}; write it again")
    if start == LFS_SIGNATURE:
        raise UnusableDataError(f"{path} is a git-lfs pointer and not the data; fetch them with git lfs pull")
    return start


def check_regular(path: Path) -> None:
    """Refuse pipes and devices: reading one waits for ever, or goes on for ever.

    Raises
    ------
    UnusableDataError
        It is one, or a link to one.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UnusableDataError(f"{path} is a pipe or a device, expected a file; write what comes out of it to one")


def first_line(error: BaseException) -> str:
    """What an error says in its first line, or its class where it says nothing: libraries' own go on for many.

    Of a line that quotes a whole file, as zipfile's may, the beginning.
    """
    lines = str(error).strip().splitlines()
    line = lines[0] if lines else type(error).__name__
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"


def damaged(path: object, error: Exception, again: str = "copy or write it again") -> UnusableDataError:
    """What is raised of a file on which the library that reads it raised something; ``again`` is what to do."""
    return UnusableDataError(f"{path} is damaged or truncated ({type(error).__name__}: {first_line(error)}); {again}")


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


def _error_number(error: Exception) -> int:
    """The operating system's number of an error, 0 if it is none: some libraries' errors have it in their text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    stated = ERROR_NUMBER.search(str(error))
    return int(stated[1]) if stated else 0


def _mode_of_new(path: Path) -> int:
    """Permissions of a new file there, as the umask says: which no process can ask for without changing it."""
    path.touch()
    mode = path.stat().st_mode & PERMISSIONS
    path.unlink()  # some libraries write only what is not there
    return mode


def flush(temporary: Path) -> None:
    """Have a file's content on the disk, or the error that it has no room there."""
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
