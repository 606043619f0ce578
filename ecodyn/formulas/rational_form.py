"""Rational laws P(x)/Q(x) of a library's terms as formulas with parameters."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.estimation import Samples
from ecodyn.estimation.implicit_selection import RationalLaw
from ecodyn.formulas.grammar import parse
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.transforms import Coordinates

__all__ = ["RationalForm"]

TOP, BOTTOM = "p", "q"  # before a term's number: its coefficient in the numerator, the denominator


@dataclass(frozen=True, eq=False)
class RationalForm:
    """ẋ = Σ p φ / (1 + Σ q φ) with a coefficient for each term of two libraries; the denominator's first term is 1.

    Attributes
    ----------
    numerator, denominator : Library
    samples : Samples
        In whose units coefficients are searched for.
    taken : names that no parameter may have

    Examples
    --------
    >>> from ecodyn.equations.forms import polynomial_library
    >>> from ecodyn.trajectories import as_trajectories
    >>> library = polynomial_library("independent", ["signal"], [1], degree=1)
    >>> form = RationalForm(library, library, Samples.of(as_trajectories(np.arange(1.0, 6.0)[:, None])))
    >>> form.formula(np.array([False, True, True]))
    'p1*x/(1 + q1*x)'
    """

    numerator: Library
    denominator: Library
    samples: Samples
    taken: tuple[str, ...] = ()

    @cached_property
    def names(self) -> list[str]:
        """Of the parameters: those of the numerator, then those of the denominator but its first term."""
        names = [f"{TOP}{i}" for i in range(len(self.numerator))]
        names += [f"{BOTTOM}{i}" for i in range(1, len(self.denominator))]
        return [_free(name, self.taken) for name in names]

    @cached_property
    def units(self) -> Array:
        """What each parameter in the samples' units is multiplied by to be in those of the data."""
        signal = float(self.samples.scales[0]) / self.samples.time_scale
        top = signal / np.prod(self.samples.scales**self.numerator.units, axis=1)
        return np.concatenate([top, 1.0 / np.prod(self.samples.scales**self.denominator.units, axis=1)[1:]])

    def law(self, kept: Bools) -> FormulaLaw:
        """The formula with the parameters that are kept, whose coordinates are these in the samples' units."""
        statement = Statement(parse(self.formula(kept)), self.numerator.channels)
        place = {name: i for i, name in enumerate(self.names)}
        units = tuple(float(self.units[place[name]]) for name in statement.parameters)  # in the order of ``names``
        coordinates = Coordinates(((-np.inf, np.inf),) * len(units), units)
        scales = tuple(self.samples.scales.ravel().tolist())
        return FormulaLaw(statement, (), coordinates, scales, self.samples.time_scale)

    def start(self, law: RationalLaw) -> Array | None:
        """Parameters (parameter,) of a selected law; None if its denominator has no constant."""
        one = law.denominator[0]
        if one == 0:
            return None
        return np.asarray(np.concatenate([law.numerator, law.denominator[1:]]) / one)

    def selected(self, parameters: Array) -> RationalLaw:
        """The law of parameters (parameter,)."""
        top = len(self.numerator)
        return RationalLaw(parameters[:top], np.concatenate([[1.0], parameters[top:]]), top)

    def formula(self, kept: Bools) -> str:
        """Its text with the parameters that are kept."""
        top = len(self.numerator)
        above = [self._term(self.numerator, i, self.names[i]) for i in np.flatnonzero(kept[:top]).tolist()]
        below = [self._term(self.denominator, i + 1, self.names[top + i]) for i in np.flatnonzero(kept[top:]).tolist()]
        if not below:
            return " + ".join(above)
        over = above[0] if len(above) == 1 else f"({' + '.join(above)})"
        return f"{over}/(1 + {' + '.join(below)})"

    @staticmethod
    def _term(library: Library, term: int, name: str) -> str:
        """A term with its coefficient: p5*x**2*mean(x)."""
        own, environment = library.terms[term]
        powers = [("x", library.own[own][0])]
        for moment, power in zip(library.moments, library.environment[environment], strict=True):
            powers.append((f"mean({_power('x', moment[0])})", power))
        return "*".join([name, *(_power(factor, power) for factor, power in powers if power)])


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}**{power}"
