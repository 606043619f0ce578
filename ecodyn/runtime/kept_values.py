"""Results that are kept in a folder by what decides them, a file each: whole, checked when read, without pickle.

A file is a NumPy archive (.npz, whose parts carry checksums) of the arrays in a result, one behind another, and of the
rest of it as JSON (see ``exact_values``). Its name is the fingerprint of all that decides the result, which is inside
too. So there is nothing to invalidate: whatever is asked otherwise has another name. Files are written beside and
renamed; several processes may keep results in one folder.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from ecodyn.runtime.exact_values import UnwritableError, from_exact, to_exact
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.fingerprints import NoFingerprintError, fingerprint

__all__ = ["KeptValues", "kept_files"]

SUFFIX = ".npz"
NAME = re.compile("[0-9a-f]{64}")  # of a result; what is beside them is somebody else's
TREE = "tree"  # the part of an archive that is JSON
ARRAYS = "arrays"  # the part that is all arrays' bytes: a part for each took longer to open than to read
ALIGNED = 64  # bytes, as wide as processors' registers: each array lies as if it had been made alone
FORMAT = 2  # of these files
QUICKLY = 1  # zlib's level: trees are mostly names of terms, which shrink to a tenth by any
DAMAGE = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, AttributeError, ImportError)

Value = TypeVar("Value")
_Facts = tuple[str, Sequence[int], Literal["C", "F"]]  # an array's type, shape and order


class KeptValues:
    """Results by key, in a folder.

    Parameters
    ----------
    folder : str or path
        Made if there is none.
    basis : object
        What has a say in all results, such as versions.
    others : dataclasses of other distributions that may be in results
    tell : callable
        Given a sentence, once for each kind, where a result can't be kept or read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = KeptValues(folder)
    ...     key = kept.key("squares", 3)
    ...     first = kept.of(key, lambda: np.arange(3) ** 2)
    ...     again = KeptValues(folder).of(key, lambda: None)
    >>> first.tolist(), again.tolist()
    ([0, 1, 4], [0, 1, 4])
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        basis: object = (),
        *,
        others: Iterable[type] = (),
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"expected a folder for what is finished, {folder} is a file; name another, or move it")
        self.folder.mkdir(parents=True, exist_ok=True)
        self._basis = fingerprint(FORMAT, basis)
        self._others = tuple(others)
        self._tell, self._told = tell, set[str]()
        self._whole = True  # whether the folder can be written to
        self._there = {path.stem for path in kept_files(self.folder)}

    def key(self, *parts: object) -> str | None:
        """The name of the result that these parts decide; None, which is told, where that can't be said of them."""
        try:
            return fingerprint(self._basis, parts)
        except NoFingerprintError as error:
            self._say(f"not kept, and computed anew each time: what depends on {error}")
            return None

    def __len__(self) -> int:
        return len(self._there)

    def has(self, key: str | None) -> bool:
        """Whether there was a file for a key when the folder was opened, or is one since; it may be damaged."""
        return key in self._there

    def get(self, key: str | None) -> tuple[bool, Any]:
        """Whether a result is kept, and the result; one that is damaged is told, and counts as none."""
        if key is None or not self.has(key):
            return False, None
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as archive:
                tree = json.loads(zlib.decompress(archive[TREE].tobytes()))
                arrays = _parted(archive[ARRAYS], tree["arrays"])
            if tree["key"] != key:
                raise ValueError("it is another result's")
            return True, from_exact(tree["value"], arrays, self._others)
        except FileNotFoundError:
            return False, None
        except (*DAMAGE, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, MemoryError) as error:
            self._say(f"{self._path(key)} is damaged ({type(error).__name__}); what was kept in it is computed anew")
            return False, None

    def put(self, key: str | None, value: Value) -> Value:
        """Keep a result, and give it back as it will be read, or as it is where it can't be kept, which is told."""
        if key is None or not self._whole:
            return value
        try:
            tree, arrays = to_exact(value, self._others)
        except UnwritableError as error:
            self._say(f"not kept, and computed anew each time: results with {error}")
            return value
        packed, facts = _packed(arrays)
        text = zlib.compress(json.dumps({"key": key, "value": tree, "arrays": facts}).encode(), QUICKLY)
        try:
            with write_whole(self._path(key), force=True) as temporary:
                np.savez(temporary, **{TREE: np.frombuffer(text, np.uint8), ARRAYS: packed})  # type: ignore[arg-type]
        except OSError as error:  # a full disk must not cost what is being computed
            self._whole = False
            self._say(f"what is finished can't be kept any more in {self.folder}: {error}; the work goes on")
            return value
        self._there.add(key)
        # Arrays that lie in memory otherwise than files can hold them are from here on as they are in the file.
        return from_exact(tree, _parted(packed, facts), self._others)

    def of(self, key: str | None, make: Callable[[], Value]) -> Value:
        """The result that is kept, or else made, and then kept."""
        found, value = self.get(key)
        return value if found else self.put(key, make())

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _say(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._tell(sentence)


def kept_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The files of results in a folder; none where there is no folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kept = KeptValues(folder)
    ...     value = kept.put(kept.key("pi"), 3.14159)
    ...     len(kept_files(folder))
    1
    """
    return [path for path in sorted(Path(folder).glob(f"*{SUFFIX}")) if NAME.fullmatch(path.stem)]


def _packed(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, list[_Facts]]:
    """All arrays' bytes behind one another, and of each its type, shape and order."""
    facts: list[_Facts] = [(a.dtype.str, a.shape, _order(a)) for a in arrays]
    packed = _room(sum(_padded(a.nbytes) for a in arrays))
    for place, array in zip(_parted(packed, facts), arrays, strict=True):
        place[...] = array
    return packed, facts


def _parted(packed: np.ndarray, facts: Sequence[_Facts]) -> list[np.ndarray]:
    """The inverse of `_packed`; the arrays share the memory."""
    if packed.ctypes.data % ALIGNED:
        packed, unaligned = _room(packed.size), packed
        packed[...] = unaligned
    arrays, start = [], 0
    for name, shape, order in facts:
        kind = np.dtype(name)
        if kind.hasobject:
            raise ValueError("objects, which are addresses in the memory of who wrote them")
        array = np.ndarray(tuple(shape), kind, packed.data, start, order=order)
        start += _padded(array.nbytes)
        arrays.append(array)
    if start != packed.size:
        raise ValueError(f"expected {start} bytes of arrays, got {packed.size}")
    return arrays


def _room(size: int) -> np.ndarray:
    """So many zero bytes from an aligned address on."""
    room = np.zeros(size + ALIGNED, np.uint8)
    start = -room.ctypes.data % ALIGNED
    return room[start : start + size]


def _padded(size: int) -> int:
    return -(-size // ALIGNED) * ALIGNED


def _order(array: np.ndarray) -> Literal["C", "F"]:
    """How an array lies in a file: in the order of Fortran where it is in that alone, else in that of C."""
    return "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
