"""Laws in centred and scaled signals, yᵢ = (xᵢ − cᵢ)/dᵢ: fits made there know nothing of a feature's unit and zero.

Damping, ridges and pulls are measured by coordinates: of coefficients of 1, x and x² they say something else when the
zero of x moves, though the laws that these can express stay the same. With cᵢ the training part's mean and dᵢ how far
the feature goes, y is the same whatever the unit and the zero, and so is all that a fit does with it. Offsets that are
large beside what moves cost no digits there either: 1, x and x² are all but collinear at x = 1000 ± 1, and no longer
in y.

That holds for laws whose terms are closed under a shift: with a monomial, an equation has all that divide it. Linear
laws and polynomials of which nothing was removed are; xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ) is not, for its zero is extinction.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import FULL, INDEPENDENT, Library
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.multiple_shooting import Problem, ShootingResult
from ecodyn.estimation.samples import Samples
from ecodyn.trajectories.state import VELOCITY

__all__ = ["Centred", "solve"]


@dataclass(frozen=True, eq=False)
class Centred:
    """Samples' features in centred and scaled coordinates, and a law's coefficients there and back.

    Attributes
    ----------
    samples : Samples
        As they are given.
    library : Library
        Whose coefficients (equation × feature, term) each feature has of its own.
    centre, spread : arrays (feature, channel)
        Of the signals; other channels keep their zeros, and a velocity has the signal's spread.
    """

    samples: Samples
    library: Library
    centre: Array
    spread: Array

    @classmethod
    def of(cls, samples: Samples, library: Library, mask: Bools) -> Centred | None:
        """The coordinates of a law with these free coefficients; None where a shift takes it out of its family."""
        if not mask.any():
            return None
        features = len(library.features)
        own_coefficients = len(mask) == len(library.fitted) * features
        if library.coupling not in (INDEPENDENT, FULL) or not own_coefficients or not _closed(library, mask):
            return None
        there = np.arange(samples.states.shape[1]) < samples.lengths[:, None]
        signal = samples.states[..., 0]
        centre, spread = np.zeros((features, len(library.channels))), np.ones((features, len(library.channels)))
        centre[:, 0] = signal[there].mean(axis=0)
        own = samples.own
        if own is None:  # features in one unit keep one
            own = np.full(features, np.sqrt(np.mean((signal[there] - centre[:, 0]) ** 2)))
        moved = np.where(np.isfinite(own) & (own > 0), own, 1.0)
        spread[:, 0] = moved
        if VELOCITY in library.channels:
            spread[:, library.channels.index(VELOCITY)] = moved
        return cls(samples, library, centre, spread)

    @cached_property
    def inside(self) -> Samples:
        """The samples in these coordinates."""
        own = None if self.samples.own is None else self.samples.own / self.spread[:, 0]
        return replace(self.samples, states=(self.samples.states - self.centre) / self.spread, own=own)

    @cached_property
    def _there(self) -> Array:
        """What each equation's coefficients are multiplied by, (feature, term, term), to be those of y."""
        return _expanded(self.library, self.centre, self.spread)

    @cached_property
    def _back(self) -> Array:
        return _expanded(self.library, -self.centre / self.spread, 1.0 / self.spread)

    @cached_property
    def _units(self) -> Array:
        """Spread of what each row of coefficients is the derivative of, (row,)."""
        return np.asarray(self.spread[:, list(self.library.fitted)].T.ravel())

    def coefficients(self, given: Array) -> Array:
        """Coefficients (row, term) in these coordinates."""
        return np.stack([self._of(self._there, r) @ row / self._units[r] for r, row in enumerate(given)])

    def original(self, found: Array) -> Array:
        """Coefficients (row, term) in the samples' own coordinates."""
        return np.stack([self._of(self._back, r) @ row * self._units[r] for r, row in enumerate(found)])

    def _of(self, matrices: Array, row: int) -> Array:
        return np.asarray(matrices[row % len(self.library.features)])

    def matched(self, matched: MatchedIntegrals) -> MatchedIntegrals:
        """A regression of these coordinates: Θ is of monomials in x, which are others of y, and increments shrink."""
        designs, targets = len(matched.factors), matched.targets.shape[2]
        rows = np.arange(targets) * designs + np.arange(designs)[:, None]
        columns = matched.matrix @ self._back[:designs]
        return replace(matched, factors=np.concatenate([columns, matched.targets / self._units[rows][:, None]], axis=2))

    def problem(self, problem: Problem) -> Problem:
        """What shooting is to refine, in these coordinates."""
        return replace(problem, samples=self.inside, coefficients=self.coefficients(problem.coefficients))

    def result(self, found: ShootingResult, mask: Bools) -> ShootingResult:
        """What it found, in the samples' own."""
        blocks = [self._of(self._there, r)[np.ix_(free, free)] / self._units[r] for r, free in enumerate(mask)]
        to = block_diag(*(block for block in blocks if block.size))
        starts = found.initial_states
        return replace(
            found,
            coefficients=self.original(found.coefficients),
            hessians=to.T @ found.hessians @ to,
            gradients=found.gradients @ to,
            initial_states=None if starts is None else self.centre[:, 0] + self.spread[:, 0] * starts,
        )


def solve(matched: MatchedIntegrals, ridge: float | None, mask: Bools, centred: Centred | None) -> Array:
    """``MatchedIntegrals.solve``, with ridge and rank measured in centred coordinates if there are any."""
    if centred is None:
        return matched.solve(ridge, mask)
    return centred.original(centred.matched(matched).solve(ridge, mask))


@lru_cache(maxsize=64)
def _exponents(library: Library) -> NDArray[np.int64]:
    """Exponents of all variables in each term, (term, variable): those of a feature, or of all where all are seen."""
    powers = [library.environment[e] if library.coupling == FULL else library.own[o] for o, e in library.terms]
    return np.array(powers, dtype=np.int64).reshape(len(library), -1)


@lru_cache(maxsize=64)
def _divisors(library: Library) -> tuple[NDArray[np.intp], NDArray[np.intp], bool]:
    """Pairs (divisor, term) of monomials in channels that have a zero, and whether no divisor is missing."""
    exponents = _exponents(library)
    index = {tuple(row): k for k, row in enumerate(exponents.tolist())}
    channels = len(library.channels)
    pairs, complete = [], True
    for term, powers in enumerate(exponents.tolist()):
        ranges = [range(p + 1) if v % channels == 0 else (p,) for v, p in enumerate(powers)]
        for divisor in itertools.product(*ranges):
            complete &= divisor in index
            pairs.append((index.get(divisor, term), term))
    lower, upper = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    return lower, upper, complete


def _closed(library: Library, mask: Bools) -> bool:
    """Whether each equation has, with a term, all that come of it when a signal's zero moves."""
    if library.coupling == FULL and library.per_feature_terms:
        return False  # proportional to the feature itself
    lower, upper, complete = _divisors(library)
    return complete and bool((mask[:, lower] | ~mask[:, upper]).all())


def _expanded(library: Library, centre: Array, spread: Array) -> Array:
    """Matrices (feature, term, term) with φ_t(c + d y) = Σₛ Mₛₜ φₛ(y); all are one and the same for a full library."""
    exponents = _exponents(library)
    lower, upper, _ = _divisors(library)
    shift, scale = ((v.reshape(1, -1) if library.coupling == FULL else v) for v in (centre, spread))
    p, q = exponents[upper], exponents[lower]
    binomial = np.vectorize(math.comb, otypes=[float])(p, q).prod(axis=1)
    values = binomial * (shift[:, None] ** (p - q) * scale[:, None] ** q).prod(axis=2)
    matrices = np.zeros((len(shift), len(library), len(library)))
    matrices[:, lower, upper] = values
    return np.broadcast_to(matrices, (len(centre), *matrices.shape[1:]))
