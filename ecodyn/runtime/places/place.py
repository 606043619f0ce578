"""Workers elsewhere than in processes of this one, and how they are named for the work of a block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

__all__ = ["Place", "named_place", "working_at"]

Item = TypeVar("Item")
Result = TypeVar("Result")


class Place(ABC):
    """Workers elsewhere than in processes of this one.

    Attributes
    ----------
    size : how many tasks are done at once, for work to be cut by
    """

    size: int

    @abstractmethod
    def outcomes(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[int, Any]]:
        """Index of each item with its result, or with the error that there is instead, as they finish."""


_named: ContextVar[Place | None] = ContextVar("ecodyn_place", default=None)


@contextmanager
def working_at(place: Place) -> Iterator[None]:
    """All work begun inside is done there."""
    token = _named.set(place)
    try:
        yield
    finally:
        _named.reset(token)


def named_place() -> Place | None:
    """What `working_at` named, the innermost; None where nothing was."""
    return _named.get()
