"""What a constraint says, as the grammar of ``families.constraint_text`` cuts it up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Conserved", "ConstraintError", "Quantity", "Relation", "Side", "Stable", "Statement", "Symmetric"]

SHOWN = 60  # characters of the text around a fault: a terminal's panel must not break the line


class ConstraintError(ValueError):
    """A constraint that is none, or not one of this law: the message has the text and a caret under the place."""

    @classmethod
    def at(cls, text: str, place: int, sentence: str) -> ConstraintError:
        """The sentence, and under it the text with a caret."""
        begin = max(0, min(place - SHOWN // 2, len(text) - SHOWN))
        return cls(f"{sentence}\n  {text[begin : begin + SHOWN]}\n  {' ' * (place - begin)}^")


@dataclass(frozen=True)
class Quantity:
    """Coefficients by name: of a parameter, or of a term as powers of variables.

    Attributes
    ----------
    name : str
        As it was written, without label and function.
    powers : tuple of (variable, power)
        Of a product; of a plain name, that name once.
    equation : str or None
        The label in front of it.
    function : str or None
    index : tuple of str or None
        Labels in brackets.
    at : int
        Where it begins.
    """

    name: str
    powers: tuple[tuple[str, int], ...]
    equation: str | None
    function: str | None
    index: tuple[str, ...] | None
    at: int


@dataclass(frozen=True)
class Side:
    """A linear combination of quantities, and a number."""

    parts: tuple[tuple[float, Quantity], ...]
    number: float


@dataclass(frozen=True)
class Stable:
    """Eigenvalues left of the axis by a margin, None for the usual one."""

    margin: float | None


@dataclass(frozen=True)
class Conserved:
    """The sum of all features, or of these, stays what it is."""

    labels: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class Symmetric:
    """A matrix is (anti-)symmetric."""

    quantity: Quantity
    sign: int


@dataclass(frozen=True)
class Relation:
    """Sides with signs between them."""

    sides: tuple[Side, ...]
    signs: tuple[str, ...]


Statement = Stable | Conserved | Symmetric | Relation
