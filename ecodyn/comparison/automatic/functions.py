"""Which functions beside monomials the data ask for: sines, saturations, exponentials.

Where the truth is rational or trigonometric, a polynomial can follow one trajectory as closely as one likes and hold
nowhere else. One group of functions at a time (a sine and cosine of an angle, a saturation in one feature) is offered
to the regression of the weak form, its parameter on a grid and then by a line search on the terms that are left. It is
taken if one equation is exact with it, which without it has many terms or is none: data with noise of a thousandth or
more don't tell a function from a polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.function_groups import free, groups, times
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.weak_form import MOST_OF_RUN, regression
from ecodyn.equations.functions import Function
from ecodyn.estimation.support_paths import eliminate, solved

__all__ = ["DEGREE", "asked_for"]

MOST_FEATURES = 4  # with more, there are too many groups to try
DEGREE = 2  # of the polynomials beside functions: textbook systems with functions have no cubic terms
GROUPS = 4  # taken at most
TRIED, TRIED_OF_MANY = 16, 10  # groups whose terms are eliminated, of two features (all) and of more
GAIN = 25.0  # of one equation's criterion: five terms or so, or a few less and a residual smaller by some powers of ten
NOISY = 1e-5  # of a feature's movement squared, what smoothing takes away: no equation is exact with more
EXACT = -75.0  # of one equation's criterion: a residual of 1e-10 and five terms, or of 1e-12 and ten
UNEVEN = 1e-6  # of a step, by how much others may differ: rounding of times
SPAN = 24  # samples in a window: short ones tell functions apart best
PER_COLUMN = 5.0  # what a term costs where the regression has all of them
FLOOR = 1e-17  # of a target's square: under it trapezoids and the data's rounding are what is fitted
# Samples that a residual counts as. Without noise each further term of an expansion takes a factor from the residual,
# which many samples would make worth it; the function itself takes all of it at once.
ROWS = 4.0
# Line searches for the log of a parameter, each closer than the one before: floors for the terms that they go on, and
# how far they reach, the first as far as the grid is wide.
SEARCHES = ((1e-6, 0.6), (1e-10, 0.03), (1e-14, 0.002))
RANK = 1e-11  # singular values under so much of the largest are rounding
STEPS = 10  # golden sections of each
GOLDEN = (math.sqrt(5) - 1) / 2
LONGER = 2  # times the span, in which a group has to gain too: an error of trapezoids is less there


@dataclass(frozen=True, eq=False)
class _Fit:
    """Sparse regressions of all equations: criteria (feature,), supports (feature, term)."""

    functions: tuple[Function, ...]
    criteria: Array
    support: Bools


def asked_for(problem: Problem, scale: Array) -> tuple[Function, ...]:
    """The functions, in scaled units; none of many features, or where linear laws alone are asked for."""
    noisy = float((problem.noise / problem.own**2).max()) > NOISY
    steps = [np.diff(t) for _, _, t in problem.runs]
    uneven = any(np.ptp(h) > UNEVEN * h.mean() for h in steps)  # trapezoids are then no better than to three digits
    if noisy or uneven or problem.terms.features > MOST_FEATURES or problem.terms.degree < DEGREE:
        return ()
    offered = list(groups(problem, scale))
    taken: tuple[Function, ...] = ()
    best, longer = _of_monomials(problem, SPAN), _of_monomials(problem, LONGER * SPAN)
    for _ in range(GROUPS):
        if (best < ROWS * math.log(FLOOR) + GAIN).all():  # there is no such gain left
            break
        fits = [_fitted(problem, taken, group, best) for group in _promising(problem, taken, offered)]
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
    problem: Problem, taken: tuple[Function, ...], offered: list[list[tuple[Function, ...]]]
) -> list[tuple[Function, ...]]:
    """Of each group the best parameters where all terms are in the regression, and of these the best groups."""
    ranked = []
    for group in offered:
        values = []
        for functions in group:
            _, theta, target = _regression(problem, (*taken, *functions), DEGREE)
            if not np.isfinite(theta).all():  # a state at which it has no value
                values.append(np.inf)
                continue
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
    if not np.isfinite(theta).all():
        return _Fit(functions, np.full(len(target), np.inf), support)
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
    for floor, reach in SEARCHES if free(group) else ():
        kept = _sparse(problem, (*taken, *group), floor=floor).support
        terms = Terms(problem.terms.features, DEGREE, (*taken, *group))
        kept = kept & kept[:, terms.exponents[:, -len(group) :].any(axis=1)].any(axis=1, keepdims=True)
        if not kept.any():
            break

        def loss(log: float, kept: Bools = kept, group: tuple[Function, ...] = group) -> float:
            _, theta, target = _regression(problem, (*taken, *times(group, math.exp(log))), DEGREE)
            if not np.isfinite(theta).all():
                return math.inf
            solution = solved(np.broadcast_to(theta, (len(target), *theta.shape)), target, kept)
            rest = np.sum((target - solution @ theta.T) ** 2, axis=1)
            return float(np.log(rest + FLOOR)[kept.any(axis=1)].sum())

        group = times(group, math.exp(_least(loss, reach)))
        fits.append(_sparse(problem, (*taken, *group)))
    return min(fits, key=lambda fit: float((fit.criteria - best).min()))


def _least(loss: Callable[[float], float], reach: float) -> float:
    """By golden sections, so far around zero."""
    low, high = -reach, reach
    inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_inner, at_outer = loss(inner), loss(outer)
    for _ in range(STEPS):
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - GOLDEN * (high - low)
            at_inner = loss(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + GOLDEN * (high - low)
            at_outer = loss(outer)
    return inner if at_inner < at_outer else outer
