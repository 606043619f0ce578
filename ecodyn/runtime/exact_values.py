"""Results as JSON and arrays, exact to the last bit and of the same types, without pickle.

What is written are plain values, lists, tuples, sets, dictionaries, NumPy's arrays and numbers, and frozen or other
dataclasses of them. A dataclass is written field by field and made again from its fields, as a copy is, and only if its
class is this package's own or was named beforehand: reading runs no code of a file's choosing. Whatever is none of
these is refused rather than changed: see `UnwritableError`.

JSON says ``{"tuple": [...]}`` and the like where it has no such thing, floats in the shortest text that reads back as
the same bits, and ``{"array": 3}`` for the fourth of the arrays, which keep their type and order in memory: sums over
an array that lies otherwise in memory may differ in their last bits.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["UnwritableError", "class_name", "from_exact", "to_exact"]

OWN = __name__.partition(".")[0] + "."
COMMAND = "__main__"  # modules of this name run the command when they are imported
NUMBERS = "biufc"  # kinds of NumPy's types that files hold as they are: bool, integers, floats, complex
TEXTS = "U"
WIDEST = 8  # bytes of a NumPy number that Python's own numbers hold exactly
LISTS = (tuple, set, frozenset)
PLAIN = {type(None), bool, int, float, str}
OF_PLAIN = " of plain"  # behind a list's name where all in it are: hundreds of thousands of names are read at once


class UnwritableError(TypeError):
    """A value that can't be written such that exactly it is read back."""


def class_name(cls: type) -> str:
    """The name under which a class is found again."""
    return f"{cls.__module__}:{cls.__qualname__}"


def to_exact(value: object, others: Iterable[type] = ()) -> tuple[Any, list[np.ndarray]]:
    """What JSON can hold of a value, and the arrays in it.

    Parameters
    ----------
    value : of the types above
    others : dataclasses of other distributions that may be in it

    Raises
    ------
    UnwritableError
        Something in it is of another type.

    Examples
    --------
    >>> to_exact({"scores": (1.5, np.arange(3))})
    ({'dict': [['scores', {'tuple': [1.5, {'array': 0}]}]]}, [array([0, 1, 2])])
    """
    writer = _Writer({class_name(cls) for cls in others})
    return writer.of(value), writer.arrays


def from_exact(tree: Any, arrays: list[np.ndarray], others: Iterable[type] = ()) -> Any:
    """The inverse of `to_exact`.

    Raises
    ------
    ValueError, KeyError, TypeError, IndexError, AttributeError
        It is damaged, or of a class that is not known.

    Examples
    --------
    >>> from_exact(*to_exact({"scores": (1.5, np.arange(3))}))
    {'scores': (1.5, array([0, 1, 2]))}
    """
    return _Reader(arrays, {class_name(cls): cls for cls in others}).of(tree)


class _Writer:
    """Collects arrays, and writes what is there twice once: laws of one family share their library."""

    def __init__(self, others: set[str]) -> None:
        self.arrays: list[np.ndarray] = []
        self._others = others
        self._written: dict[int, tuple[int, object]] = {}  # by id, with the object itself so that no other gets its id

    def of(self, value: object) -> Any:
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is list:
            return [self.of(v) for v in value]  # type: ignore[attr-defined]
        if kind in LISTS and PLAIN.issuperset(map(type, value)):  # type: ignore[call-overload]
            return {kind.__name__ + OF_PLAIN: list(value)}  # type: ignore[call-overload]
        if kind in LISTS:
            return {kind.__name__: [self.of(v) for v in value]}  # type: ignore[attr-defined]
        if kind is dict:
            return {"dict": [[self.of(k), self.of(v)] for k, v in value.items()]}  # type: ignore[attr-defined]
        if isinstance(value, np.generic):
            return self._number(value)
        if kind is np.ndarray:
            return {"array": self._array(value)}  # type: ignore[arg-type]
        if is_dataclass(value) and not isinstance(value, type):
            return self._record(value)
        raise UnwritableError(f"{kind.__module__}.{kind.__qualname__}, such as {value!r:.60}")

    def _number(self, value: np.generic) -> Any:
        if value.dtype.kind not in NUMBERS + TEXTS or value.dtype.kind == "c" or not _held(value):
            raise UnwritableError(f"a NumPy {value.dtype}")
        return {"number": [value.dtype.str, value.item()]}

    def _array(self, array: np.ndarray) -> int:
        if array.dtype.kind not in NUMBERS + TEXTS:
            raise UnwritableError(f"an array of {array.dtype}")
        self.arrays.append(array)
        return len(self.arrays) - 1

    def _record(self, value: Any) -> Any:
        if id(value) in self._written:
            return {"again": self._written[id(value)][0]}
        cls = type(value)
        name = class_name(cls)
        if not name.startswith(OWN) and name not in self._others:
            raise UnwritableError(f"{name}, a class of another distribution that is no registered kind of model")
        held = [f.name for f in fields(value)]
        beside = {n for n in getattr(value, "__dict__", ()) if n not in held and not _is_cached(cls, n)}
        if beside or "<locals>" in name:
            raise UnwritableError(f"{name}, which has more than its fields" if beside else f"{name}, a local class")
        written = {n: self.of(getattr(value, n)) for n in held}
        self._written[id(value)] = (len(self._written), value)
        return {"class": name, "fields": written}


class _Reader:
    """Makes values again; what was written once is one object again."""

    def __init__(self, arrays: list[np.ndarray], others: Mapping[str, type]) -> None:
        self._arrays, self._others = arrays, others
        self._read: list[object] = []
        self._classes: dict[str, type] = {}
        self._make: dict[str, Callable[[Any], Any]] = {
            "tuple": lambda items: tuple(map(self.of, items)),
            "set": lambda items: set(map(self.of, items)),
            "frozenset": lambda items: frozenset(map(self.of, items)),
            **{cls.__name__ + OF_PLAIN: cls for cls in LISTS},
            "dict": lambda pairs: {self.of(k): self.of(v) for k, v in pairs},
            "number": lambda parts: np.dtype(parts[0]).type(parts[1]),
            "array": lambda place: self._arrays[place],
            "again": lambda place: self._read[place],
        }

    def of(self, tree: Any) -> Any:
        kind = type(tree)
        if kind is list:
            return [self.of(v) for v in tree]
        if kind is not dict:
            return tree
        if "class" in tree:
            return self._record(tree["class"], tree["fields"])
        ((name, content),) = tree.items()
        return self._make[name](content)

    def _record(self, name: str, written: Mapping[str, Any]) -> object:
        cls = self._classes.get(name) or self._classes.setdefault(name, self._class(name))
        if {f.name for f in fields(cls)} != set(written):
            raise ValueError(f"other fields than {name} has")
        made: object = object.__new__(cls)
        for field, value in written.items():
            object.__setattr__(made, field, self.of(value))
        self._read.append(made)
        return made

    def _class(self, name: str) -> type:
        module, _, path = name.partition(":")
        if name in self._others:
            found: object = self._others[name]
        elif module.startswith(OWN) and not module.endswith(COMMAND) and path.isidentifier():
            found = getattr(importlib.import_module(module), path)
        else:
            raise ValueError(f"a class {name!r} that is not this package's")
        if not (isinstance(found, type) and is_dataclass(found) and class_name(found) == name):
            raise ValueError(f"no dataclass {name!r}")
        return found


def _held(value: np.generic) -> bool:
    """Whether Python's number or text is exactly the same."""
    return value.dtype.kind == "U" or value.dtype.itemsize <= WIDEST


def _is_cached(cls: type, name: str) -> bool:
    """Whether an attribute follows from the fields, and is made again when it is asked for."""
    return any(isinstance(vars(base).get(name), cached_property) for base in cls.__mro__)
