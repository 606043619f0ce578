"""A law's equations as plain text: in full to be printed, cut to a glance for its repr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import DIGITS, FULL, Library
from ecodyn.equations.names import letter_of
from ecodyn.families.printing import GLANCE, check_precision

__all__ = ["LawText", "Place", "change_over"]

MOST_TERMS = 10  # in a repr, all its equations together: two lines of a terminal
MOST_EQUATIONS = 3  # in a repr

Place = tuple[int, int, Any]


@dataclass(frozen=True)
class LawText:
    """Equations with these coefficients (equation × group, term) as text.

    ``places`` are channel, group and feature (None for all) of each; ``step`` is a map's h.
    """

    library: Library
    coefficients: Array
    step: float | None
    places: Sequence[Place]

    def lines(self, precision: int) -> list[str]:
        """``(x)' = 0.2*x - 0.1*x**2``, a line for each equation, coefficients to so many significant digits."""
        check_precision(precision)
        return [self._line(place, precision, None) for place in self.places]

    def glance(self) -> str:
        """The equations in a line or two, what is left out counted."""
        shown = self.places[:MOST_EQUATIONS]
        text = "; ".join(self._line(place, GLANCE, MOST_TERMS // len(shown)) for place in shown)
        further = len(self.places) - len(shown)
        return text + (f"; and {further} more equations" if further else "")

    def _line(self, place: Place, precision: int, most: int | None) -> str:
        (channel, group, feature), library = place, self.library
        suffix = "" if feature is None else f"_{feature}"
        left = self._left(letter_of(library.channels[channel]) + suffix)
        if channel not in library.fitted and library.velocity is not None:
            return f"{left} = {letter_of(library.channels[library.velocity])}{suffix}"
        row = self.coefficients[library.fitted.index(channel) * library.groups(len(self.coefficients)) + group]
        kept, names = np.flatnonzero(row), self._names(group, feature, precision)
        text = ""
        for term in kept[:most].tolist():
            size = f"{abs(row[term]):.{precision}g}"
            if names[term] != "1":  # a reciprocal, 1/(2 + x), is divided by
                size += names[term][1:] if names[term].startswith("1/(") else f"*{names[term]}"
            sign = "-" if row[term] < 0 else "+"
            text += f" {sign} {size}" if text else size if sign == "+" else f"-{size}"
        further = len(kept) - len(kept[:most])
        return f"{left} = {text or '0'}" + (f" + … ({further} more terms)" if further else "")

    def _left(self, name: str) -> str:
        if self.step is None:
            return f"({name})'"
        change = change_over(name, self.step)
        return change if self.step == 1 else f"({change})/{self.step:g}"

    def _names(self, group: int, feature: Any, precision: int) -> list[str]:
        if self.library.coupling == FULL and self.library.per_feature_terms:
            return [self.library.monomial(term, group) for term in range(len(self.library))]
        return self.library.names(feature, max(precision, DIGITS))


def change_over(name: str, step: float) -> str:
    """What a map's equation begins with: x(t + h) - x(t)."""
    return f"{name}(t + {step:g}) - {name}(t)"
