"""What the names in a constraint stand for: rows of numbers on a law's coefficients, in the data's units."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.equations.library import FULL, INDEPENDENT, Library
from ecodyn.families.constraint_parts import ConstraintError, Quantity

__all__ = ["Coefficients", "Forms"]

MOST_NAMED = 12  # names in a sentence


@dataclass(frozen=True, eq=False)
class Forms:
    """Linear forms of coefficients, (form, coefficient), and what each is called."""

    names: tuple[str, ...]
    matrix: Array

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, which: Sequence[int] | Integers) -> Forms:
        chosen = [int(k) for k in which]
        return Forms(tuple(self.names[k] for k in chosen), self.matrix[chosen])


@dataclass(frozen=True, eq=False)
class Coefficients:
    """A law's coefficients (row, term), and how they are named.

    Attributes
    ----------
    library : Library
    groups : int
        Rows an equation: 1, or one a feature.
    parameters : mapping of str to int
        Names that a family has for the coefficients of a term, by its position: {"a": 1}.
    matrix : str
        What a full law's matrix of interactions is called, "" where there is none.
    """

    library: Library
    groups: int
    parameters: Mapping[str, int]
    matrix: str = ""

    @property
    def rows(self) -> int:
        """Of coefficients."""
        return self.groups * len(self.library.fitted)

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.rows * len(self.library)

    @cached_property
    def labels(self) -> list[str]:
        """Of the features, as text."""
        return [str(label) for label in self.library.features]

    @cached_property
    def _channels(self) -> list[str]:
        return [self.library.channels[c] for c in self.library.fitted]

    def form(self, row: int, term: int) -> Array:
        """One coefficient, as a row of zeros and a one."""
        unit = np.zeros(self.size)
        unit[row * len(self.library) + term] = 1.0
        return unit

    def _row_name(self, row: int) -> str:
        """The label that tells a row from the others, "" where there is one."""
        equation, group = divmod(row, self.groups)
        channel = "" if equation == 0 else f"{self._channels[equation]}: "
        return channel + ("" if self.groups == 1 else f"{self.labels[group]}: ")

    @cached_property
    def _terms(self) -> dict[tuple[tuple[str, int], ...], list[tuple[int, int]]]:
        """Coefficients (row, term) of each monomial, by its variables and powers."""
        found: dict[tuple[tuple[str, int], ...], list[tuple[int, int]]] = {}
        for row in range(self.rows):
            for term in range(len(self.library)):
                found.setdefault(_powers_of(self.term_name(row, term)), []).append((row, term))
        return found

    def term_name(self, row: int, term: int) -> str:
        """A term as it is printed in a row's equation."""
        library = self.library
        if library.coupling == FULL and library.per_feature_terms:
            return library.monomial(term, row % self.groups)
        return self._names[term]

    @cached_property
    def _names(self) -> list[str]:
        return self.library.names()

    def forms(self, quantity: Quantity, text: str) -> Forms:
        """What a quantity of a constraint is.

        Raises
        ------
        ConstraintError
            There is no such coefficient; the message lists those there are.
        """
        if quantity.function is not None:
            return self._function(quantity, text)
        if quantity.name == self.matrix and self.matrix:
            entries = self.entries()
            return entries if quantity.index is None else entries[[self._entry(quantity, text)]]
        if quantity.name in self.parameters:
            term = self.parameters[quantity.name]
            found = self._of_places([(row, term) for row in range(self.rows)], quantity, text, called=True)
            return found if quantity.index is None else found[[self._label(quantity.index, quantity, text)]]
        if quantity.index is not None:
            raise self._unknown(quantity, text)
        places = self._terms.get(_powers_of(quantity.name))
        if places is None:
            raise self._unknown(quantity, text)
        return self._of_places(places, quantity, text)

    def entries(self) -> Forms:
        """A full law's matrix, row by row."""
        columns = self.library.interaction_terms()
        assert columns is not None  # families that name a matrix have one
        features = range(len(self.labels))
        places = [(i, j) for i in features for j in features]
        names = tuple(f"{self.matrix}[{self.labels[i]},{self.labels[j]}]" for i, j in places)
        return Forms(names, np.stack([self.form(i, int(columns[j])) for i, j in places]))

    def _of_places(self, places: list[tuple[int, int]], quantity: Quantity, text: str, called: bool = False) -> Forms:
        """Coefficients (row, term), in the equation that is named or in all; ``called`` by a parameter's name."""
        if quantity.equation is not None:
            places = [(row, term) for row, term in places if self._is_of(row, quantity.equation)]
            if not places:
                raise self._unknown_equation(quantity, text)
        name, several = quantity.name, called and self.groups > 1
        names = [
            f"{name}[{self.labels[row % self.groups]}]" if several else (self._row_name(row) + name)
            for row, _ in places
        ]
        return Forms(tuple(names), np.stack([self.form(*place) for place in places]))

    def _is_of(self, row: int, equation: str) -> bool:
        number, group = divmod(row, self.groups)
        return equation == self._channels[number] or (self.groups > 1 and equation == self.labels[group])

    def _function(self, quantity: Quantity, text: str) -> Forms:
        if quantity.name != self.matrix or not self.matrix:
            raise self._unknown(quantity, text)
        entries, size = self.entries(), len(self.labels)
        square = np.arange(size * size).reshape(size, size)
        if quantity.function == "diagonal":
            return entries[np.diagonal(square)]
        if quantity.function == "offdiagonal":
            return entries[square[~np.eye(size, dtype=bool)]]
        matrix = entries.matrix.reshape(size, size, -1)
        if quantity.function == "trace":
            return Forms((f"trace({self.matrix})",), np.einsum("iip->p", matrix)[None])
        axis = 1 if quantity.function == "rows" else 0
        names = tuple(f"{quantity.function}({self.matrix})[{label}]" for label in self.labels)
        return Forms(names, matrix.sum(axis=axis))

    def _entry(self, quantity: Quantity, text: str) -> int:
        index = quantity.index or ()
        if len(index) != 2:
            raise ConstraintError.at(
                text, quantity.at, f"expected {self.matrix}[i,j] with the labels of two features, got {len(index)}"
            )
        return self._label(index[:1], quantity, text) * len(self.labels) + self._label(index[1:], quantity, text)

    def _label(self, index: tuple[str, ...], quantity: Quantity, text: str) -> int:
        if len(index) != 1 or index[0] not in self.labels or self.groups == 1:
            labels = listed(self.labels) if self.groups > 1 else "none, since features share coefficients"
            raise ConstraintError.at(
                text, quantity.at, f"expected one of the labels {labels}, got {', '.join(index)!r}"
            )
        return self.labels.index(index[0])

    def _unknown(self, quantity: Quantity, text: str) -> ConstraintError:
        """That there is no such name, and which there are."""
        known = [*([self.matrix] if self.matrix else []), *self.parameters]
        terms = list(dict.fromkeys(_text_of(powers) for powers in self._terms))
        close = difflib.get_close_matches(quantity.name, [*known, *terms], n=1)
        meant = f" (did you mean {close[0]}?)" if close else ""
        names = f"the coefficients {', '.join(known)} or " if known else ""
        also = "" if quantity.function is None or self.matrix else f"; {quantity.function}(...) is of a full law's A"
        return ConstraintError.at(
            text, quantity.at, f"expected {names}a term, {listed(terms)}, got {quantity.name!r}{meant}{also}"
        )

    def _unknown_equation(self, quantity: Quantity, text: str) -> ConstraintError:
        labels = [*self._channels, *(self.labels if self.groups > 1 else [])]
        return ConstraintError.at(
            text, quantity.at, f"expected an equation of {listed(labels)} that has the term, got {quantity.equation!r}"
        )

    def conserved(self, labels: tuple[str, ...], text: str, at: int) -> Forms:
        """What has to vanish so that the features' sum, or that of some, has no derivative."""
        library = self.library
        if len(library.fitted) > 1 or library.velocity is not None:
            raise ConstraintError.at(text, at, f"expected the state signal for a conserved sum, got {library.channels}")
        if library.coupling == INDEPENDENT:
            raise ConstraintError.at(
                text, at, "expected features that see one another for a conserved sum, got the coupling independent"
            )
        if labels and self.groups == 1:
            raise ConstraintError.at(text, at, "expected a full law for the sum of some features; leave 'of ...' out")
        rows = [self._label((label,), Quantity("sum", (), None, None, None, at), text) for label in labels]
        sums: dict[tuple[tuple[str, int], ...], Array] = {}
        for row in rows or range(self.rows):
            for term in range(len(library)):
                powers = self._summed(row, term)
                sums[powers] = sums.get(powers, 0.0) + self.form(row, term)
        return Forms(tuple(f"sum of {_text_of(p)}" for p in sums), np.stack([*sums.values()]))

    def _summed(self, row: int, term: int) -> tuple[tuple[str, int], ...]:
        """A term of the sum over features: of laws that these share, own powers become means."""
        if self.groups > 1:
            return _powers_of(self.term_name(row, term))
        own, environment = self.library.terms[term]
        seen = self.library.n_seen
        counts = dict(zip(self.library.moments, self.library.environment[environment][:seen], strict=True))
        known = zip(self.library.inputs, self.library.environment[environment][seen:], strict=True)
        powers = self.library.own[own]
        counts[powers] = counts.get(powers, 0) + 1
        named = [(f"mean of {'·'.join(map(str, m))}", p) for m, p in counts.items() if p and any(m)]
        return tuple(sorted([*named, *((name, p) for name, p in known if p)]))


def listed(names: Sequence[str]) -> str:
    """Names with commas between, the first dozen of many."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _powers_of(name: str) -> tuple[tuple[str, int], ...]:
    """A term's variables and powers, sorted; () of 1."""
    powers: dict[str, int] = {}
    for factor in name.replace("**", "^").split("*"):
        variable, _, power = factor.partition("^")
        if variable != "1":
            powers[variable] = powers.get(variable, 0) + int(power or 1)
    return tuple(sorted(powers.items()))


def _text_of(powers: tuple[tuple[str, int], ...]) -> str:
    return "*".join(v if p == 1 else f"{v}**{p}" for v, p in powers) or "1"
