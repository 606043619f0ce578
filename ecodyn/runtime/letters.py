"""Letters that can be printed, and those that do something to a terminal instead."""

from __future__ import annotations

import unicodedata

__all__ = ["is_control"]

CONTROL = ("Cc", "Cs")  # Unicode's categories of control characters, a terminal's among them, and of surrogates


def is_control(letter: str) -> bool:
    """Whether it is a control character, or half of a character.

    Examples
    --------
    >>> is_control("\\x1b"), is_control("é")
    (True, False)
    """
    return unicodedata.category(letter) in CONTROL
