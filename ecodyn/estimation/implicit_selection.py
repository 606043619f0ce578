"""Rational laws ẋ = P(x)/Q(x) by implicit selection: which term is on the left is chosen by rollouts.

As SINDy-PI does (Kaheman, Kutz and Brunton 2020): each term of the implicit equation P(x) − ẋ Q(x) = 0 is put on the
left in turn, and the others are selected, here along paths of backward elimination on several weak forms. Nothing is no
solution where something is on the left. Of the explicit law that each makes rollouts tell how good it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import Library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation.implicit_terms import Implicit, implicit_terms
from ecodyn.estimation.noisy_selection import FLOOR, short_runs
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import AMPLITUDE
from ecodyn.estimation.support_paths import eliminate, solved
from ecodyn.rollouts.marching import march
from ecodyn.rollouts.skill import WORST_UNEXPLAINED

__all__ = ["BoundRational", "RationalLaw", "holds", "implicit_candidates", "unexplained"]

MOST_KEPT = 9  # terms of both sides together: a law of more is no finding
MOST_ON_LEFT = 12  # terms up to which each is on the left; of more, the denominator's alone
BATCH = 4000  # rollouts at a time
VANISHES = 1e-2  # smallest share of its largest size that a denominator may have in the region of the data
GRID = 60  # points of the signal's range at which a denominator is looked at
EXACT = 1e-24  # of a column's square: less is rounding


@dataclass(frozen=True, eq=False)
class RationalLaw:
    """P and Q by coefficients (term,) of the numerator's and the denominator's candidates, zero for those left out.

    ``left`` is the term that was on the left of the regression: numerator's first, then denominator's.
    """

    numerator: Array
    denominator: Array
    left: int

    @property
    def support(self) -> Bools:
        """Which terms it has, numerator's first."""
        return np.asarray(np.concatenate([self.numerator, self.denominator]) != 0)

    @property
    def size(self) -> int:
        """Parameters: all coefficients but the one that is set to 1."""
        return int(self.support.sum()) - 1


@dataclass(frozen=True, eq=False)
class BoundRational:
    """P/Q of several laws, (batch, 1, term) each, as a right-hand side."""

    top: BoundLibrary
    bottom: BoundLibrary

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ of the signal at states (batch, feature, channel); traits stand still."""
        out = np.zeros_like(x)
        out[..., :1] = self.top(x) / self.bottom(x)
        return out


def implicit_candidates(numerator: Library, denominator: Library, samples: Samples) -> list[RationalLaw]:
    """Laws of distinct supports whose denominators do not vanish near the data, each with the best of its fits."""
    laws = [
        law for implicit in implicit_terms(numerator, denominator, samples) for law in _along(implicit, len(numerator))
    ]
    laws = [law for law, fine in zip(laws, holds(denominator, samples, laws), strict=True) if fine]
    left = unexplained(numerator, denominator, samples, laws)
    best: dict[bytes, tuple[float, RationalLaw]] = {}
    for law, share in zip(laws, left.mean(axis=1).tolist(), strict=True):
        key = law.support.tobytes()
        if key not in best or share < best[key][0]:
            best[key] = share, law
    count = int(samples.lengths.sum()) * samples.states.shape[2]
    ranked = sorted(best.values(), key=lambda pair: count * np.log(pair[0] + FLOOR) + np.log(count) * pair[1].size)
    return [law for _, law in ranked]


def _along(implicit: Implicit, top: int) -> Iterator[RationalLaw]:
    """Laws along the path of each left side."""
    columns = implicit.columns
    terms = columns.shape[1]
    bottom = np.arange(terms) >= top
    lefts = range(terms) if terms <= MOST_ON_LEFT else range(top, terms)
    rank = np.arange(terms, dtype=float)
    for left in lefts:
        target = columns[:, left]
        if target @ target <= EXACT * float((columns**2).sum()):
            continue
        for allowed in (np.ones(terms, dtype=bool), ~bottom):
            free = allowed & (np.arange(terms) != left)
            path = eliminate(columns, target, free, rank, implicit.rows)
            for gone in range(len(path.order)):
                mask = np.zeros(terms, dtype=bool)
                mask[path.order[gone:]] = True
                if mask.sum() >= MOST_KEPT or not (mask | (np.arange(terms) == left))[bottom].any():
                    continue
                found = -solved(columns[None], target[None], mask[None])[0]
                found[left] = 1.0
                yield RationalLaw(found[:top], -found[top:], left)


def holds(denominator: Library, samples: Samples, laws: list[RationalLaw]) -> list[bool]:
    """Whether each denominator keeps its sign, and away from 0, on the data and between them."""
    there = np.arange(samples.states.shape[1]) < samples.lengths[:, None]
    values = denominator.values(samples.states[there]).reshape(-1, len(denominator))
    low, high = samples.states[there][..., 0].min(), samples.states[there][..., 0].max()
    grid = samples.states[there][:: max(1, int(there.sum()) // GRID)]
    levels = np.linspace(low, high, GRID)
    moved = np.repeat(grid[:, None], GRID, axis=1)
    environment = denominator.variables(grid)
    moved[..., 0] = levels[:, None]
    between = denominator.values(moved.reshape(-1, *grid.shape[1:]), np.repeat(environment, GRID, axis=0)).reshape(
        -1, len(denominator)
    )
    every = np.concatenate([values, between]) @ np.array([law.denominator for law in laws]).T
    largest = np.abs(every).max(axis=0)
    kept = (every.min(axis=0) > VANISHES * largest) | (every.max(axis=0) < -VANISHES * largest)
    return [bool(fine) for fine in kept]


def unexplained(numerator: Library, denominator: Library, samples: Samples, laws: list[RationalLaw]) -> Array:
    """What each law's rollouts leave, (law, rollout): mean squares in the features' scales, at most 2."""
    starts, truth, times = short_runs(samples)
    own = np.ones(truth.shape[2]) if samples.own is None else samples.own
    bound = AMPLITUDE * float(np.abs(samples.states).max())
    worst, found = 2 * WORST_UNEXPLAINED, []
    size = max(1, BATCH // len(starts))
    with np.errstate(all="ignore"):
        for first in range(0, len(laws), size):
            part = laws[first : first + size]
            rhs = bound_laws(numerator, denominator, part, len(starts)).rhs
            begin, grid = np.tile(starts, (len(part), 1, 1)), np.tile(times, (len(part), 1))
            error = np.zeros(len(begin))
            for i, x, alive in march(rhs, begin, grid, bound=bound, step=samples.step):
                each = np.mean(((x[..., 0] - np.tile(truth[:, i], (len(part), 1))) / own) ** 2, axis=1)
                error += np.where(alive, np.minimum(each, worst), worst)
            found.append(np.minimum(error / truth.shape[1], WORST_UNEXPLAINED).reshape(len(part), -1))
    return np.concatenate(found) if found else np.zeros((0, len(starts)))


def bound_laws(numerator: Library, denominator: Library, laws: list[RationalLaw], each: int) -> BoundRational:
    """The right-hand side of a batch of so many members of each law."""
    top = np.repeat([law.numerator[None] for law in laws], each, axis=0)
    bottom = np.repeat([law.denominator[None] for law in laws], each, axis=0)
    return BoundRational(BoundLibrary(numerator, top), BoundLibrary(denominator, bottom))
