"""A library without the functions and inputs that none of its terms has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ecodyn.equations.library import FULL, Library
from ecodyn.equations.monomials import Powers

__all__ = ["without_unused"]


def without_unused(library: Library) -> Library:
    """The same terms, of fewer functions and inputs."""
    return _without_unused_inputs(_without_unused_functions(library))


def _without_unused_inputs(library: Library) -> Library:
    first = library.n_seen
    kept = [k for k in range(len(library.inputs)) if any(powers[first + k] for powers in library.environment)]
    if len(kept) == len(library.inputs):
        return library
    columns = [*range(first), *(first + k for k in kept)]
    inputs = tuple(library.inputs[k] for k in kept)
    return replace(library, environment=_of(library.environment, columns), inputs=inputs)


def _without_unused_functions(library: Library) -> Library:
    """The same terms, of fewer functions; moments stay, for a clock's curves have all of them."""
    if not library.functions:
        return library
    full = library.coupling == FULL
    first = len(library.features) * len(library.channels) if full else len(library.channels)
    rows = library.environment if full else library.own
    kept = [k for k in range(len(library.functions)) if any(powers[first + k] for powers in rows)]
    behind = first + len(library.functions)  # inputs, in a full library
    columns = [*range(first), *(first + k for k in kept), *range(behind, len(rows[0]))]
    functions = tuple(library.functions[k] for k in kept)
    if full:
        return replace(library, environment=_of(rows, columns), functions=functions)
    return replace(library, own=_of(rows, columns), functions=functions)


def _of(rows: Iterable[Powers], columns: list[int]) -> tuple[Powers, ...]:
    return tuple(tuple(powers[c] for c in columns) for powers in rows)
