"""Registries: things of one sort by name, built in, registered by hand, or brought by other distributions.

A distribution that is installed beside this one brings things through entry points (see the Python Packaging User
Guide). In its ``pyproject.toml``::

    [project.entry-points."ecodyn.families"]
    hill = "my_package.hill:Hill"

A thing is loaded when it is asked for, so that a name costs nothing until then. What another distribution brings may
be broken, which must not stop the others: `Registry.named` says whose it is, `Registry.usable` goes on without it, and
`Registry.problems` are the sentences that belong beside what was done without it.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from abc import ABCMeta
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Generic, TypeVar

__all__ = ["EntryPointError", "Registry", "check_whole"]

Thing = TypeVar("Thing")


class EntryPointError(ValueError):
    """What another distribution brings can't be used; the message names the distribution and its entry point."""


class Registry(Mapping[str, Thing], Generic[Thing]):
    """Things of one sort by name; what is built in comes first, then what was registered, then entry points.

    An entry point does not take a name that is built in; of several with one name, that of the distribution that is
    first in the alphabet counts.

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
        self._unusable: dict[str, str] = {}

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
        EntryPointError
            Another distribution brings it, and it can't be used: a ValueError too.
        """
        if name not in self:
            raise ValueError(f"unknown {self.sort} {name!r}; there are {', '.join(self)}")
        if name in self._loaded or name in self._built_in:
            return self[name]
        if name in self._unusable:
            raise EntryPointError(self._unusable[name])
        try:
            return self[name]
        except (Exception, SystemExit) as error:  # a module of somebody else's may do anything when it is imported
            kind = "" if isinstance(error, ValueError | TypeError) else f"{type(error).__name__}: "
            self._unusable[name] = self._refusal(self._entry_points[name], f"{kind}{error}")
            raise EntryPointError(self._unusable[name]) from error

    def usable(self) -> Iterator[tuple[str, Thing]]:
        """Names and things, each loaded when its turn comes; without those of other distributions that are broken."""
        for name in self:
            try:
                thing = self.named(name)
            except EntryPointError:
                continue
            yield name, thing

    def problems(self) -> list[str]:
        """A sentence for each entry point that `usable` leaves out, or that has the name of something else."""
        used = dict(self.usable())
        counted = [(point.name, _distribution(point)) for point in self._entry_points.values()]
        taken = [point for point in self._all_entry_points if (point.name, _distribution(point)) not in counted]
        return [
            *(self._unusable[name] for name in self if name not in used),
            *(self._refusal(point, f"there is another {self.sort} of that name; rename this one") for point in taken),
        ]

    def _refusal(self, point: EntryPoint, why: str) -> str:
        return (
            f"the {self.sort} {point.name!r} of {_distribution(point)} (entry point {point.value} in {self.group}) "
            f"can't be used: {why}"
        )

    def __contains__(self, name: object) -> bool:
        return name in self._built_in or name in self._registered or name in self._entry_points

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys([*self._built_in, *self._registered, *self._entry_points]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def _all_entry_points(self) -> list[EntryPoint]:
        found = _of_all_distributions(tuple(sys.path)).select(group=self.group)
        return sorted(found, key=lambda point: (point.name, _distribution(point)))

    @cached_property
    def _entry_points(self) -> dict[str, EntryPoint]:
        """Of other distributions, by name in alphabetical order; looked for once."""
        first = {point.name: point for point in reversed(self._all_entry_points)}
        return {name: first[name] for name in sorted(first) if name not in self._built_in}


def check_whole(name: str, thing: ABCMeta) -> None:
    """Raise a TypeError where a class leaves methods open, so that nothing can be made of it."""
    if inspect.isabstract(thing):
        missing = ", ".join(sorted(thing.__abstractmethods__))
        raise TypeError(f"{name!r} leaves open {missing}; {thing.__qualname__} has to define them")


@lru_cache(1)
def _of_all_distributions(_path: tuple[str, ...]) -> EntryPoints:
    """All entry points that are installed, read once for all registries: a file for each distribution there is."""
    return entry_points()


def _distribution(point: EntryPoint) -> str:
    """Name and version of the distribution that an entry point is of."""
    if point.dist is None or point.dist.metadata["Name"] is None:  # hardly so: its METADATA is lost
        return "an unknown distribution"
    return f"{point.dist.name} {point.dist.version}"
