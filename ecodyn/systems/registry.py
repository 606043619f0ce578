"""Systems by name, of which random ones are drawn when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ecodyn.systems.random_systems import random_system
from ecodyn.systems.system import System

__all__ = ["Systems"]


class Systems(Mapping[str, System]):
    """A mapping from names to systems; names, and how many there are, are had without drawing any.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> "random_linear_1" in SYSTEMS, SYSTEMS["random_linear_1"].family
    (True, 'linear')
    """

    def __init__(self, systems: Iterable[System] = ()) -> None:
        self._entries: dict[str, System | tuple[int, str]] = {}
        for system in systems:
            self.add(system)

    @classmethod
    def joined(cls, groups: Iterable[Systems]) -> Systems:
        """All systems of several groups, random ones last, and none of them drawn for it."""
        whole = cls()
        entries = [entry for group in groups for entry in group._entries.items()]
        for name, entry in sorted(entries, key=lambda e: not isinstance(e[1], System)):
            whole._enter(name, entry)
        return whole

    def add(self, system: System) -> None:
        """Add one.

        Raises
        ------
        ValueError
            There is one of that name.
        """
        self._enter(system.name, system)

    def add_drawn(self, kind: str, seed: int) -> None:
        """Add the random system of a kind and seed."""
        self._enter(f"random_{kind}_{seed}", (seed, kind))

    def _enter(self, name: str, entry: System | tuple[int, str]) -> None:
        if name in self._entries:
            raise ValueError(f"two systems are called {name}; rename one")
        self._entries[name] = entry

    def __getitem__(self, name: str) -> System:
        entry = self._entries[name]
        return entry if isinstance(entry, System) else random_system(*entry)

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
