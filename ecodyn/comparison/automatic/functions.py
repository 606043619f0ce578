"""Which functions beside monomials the data ask for: sines, saturations, exponentials.

Where the truth is rational or trigonometric, a polynomial can follow one trajectory as closely as one likes and hold
nowhere else. Functions of each kind (a sine and cosine of an angle, a saturation in one feature) are offered to each
equation of the weak form, at parameters on a grid, in supports of few terms; of the best, parameters are fitted. Where
none is exact, a second function is offered beside the best first ones. One is taken if an equation is exact with it,
which without it has many terms or is none: data with noise of a thousandth or more don't tell a function from a
polynomial.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.columns import FLOOR, SHARED, Columns, Term
from ecodyn.comparison.automatic.equations import ROWS, Equation, in_order, made, of_columns, tuned
from ecodyn.comparison.automatic.function_groups import Group, free, groups
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.subsets import small_subsets
from ecodyn.equations.functions import Function
from ecodyn.rollouts.iteration import UNEVEN

__all__ = ["DEGREE", "Asked", "asked_for"]

MOST_FEATURES = 4  # with more, there are too many groups to try
DEGREE = 2  # of the polynomials beside functions: textbook systems with functions have no cubic terms
GAIN = 25.0  # of one equation's criterion: five terms or so, or a few less and a residual smaller by some powers of ten
EXACT = -75.0  # of one equation's criterion: a residual of 1e-10 and five terms, or of 1e-12 and ten
NOISY = 3e-5  # of a feature's movement squared: with a noise of half a percent, none was found in any system
CLEAN = 1e-10  # of a target's square, what noise leaves
FEW, EXACT_FEW = 5, 1e-13  # monomials, no more than half of all, that leave so little of a target's square: the law
LOCAL = 8.0  # samples: a function that differs from a constant in fewer stands for something else
KINKED = -45.0  # the same with a kink, across which trapezoids are less exact
MOST_NUMBERS = 8  # terms and parameters of one equation: with more, a short trajectory has any expansion exact
MOST_SAMPLES = 1000  # that equations are sought on: columns of all grids are held at once
SPAN, LONGER = 24, 48  # samples in a window: short ones tell functions apart best, long ones have to agree
EQUATION_FUNCTIONS = {1: 3}  # groups of one equation, one after the other, by number of features
FEW_FUNCTIONS = 2
BASES = (2, 3, 2)  # sets of functions to which one more is offered, in each round
MOST, WIDTH = 5, 10  # terms of a support that is tried at a grid's parameters, and how many are kept on the way
AGAIN = 3  # times that a support is sought again at parameters that were fitted
LOOKED_AT, FIRST_STEPS = 40, 3  # supports of each size in a round whose parameters are fitted a few steps
REFINED, WIDENED = 6, 2  # of these, those fitted to the end, and those whose support is then sought again
PER_GROUP = 4  # supports of each size that a group has a say with
AT_FLOOR = -110.0  # the same for a floor without noise: what leaves little more than noise does
EXACT_SURELY = -115.0  # of a criterion: nothing with more terms will be better


@dataclass(frozen=True, eq=False)
class Asked:
    """Each feature's equation, None where no exact one was found; and their functions."""

    equations: list[Equation | None]
    columns: Columns | None = None

    @property
    def functions(self) -> Group:
        """Of all equations."""
        return in_order([f for equation in self.equations if equation is not None for f in equation.functions])

    @property
    def clean(self) -> bool:
        """Whether the data have so little noise that rollouts of a law can be exact."""
        return self.columns is not None and bool((self.columns.floors < CLEAN).all())

    @property
    def degree(self) -> int:
        """Of the monomials that are used without functions."""
        used = [term for equation in self.equations if equation is not None for term in equation.terms]
        if self.columns is None:
            return DEGREE
        return max([DEGREE, *(int(self.columns.terms.degrees[term.monomial]) for term in used if not term.functions)])


def asked_for(problem: Problem, scale: Array) -> Asked:
    """Exact equations, in scaled units; none of many features, or where linear laws alone are asked for."""
    features = problem.terms.features
    steps = [np.diff(t) for _, _, t in problem.runs]
    uneven = any(np.ptp(h) > UNEVEN * h.mean() for h in steps)  # integrals are then no better than to some digits
    if uneven or features > MOST_FEATURES or problem.terms.degree < DEGREE:
        return Asked([None] * features)
    problem = _of_few_samples(problem)
    columns = Columns(problem, problem.terms.degree, SPAN)
    if float((columns.noise / problem.own**2).max()) > NOISY:
        return Asked([None] * features)
    search = _Search(columns, Columns(problem, problem.terms.degree, LONGER), list(groups(problem, scale)))
    with np.errstate(all="ignore"):
        for feature in range(features):
            search.equation(feature)
        for feature in range(features):  # with what the later ones have
            if search.found[feature] is None:
                search.again(feature)
        search.alike(features)
    return Asked([search.found[feature] for feature in range(features)], columns)


def _of_few_samples(problem: Problem) -> Problem:
    """Some of the runs, where all have more samples than equations are sought on."""
    count = max(1, MOST_SAMPLES // max(len(t) for _, _, t in problem.runs))
    if count >= len(problem.runs):
        return problem
    kept = np.linspace(0, len(problem.runs) - 1, count).round().astype(int).tolist()
    return replace(problem, runs=[problem.runs[k] for k in kept])


@dataclass(eq=False)
class _Search:
    """Equations that are known so far."""

    columns: Columns
    longer: Columns
    offered: list[list[Group]]
    found: dict[int, Equation | None] = field(default_factory=dict)
    plain: dict[int, Equation] = field(default_factory=dict)
    grids: dict[int, tuple[Array, list[list[Term]]]] = field(default_factory=dict)

    @property
    def known(self) -> Group:
        """Functions of the equations that are."""
        return in_order([f for e in self.found.values() if e is not None for f in e.functions])

    def equation(self, feature: int) -> None:
        """Find a feature's."""
        monomials = [of_columns(self.columns, feature, self._monomials(d)) for d in range(1, self.columns.degree + 1)]
        plain = self.plain[feature] = min(monomials, key=lambda e: e.criterion)
        few = len(plain.terms) <= min(FEW, len(self.columns.terms) // 2)
        floor = float(self.columns.floors[feature])
        if plain.criterion < ROWS * np.log(floor) + GAIN or (few and plain.loss < EXACT_FEW):  # there is no such gain
            self.found[feature] = plain
            return
        self.found[feature] = None
        if self.again(feature):
            return
        bases: list[Group] = list(dict.fromkeys([(), self.known]))
        most = EQUATION_FUNCTIONS.get(self.columns.problem.terms.features, FEW_FUNCTIONS)
        for count in BASES[:most]:
            best = self._round(feature, bases[:count])
            for equation in best:
                if self._taken(feature, equation):
                    return
            bases = list(dict.fromkeys(equation.functions for equation in best))
        if plain.criterion < max(EXACT, AT_FLOOR + self._noisier(feature)):
            self.found[feature] = plain

    def again(self, feature: int) -> bool:
        """Whether functions of other equations make this one exact."""
        if not self.known:
            return False
        terms = self._monomials(DEGREE) + self.columns.of_group(self.known)
        return self._taken(feature, of_columns(self.columns, feature, terms))

    def _noisier(self, feature: int) -> float:
        """By how much noise lifts the criterion of whatever is exact."""
        return ROWS * float(np.log(self.columns.floors[feature] / FLOOR))

    def _local(self, function: Function) -> bool:
        """Whether it is a constant but for a few samples, by the participation ratio."""
        values = function.values(self.columns.states)
        squares = (values - np.median(values)) ** 2
        return float(squares.sum() ** 2) < LOCAL * float(np.sum(squares**2))

    def alike(self, features: int) -> None:
        """Prefer terms that other equations have, where one is as exact with them: first where it helps most."""
        for _ in range(features):
            gains = [self._alike(feature) for feature in range(features)]
            best = int(np.argmax([gain for gain, _ in gains]))
            if gains[best][0] <= 0:
                break
            self.found[best] = gains[best][1]

    def _alike(self, feature: int) -> tuple[float, Equation | None]:
        """By how much an equation is better that has more of the other equations' terms, and that equation."""
        equation = self.found[feature]
        if equation is None:
            return 0.0, None
        elsewhere = {term for k, e in self.found.items() if k != feature and e is not None for term in e.terms}
        degree = max([DEGREE, *(int(self.columns.terms.degrees[term.monomial]) for term in equation.terms)])
        terms = self._monomials(degree) + self.columns.of_group(self.known)
        other = of_columns(self.columns, feature, terms, elsewhere)

        def value(e: Equation) -> float:
            return e.criterion - SHARED * sum(term in elsewhere for term in e.terms)

        return value(equation) - value(other), other

    def _monomials(self, degree: int) -> list[Term]:
        return self.columns.of_monomials(degree)

    def _taken(self, feature: int, equation: Equation) -> bool:
        plain = self.plain[feature]
        functions = equation.functions
        exact = KINKED if any(f.kind.startswith("abs") for f in functions) else EXACT
        if len(equation.terms) + len(free(functions)) > MOST_NUMBERS or equation.criterion > max(
            exact, AT_FLOOR + self._noisier(feature)
        ):
            return False
        if plain.criterion - equation.criterion < GAIN or any(map(self._local, functions)):
            return False
        longer = [made(self.longer, feature, e.terms).criterion for e in (plain, equation)]
        if longer[0] - longer[1] < GAIN:
            return False
        self.found[feature] = equation
        return True

    def _round(self, feature: int, bases: list[Group]) -> list[Equation]:
        """Equations with one more function than each base has, parameters fitted, the best first."""
        begun = sorted((b for base in bases for b in self._screened(feature, base)), key=lambda b: b[0])
        done: list[Equation] = []
        for size in sorted({len(terms) for _, terms in begun}):
            best = [terms for _, terms in begun if len(terms) == size][:LOOKED_AT]
            of_size = [made(self.columns, feature, terms) for terms in best]
            nearer = [tuned(self.columns, feature, equation, FIRST_STEPS) for equation in of_size]
            nearer.sort(key=lambda e: e.criterion)
            nearer = [tuned(self.columns, feature, equation) for equation in nearer[:REFINED]]
            nearer.sort(key=lambda e: e.criterion)
            done += nearer + [self._widened(feature, equation) for equation in nearer[:WIDENED]]
            if min(e.criterion for e in done) < EXACT_SURELY + self._noisier(feature):
                break
        return sorted(done, key=lambda e: e.criterion)

    def _widened(self, feature: int, equation: Equation) -> Equation:
        """With the support that is best at the parameters that were fitted, and those that are then."""
        for _ in range(AGAIN):
            terms = self._monomials(DEGREE) + self.columns.of_group(equation.functions)
            wider = of_columns(self.columns, feature, terms)
            if wider.criterion >= equation.criterion:
                break
            equation = min(wider, tuned(self.columns, feature, wider), key=lambda e: e.criterion)
        return equation

    def _screened(self, feature: int, base: Group) -> Iterator[tuple[float, tuple[Term, ...]]]:
        """Supports of each size with each group, at the best parameters of its grid, and about their criterion."""
        beside = self._monomials(DEGREE) + self.columns.of_group(base)
        fixed, dear = self.columns.of(beside), self.columns.costs(beside, feature)
        target, floor = self.columns.targets[feature], self.columns.floors[feature]
        for number in range(len(self.offered)):
            theta, terms = self._grid(number)
            both = np.concatenate([theta, np.broadcast_to(fixed, (len(theta), *fixed.shape))], axis=2)
            costs = np.append(self.columns.costs(terms[0], feature), dear)
            first = np.arange(both.shape[2]) < theta.shape[2]
            for subsets in small_subsets(both, target, first, MOST + len(base), WIDTH):
                losses, supports = subsets.losses[:, :PER_GROUP], subsets.supports[:, :PER_GROUP]
                values = (ROWS * np.log(losses + floor) + costs[supports].sum(axis=2)).ravel()
                seen = set[frozenset[int]]()
                for place in np.argsort(values, kind="stable")[: 2 * PER_GROUP].tolist():
                    p, rank = divmod(place, losses.shape[1])
                    support = supports[p, rank].tolist()
                    if np.isfinite(values[place]) and frozenset(support) not in seen and len(seen) < PER_GROUP:
                        seen.add(frozenset(support))
                        every = terms[p] + beside
                        yield float(values[place]), tuple(every[k] for k in support)

    def _grid(self, number: int) -> tuple[Array, list[list[Term]]]:
        """A group's columns (parameter, row, term) at all of its grid, and what they are."""
        if number not in self.grids:
            terms = [self.columns.of_group(group) for group in self.offered[number]]
            self.grids[number] = np.stack([self.columns.of(t) for t in terms]), terms
        return self.grids[number]
