"""Which functions beside monomials the data ask for: sines, saturations, exponentials.

Where the truth is rational or trigonometric, a polynomial can follow one trajectory as closely as one likes and hold
nowhere else. One group of functions at a time (a sine and cosine of an angle, a saturation in one feature) is offered
to the regression of the weak form, its parameter on a grid and then by a line search on the terms that are left. It is
taken if one equation is exact with it, which without it has many terms or is none: data with noise of a thousandth or
more don't tell a function from a polynomial.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.elimination import eliminate
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.refinement import Refined, Window, linearised, march_laws, refine
from ecodyn.comparison.automatic.search import WORTH, Found, Problem, exact, search, solved
from ecodyn.comparison.automatic.weak_form import MOST_OF_RUN, regression
from ecodyn.equations.functions import POWERS, Function

__all__ = ["asked_for", "searched"]

MOST_FEATURES = 4  # with more, there are too many groups to try
DEGREE = 2  # of the polynomials beside functions: textbook systems with functions have no cubic terms
GROUPS = 4  # taken at most
TRIED, TRIED_OF_MANY = 16, 10  # groups whose terms are eliminated, of two features (all) and of more
GAIN = 25.0  # of one equation's criterion: five terms or so, or a few less and a residual smaller by some powers of ten
EXACT = -75.0  # of one equation's criterion: a residual of 1e-10 and five terms, or of 1e-12 and ten
SPAN = 24  # samples in a window: short ones tell functions apart best
PER_COLUMN = 5.0  # what a term costs where the regression has all of them
FLOOR = 1e-17  # of a target's square: under it trapezoids and the data's rounding are what is fitted
# Samples that a residual counts as. Without noise each further term of an expansion takes a factor from the residual,
# which many samples would make worth it; the function itself takes all of it at once.
ROWS = 4.0
COARSE = (1e-6, 1e-10)  # the same for the terms that parameters are sought on, a rough fit and a closer one
RANK = 1e-11  # singular values under so much of the largest are rounding
ANGLES = np.geomspace(0.25, 8.0, 8)  # in radians, of a feature's largest value
RATES = np.geomspace(0.25, 16.0, 9)  # of an exponential, over the feature's largest value
SATURATIONS = (0.0, *np.geomspace(0.03, 4.0, 8).tolist())  # p of a reciprocal, over the feature's largest value
HALF = np.geomspace(0.05, 3.0, 8)  # where a reciprocal of a higher power has half its largest value, over that too
RATIOS = np.geomspace(0.1, 10.0, 7)
REACH, STEPS = 0.6, 14  # of a line search for the log of a parameter: the grid's spacing or so, golden sections
GOLDEN = (math.sqrt(5) - 1) / 2
STEPS_LAST, FARTHEST = 3, 0.1  # Gauss-Newton steps of rollouts, and the longest, of the parameter itself
DIFFERENCE = 1e-5  # of a parameter, for the derivative of rollouts by it
MOST_TUNED = 5  # laws that are refined at new parameters
LONGER = 2  # times the span, in which a group has to gain too: an error of trapezoids is less there


@dataclass(frozen=True, eq=False)
class _Fit:
    """Sparse regressions of all equations: criteria (feature,), supports (feature, term)."""

    functions: tuple[Function, ...]
    criteria: Array
    support: Bools


def asked_for(problem: Problem, scale: Array) -> tuple[Function, ...]:
    """The functions, in scaled units; none of many features, or where linear laws alone are asked for."""
    if problem.terms.features > MOST_FEATURES or problem.terms.degree < DEGREE:
        return ()
    groups = [group for group in _groups(problem, scale) if group]
    taken: tuple[Function, ...] = ()
    best, longer = _of_monomials(problem, SPAN), _of_monomials(problem, LONGER * SPAN)
    for _ in range(GROUPS):
        fits = [_fitted(problem, taken, group, best) for group in _promising(problem, taken, groups)]
        if not fits:
            break
        # The one with which an equation that gains by it comes closest to being exact.
        least = [float(np.where(best - f.criteria >= GAIN, f.criteria, np.inf).min()) for f in fits]
        fit = fits[int(np.argmin(least))]
        there = _sparse(problem, fit.functions, span=LONGER * SPAN).criteria
        if min(least) > EXACT or float((longer - there).max()) < GAIN:
            break
        taken, best, longer = fit.functions, np.minimum(fit.criteria, best), np.minimum(there, longer)
    return taken


def _of_monomials(problem: Problem, span: int) -> Array:
    """Each equation's least criterion without functions."""
    return np.min([_sparse(problem, (), d, span).criteria for d in range(1, problem.terms.degree + 1)], axis=0)


def _groups(problem: Problem, scale: Array) -> Iterator[list[tuple[Function, ...]]]:
    """Groups of functions that the features' ranges allow, each with all parameters of its grid."""
    smooth = np.concatenate([s for _, s, _ in problem.runs])
    low, high = smooth.min(axis=0), smooth.max(axis=0)
    largest = np.maximum(np.abs(low), np.abs(high))
    for k in range(problem.terms.features):
        # An angle in radians, if it is one, and whatever else a sine is of.
        for angles in ([float(scale[k])], (ANGLES / largest[k]).tolist()):
            yield [(Function("sin", (k,), a), Function("cos", (k,), a)) for a in angles]
        yield [(Function("exp", (k,), float(sign * r / largest[k])),) for r in RATES for sign in (1, -1)]
        if low[k] < 0 < high[k]:
            yield [(Function("abs", (k,), 1.0),)]
        if low[k] > 0:
            yield [(Function("reciprocal", (k,), float(p * largest[k])),) for p in SATURATIONS]
        for kind, power in POWERS.items():
            if power == 2 or (power > 2 and low[k] > 0):
                yield [(Function(kind, (k,), float((p * largest[k]) ** power)),) for p in HALF]
    for pair in itertools.combinations(range(problem.terms.features), 2):
        if (low[list(pair)] > 0).all():
            yield [(Function("ratio", pair, float(p)),) for p in RATIOS]
        yield [(Function("inverse_cube", pair, float((scale[pair[1]] / scale[pair[0]]) ** 2)),)]  # of one unit
        yield [(Function("inverse_cube", pair, float(p**2)),) for p in RATIOS]


def _regression(
    problem: Problem, functions: tuple[Function, ...], degree: int, span: int = SPAN
) -> tuple[Problem, Array, Array]:
    """The problem with these terms, rows (row, term) and targets (feature, row) of size one."""
    terms = Terms(problem.terms.features, degree, functions)
    runs = [(x, t) for x, _, t in problem.runs]
    span = min(span, int(MOST_OF_RUN * (min(len(t) for _, t in runs) - 1)))
    theta, target = regression(terms, runs, span, problem.own)
    size = np.linalg.norm(target, axis=1, keepdims=True)
    return replace(problem, terms=terms), theta[0] * problem.own[0], target / np.where(size > 0, size, 1.0)


def _promising(
    problem: Problem, taken: tuple[Function, ...], groups: list[list[tuple[Function, ...]]]
) -> list[tuple[Function, ...]]:
    """Of each group the best parameters where all terms are in the regression, and of these the best groups."""
    ranked = []
    for group in groups:
        values = []
        for functions in group:
            _, theta, target = _regression(problem, (*taken, *functions), DEGREE)
            norms = np.linalg.norm(theta, axis=0)
            left, singular, _ = np.linalg.svd(theta / np.where(norms > 0, norms, 1.0), full_matrices=False)
            basis = left[:, singular > RANK * singular[0]]
            rest = np.sum((target - (target @ basis) @ basis.T) ** 2, axis=1)
            columns = PER_COLUMN * len(target) * theta.shape[1]
            values.append(float(ROWS * np.log(rest + FLOOR).sum() + columns))
        best = int(np.argmin(np.where(np.isfinite(values), values, np.inf)))
        ranked.append((values[best], group[best]))
    ranked = [r for r in ranked if np.isfinite(r[0])]
    most = TRIED if problem.terms.features <= 2 else TRIED_OF_MANY
    return [functions for _, functions in sorted(ranked, key=lambda r: r[0])[:most]]


def _sparse(
    problem: Problem, functions: tuple[Function, ...], degree: int = DEGREE, span: int = SPAN, floor: float = FLOOR
) -> _Fit:
    """Each equation's support along its path with the least criterion."""
    wider, theta, target = _regression(problem, functions, degree, span)
    allowed, rank, costs = np.ones(theta.shape[1], dtype=bool), wider.rank, wider.costs
    criteria, support = np.zeros(len(target)), np.zeros(costs.shape, dtype=bool)
    for k, y in enumerate(target):
        path = eliminate(theta, y, allowed, rank)
        kept = np.append(np.cumsum(costs[k][path.order][::-1])[::-1], 0.0)
        values = ROWS * np.log(path.losses + floor) + kept
        first = int(np.argmin(values))
        criteria[k] = values[first]
        support[k, path.order[first:]] = True
    return _Fit(functions, criteria, support)


def _fitted(problem: Problem, taken: tuple[Function, ...], group: tuple[Function, ...], best: Array) -> _Fit:
    """A group's regressions, at the parameter of the grid or the one that line searches find.

    They go on few terms at first: those that the equations need for a coarse fit.
    """

    fits = [_sparse(problem, (*taken, *group))]
    for floor in COARSE if _free(group) else ():
        kept = _sparse(problem, (*taken, *group), floor=floor).support
        terms = Terms(problem.terms.features, DEGREE, (*taken, *group))
        kept = kept & kept[:, terms.exponents[:, -len(group) :].any(axis=1)].any(axis=1, keepdims=True)
        if not kept.any():
            break

        def loss(log: float, kept: Bools = kept, group: tuple[Function, ...] = group) -> float:
            _, theta, target = _regression(problem, (*taken, *_times(group, math.exp(log))), DEGREE)
            solution = solved(np.broadcast_to(theta, (len(target), *theta.shape)), target, kept)
            rest = np.sum((target - solution @ theta.T) ** 2, axis=1)
            return float(np.log(rest + FLOOR)[kept.any(axis=1)].sum())

        group = _times(group, math.exp(_least(loss, REACH, STEPS)))
        fits.append(_sparse(problem, (*taken, *group)))
    return min(fits, key=lambda fit: float((fit.criteria - best).min()))


def _times(group: tuple[Function, ...], factor: float) -> tuple[Function, ...]:
    """The functions at a parameter so many times as large."""
    return tuple(replace(f, parameter=f.parameter * factor) for f in group)


def _free(functions: tuple[Function, ...]) -> list[int]:
    """Which have a parameter to be fitted; of a sine and cosine of one angle, the sine."""
    fixed = [f.kind == "abs" or f.parameter == 0 or (k > 0 and _same(functions, k - 1)) for k, f in enumerate(functions)]
    return [k for k, out in enumerate(fixed) if not out]


def _same(functions: tuple[Function, ...], k: int) -> bool:
    """Whether one is a sine, and the next the cosine of its angle."""
    return k + 1 < len(functions) and functions[k].kind == "sin" and functions[k + 1].kind == "cos"


def _least(loss: Callable[[float], float], reach: float, steps: int) -> float:
    """By golden sections, so far around zero."""
    low, high = -reach, reach
    inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_inner, at_outer = loss(inner), loss(outer)
    for _ in range(steps):
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = loss(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = loss(outer)
    return inner if at_inner < at_outer else outer


def searched(problem: Problem, scale: Array) -> Found:
    """The search's laws: with functions where the data ask for some and it pays, else of monomials."""
    functions = asked_for(problem, scale)
    if not functions:
        return search(problem)
    found = search(replace(problem, terms=Terms(problem.terms.features, DEGREE, functions)))
    if found.problem.left(found.pool[0]) < WORTH:
        found = _tuned(found)
    if exact(found.problem, found.pool[0]):
        return found
    plain = search(problem)
    floor = max(found.problem.floor, plain.problem.floor)

    def least(some: Found) -> float:
        alike = replace(some.problem, floor=floor)
        return min((alike.value(law) for law in some.pool), default=np.inf)

    return found if least(found) < least(plain) else plain


def _tuned(found: Found) -> Found:
    """At the parameters with which rollouts of the best law leave least, and the best laws refined there."""
    problem, laws = found.problem, [law for law in found.pool if law.ok][:MOST_TUNED]
    if not laws:
        return found
    used = laws[0].mask.any(axis=0) @ (problem.terms.exponents[:, problem.terms.features :] > 0)
    functions = problem.terms.functions
    free = [k for k in _free(functions) if used[k] or (_same(functions, k) and used[k + 1])]
    law = laws[0]
    for _ in range(STEPS_LAST if free else 0):
        shift, coefficients = _step(problem, law, free, found.substeps)
        changed = _moved(problem, free, shift)
        better = Refined(coefficients, law.mask, starts=law.starts.copy())
        _refined(changed, [better], found.substeps)
        if not better.ok or better.cost >= law.cost:
            break
        problem, law = changed, better
    if law is laws[0]:
        return found
    others = [Refined(o.coefficients.copy(), o.mask, starts=o.starts.copy()) for o in laws[1:]]
    _refined(problem, others, found.substeps)
    return replace(found, problem=problem, pool=sorted([o for o in (law, *others) if o.ok], key=problem.value))


def _refined(problem: Problem, laws: list[Refined], substeps: int) -> None:
    weights, bound = problem.weights, problem.bound
    refine(problem.terms, laws, problem.runs, weights, substeps=substeps, bound=bound, stages=(1.0,))


def _moved(problem: Problem, free: list[int], shift: Array) -> Problem:
    """The problem with parameters of some functions changed by so much of themselves."""
    functions = list(problem.terms.functions)
    for k, s in zip(free, shift.tolist(), strict=True):
        last = k + 1 + _same(problem.terms.functions, k)
        functions[k:last] = _times(tuple(functions[k:last]), 1 + s)
    return replace(problem, terms=Terms(problem.terms.features, problem.terms.degree, tuple(functions)))


def _step(problem: Problem, law: Refined, free: list[int], substeps: int) -> tuple[Array, Array]:
    """A Gauss-Newton step of rollouts: the parameters' relative changes, and the coefficients after it."""
    window = Window(problem.runs, 1.0)
    coefficients = np.repeat(law.coefficients[None], len(window.first), axis=0)

    def rolled(some: Problem) -> Array:
        return march_laws(some.terms, coefficients, law.starts, window.t, substeps, some.bound)[1]

    here, unit = rolled(problem), np.eye(len(free)) * DIFFERENCE
    further = np.stack([(rolled(_moved(problem, free, u)) - here) / DIFFERENCE for u in unit], axis=-1)
    further = further * window.use.T[..., None, None]
    matrix, target = linearised(
        problem.terms, law, problem.runs, problem.weights, substeps, problem.bound, further=further
    )
    support = np.append(law.mask.ravel(), np.ones(len(free), dtype=bool))
    solution = solved(matrix[None], target[None], support[None])[0]
    size = law.mask.size
    return np.clip(solution[size:], -FARTHEST, FARTHEST), solution[:size].reshape(law.mask.shape)
