"""What laws are sought for: runs in scaled units, terms, and the criterion that laws are chosen by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.refinement import Refined
from ecodyn.estimation.term_costs import term_costs

__all__ = ["Problem", "in_parts"]

EXACT_FLOOR = 1e-9  # of a feature's movement squared: under it the solver's error is what is fitted
EXACT_WEIGHT = 1e-8  # of a feature's movement squared: noise that weights count at least
AMPLITUDE = 10.0  # a rollout is dead beyond this many times the data's largest value


@dataclass(frozen=True, eq=False)
class Problem:
    """Runs in scaled units: (states, smoothed states, times) each, and how far each feature goes."""

    terms: Terms
    runs: list[tuple[Array, Array, Array]]
    own: Array
    floor: float = EXACT_FLOOR

    @cached_property
    def noise(self) -> Array:
        """Variance of what smoothing took away, (feature,)."""
        return np.mean(np.concatenate([x - smooth for x, smooth, _ in self.runs]) ** 2, axis=0)

    @property
    def noise_share(self) -> float:
        """Of the movement, what smoothing took away."""
        return float(np.mean(self.noise / self.own**2))

    @cached_property
    def weights(self) -> Array:
        """Of squared residuals, (feature,): one over the noise."""
        weights = 1.0 / np.maximum(self.noise, EXACT_WEIGHT * self.own**2)
        return np.asarray(weights / np.mean(weights * self.own**2))

    @property
    def bound(self) -> float:
        """Where a rollout is dead."""
        return AMPLITUDE * max(float(np.abs(x).max()) for x, _, _ in self.runs)

    @property
    def samples(self) -> int:
        """Values in all runs."""
        return sum(x.size for x, _, _ in self.runs)

    @cached_property
    def costs(self) -> Array:
        """What the criterion charges for each coefficient, (feature, term)."""
        return term_costs(self.terms.degrees, self.terms.of_features, self.samples)

    def criterion(self, squares: Array, mask: Bools) -> float:
        """The information criterion of mean squared residuals (feature,) by the coefficients of a mask."""
        each = self.samples / self.terms.features
        return float(each * np.sum(np.log(squares / self.own**2 + self.floor)) + self.costs[mask].sum())

    def value(self, law: Refined) -> float:
        """Its criterion; infinite where it does not follow all pieces."""
        return self.criterion(law.squares, law.mask) if law.ok else np.inf

    def left(self, law: Refined) -> float:
        """Share of the movement that its rollouts leave unexplained."""
        return float(np.mean(law.squares / self.own**2)) if law.ok else np.inf

    @cached_property
    def allowed(self) -> dict[str, Bools]:
        """Coefficients that each family may have, (feature, term)."""
        terms, count = self.terms, self.terms.features
        found = {f"sindy {d}": np.tile(terms.degrees <= d, (count, 1)) for d in range(1, terms.degree + 1)}
        if terms.degree >= 2:
            own = [(terms.exponents[:, k] > 0) & (terms.degrees <= 2) for k in range(count)]
            found["lotka_volterra"] = np.stack(own)
        return found

    @cached_property
    def rank(self) -> Array:
        """Which of terms that data can't tell apart goes first, (term,): functions, the highest degree, pure powers."""
        with_function = self.terms.exponents[:, self.terms.features :].any(axis=1)
        return with_function * 100.0 + self.terms.degrees * 10.0 + self.terms.exponents.max(axis=1)


def in_parts(problem: Problem, parts: int) -> Problem:
    """The same with each run cut in so many, neighbours of which share a sample."""
    cut = []
    for x, smooth, t in problem.runs:
        ends = np.rint(np.linspace(0, len(t) - 1, parts + 1)).astype(int)
        rows = [slice(a, b + 1) for a, b in pairwise(ends)]
        cut += [(x[part], smooth[part], t[part]) for part in rows]
    return replace(problem, runs=cut)
