"""Candidate terms under a coupling: the right-hand sides that are linear in their coefficients.

Every term is an *own* monomial times an *environment* monomial. The own monomial is a product of powers of the
feature's own channels; the environment monomial is a product of powers of what the feature sees of the others:

===============  ===========================================================================
coupling         environment variables z
===============  ===========================================================================
independent      none
exchangeable     moments m_q = mean over features of a monomial in the channels, e.g. m₂ = mean(x²)
full             the channels of every feature, by name, and functions of them if the library has any
any              inputs u(t), known as functions of time
===============  ===========================================================================

so that ẋᵢ = Σₜ θᵢₜ own_t(xᵢ) env_t(z(x)), and the Jacobian is a diagonal plus a matrix of rank len(z):
∂fᵢ/∂xⱼ = δᵢⱼ Σₜ θᵢₜ own'ₜ envₜ + Σᵥ (∂fᵢ/∂zᵥ)(∂zᵥ/∂xⱼ). Evaluation, exact Jacobians, printing and scaling are all
read off that one representation. A state of which several channels are fitted (``ecodyn.trajectories.state``)
has an equation for each over the same terms: coefficients are rows (equation × group), equations outermost, where
group is one for coefficients that features share and one a feature for those of their own.

Under the couplings other than full, functions of a feature's own channels and of z are further own variables, and means
may be of functions of the own channels (``ecodyn.equations.own_functions``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.functions import Function, with_functions
from ecodyn.equations.kinematics import Kinematic
from ecodyn.equations.library_variables import (
    COUPLINGS,
    DIGITS,
    EXCHANGEABLE,
    FULL,
    INDEPENDENT,
    LibraryVariables,
)
from ecodyn.equations.monomials import Monomials, Powers
from ecodyn.equations.names import product_name
from ecodyn.trajectories.labels import Label

if TYPE_CHECKING:
    import sympy

__all__ = ["COUPLINGS", "DIGITS", "EXCHANGEABLE", "FULL", "INDEPENDENT", "MEMORY_SHARE", "Library"]

MEMORY_SHARE = 0.5  # of the machine's memory that one library's candidate matrix may take


@dataclass(frozen=True, kw_only=True)
class Library(LibraryVariables, Kinematic):
    """Terms of one right-hand side.

    Parameters
    ----------
    coupling : "independent", "exchangeable" or "full"
    channels : names of the state's channels, the signal first
    features : labels of the features; only ``full`` prints them
    own : tuple of powers, one an own monomial, each with one exponent a channel
    moments : for ``exchangeable``: the channel powers inside each mean
    environment : tuple of powers, one an environment monomial, each with one exponent an environment variable
    terms : tuple of (own index, environment index), in the order of the coefficients
    functions : for ``full``: functions of the environment variables, which are further ones; else of the own channels
        and the environment variables, which are further own ones
    inner : for ``exchangeable``: functions of the own channels that means are taken of, further channels of moments
    inputs : names of known functions of time, under any coupling: the last of the environment variables
    """

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def all_fitted(self) -> bool:
        """Whether every channel has an equation of its own: no traits, no velocity and no delayed signal."""
        return self.fitted == tuple(range(len(self.channels)))

    def groups(self, rows: int) -> int:
        """How many of so many rows of coefficients an equation has: 1, or one a feature."""
        return rows // len(self.fitted)

    @cached_property
    def own_index(self) -> NDArray[np.intp]:
        """Own monomial of each term."""
        return np.array([o for o, _ in self.terms], dtype=np.intp)

    @cached_property
    def environment_index(self) -> NDArray[np.intp]:
        """Environment monomial of each term."""
        return np.array([e for _, e in self.terms], dtype=np.intp)

    @cached_property
    def own_monomials(self) -> Monomials:
        """Of the feature's own variables: its channels, and functions."""
        return Monomials.of(self.own, len(self.channels) + len(self.own_functions))

    @cached_property
    def moment_monomials(self) -> Monomials:
        """Whose means over features are the environment variables of ``exchangeable``."""
        return Monomials.of(self.moments, len(self.channels) + len(self.inner))

    @cached_property
    def environment_monomials(self) -> Monomials:
        """Of the environment variables."""
        return Monomials.of(self.environment, self.n_variables)

    @cached_property
    def per_feature_terms(self) -> bool:
        """Whether the terms' values depend on the feature (not so where all own monomials are 1)."""
        return any(any(self.own[o]) for o, _ in self.terms)

    def variables(self, x: Array) -> Array:
        """Environment variables z, (..., V), of states (..., feature, channel); without the inputs."""
        if self.coupling == EXCHANGEABLE:
            return np.asarray(self.moment_monomials(self.mean_variables(x)).sum(axis=-2) / x.shape[-2])
        if self.coupling == FULL:
            z = x.reshape(*x.shape[:-2], -1)
            return with_functions(z, self.functions)
        return np.zeros((*x.shape[:-2], 0))

    def values(self, x: Array, z: Array | None = None) -> Array:
        """Candidate terms Φ, (..., feature, term), at states (..., feature, channel).

        Where ``per_feature_terms`` is false, the feature axis has length 1. ``z`` replaces the environment
        variables (a clock's drive), and is needed where there are inputs.
        """
        z = self.variables(x) if z is None else z
        environment = self.environment_monomials(z)[..., None, self.environment_index]
        if not self.per_feature_terms:
            return np.asarray(environment)
        return np.asarray(self.own_monomials(self.own_variables(x, z))[..., self.own_index] * environment)

    def rescale(self, coefficients: Array, scales: Array, time_scale: float = 1.0) -> Array:
        """Coefficients in original units from those of channels divided by ``scales`` and time by ``time_scale``.

        ``scales`` are (channel,), or (feature, channel) where each feature has coefficients, and a unit, of its own.
        """
        if any(isinstance(function, Function) for function in self.functions):
            raise ValueError("expected a library of monomials: functions have no unit to be scaled by")
        if scales.ndim > 1:
            units = scales[:, list(self.fitted)].T[..., None] / time_scale / self._own_units(scales)
            return np.asarray(coefficients * units.reshape(coefficients.shape))
        terms = np.prod(scales**self.units, axis=1)
        factor = scales[list(self.fitted), None] / time_scale / terms
        return np.asarray(coefficients * np.repeat(factor, self.groups(len(coefficients)), axis=0))

    def _own_units(self, scales: Array) -> Array:
        """Unit of each term in each feature's equation, (feature, term), for scales (feature, channel)."""
        if self.coupling == EXCHANGEABLE:
            raise ValueError(
                "expected one scale a channel for an exchangeable library: its means are over all features"
            )
        own = np.array([self.own[o] for o, _ in self.terms])
        environment = np.array([self.environment[e][: self.n_seen] for _, e in self.terms])
        others = np.prod(scales.ravel() ** environment, axis=1) if self.coupling == FULL else 1.0
        return np.asarray(np.prod(scales[:, None, :] ** own, axis=2) * others)

    def interaction_terms(self) -> NDArray[np.intp] | None:
        """Where a full library has the terms of lowest degree in each feature's signal alone; None if it lacks one."""
        if self.coupling != FULL:
            return None
        channels, count = len(self.channels), len(self.features) * len(self.channels)
        term_of: dict[Powers, int] = {}
        for k, (_, e) in enumerate(self.terms):
            term_of.setdefault(self.environment[e], k)
        signals = [tuple(int(v == j) for v in range(self.n_variables)) for j in range(0, count, channels)]
        if any(signal not in term_of for signal in signals):
            return None
        return np.array([term_of[signal] for signal in signals], dtype=np.intp)

    @cached_property
    def affine_growth(self) -> bool:
        """Whether ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ): in every term the own signal once, times 1 or one feature's signal."""
        return (
            self.coupling == FULL
            and len(self.channels) == 1
            and not self.functions
            and not self.inputs
            and all(self.own[o] == (1,) and sum(self.environment[e]) <= 1 for o, e in self.terms)
        )

    def subset(self, keep: Sequence[int] | NDArray[np.intp]) -> Library:
        """The library with only these terms, and only the monomials that they use."""
        terms = [self.terms[int(k)] for k in keep]
        used_own = sorted({o for o, _ in terms})
        used_environment = sorted({e for _, e in terms})
        return replace(
            self,
            own=tuple(self.own[o] for o in used_own),
            environment=tuple(self.environment[e] for e in used_environment),
            terms=tuple((used_own.index(o), used_environment.index(e)) for o, e in terms),
        )

    def nbytes(self, samples: int) -> int:
        """Memory that the candidate matrix takes for so many (run, step) samples."""
        return 8 * samples * len(self) * (len(self.features) if self.per_feature_terms else 1)

    def expressions(self, feature: Label | None = None) -> list[sympy.Expr]:
        """Each term as a sympy expression, for a shared law or for one feature of a full one."""
        import sympy

        own, environment = self.symbols(feature)

        def product(symbols: list[sympy.Symbol], powers: Powers) -> sympy.Expr:
            return sympy.Mul(*(s**p for s, p in zip(symbols, powers, strict=False) if p))

        of_own, of_environment = (
            [product(own, p) for p in self.own],
            [product(environment, p) for p in self.environment],
        )
        return [of_own[o] * of_environment[e] for o, e in self.terms]

    def names(self, feature: Label | None = None, digits: int = DIGITS) -> list[str]:
        """Each term as text, ``x*mean_x``, or ``x_hare*mean_x`` of one feature; functions to so many digits."""
        own = self._own_names("" if feature is None else f"_{feature}", digits)
        z = self._named(digits) if self.functions else self._variable_names
        return [
            product_name([*zip(own, self.own[o], strict=False), *zip(z, self.environment[e], strict=False)])
            for o, e in self.terms
        ]

    def monomial(self, term: int, feature: int) -> str:
        """A term of a full library in one feature's equation, as a product of all features' variables."""
        o, e = self.terms[term]
        powers = np.array(self.environment[e])
        powers[feature * len(self.channels) :][: len(self.channels)] += self.own[o]
        return product_name(zip(self._variable_names, powers.tolist(), strict=True))
