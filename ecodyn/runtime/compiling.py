"""Functions that Numba compiles, and what it keeps of them on disk.

They are kept beside their files, or in the user's cache where nothing can be written there, and found again as long as
the sources are the same: Numba by itself looks at a function's own file, not at those of the functions that it calls.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

# Numba imports whatever is called `coverage`: a user's own script of that name beside what is run is none of its.
_UNASKED = "coverage" not in sys.modules
if _UNASKED:
    sys.modules["coverage"] = None  # type: ignore[assignment]
try:
    import numba
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
    "rollouts/integration.py",
    "runtime/compiling.py",
)


def _digest() -> str:
    package = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in SOURCES)).hexdigest()


_STAMP = _digest()


def compiled(function: Function) -> Function:
    """Compiled at its first call, without reference counts: it must not allocate. Divisions by zero are infinite."""
    options: dict[str, Any] = {"error_model": "numpy", "_nrt": False}
    dispatcher = numba.njit(**options)(function)
    with suppress(RuntimeError):  # no place to keep it: each process compiles its own
        dispatcher._cache = _Kept(function)
    return dispatcher


class _Kept(FunctionCache):
    """What is kept of one function; where it can't be read or written, compiling once more is all that it costs."""

    def load_overload(self, sig: object, target_context: object) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a damaged file can be unpickled to anything
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: object, data: object) -> None:
        with suppress(OSError):  # a full disk
            super().save_overload(sig, data)

    def _index_key(self, sig: object, codegen: object) -> Any:
        return (*super()._index_key(sig, codegen), _STAMP)
