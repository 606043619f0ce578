"""The text of a formula cut into numbers, names and signs, and how its faults are told."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

__all__ = ["END", "NAME", "NUMBER", "SIGN", "FormulaError", "Token", "tokens_of"]

NUMBER, NAME, SIGN, END = "number", "name", "sign", "end"

MOST_CHARACTERS = 2_000  # of a formula: a page of text; its derivatives would take minutes beyond
MOST_LETTERS = 40  # of a name
MOST_DIGITS = 40  # of a number: floats hold 17
SHOWN = 60  # characters of the text around a fault: a terminal's panel must not break the line

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|[-+*/^(),])",
    re.ASCII,
)
_SPACE = re.compile(r"[ \t\r\n]*")


class FormulaError(ValueError):
    """A formula that is none: the message has the text and a caret under the place."""

    @classmethod
    def at(cls, text: str, place: int, sentence: str) -> FormulaError:
        """The sentence, the text around the place on a line of its own, and a caret under it."""
        begin = max(0, min(place - SHOWN // 2, len(text) - SHOWN))
        end = begin + SHOWN
        before, after = "..." if begin else "", "..." if end < len(text) else ""
        # One character for one: whatever the text holds, the caret stays under its place and a terminal is safe.
        shown = "".join(c if " " <= c <= "~" else "?" for c in text[begin:end])
        return cls(f"{sentence}\n  {before}{shown}{after}\n  {' ' * (len(before) + place - begin)}^")


@dataclass(frozen=True)
class Token:
    """A piece of the text: its sort, itself, and where it begins."""

    sort: str
    text: str
    at: int

    @property
    def told(self) -> str:
        """As sentences name it."""
        return "the end of the formula" if self.sort == END else f"the {self.sort} {self.text!r}"


def tokens_of(text: str) -> list[Token]:
    """All tokens, the end among them.

    Raises
    ------
    FormulaError
        The text is too long, or has a character or a number that no formula has.
    """
    if not isinstance(text, str):
        raise FormulaError(f"expected a formula as text, such as 'b - a*x', got {type(text).__name__}")
    if len(text) > MOST_CHARACTERS:
        raise FormulaError(f"expected a formula of at most {MOST_CHARACTERS:,} characters, got {len(text):,}")
    tokens: list[Token] = []
    at = 0
    while True:
        at = _end_of(_SPACE.match(text, at), at)
        if at == len(text):
            return [*tokens, Token(END, "", at)]
        found = _TOKEN.match(text, at)
        if found is None:
            raise FormulaError.at(
                text, at, f"expected numbers, names and + - * / ** ( ) , in a formula, got {text[at]!a}"
            )
        token = Token(str(found.lastgroup), found.group(), at)
        _check(text, token)
        tokens.append(token)
        at = found.end()


def _end_of(found: re.Match[str] | None, at: int) -> int:
    return at if found is None else found.end()


def _check(text: str, token: Token) -> None:
    """Refuse names and numbers that are too long, or no finite number."""
    length = len(token.text)
    if token.sort == NAME and length > MOST_LETTERS:
        raise FormulaError.at(text, token.at, f"expected a name of at most {MOST_LETTERS} letters, got {length}")
    if token.sort == NUMBER and length > MOST_DIGITS:
        raise FormulaError.at(text, token.at, f"expected a number of at most {MOST_DIGITS} characters, got {length}")
    if token.sort == NUMBER and not math.isfinite(float(token.text)):
        raise FormulaError.at(text, token.at, f"expected a number under 1.8e308, got {token.text}")
