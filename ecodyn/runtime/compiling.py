"""Functions that Numba compiles, and what it keeps of them on disk.

They are kept beside their files, or in the user's cache where nothing can be written there, and found again as long as
the sources are the same: Numba by itself looks at a function's own file, not at those of the functions that it calls.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ecodyn.runtime.files import write_whole

# Numba imports whatever is called `coverage`: a user's own script of that name beside what is run is none of its.
_UNASKED = "coverage" not in sys.modules
if _UNASKED:
    sys.modules["coverage"] = None  # type: ignore[assignment]
try:
    import numba
    from numba.core import serialize
    from numba.core.caching import FunctionCache
finally:
    if _UNASKED:
        del sys.modules["coverage"]

__all__ = ["SOURCES", "compiled"]

Function = TypeVar("Function", bound=Callable[..., Any])

# Where compiled functions are, and what is compiled into them.
SOURCES = (
    "equations/compiled.py",
    "equations/compiled_integration.py",
    "equations/tape.py",
    "rollouts/integration.py",
    "runtime/compiling.py",
)


def _digest() -> str | None:
    package = Path(__file__).parents[1]
    with suppress(OSError):  # no files, but an archive
        return hashlib.sha256(b"".join((package / name).read_bytes() for name in SOURCES)).hexdigest()
    return None


_STAMP = _digest()


def compiled(function: Function) -> Function:
    """Compiled at its first call, without reference counts: it must not allocate. Divisions by zero are infinite.

    Other threads go on while it runs.
    """
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True, "_nrt": False}
    dispatcher = numba.njit(**options)(function)
    with suppress(RuntimeError):  # no place to keep it: each process compiles its own
        if _STAMP is not None:
            dispatcher._cache = _Kept(function)
    return dispatcher


class _Kept(FunctionCache):
    """What is kept of one function; where it can't be read or written, compiling once more is all that it costs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file: Any = _Files(Path(self._cache_path), self._impl.filename_base)

    def save_overload(self, sig: object, data: object) -> None:
        with suppress(OSError):  # a full disk
            super().save_overload(sig, data)


class _Files:
    """A file for each signature, processor and state of the sources, with what it must be.

    Numba's own files are an index and numbered ones: where one of them is written and the other not, by a full disk, by
    two processes at once or at an update, the machine code of another signature or of an older version is run.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def _path(self, key: object) -> Path:
        digest = hashlib.sha256(f"{_STAMP} {numba.__version__} {key}".encode()).hexdigest()
        return self.folder / f"{self.name}.{digest[:32]}.nbc"

    def load(self, key: object) -> Any:
        """What was kept; None if nothing was, or something else."""
        try:
            content = self._path(key).read_bytes()
        except OSError:
            return None
        digest, data = content[:32], content[32:]
        return pickle.loads(data) if hashlib.sha256(data).digest() == digest else None  # noqa: S301 - its own file

    def save(self, key: object, data: object) -> None:
        """Keep it, whole or not at all."""
        content = serialize.dumps(data)
        path = self._path(key)
        with write_whole(path, force=True) as temporary:
            temporary.write_bytes(hashlib.sha256(content).digest() + content)

    def flush(self) -> None:
        """Forget all that was kept."""
        for path in self.folder.glob(f"{self.name}.*.nbc"):
            path.unlink(missing_ok=True)
