"""Shares of work for the jobs of an array: each job does its own, and together they do all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["Share", "share_of"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Share:
    """The `part`-th of `of` shares, counted from 1.

    Raises
    ------
    ValueError
        There is no such share.

    Examples
    --------
    >>> [Share(part, 3).taken(range(8)) for part in (1, 2, 3)]
    [range(0, 2), range(2, 5), range(5, 8)]
    """

    part: int
    of: int

    def __post_init__(self) -> None:
        if not (isinstance(self.part, int) and isinstance(self.of, int) and 1 <= self.part <= self.of):
            raise ValueError(
                f"expected a share I/N with I from 1 to N, such as 3/50 for the third of fifty, got "
                f"{self.part}/{self.of}; job arrays count from 1 with --array=1-N"
            )

    def taken(self, items: Sequence[Item]) -> Sequence[Item]:
        """Its items, neighbours in their order; all shares differ by one item at most.

        Raises
        ------
        ValueError
            There are more shares than items, so that some would be empty.
        """
        if self.of > len(items):
            raise ValueError(
                f"expected at most as many shares as there is work, {len(items)}, got {self.of}: some would be empty; "
                "ask for fewer"
            )
        return items[(self.part - 1) * len(items) // self.of : self.part * len(items) // self.of]


def share_of(shard: tuple[int, int] | None) -> Share | None:
    """A share as users give it; None for all of the work."""
    return None if shard is None else Share(*shard)
