"""Registries: things of one sort by name, built in, registered by hand, or brought by other distributions.

A distribution that is installed beside this one brings things through entry points (see the Python Packaging User
Guide). In its ``pyproject.toml``::

    [project.entry-points."ecodyn.families"]
    hill = "my_package.hill:Hill"

A thing is loaded when it is asked for, so that a name costs nothing until then.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

__all__ = ["Registry"]

Thing = TypeVar("Thing")


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Things of one sort by name; what is built in comes first, then what was registered, then entry points.

    Parameters
    ----------
    sort
        What they are, for messages: "family", "log format", ...
    group
        Entry points that add to them, such as ``ecodyn.families``.
    built_in
        Name -> "module:attribute", loaded on first use.
    accept
        Raises a ValueError or TypeError, with a sentence, for what is none of the sort.
    """

    def __init__(
        self, sort: str, group: str, built_in: Mapping[str, str], accept: Callable[[str, object], None] | None = None
    ) -> None:
        self.sort, self.group, self._accept = sort, group, accept
        self._built_in = dict(built_in)
        self._loaded: dict[str, Thing] = {}
        self._registered: list[str] = []

    def register(self, name: str, thing: Thing) -> None:
        """Make a thing known by its name; a later one of the same name takes the place of the earlier."""
        if self._accept is not None:
            self._accept(name, thing)
        self._loaded[name] = thing
        if name not in self._built_in and name not in self._registered:
            self._registered.append(name)

    def __getitem__(self, name: str) -> Thing:
        if name not in self._loaded:
            if name in self._built_in:
                module, _, attribute = self._built_in[name].partition(":")
                thing = getattr(importlib.import_module(module), attribute)
            elif name in self._entry_points:
                thing = self._entry_points[name].load()
                if self._accept is not None:
                    self._accept(name, thing)
            else:
                raise KeyError(f"unknown {self.sort} {name!r}; there are {', '.join(self)}")
            self._loaded[name] = thing
        return self._loaded[name]

    def named(self, name: str) -> Thing:
        """The thing of a name that somebody typed.

        Raises
        ------
        ValueError
            There is none; the sentence lists those there are.
        """
        if name not in self:
            raise ValueError(f"unknown {self.sort} {name!r}; there are {', '.join(self)}")
        return self[name]

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._registered or name in self._entry_points

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._built_in, *self._registered, *self._entry_points]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        """Of other distributions, by name in alphabetical order; looked for once."""
        return {found.name: found for found in sorted(entry_points(group=self.group), key=lambda e: e.name)}
