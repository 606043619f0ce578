"""What a library's terms are products of: a feature's own variables and those of its environment, by position and name.

Functions of one's own are among them: see ``ecodyn.equations.own_functions``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.monomials import Powers
from ecodyn.equations.names import letter_of, moment_name, product_name
from ecodyn.equations.own_functions import OwnFunction, with_values
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import sympy

__all__ = ["COUPLINGS", "DIGITS", "EXCHANGEABLE", "FULL", "INDEPENDENT", "LibraryVariables"]

INDEPENDENT, EXCHANGEABLE, FULL = "independent", "exchangeable", "full"
COUPLINGS = (INDEPENDENT, EXCHANGEABLE, FULL)

DIGITS = 4  # of a function's parameter in a name


@dataclass(frozen=True, kw_only=True)
class LibraryVariables:
    """The part of ``ecodyn.equations.library.Library`` that says what its terms are products of; see there."""

    coupling: str
    channels: tuple[str, ...]
    features: tuple[Label, ...]
    own: tuple[Powers, ...]
    moments: tuple[Powers, ...]
    environment: tuple[Powers, ...]
    terms: tuple[tuple[int, int], ...]
    functions: tuple[OwnFunction, ...] = ()
    inner: tuple[OwnFunction, ...] = ()
    inputs: tuple[str, ...] = ()

    @property
    def n_variables(self) -> int:
        """Number of environment variables."""
        return self.n_seen + len(self.inputs)

    @property
    def n_seen(self) -> int:
        """Number of those that the state tells, without inputs."""
        if self.coupling == EXCHANGEABLE:
            return len(self.moments)
        return len(self.features) * len(self.channels) + len(self.functions) if self.coupling == FULL else 0

    @property
    def own_functions(self) -> tuple[OwnFunction, ...]:
        """Functions that are further own variables: of all couplings but full."""
        return () if self.coupling == FULL else self.functions

    def own_variables(self, x: Array, z: Array) -> Array:
        """The feature's own variables, (..., feature, variable), of states (..., feature, channel) and z (..., V)."""
        return with_values(x, z, self.own_functions)

    def mean_variables(self, x: Array) -> Array:
        """What moments are of, (..., feature, variable): the channels, and functions of them."""
        return with_values(x, x[..., 0, :0], self.inner)

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """Degree of each term in each channel, (term, channel); a function's is two, since it is not linear."""
        return self._exponents(2)

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Exponent of each channel's unit in each term, (term, channel): functions are in the data's own units."""
        return self._exponents(0)

    def _exponents(self, of_functions: int) -> NDArray[np.int64]:
        """Exponents of each channel in each term, (term, channel), where functions count for so many."""
        channels = len(self.channels)
        units = np.eye(channels, dtype=int)
        first = of_functions * units[:1]  # an own function counts for the signal
        if self.coupling == EXCHANGEABLE:
            inside = np.array(self.moments, dtype=int).reshape(-1, channels + len(self.inner))
            variables = inside @ np.concatenate([units, *[first] * len(self.inner)])
        else:
            functions = self.functions if self.coupling == FULL else ()
            each = [of_functions * units[f.variables[0] % channels] for f in functions]
            variables = np.array([*np.tile(units, (len(self.features), 1)), *each])
        own = np.concatenate([units, *[first] * len(self.own_functions)])
        degrees = [
            np.array(self.own[o]) @ own
            + (np.array(self.environment[e][: self.n_seen], dtype=int) @ variables[: self.n_seen])
            for o, e in self.terms
        ]
        return np.array(degrees, dtype=np.int64).reshape(len(self.terms), channels)

    def in_units(self, scales: Array) -> Self:
        """The library of channels divided by ``scales`` (channel,), whose functions keep the values they have."""
        if not self.functions and not self.inner:
            return self
        if self.coupling == FULL:
            own, z = scales[:0], np.tile(scales, len(self.features))
        else:
            powers = np.array([row[: len(scales)] for row in self.moments], dtype=int).reshape(-1, len(scales))
            own, z = scales, np.prod(scales**powers, axis=1)
        variables = 1.0 / np.concatenate([own, z])
        return replace(
            self,
            functions=tuple(f.in_units(variables)[0] for f in self.functions),
            inner=tuple(f.in_units(1.0 / scales)[0] for f in self.inner),
        )

    # ------------------------------------------------------------------ names

    def symbols(self, feature: Label | None = None) -> tuple[list[sympy.Symbol], list[sympy.Expr]]:
        """Symbols of the own channels and of the environment variables, expressions where these are functions."""
        import sympy

        suffix = "" if feature is None else f"_{feature}"
        own = [sympy.Symbol(letter_of(c) + suffix) for c in self.channels]
        variables = [sympy.Symbol(name) for name in self._variable_names]
        if self.coupling != FULL:
            return [*own, *(f.expression([*own, *variables]) for f in self.functions)], variables
        plain, inputs = variables[: self.n_seen - len(self.functions)], variables[self.n_seen :]
        return own, [*plain, *(f.expression(plain) for f in self.functions), *inputs]

    @cached_property
    def _variable_names(self) -> list[str]:
        return self._named(DIGITS)

    def _named(self, digits: int) -> list[str]:
        """Names of the environment variables, parameters of functions to so many digits."""
        if self.coupling == EXCHANGEABLE:
            return [*(self._moment_name(powers, digits) for powers in self.moments), *self.inputs]
        if self.coupling == FULL:
            names = [f"{letter_of(c)}_{f}" for f in self.features for c in self.channels]
            return [*names, *(f.name(names, digits) for f in self.functions), *self.inputs]
        return list(self.inputs)

    def _moment_name(self, powers: Powers, digits: int) -> str:
        """``mean_x2``, or ``mean(sin(x))`` of a function."""
        channels = len(self.channels)
        if not any(powers[channels:]):
            return moment_name(self.channels, powers[:channels])
        letters = [letter_of(c) for c in self.channels]
        names = [*letters, *(f.name(letters, digits) for f in self.inner)]
        return f"mean({product_name(zip(names, powers, strict=True))})"

    @property
    def names_of_functions(self) -> list[str]:
        """Of the functions, as text."""
        if self.coupling == FULL:
            return self._variable_names[self.n_seen - len(self.functions) : self.n_seen]
        inner = [n for n, powers in zip(self._variable_names, self.moments, strict=False) if "(" in n and any(powers)]
        return [*self._own_names("", DIGITS)[len(self.channels) :], *inner]

    def _own_names(self, suffix: str, digits: int) -> list[str]:
        """Names of the own channels, and of functions of them."""
        own = [letter_of(c) + suffix for c in self.channels]
        if not self.own_functions:
            return own
        return [*own, *(f.name([*own, *self._named(digits)], digits) for f in self.own_functions)]
