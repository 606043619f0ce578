"""The grammar of constraints: what is said of a law's coefficients, cut into quantities, signs and numbers.

::

    constraint = "stable" ["by" number]
               | "sum" ["of" label {"," label}] "conserved"
               | quantity ("symmetric" | "antisymmetric")
               | side sign side [sign side]
    sign       = "<=" | ">=" | "<" | ">" | "=" | "=="
    side       = linear combination of quantities and numbers, such as 2*a + c - 1
    quantity   = [label ":"] (name ["[" label {"," label} "]"] | function "(" name ")" | monomial)
    function   = "diagonal" | "offdiagonal" | "rows" | "columns" | "trace"

A label is letters, digits, dots and underscores, or any text in quotes. Nothing of a text is ever evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ecodyn.families.constraint_parts import (
    Conserved,
    ConstraintError,
    Quantity,
    Relation,
    Side,
    Stable,
    Statement,
    Symmetric,
)

__all__ = ["FUNCTIONS", "parse"]

FUNCTIONS = ("diagonal", "offdiagonal", "rows", "columns", "trace")
SIGNS = ("<=", ">=", "<", ">", "=", "==")
MOST_CHARACTERS = 500  # of a constraint: a line or two
NUMBER, NAME, LABEL, SIGN, END = "number", "name", "label", "sign", "end"

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?!\w))|(?P<name>\w[\w.]*)"
    r"|(?P<label>'[^']*'|\"[^\"]*\")|(?P<sign><=|>=|==|\*\*|[-+*/^\[\](),:<>=])",
)
_SPACE = re.compile(r"\s*")
EXAMPLES = "'A symmetric', 'offdiagonal(A) <= 0', 'sum conserved', 'stable', 'r > 0', '-2 <= a <= -1' or 'x^3 <= 0'"


def parse(text: object) -> Statement:
    """What a text says.

    Raises
    ------
    ConstraintError
        A ValueError: it is no constraint; the message says what was expected and what came, with a caret.

    Examples
    --------
    >>> parse("stable by 0.1")
    Stable(margin=0.1)
    >>> parse("stable by -1")
    Traceback (most recent call last):
    ...
    ecodyn.families.constraint_parts.ConstraintError: expected a margin above 0, per unit of time, got '-'
      stable by -1
                ^
    """
    if not isinstance(text, str):
        raise ConstraintError(f"expected a constraint as text, such as {EXAMPLES}, got {text!r}")
    return _Parser(text).whole()


@dataclass(frozen=True)
class _Token:
    sort: str
    text: str
    at: int

    @property
    def told(self) -> str:
        return "the end of the constraint" if self.sort == END else repr(self.text)


def _tokens(text: str) -> list[_Token]:
    if len(text) > MOST_CHARACTERS:
        raise ConstraintError(f"expected a constraint of at most {MOST_CHARACTERS} characters, got {len(text)}")
    found, place = [], _SPACE.match(text).end()  # type: ignore[union-attr]  # it always matches
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise ConstraintError.at(text, place, f"expected a name, a number or a sign, got {text[place]!r}")
        sort = str(token.lastgroup)
        found.append(_Token(sort, token[0][1:-1] if sort == LABEL else token[0], place))
        place = _SPACE.match(text, token.end()).end()  # type: ignore[union-attr]
    return [*found, _Token(END, "", len(text))]


class _Parser:
    """The tokens of one text, and how far they are read."""

    def __init__(self, text: str) -> None:
        self.text, self.tokens, self.position = text, _tokens(text), 0
        self.equation: str | None = None  # a label holds until the next

    @property
    def ahead(self) -> _Token:
        return self.tokens[self.position]

    def _next_is(self, text: str, further: int = 0) -> bool:
        token = self.tokens[min(self.position + further, len(self.tokens) - 1)]
        return token.sort in (NAME, SIGN) and token.text == text

    def _take(self) -> _Token:
        token = self.ahead
        self.position += 1
        return token

    def _taken(self, text: str) -> bool:
        there = self._next_is(text)
        self.position += there
        return there

    def _expected(self, what: str) -> ConstraintError:
        return ConstraintError.at(self.text, self.ahead.at, f"expected {what}, got {self.ahead.told}")

    def whole(self) -> Statement:
        """The statement of the whole text."""
        if self.ahead.sort == END:
            raise ConstraintError(f"expected a constraint, such as {EXAMPLES}, got an empty text")
        statement = self._statement()
        if self.ahead.sort != END:
            raise self._expected("the end of the constraint")
        return statement

    def _statement(self) -> Statement:
        if self._next_is("stable") and (self._next_is("by", 1) or self.tokens[1].sort == END):
            self._take()
            return Stable(self._margin() if self._taken("by") else None)
        if self._next_is("sum") and (self._next_is("of", 1) or self._next_is("conserved", 1)):
            at = self._take().at
            labels = self._labels() if self._taken("of") else ()
            if not self._taken("conserved"):
                raise self._expected("conserved")
            return Conserved(labels, at)
        side = self._side()
        alone = side.parts[0][1] if len(side.parts) == 1 and side.parts[0][0] == 1 and not side.number else None
        for word, sign in (("symmetric", 1), ("antisymmetric", -1)):
            if alone is not None and self._taken(word):
                return Symmetric(alone, sign)
        return self._relation(side)

    def _relation(self, side: Side) -> Relation:
        sides, signs = [side], list[str]()
        while self.ahead.sort == SIGN and self.ahead.text in SIGNS and len(signs) < 2:
            signs.append(self._take().text)
            sides.append(self._side())
        if not signs:
            raise self._expected("symmetric, antisymmetric or a sign such as <=")
        if not any(side.parts for side in sides):
            raise ConstraintError.at(self.text, 0, "expected a coefficient in a constraint, got numbers alone")
        return Relation(tuple(sides), tuple(signs))

    def _margin(self) -> float:
        if self.ahead.sort != NUMBER or not float(self.ahead.text) > 0:
            raise self._expected("a margin above 0, per unit of time")
        return float(self._take().text)

    def _labels(self) -> tuple[str, ...]:
        labels = [self._label()]
        while self._taken(","):
            labels.append(self._label())
        return tuple(labels)

    def _label(self) -> str:
        if self.ahead.sort not in (NAME, NUMBER, LABEL):
            raise self._expected("a feature's label")
        return self._take().text

    def _side(self) -> Side:
        parts: list[tuple[float, Quantity]] = []
        number, sign = 0.0, -1.0 if self._taken("-") else 1.0
        self._taken("+")
        while True:
            factor, quantity = self._product()
            if quantity is None:
                number += sign * factor
            else:
                parts.append((sign * factor, quantity))
            if not (self._next_is("+") or self._next_is("-")):
                return Side(tuple(parts), number)
            sign = -1.0 if self._take().text == "-" else 1.0

    def _product(self) -> tuple[float, Quantity | None]:
        """A number, a quantity, or a number times a quantity."""
        numbered = self.ahead.sort == NUMBER and not self._next_is(":", 1)
        at = self.ahead.at
        factor = float(self._take().text) if numbered else 1.0
        if not math.isfinite(factor):
            raise ConstraintError.at(self.text, at, "expected a finite number in a constraint, got one beyond any")
        if numbered and not self._taken("*"):
            return factor, None
        return factor, self._quantity()

    def _quantity(self) -> Quantity:
        if self._next_is(":", 1):
            self.equation = self._label()
            self._take()
        at = self.ahead.at
        if self.ahead.sort == NUMBER and float(self.ahead.text) == 1:  # after a label: the constant term
            self._take()
            return Quantity("1", (), self.equation, None, None, at)
        if self.ahead.sort != NAME:
            raise self._expected("a coefficient's name or a number")
        if self._next_is("(", 1):
            return self._function()
        powers = [self._power()]
        index = self._index() if len(powers) == 1 and self._next_is("[") else None
        while index is None and self._taken("*"):
            powers.append(self._power())
        name = "*".join(v if p == 1 else f"{v}**{p}" for v, p in powers)
        return Quantity(name, tuple(powers), self.equation, None, index, at)

    def _index(self) -> tuple[str, ...]:
        self._take()
        labels = self._labels()
        if not self._taken("]"):
            raise self._expected("]")
        return labels

    def _function(self) -> Quantity:
        token = self._take()
        if token.text not in FUNCTIONS:
            raise ConstraintError.at(
                self.text, token.at, f"expected one of the functions {', '.join(FUNCTIONS)}, got {token.text!r}"
            )
        self._take()
        if self.ahead.sort != NAME:
            raise self._expected("the name of a matrix")
        name = self._take().text
        if not self._taken(")"):
            raise self._expected(")")
        return Quantity(name, ((name, 1),), self.equation, token.text, None, token.at)

    def _power(self) -> tuple[str, int]:
        if self.ahead.sort != NAME:
            raise self._expected("a variable of a term")
        variable = self._take().text
        if not (self._taken("^") or self._taken("**")):
            return variable, 1
        if self.ahead.sort != NUMBER or not self.ahead.text.isdigit():
            raise self._expected("a whole power")
        return variable, int(self._take().text)
