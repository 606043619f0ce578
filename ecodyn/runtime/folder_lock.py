"""One at a time into a folder: a lock that ends with the process that holds it, however that ends."""

from __future__ import annotations

import errno
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ecodyn.errors import OutputExistsError

__all__ = ["folder_lock"]

NAME = ".ecodyn.lock"
UNSUPPORTED = (
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.ENOLCK,
    errno.EINVAL,
)  # by some file systems


@contextmanager
def folder_lock(folder: str | os.PathLike[str], *, force: bool = False) -> Iterator[None]:
    """Hold a folder, so that no other process writes into it while this one does.

    The file ``.ecodyn.lock`` in it says by which process on which machine it is held. It is locked by the operating
    system, which ends that with the process: what a killed one leaves behind is recognised. Where a file system knows
    no locks, a file counts as left behind if its process is one of this machine and gone.

    Parameters
    ----------
    force : bool
        Go on whoever holds it.

    Raises
    ------
    OutputExistsError
        Another process holds it; the sentence says which, and what to do.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, folder_lock(name):
    ...     try:
    ...         with folder_lock(name):
    ...             pass
    ...     except OutputExistsError as error:
    ...         print(str(error).partition(",")[0].replace(name, "report"))
    expected report to be free
    """
    path = Path(folder) / NAME
    descriptor, held = _opened(path)
    try:
        if not held and not force:
            raise OutputExistsError(
                f"expected {folder} to be free, got one that {_holder(path)} is writing into; wait for it, name "
                "another folder, or pass --force if that process is gone"
            )
        if held:
            os.ftruncate(descriptor, 0)
            os.write(descriptor, json.dumps({"process": os.getpid(), "machine": platform.node()}).encode())
        yield
    finally:
        if held:
            path.unlink(missing_ok=True)  # while it is held, so that nobody else's is removed
        os.close(descriptor)


def _opened(path: Path) -> tuple[int, bool]:
    """The open file, and whether it is this process's now."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        held = _locked(descriptor, path)
        with suppress(FileNotFoundError):
            if not held or os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor, held
        os.close(descriptor)  # its holder removed it between the two: there is another, or none


def _locked(descriptor: int, path: Path) -> bool:
    """Whether it is this process's now."""
    try:
        import fcntl
    except ImportError:  # no POSIX
        return not _is_held(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return not _is_held(path)
    return True


def _is_held(path: Path) -> bool:
    """What the file says, where the operating system says nothing."""
    stated = _stated(path)
    if stated.get("machine") != platform.node() or os.name != "posix":  # elsewhere asking would end the process
        return bool(stated)
    try:
        os.kill(int(str(stated["process"])), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _holder(path: Path) -> str:
    stated = _stated(path)
    return f"process {stated['process']} on {stated['machine']}" if stated else "another process"


def _stated(path: Path) -> dict[str, object]:
    """Process and machine that the file names; nothing if it is empty or none of these files."""
    with suppress(OSError, ValueError):
        stated = json.loads(path.read_text())
        if isinstance(stated, dict) and isinstance(stated.get("process"), int) and "machine" in stated:
            return stated
    return {}
