"""Laws in centred and scaled coordinates, yᵢ = (xᵢ − cᵢ)/dᵢ: fits made there know nothing of a feature's unit and zero.

Damping, ridges and pulls are measured by coordinates: of coefficients of 1, x and x² they say something else when the
zero of x moves, though the laws that these can express stay the same. With cᵢ the training part's mean and dᵢ how far
the feature goes, y is the same whatever the unit and the zero, and so is all that a fit does with it. Offsets that are
large beside what moves cost no digits there either: 1, x and x² are all but collinear at x = 1000 ± 1, and no longer
in y.

That holds for laws whose terms are closed under a shift: with a monomial, an equation has all that divide it. Linear
laws and polynomials of which nothing was removed are; xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ) is not, for its zero is extinction.

An input has a unit and a zero too, (u − c)/d, and laws under every coupling can be closed in it, even
xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ + B u): of signals and inputs, those are centred that a law is closed in.
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
    """Samples' features and inputs in centred and scaled coordinates, and a law's coefficients there and back.

    Attributes
    ----------
    samples : Samples
        As they are given.
    library : Library
        Whose coefficients (equation × group, term) are taken there.
    signals, inputs : bool
        Which of them have other zeros and units there; signals, where each feature has coefficients of its own.
    """

    samples: Samples
    library: Library
    signals: bool = True
    inputs: bool = False

    @classmethod
    def of(cls, samples: Samples, library: Library, rows: int) -> Centred | None:
        """The coordinates for so many rows of coefficients; None for libraries of which no law is closed in any."""
        own_coefficients = rows == len(library.fitted) * len(library.features)
        seen = library.coupling in (INDEPENDENT, FULL) and not _is_proportional(library) and not library.functions
        widest = cls(samples, library, signals=own_coefficients and seen, inputs=bool(library.inputs))
        return next((c for c in widest._each if c._divisors.complete), None)

    @cached_property
    def _each(self) -> tuple[Centred, ...]:
        """These coordinates, and those in which signals or inputs alone have other zeros, the widest first."""
        if not (self.signals and self.inputs):
            return (self,) if self.signals or self.inputs else ()
        return self, replace(self, inputs=False), replace(self, signals=False)

    def within(self, mask: Bools) -> Centred | None:
        """The widest of these in which laws with these free coefficients are closed; None if there are none."""
        return next((c for c in self._each if c._divisors.complete and c.holds(mask)), None)

    @cached_property
    def _divisors(self) -> _Divisors:
        return _divisors(self.library, self.signals, self.inputs)

    @cached_property
    def centre(self) -> Array:
        """Zeros of the signals, delayed ones too, (feature, channel); other channels keep theirs."""
        centre = np.zeros((len(self.library.features), len(self.library.channels)))
        if self.signals:
            centre[:, 0] = self.samples.movement.mean
            for delayed, _ in self.library.shifts:
                centre[:, delayed] = centre[:, 0]
        return centre

    @cached_property
    def spread(self) -> Array:
        """Units, (feature, channel): of the signals; delayed ones and a velocity have their signal's."""
        library, spread = self.library, np.ones((len(self.library.features), len(self.library.channels)))
        if not self.signals:
            return spread
        own = self.samples.own
        if own is None:  # features in one unit keep one
            own = np.full(len(spread), self.samples.movement.spread)
        spread[:, 0] = _units_of(own)
        if VELOCITY in library.channels:
            spread[:, library.channels.index(VELOCITY)] = spread[:, 0]
        for delayed, _ in library.shifts:
            spread[:, delayed] = spread[:, 0]
        return spread

    @cached_property
    def of_inputs(self) -> tuple[Array, Array]:
        """Zero and unit of each input, its mean over the stored steps and its deviation from there, each (input,)."""
        known = self.samples.inputs
        if not self.inputs or known is None:
            return np.zeros(len(self.library.inputs)), np.ones(len(self.library.inputs))
        values = known.at_steps(self.samples.times, self.samples.lengths)
        centre = values[0] + (values - values[0]).mean(axis=0)
        return centre, _units_of(np.sqrt(np.mean((values - centre) ** 2, axis=0)))

    def holds(self, mask: Bools) -> bool:
        """Whether laws with these free coefficients are closed: equations have, with a term, all that divide it."""
        pairs = self._divisors
        return bool(mask.any() and (mask[:, pairs.lower] | ~mask[:, pairs.upper]).all())

    @cached_property
    def inside(self) -> Samples:
        """The samples in these coordinates."""
        own = None if self.samples.own is None else self.samples.own / self.spread[:, 0]
        smooth = None if self.samples.smooth is None else (self.samples.smooth - self.centre) / self.spread
        states = (self.samples.states - self.centre) / self.spread
        known = self.samples.inputs
        inputs = known.centred(*self.of_inputs) if self.inputs and known is not None else known
        told = None if self.samples.told is None else self.samples.told.within(self.centre, self.spread)
        return replace(self.samples, states=states, smooth=smooth, own=own, inputs=inputs, told=told)

    @cached_property
    def _there(self) -> Array:
        """What each equation's coefficients are multiplied by, (feature, term, term), to be those of y."""
        return self._expanded(self.centre, self.spread, *self.of_inputs)

    @cached_property
    def _back(self) -> Array:
        zeros, units = self.of_inputs
        return self._expanded(-self.centre / self.spread, 1.0 / self.spread, -zeros / units, 1.0 / units)

    def _expanded(self, centre: Array, spread: Array, zeros: Array, units: Array) -> Array:
        """Matrices (feature, term, term) with φₜ(c + d y) = Σₛ Mₛₜ φₛ(y); all are one and the same for a full library.

        ``zeros`` and ``units`` are the inputs' c and d.
        """
        pairs, full = self._divisors, self.library.coupling == FULL
        # The signals are the first of the variables, inputs the last; what is between keeps its zero and unit.
        own_shift, own_scale = ((v.reshape(1, -1) if full else v) for v in (centre, spread))
        shape = len(own_shift), pairs.left.shape[1]
        shift, scale = np.zeros(shape), np.ones(shape)
        shift[:, : own_shift.shape[1]], scale[:, : own_shift.shape[1]] = own_shift, own_scale
        behind = shape[1] - len(zeros)
        shift[:, behind:], scale[:, behind:] = zeros, units
        matrices = np.zeros((len(shift), len(self.library), len(self.library)))
        powers = shift[:, None] ** pairs.taken * scale[:, None] ** pairs.left
        matrices[:, pairs.lower, pairs.upper] = pairs.binomials * powers.prod(axis=2)
        return np.broadcast_to(matrices, (len(centre), *matrices.shape[1:]))

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
    inside = None if centred is None else centred.within(mask)
    if inside is None:
        return matched.solve(ridge, mask)
    return inside.original(inside.matched(matched).solve(ridge, mask))


def _units_of(deviation: Array) -> Array:
    """Units of what goes so far; 1 of what does not move."""
    return np.where(np.isfinite(deviation) & (deviation > 0), deviation, 1.0)


class _Divisors(NamedTuple):
    """Pairs of monomials of which one divides the other, (pair,), in variables that have another zero.

    ``left`` and ``taken`` (pair, variable) are the exponents of the divisor, and what it leaves of the other.
    """

    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    left: NDArray[np.int64]
    taken: NDArray[np.int64]
    binomials: Array
    complete: bool


@lru_cache(maxsize=64)
def _divisors(library: Library, signals: bool, inputs: bool) -> _Divisors:
    """All pairs in signals, inputs or both, and whether each divisor is a term too."""
    full, channels = library.coupling == FULL, len(library.channels)
    with_own = not full or library.per_feature_terms
    powers = [(library.own[o] if with_own else ()) + library.environment[e] for o, e in library.terms]
    shifted = {0, *(delayed for delayed, _ in library.shifts)}
    moved = [v for v in range(library.n_seen if full else channels) if v % channels in shifted] if signals else []
    if inputs:  # the last of the environment's variables
        moved += range(len(powers[0]) - len(library.inputs), len(powers[0]))
    exponents = np.array(powers, dtype=np.int64).reshape(len(library), -1)
    index = {tuple(row): k for k, row in enumerate(exponents.tolist())}
    pairs, complete = [], True
    for term, own in enumerate(exponents.tolist()):
        for divisor in itertools.product(*(range(p + 1) if v in moved else (p,) for v, p in enumerate(own))):
            complete &= divisor in index
            pairs.append((index.get(divisor, term), term))
    lower, upper = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    left = exponents[lower]
    binomials = np.asarray(comb(exponents[upper], left).prod(axis=1))
    return _Divisors(lower, upper, left, exponents[upper] - left, binomials, complete)


def _is_proportional(library: Library) -> bool:
    """Whether a full library's equations are proportional to their own feature."""
    return library.coupling == FULL and library.per_feature_terms
