"""Columns of the weak form's regression: monomials, and functions times monomials, at all parameters of a grid."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.function_groups import Group, same
from ecodyn.comparison.automatic.monomials import BESIDE, OWN_DEGREE, Terms
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.weak_form import operator
from ecodyn.equations.functions import Function
from ecodyn.estimation.term_costs import term_costs

__all__ = ["FLOOR", "SHARED", "Columns", "Term"]

FLOOR = 1e-16  # of a target's square: under it trapezoids and the data's rounding are what is fitted
ORDER = 10  # of differences that tell noise from movement
MEDIAN_SQUARE = 0.4549  # of a standard normal number
SHARED = 2.0  # less that a term costs which is in another equation: what one feature loses, another one often gains
PER_POWER = 0.25  # what each power of one feature costs: where data can't tell, a product is likelier than a square


@dataclass(frozen=True)
class Term:
    """A monomial, times powers of functions."""

    monomial: int
    functions: tuple[Function, ...] = ()


@dataclass(frozen=True, eq=False)
class Columns:
    """The weak form of all equations over windows of one length.

    Attributes
    ----------
    problem : Problem
    degree : of the monomials
    span : samples in a window
    """

    problem: Problem
    degree: int
    span: int

    @cached_property
    def states(self) -> Array:
        """Of all runs, (sample, feature)."""
        return np.concatenate([x for x, _, _ in self.problem.runs])

    @cached_property
    def _operators(self) -> tuple[Array, Array]:
        return operator([t for _, _, t in self.problem.runs], self.span)

    @cached_property
    def targets(self) -> Array:
        """(feature, row), of size one."""
        targets = (self._operators[1] @ self.states).T
        size = np.linalg.norm(targets, axis=1, keepdims=True)
        return np.asarray(targets / np.where(size > 0, size, 1.0))

    @cached_property
    def floors(self) -> Array:
        """What noise, trapezoids and rounding leave of the targets' squares, (feature,)."""
        weights = self._operators[1]
        size = np.sum((weights @ self.states) ** 2, axis=0)
        of_noise = np.sum(weights**2) * self.noise / np.where(size > 0, size, 1.0)
        return np.asarray(FLOOR + of_noise)

    @cached_property
    def noise(self) -> Array:
        """Variance by high differences, which smooth movement has next to none of: splines take small noise along."""
        squares = [np.diff(x, ORDER, axis=0) ** 2 / math.comb(2 * ORDER, ORDER) for x, _, _ in self.problem.runs]
        return np.asarray(np.median(np.concatenate(squares), axis=0) / MEDIAN_SQUARE)

    @cached_property
    def terms(self) -> Terms:
        """The monomials."""
        return Terms(self.problem.terms.features, self.degree)

    @cached_property
    def monomials(self) -> Array:
        """Values of the monomials, (sample, monomial)."""
        return self.terms.values(self.states)

    def of(self, terms: list[Term]) -> Array:
        """(row, term)."""
        values = self.monomials[:, [term.monomial for term in terms]]
        for k, term in enumerate(terms):
            for function in term.functions:
                values[:, k] = values[:, k] * function.values(self.states)
        return np.asarray(self._operators[0] @ values)

    def of_monomials(self, degree: int) -> list[Term]:
        """Monomials up to a degree."""
        return [Term(k) for k in np.flatnonzero(self.terms.degrees <= degree).tolist()]

    def of_group(self, group: Group) -> list[Term]:
        """Functions of a group times the monomials that they may be multiplied by, as `Terms` has them."""
        exponents, degrees = self.terms.exponents, self.terms.degrees
        out = []
        for k, function in enumerate(group):
            own = exponents[:, function.variables[0]]
            fits = np.flatnonzero((degrees <= BESIDE) & (own <= OWN_DEGREE[function.kind]))
            out += [Term(m, (function,)) for m in fits.tolist()]
            if same(group, k) and function.kind == "sin":
                fits = np.flatnonzero((degrees < BESIDE) & (own == 0))
                out += [Term(m, (function, f)) for m in fits.tolist() for f in (function, group[k + 1])]
        return out

    def costs(self, terms: list[Term], feature: int, elsewhere: Collection[Term] = ()) -> Array:
        """What the criterion charges for each in a feature's equation, less for those that other equations have."""
        exponents = self.terms.exponents[[term.monomial for term in terms]]
        of_features = exponents.copy()
        for k, term in enumerate(terms):
            for function in term.functions:
                of_features[k, function.variables[0]] += 1
        costs = term_costs(of_features.sum(axis=1), of_features, self.problem.samples)[feature]
        shared = np.array([term in elsewhere for term in terms])
        return np.asarray(costs + PER_POWER * exponents.max(axis=1) - SHARED * shared)

    def mask(self, terms: Terms, row: tuple[Term, ...]) -> Bools:
        """Which terms of a library a row's are, (term,)."""
        place = {tuple(e): i for i, e in enumerate(terms.exponents.tolist())}
        mask = np.zeros(len(terms), dtype=bool)
        for term in row:
            powers = np.zeros(terms.variables, dtype=int)
            powers[: terms.features] = self.terms.exponents[term.monomial]
            for function in term.functions:
                powers[terms.features + terms.functions.index(function)] += 1
            mask[place[tuple(powers.tolist())]] = True
        return mask
