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
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import block_diag
from scipy.special import comb

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import FULL, INDEPENDENT, Library
from ecodyn.estimation.integral_matching import MatchedIntegrals
from ecodyn.estimation.multiple_shooting import Problem, ShootingResult
from ecodyn.estimation.samples import Samples
from ecodyn.trajectories.state import VELOCITY

__all__ = ["Centred", "solve"]

LEFT = 1e-12  # of what was summed to a column: less is rounding


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
        Of the signals, delayed ones too; other channels keep their zeros, and a velocity has the signal's spread.
    """

    samples: Samples
    library: Library
    centre: Array
    spread: Array

    @classmethod
    def of(cls, samples: Samples, library: Library, rows: int) -> Centred | None:
        """The coordinates for so many rows of coefficients; None for libraries of which no law is closed in them."""
        own_coefficients = rows == len(library.fitted) * len(library.features)
        if not own_coefficients or library.coupling not in (INDEPENDENT, FULL) or _is_proportional(library):
            return None
        if library.functions or not _divisors(library).complete:
            return None
        features = len(library.features)
        there = np.arange(samples.states.shape[1]) < samples.lengths[:, None]
        signal = samples.states[..., 0]
        centre, spread = np.zeros((features, len(library.channels))), np.ones((features, len(library.channels)))
        centre[:, 0] = signal[0, 0] + (signal[there] - signal[0, 0]).mean(axis=0)  # exact where nothing moves
        own = samples.own
        if own is None:  # features in one unit keep one
            own = np.full(features, np.sqrt(np.mean((signal[there] - centre[:, 0]) ** 2)))
        moved = np.where(np.isfinite(own) & (own > 0), own, 1.0)
        spread[:, 0] = moved
        if VELOCITY in library.channels:
            spread[:, library.channels.index(VELOCITY)] = moved
        for delayed, _ in library.shifts:
            centre[:, delayed], spread[:, delayed] = centre[:, 0], moved
        return cls(samples, library, centre, spread)

    def holds(self, mask: Bools) -> bool:
        """Whether laws with these free coefficients are closed: equations have, with a term, all that divide it."""
        pairs = _divisors(self.library)
        return bool(mask.any() and (mask[:, pairs.lower] | ~mask[:, pairs.upper]).all())

    @cached_property
    def inside(self) -> Samples:
        """The samples in these coordinates."""
        own = None if self.samples.own is None else self.samples.own / self.spread[:, 0]
        smooth = None if self.samples.smooth is None else (self.samples.smooth - self.centre) / self.spread
        states = (self.samples.states - self.centre) / self.spread
        return replace(self.samples, states=states, smooth=smooth, own=own)

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
        back = self._back[:designs]
        columns = matched.matrix @ back
        # Of a feature that stands still rounding is left, which normalised columns would take for data.
        summed = np.linalg.norm(matched.matrix, axis=1)[:, None] @ np.abs(back)
        columns[np.broadcast_to(np.linalg.norm(columns, axis=1, keepdims=True) <= LEFT * summed, columns.shape)] = 0.0
        return replace(matched, factors=np.concatenate([columns, matched.targets / self._units[rows][:, None]], axis=2))

    def problem(self, problem: Problem) -> Problem:
        """What shooting is to refine, in these coordinates."""
        return replace(problem, samples=self.inside, coefficients=self.coefficients(problem.coefficients))

    def result(self, found: ShootingResult, mask: Bools) -> ShootingResult:
        """What it found, in the samples' own."""
        blocks = [self._of(self._there, r)[np.ix_(free, free)] / self._units[r] for r, free in enumerate(mask)]
        to = block_diag(*(block for block in blocks if block.size))
        starts = found.starts
        # Features without scales of their own weigh alike, so that squares are in units of the signal's.
        squares = float(self.spread[0, 0] ** 2) if self.samples.own is None else 1.0
        return replace(
            found,
            squares=found.squares * squares,
            coefficients=self.original(found.coefficients),
            hessians=squares * (to.T @ found.hessians @ to),
            gradients=squares * (found.gradients @ to),
            starts=None if starts is None else self.centre[:, 0] + self.spread[:, 0] * starts,
        )


def solve(matched: MatchedIntegrals, ridge: float | None, mask: Bools, centred: Centred | None) -> Array:
    """``MatchedIntegrals.solve``, with ridge and rank measured in centred coordinates where the law is closed."""
    if centred is None or not centred.holds(mask):
        return matched.solve(ridge, mask)
    return centred.original(centred.matched(matched).solve(ridge, mask))


class _Divisors(NamedTuple):
    """Pairs of monomials of which one divides the other, (pair,), in channels that have a zero.

    ``left`` and ``taken`` (pair, variable) are the exponents of the divisor, and what it leaves of the other.
    """

    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    left: NDArray[np.int64]
    taken: NDArray[np.int64]
    binomials: Array
    complete: bool


@lru_cache(maxsize=64)
def _divisors(library: Library) -> _Divisors:
    """All pairs, and whether each divisor is a term too."""
    full, channels = library.coupling == FULL, len(library.channels)
    # Inputs, the last of the environment's variables, keep their zeros.
    powers = [library.environment[e] if full else library.own[o] + library.environment[e] for o, e in library.terms]
    shifted = {0, *(delayed for delayed, _ in library.shifts)}
    signals = [v for v in range(library.n_seen if full else channels) if v % channels in shifted]
    exponents = np.array(powers, dtype=np.int64).reshape(len(library), -1)
    index = {tuple(row): k for k, row in enumerate(exponents.tolist())}
    pairs, complete = [], True
    for term, own in enumerate(exponents.tolist()):
        for divisor in itertools.product(*(range(p + 1) if v in signals else (p,) for v, p in enumerate(own))):
            complete &= divisor in index
            pairs.append((index.get(divisor, term), term))
    lower, upper = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    left = exponents[lower]
    binomials = np.asarray(comb(exponents[upper], left).prod(axis=1))
    return _Divisors(lower, upper, left, exponents[upper] - left, binomials, complete)


def _is_proportional(library: Library) -> bool:
    """Whether a full library's equations are proportional to their own feature."""
    return library.coupling == FULL and library.per_feature_terms


def _expanded(library: Library, centre: Array, spread: Array) -> Array:
    """Matrices (feature, term, term) with φₜ(c + d y) = Σₛ Mₛₜ φₛ(y); all are one and the same for a full library."""
    pairs = _divisors(library)
    shift, scale = ((v.reshape(1, -1) if library.coupling == FULL else v) for v in (centre, spread))
    beside = len(shift), len(library.inputs)
    shift, scale = np.hstack([shift, np.zeros(beside)]), np.hstack([scale, np.ones(beside)])
    matrices = np.zeros((len(shift), len(library), len(library)))
    powers = shift[:, None] ** pairs.taken * scale[:, None] ** pairs.left
    matrices[:, pairs.lower, pairs.upper] = pairs.binomials * powers.prod(axis=2)
    return np.broadcast_to(matrices, (len(centre), *matrices.shape[1:]))
