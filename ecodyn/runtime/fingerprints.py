"""Hashes of what decides a result: of values, and of the source text of what computes with them.

Equal values have equal fingerprints in every process and on every machine; arrays count with their type, shape and
bytes, dictionaries and sets whatever their order, estimators with their parameters, classes and functions with their
name and the source text they come from.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

__all__ = ["NoFingerprintError", "fingerprint", "source_fingerprint"]

PACKAGE = __name__.partition(".")[0]
CODE = (type, FunctionType, BuiltinFunctionType, np.ufunc)
# Told by their names: their versions, and Python's, belong to the basis of what is kept.
LIBRARIES = {PACKAGE, "numpy", "scipy", "sklearn", "pysindy", "torch", "sympy", *sys.stdlib_module_names} - {"__main__"}
# Rooms of this package whose text has no say in what a comparison computes from given data: those above it, and those
# that data come from. All others count, so that no change of what matters is overlooked.
WITHOUT_A_SAY = ("cli", "reproduction", "report", "survival", "systems", "networks", "extraction", "logs", "tables")


class NoFingerprintError(TypeError):
    """A value of which can't be told whether it is the same again."""


def fingerprint(*values: object) -> str:
    """SHA-256, in hexadecimal, of values.

    Raises
    ------
    NoFingerprintError
        Something in them is a function or a class without a file, or of a type that nothing is known of.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": 2.0}) == fingerprint({"b": 2.0, "a": 1})
    True
    >>> fingerprint(np.zeros(3)) == fingerprint(np.zeros(3, dtype=int))
    False
    """
    digest = hashlib.sha256()
    for part in _parts(values):
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()


def _parts(value: Any) -> Iterator[bytes | memoryview]:
    """What a value is made of, each with its type in front, so that no two values are told alike."""
    kind = type(value)
    yield kind.__name__.encode()
    if value is None or kind in (bool, int, float, str, bytes):
        yield repr(value).encode()
    elif kind in (list, tuple):
        yield str(len(value)).encode()
        for part in value:
            yield from _parts(part)
    elif isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            raise NoFingerprintError(f"an array of {value.dtype}")
        if value.dtype.kind == "U":  # as wide as the longest text that was beside these, which is no matter
            yield f"U {value.shape}".encode()
            yield repr(value.tolist()).encode()
        else:
            yield f"{value.dtype.str} {value.shape}".encode()
            yield memoryview(np.ascontiguousarray(value).reshape(-1).view(np.uint8))  # without a copy
    elif isinstance(value, np.generic):
        yield repr(value.item()).encode()
    elif isinstance(value, Mapping) and all(type(name) is str for name in value):
        yield str(len(value)).encode()
        for name in sorted(value):  # without a hash for each pair: results have tens of thousands
            yield name.encode()
            yield from _parts(value[name])
    elif isinstance(value, Mapping):
        yield from (p.encode() for p in sorted(fingerprint(pair) for pair in value.items()))
    elif isinstance(value, set | frozenset):
        yield from (p.encode() for p in sorted(fingerprint(member) for member in value))
    elif isinstance(value, Path):
        yield str(value).encode()
    elif isinstance(value, CODE):
        yield _of_code(value).encode()
    else:
        yield from _of_object(value)


def _of_object(value: Any) -> Iterator[bytes | memoryview]:
    """Of a dataclass its fields, of an estimator its parameters."""
    yield _of_code(type(value)).encode()
    if is_dataclass(value):
        yield from _parts({f.name: getattr(value, f.name) for f in fields(value)})
    elif hasattr(value, "get_params"):
        yield from _parts(dict(value.get_params(deep=False)))
    else:
        raise NoFingerprintError(f"a value of {_name(type(value))}, such as {value!r:.60}")


def _of_code(thing: Any) -> str:
    """Name of a class or function, and its source text, but for those of libraries known by their versions."""
    if isinstance(thing, np.ufunc):
        return f"numpy:{thing.__name__}"
    name, module = _name(thing), sys.modules.get(getattr(thing, "__module__", None) or "")
    if module is None or _found(module, thing.__qualname__) is not thing:
        raise NoFingerprintError(f"{name}, which can't be found again by its name")
    known = module.__name__.partition(".")[0] in LIBRARIES
    return name if known else f"{name} {_texts(module.__name__)}"


def _name(thing: Any) -> str:
    return f"{getattr(thing, '__module__', None)}:{getattr(thing, '__qualname__', type(thing).__qualname__)}"


def _found(module: object, path: str) -> object:
    found = module
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


@cache
def _texts(module: str) -> str:
    """Hash of a module's file and of the package that it is in, which changes while its version may stay the same."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None or not Path(file).exists():
        raise NoFingerprintError(f"what is defined in {module}, which has no file")
    folders = list(getattr(sys.modules.get(module.partition(".")[0]), "__path__", ()))
    return _of_files([Path(file), *(p for folder in folders for p in sorted(Path(folder).rglob("*.py")))])


def _of_files(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def source_fingerprint(whole: bool = False) -> str:
    """Hash of the source texts of this package, but for the rooms that have no say in a comparison's numbers.

    These too if ``whole``.

    A version alone would not do: between two releases the text of what computes changes, and a result that is kept
    would be taken for what the changed text gives.

    Examples
    --------
    >>> len(source_fingerprint())
    64
    """
    package = Path(__file__).parents[1]
    files = sorted(p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    without = () if whole else WITHOUT_A_SAY
    return _of_files([f for f in files if f.relative_to(package).parts[0] not in without])
