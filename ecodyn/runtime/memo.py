"""Results that are kept for those who ask for the same again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["Memo"]

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """So many results by key; those that were asked for last stay.

    Examples
    --------
    >>> memo = Memo[int](2)
    >>> memo.of("a", lambda: 1), memo.of("a", lambda: 2)
    (1, 1)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, Value] = OrderedDict()

    def of(self, key: Hashable, make: Callable[[], Value], keep: Callable[[Value], bool] = lambda _: True) -> Value:
        """The result there is for a key, or the one that is made, and kept if ``keep`` says so."""
        if key in self._found:
            self._found.move_to_end(key)
            return self._found[key]
        made = make()
        if keep(made):
            self._found[key] = made
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        return made

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()
