"""The grammar of formulas: sums, products, quotients, powers, and calls of functions from a fixed list.

Precedence climbing (Pratt 1973) over the text's own tokens: nothing of it is ever evaluated, and what is no formula is
refused with its place. From loose to tight: ``+ -``, ``* /``, a minus in front, ``**`` (also written ``^``), which goes
from right to left; -x**2 is -(x**2) and a**-b is a**(-b), as Python has it.
"""

from __future__ import annotations

import difflib
import math

from ecodyn.formulas.tokens import END, NAME, NUMBER, SIGN, FormulaError, Token, tokens_of
from ecodyn.formulas.tree import BINDING, MINUS, Binary, Call, Name, Negative, Node, Number

__all__ = ["CONSTANTS", "FUNCTIONS", "POOLS", "parse"]

POOLS = ("mean", "sum")  # over features
FUNCTIONS = {
    **dict.fromkeys(("exp", "log", "sqrt", "abs", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan"), 1),
    **dict.fromkeys(("min", "max"), 2),
    **dict.fromkeys(POOLS, 1),
}
"""How many arguments each function takes."""
CONSTANTS = {"pi": math.pi}

MOST_DEPTH = 40  # of parts within parts
MOST_NODES = 300  # numbers, names and operations: derivatives of more take seconds


def parse(text: str) -> Node:
    """The tree of a formula.

    Raises
    ------
    FormulaError
        A ValueError: it is no formula, or too large a one; the message says what was expected and what came, with a
        caret under the place.

    Examples
    --------
    >>> from ecodyn.formulas.tree import text_of
    >>> text_of(parse("b - a*x + g*x^n / (x^n + k*mean(x^n))"))
    'b - a*x + g*x**n/(x**n + k*mean(x**n))'
    >>> parse("b - a*(x")
    Traceback (most recent call last):
    ...
    ecodyn.formulas.tokens.FormulaError: expected ) or an operation such as +, got the end of the formula
      b - a*(x
              ^
    """
    return _Parser(text).whole()


class _Parser:
    """The tokens of one text, and how far they are read."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens = text, tokens_of(text)
        self.position, self.depth, self.count = 0, 0, 0

    @property
    def ahead(self) -> Token:
        return self.tokens[self.position]

    def whole(self) -> Node:
        """The tree of the whole text."""
        node = self.part(0)
        if self.ahead.sort != END:
            raise self._unexpected("an operation such as + or *, or the end of the formula")
        return node

    def _take(self) -> Token:
        token = self.ahead
        self.position += 1
        return token

    def _sign(self, *texts: str) -> bool:
        return self.ahead.sort == SIGN and self.ahead.text in texts

    def _unexpected(self, expected: str) -> FormulaError:
        got, before = self.ahead, self.tokens[self.position - 1] if self.position else None
        hint = ""
        if before is not None and before.sort in (NUMBER, NAME) and (got.sort in (NUMBER, NAME) or got.text == "("):
            hint = f"; a product is written with a *: {before.text}*{got.text}"
        return FormulaError.at(self.text, got.at, f"expected {expected}, got {got.told}{hint}")

    def _counted(self, node: Node) -> Node:
        self.count += 1
        if self.count > MOST_NODES:
            raise FormulaError.at(
                self.text,
                node.at,
                f"expected a formula of at most {MOST_NODES} numbers, names and operations, got more",
            )
        return node

    def part(self, least: int) -> Node:
        """The longest part from here whose operations bind more than ``least``."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise FormulaError.at(
                self.text, self.ahead.at, f"expected parts within parts at most {MOST_DEPTH} deep, got deeper ones"
            )
        left = self._first()
        while self.ahead.sort == SIGN:
            operation = "**" if self.ahead.text == "^" else self.ahead.text
            if operation not in BINDING or BINDING[operation] <= least:
                break
            at = self._take().at
            # From left to right; a power's right side goes on as far as minus signs and further powers do.
            right = self.part(MINUS - 1 if operation == "**" else BINDING[operation])
            left = self._counted(Binary(operation, left, right, at))
        self.depth -= 1
        return left

    def _first(self) -> Node:
        """A number, a name, a call, a minus and what follows it, or a part in parentheses."""
        token = self.ahead
        if token.sort == NUMBER:
            self._take()
            return self._counted(Number(float(token.text), token.at))
        if token.sort == NAME:
            self._take()
            return self._call(token) if self._sign("(") else self._named(token)
        if self._sign("-", "+"):
            self._take()
            inner = self.part(MINUS - 1)
            return self._counted(Negative(inner, token.at)) if token.text == "-" else inner
        if self._sign("("):
            self._take()
            inner = self.part(0)
            self._close(") or an operation such as +")
            return inner
        raise self._unexpected("a number, a name, a function, - or (")

    def _named(self, token: Token) -> Node:
        if token.text in CONSTANTS:
            return self._counted(Number(CONSTANTS[token.text], token.at))
        if token.text in FUNCTIONS:
            raise FormulaError.at(
                self.text, token.at, f"expected {token.text}(...), for {token.text} is a function; got it without ("
            )
        return self._counted(Name(token.text, token.at))

    def _call(self, token: Token) -> Node:
        if token.text not in FUNCTIONS:
            close = difflib.get_close_matches(token.text, FUNCTIONS, n=2)
            meant = f" (did you mean {' or '.join(close)}?)" if close else ""
            raise FormulaError.at(
                self.text,
                token.at,
                f"expected one of the functions {', '.join(FUNCTIONS)}, got {token.text!r}{meant}; "
                f"a product is written with a *: {token.text}*(...)",
            )
        self._take()
        arguments = [self.part(0)]
        while self._sign(","):
            self._take()
            arguments.append(self.part(0))
        self._close(") or , or an operation such as +")
        wanted = FUNCTIONS[token.text]
        if len(arguments) != wanted:
            raise FormulaError.at(
                self.text,
                token.at,
                f"expected {wanted} argument{'s' * (wanted > 1)} of {token.text}, got {len(arguments)}",
            )
        return self._counted(Call(token.text, tuple(arguments), token.at))

    def _close(self, expected: str) -> None:
        if not self._sign(")"):
            raise self._unexpected(expected)
        self._take()
