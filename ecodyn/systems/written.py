"""Systems from equations written as text: right-hand side, simplest family and coefficients come from the one text.

A text has a line, or a part between semicolons, for each variable, ``x' = ...``; names that are used beside variables
are defined there too, parameters as numbers and whatever else as an expression. ``t`` is the time and ``past(x, tau)``
what x was so long ago; ``mean(...)`` is that over equal units.

>>> law = flow("spiral", "x' = -a*x - y; y' = x - a*y; a = 0.1", "any", starts=((1, 2), (0, 1)), duration=5.0)
>>> law.family, law.form.coefficients.tolist()
('linear', [[0.0, -0.1, -1.0], [0.0, 1.0, -0.1]])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT, Library
from ecodyn.systems.definitions import GIVEN, definitions_in, delays_of, in_order
from ecodyn.systems.expressions import (
    FUNCTIONS,
    Expression,
    NoPolynomialError,
    Polynomial,
    expression,
    names_in,
)
from ecodyn.systems.system import LINEAR, LOTKA_VOLTERRA, NOT_POLYNOMIAL, SINDY, Form, Parameter, System

__all__ = ["Law", "flow", "units"]

MOMENTS = 6  # means of x, x², ... that polynomials of equal units may hold: more than any degree here

Start = Callable[[np.random.Generator], Array]
Ranges = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Law:
    """A right-hand side as text, and what it is on states.

    Attributes
    ----------
    variables : tuple of str
    rates : tuple of str
        The expression of each variable's derivative.
    parameters : mapping
        What is defined by numbers alone.
    auxiliary : mapping
        What else is defined, an expression by name, each after those that it uses.
    equal : bool
        Whether the one variable stands for equal units.
    """

    variables: tuple[str, ...]
    rates: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    auxiliary: Mapping[str, str]
    equal: bool

    @classmethod
    def read(cls, text: str, equal: bool = False) -> Law:
        """A law from its text.

        Raises
        ------
        ValueError
            A part is no definition, or something is defined twice, in a circle, or used and not defined.
        """
        rates, definitions = definitions_in(text)
        parameters: dict[str, Parameter] = {}
        auxiliary: dict[str, str] = {}
        for name, value in in_order(definitions).items():
            if names_in(value) <= {*parameters, *FUNCTIONS}:
                parameters[name] = float(expression(value)(parameters))
            else:
                auxiliary[name] = value
        if not rates or (equal and len(rates) > 1):
            many = "an equation of the one variable" if equal else "an equation of each variable"
            raise ValueError(f"expected {many}, x' = ..., got {len(rates)} of them in {text.strip()!r}")
        used = set().union(*map(names_in, (*rates.values(), *auxiliary.values())))
        if unknown := used - {*rates, *parameters, *auxiliary, *GIVEN, *FUNCTIONS}:
            raise ValueError(f"expected a definition of every name, got none of {', '.join(sorted(unknown))}; add it")
        return cls(tuple(rates), tuple(rates.values()), parameters, auxiliary, equal)

    @property
    def texts(self) -> tuple[str, ...]:
        """All expressions."""
        return (*self.auxiliary.values(), *self.rates)

    @property
    def forced(self) -> bool:
        """Whether the time itself is in it."""
        return any("t" in names_in(text) for text in self.texts)

    @property
    def delays(self) -> tuple[float, ...]:
        """How long ago the states are that it asks for."""
        return delays_of(self.texts, self.parameters)

    @property
    def equation(self) -> str:
        """Its lines without the parameters' values."""
        lines = [f"{v}' = {rate}" for v, rate in zip(self.variables, self.rates, strict=True)]
        return "; ".join([*lines, *(f"{name} = {value}" for name, value in self.auxiliary.items())])

    def __call__(
        self,
        x: Array,
        t: Array | float | None = None,
        past: Callable[[float], Array] | None = None,
        **values: Parameter,
    ) -> Array:
        """ẋ at states (batch, feature)."""
        columns = {self.variables[0]: x} if self.equal else {v: x[..., k] for k, v in enumerate(self.variables)}
        known: dict[str, Any] = {**values, **columns, "t": t}
        if self.equal and t is not None and np.ndim(t):
            known["t"] = np.asarray(t)[:, None]
        if past is not None:
            column = {v: k for k, v in enumerate(self.variables)}
            known["past"] = lambda name, delay: past(delay) if self.equal else past(delay)[..., column[name]]
        rates = self._evaluated(known)
        if self.equal:
            return np.asarray(np.broadcast_to(np.asarray(rates[0], dtype=float), x.shape))
        slopes = np.empty_like(x)
        for k, rate in enumerate(rates):
            slopes[..., k] = rate
        return slopes

    def polynomials(self) -> list[Polynomial] | None:
        """Each rate as a polynomial; None where one is none, or depends on more than the state."""
        if self.forced or self.delays:
            return None
        count = 1 + MOMENTS if self.equal else len(self.variables)
        known: dict[str, Any] = {
            **self.parameters,
            **dict(zip(self.variables, Polynomial.variables(count), strict=False)),
        }
        try:
            return [Polynomial({}, count) + rate for rate in self._evaluated(known)]
        except NoPolynomialError:
            return None

    def _evaluated(self, known: dict[str, Any]) -> list[Any]:
        definitions, rates = self._compiled
        for name, value in definitions:
            known[name] = value(known)
        return [rate(known) for rate in rates]

    @cached_property
    def _compiled(self) -> tuple[list[tuple[str, Expression]], list[Expression]]:
        definitions = [(name, expression(text)) for name, text in self.auxiliary.items()]
        return definitions, [expression(text) for text in self.rates]


def flow(
    name: str,
    text: str,
    source: str,
    starts: Ranges | Start,
    duration: float,
    *,
    hidden: int = 0,
    growth: float | None = None,
    transient: float = 0.0,
    stiff: bool = False,
    unique: bool = True,
) -> System:
    """A system of variables with names; the last ``hidden`` ones are not in its data.

    Parameters
    ----------
    name, source, duration, transient, stiff, unique : as `System` has them
    text : see above
    starts : a range for each variable, in which starting values are uniform, or a function that draws them
    hidden : how many variables, from the last on, are simulated and not seen
    growth : λ₁ of a chaotic system

    Raises
    ------
    ValueError
        The text is no law, there are not as many ranges as variables, or all variables are hidden.
    """
    law = Law.read(text)
    seen = len(law.variables) - hidden
    if not 0 < seen <= len(law.variables):
        raise ValueError(
            f"{name}: expected from 0 to {len(law.variables) - 1} of the variables {', '.join(law.variables)} hidden, "
            f"got {hidden}; leave at least one to be seen"
        )
    if not callable(starts) and len(starts) != len(law.variables):
        raise ValueError(
            f"{name}: expected a range of starting values for each of {', '.join(law.variables)}, got {len(starts)}; "
            "give as many, in this order"
        )
    family, form = (NOT_POLYNOMIAL, None) if hidden else _in_its_family(law, FULL, law.variables)
    return System(
        name=name,
        equation=law.equation,
        source=source,
        family=family,
        coupling=FULL,
        features=law.variables[:seen],
        right_hand_side=law,
        parameters=law.parameters,
        start=starts if callable(starts) else _uniform(starts),
        duration=duration,
        form=form,
        labels_shared=True,
        lyapunov_time=None if growth is None else 1 / growth,
        transient=transient,
        unique=unique,
        hidden=law.variables[seen:],
        delays=law.delays,
        forced=law.forced,
        stiff=stiff,
    )


def units(
    name: str,
    text: str,
    source: str,
    size: int,
    start: tuple[float, float] | Start,
    duration: float,
    *,
    unique: bool = True,
) -> System:
    """Equal units without names, that see one another through means if at all; see `flow` for the parameters."""
    law = Law.read(text, equal=True)
    features = tuple(range(1, size + 1))
    coupling = EXCHANGEABLE if any("mean" in names_in(text) for text in law.texts) else INDEPENDENT
    family, form = _in_its_family(law, coupling, features)
    return System(
        name=name,
        equation=law.equation,
        source=source,
        family=family,
        coupling=coupling,
        features=features,
        right_hand_side=law,
        parameters=law.parameters,
        start=start if callable(start) else _uniform([start] * size),
        duration=duration,
        form=form,
        unique=unique,
        delays=law.delays,
        forced=law.forced,
    )


def _uniform(ranges: Ranges) -> Start:
    lowest, highest = np.array(ranges, dtype=float).T
    return lambda rng: rng.uniform(lowest, highest)


def _in_its_family(law: Law, coupling: str, features: Sequence[str | int]) -> tuple[str, Form | None]:
    """The simplest family that holds a law, and its form there."""
    polynomials = law.polynomials()
    if polynomials is None:
        return NOT_POLYNOMIAL, None
    family, degree = _simplest(polynomials, coupling)
    rows = np.zeros((len(polynomials), 0))
    library = Form(family, coupling, rows, degree).library(features)
    coefficients = np.zeros((len(polynomials), len(library)))
    for i, polynomial in enumerate(polynomials):
        position = {_powers(library, k, i, polynomial.size): k for k in range(len(library))}
        for powers, value in polynomial.terms.items():
            coefficients[i, position[powers]] = value
    return family, Form(family, coupling, coefficients, degree)


def _simplest(polynomials: list[Polynomial], coupling: str) -> tuple[str, int | None]:
    """The family, and the degree that SINDy's library must have where its default does not do."""
    own = [(i, powers) for i, polynomial in enumerate(polynomials) for powers in polynomial.terms]
    weights = np.ones(polynomials[0].size, dtype=int) if coupling == FULL else np.maximum(1, np.arange(1 + MOMENTS))
    degrees = [int(np.array(powers) @ weights) for _, powers in own]  # the mean of xᵏ counts as k
    degree = max(degrees, default=0)  # of a state that stands still there are no terms
    if degree <= 1:
        return LINEAR, None
    if degree <= 2 and all(powers[i] and (coupling == FULL or not powers[2]) for i, powers in own):
        return LOTKA_VOLTERRA, None
    return SINDY, None if degree <= (2 if coupling == FULL else 3) else degree


def _powers(library: Library, term: int, feature: int, size: int) -> tuple[int, ...]:
    """A term of a library as powers of a law's variables."""
    own, environment = library.terms[term]
    powers = list(library.environment[environment])
    if library.coupling == FULL:
        powers[feature] += library.own[own][0]
        return tuple(powers)
    powers = [library.own[own][0], *powers]
    return tuple(powers + [0] * (size - len(powers)))
