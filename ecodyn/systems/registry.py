"""Systems by name, of which random ones are drawn when they are first asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from ecodyn.systems.random_systems import random_system
from ecodyn.systems.system import System

__all__ = ["Systems"]

SHOWN = 4  # names that fit on a line with their count


class Systems(Mapping[str, System]):
    """A mapping from names to systems; names, and how many there are, are had without drawing any.

    It stays as it is: ``copy()`` and ``|`` give a dict, to which others may be added.

    Parameters
    ----------
    systems : iterable of System
    drawn : iterable of (kind, seed)
        Random systems, drawn when they are first asked for.

    Raises
    ------
    ValueError
        Two are of one name.

    Examples
    --------
    >>> from ecodyn.systems import SYSTEMS
    >>> "random_linear_1" in SYSTEMS, SYSTEMS["random_linear_1"].family
    (True, 'linear')
    >>> Systems([SYSTEMS["logistic"]], drawn=[("linear", 1)])
    <2 systems: logistic, random_linear_1>
    """

    def __init__(self, systems: Iterable[System] = (), drawn: Iterable[tuple[str, int]] = ()) -> None:
        self._entries: dict[str, System | tuple[int, str]] = {}
        for system in systems:
            self._enter(system.name, system)
        for kind, seed in drawn:
            self._enter(f"random_{kind}_{seed}", (seed, kind))

    @classmethod
    def joined(cls, groups: Iterable[Systems]) -> Systems:
        """All systems of several groups, random ones last, and none of them drawn for it."""
        whole = cls()
        entries = [entry for group in groups for entry in group._entries.items()]
        for name, entry in sorted(entries, key=lambda e: not isinstance(e[1], System)):
            whole._enter(name, entry)
        return whole

    def _enter(self, name: str, entry: System | tuple[int, str]) -> None:
        if name in self._entries:
            raise ValueError(f"two systems are called {name}; rename one")
        self._entries[name] = entry

    def copy(self) -> dict[str, System]:
        """A dict of all of them, for which random ones are drawn.

        Examples
        --------
        >>> from ecodyn.systems import SYSTEMS
        >>> list(Systems([SYSTEMS["logistic"]]).copy())
        ['logistic']
        """
        return dict(self)

    def __or__(self, other: Mapping[str, System]) -> dict[str, System]:
        return {**self, **other} if isinstance(other, Mapping) else NotImplemented

    def __ror__(self, other: Mapping[str, System]) -> dict[str, System]:
        return {**other, **self} if isinstance(other, Mapping) else NotImplemented

    def __getitem__(self, name: str) -> System:
        if name not in self._entries:
            near = get_close_matches(name, self._entries) if isinstance(name, str) else []
            hint = f"did you mean {' or '.join(near)}?" if near else "list(...) has their names"
            raise KeyError(f"expected the name of one of {len(self)} systems, got {name!r}; {hint}")
        entry = self._entries[name]
        return entry if isinstance(entry, System) else random_system(*entry)

    def __eq__(self, other: object) -> bool:
        """Whether the other has the same under the same names; none is drawn to tell two of these apart."""
        if isinstance(other, Systems):
            return self._entries == other._entries
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.keys() == other.keys() and all(self[name] == system for name, system in other.items())

    __hash__ = None  # type: ignore[assignment]  # as of every mapping that is compared by what it holds

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        names = list(self)
        shown = ", ".join(names if len(names) <= SHOWN else [*names[: SHOWN - 1], "...", names[-1]])
        return f"<{len(names)} system{'' if len(names) == 1 else 's'}{': ' if names else ''}{shown}>"
