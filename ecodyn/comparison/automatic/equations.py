"""One equation in the weak form: its coefficients, its criterion, its functions' parameters by variable projection."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.columns import Columns, Term
from ecodyn.comparison.automatic.function_groups import Group, free, with_parameters
from ecodyn.comparison.automatic.subsets import small_subsets
from ecodyn.equations.functions import Function
from ecodyn.estimation.support_paths import eliminate

__all__ = ["ROWS", "Equation", "criterion_of", "in_order", "made", "of_columns", "tuned"]

KINKED_FLOOR = 1e-8  # the same where a function has a kink, across which trapezoids are less exact
# Samples that a residual counts as. Without noise each further term of an expansion takes a factor from the residual,
# which many samples would make worth it; the function itself takes all of it at once.
ROWS = 4.0
PER_SHIFT = 6.0  # what a function's second parameter costs: as much as a term
RANK = 1e-12  # singular values under so much of the largest are rounding
ITERATIONS = 15  # of parameters: from a grid's point ten do, near a bad one none
LARGEST_STEP = 1.0  # of a parameter's log
DIFFERENCE = 1e-6  # of a parameter's log, for derivatives
ENOUGH = 1e-3  # relative decrease of the loss at which parameters are done
MOST, WIDTH = 6, 24  # terms of a support that is sought from single ones, and how many are kept on the way


@dataclass(frozen=True, eq=False)
class Equation:
    """One feature's: terms, their coefficients where columns have size one, squared residual and criterion."""

    terms: tuple[Term, ...]
    loss: float
    criterion: float

    @property
    def functions(self) -> Group:
        """Those it has, in order."""
        return in_order([f for term in self.terms for f in term.functions])


def in_order(functions: list[Function]) -> Group:
    """Each once, and the cosine of a sine's angle behind it."""
    distinct = list(dict.fromkeys(functions))
    out: list[Function] = []
    for function in sorted(distinct, key=lambda f: not f.kind.startswith("sin")):
        if function not in out:
            out.append(function)
            partner = Function(
                function.kind.replace("sin", "cos"), function.variables, function.parameter, function.shift
            )
            if partner in distinct and partner not in out:
                out.append(partner)
    return tuple(out)


def criterion_of(loss: float, floor: float, costs: Array, functions: Group) -> float:
    """What an equation is judged by."""
    floor = max(floor, KINKED_FLOOR if any(f.kind.startswith("abs") for f in functions) else 0.0)
    return ROWS * math.log(loss + floor) + float(costs.sum()) + PER_SHIFT * sum(f.shift != 0 for f in functions)


def _rest(columns: Array, target: Array) -> Array:
    """What least squares leave of the target."""
    if not np.isfinite(columns).all():
        return np.full(len(target), np.inf)
    norms = np.linalg.norm(columns, axis=0)
    columns = columns / np.where(norms > 0, norms, 1.0)
    return np.asarray(target - columns @ np.linalg.lstsq(columns, target, rcond=RANK)[0])


def made(columns: Columns, feature: int, terms: tuple[Term, ...]) -> Equation:
    """An equation of these terms."""
    loss = float(np.sum(_rest(columns.of(list(terms)), columns.targets[feature]) ** 2))
    functions = in_order([f for term in terms for f in term.functions])
    if not math.isfinite(loss):
        return Equation(terms, loss, math.inf)
    floor, costs = float(columns.floors[feature]), columns.costs(list(terms), feature)
    return Equation(terms, loss, criterion_of(loss, floor, costs, functions))


def of_columns(columns: Columns, feature: int, terms: list[Term], elsewhere: Collection[Term] = ()) -> Equation:
    """The best equation of some terms: small supports from single terms up, and larger ones from all terms down.

    Of those that are as good, the one whose terms other equations have ``elsewhere``.
    """
    theta, target, floor = columns.of(terms), columns.targets[feature], columns.floors[feature]
    usable = np.flatnonzero(np.isfinite(theta).all(axis=0))
    terms, theta = [terms[k] for k in usable.tolist()], theta[:, usable]
    costs = columns.costs(terms, feature, elsewhere)
    found = [(float("inf"), np.zeros(0, dtype=np.intp))]
    shifts = np.array([sum(f.shift != 0 for f in term.functions) for term in terms])
    for subsets in small_subsets(theta[None], target, np.ones(len(terms), dtype=bool), MOST, WIDTH):
        support, losses = subsets.supports[0], subsets.losses[0]
        values = ROWS * np.log(losses + floor) + costs[support].sum(axis=1)
        values += PER_SHIFT * (shifts[support].max(axis=1) > 0)
        best = int(np.argmin(values))
        found.append((float(values[best]), support[best]))
    order = np.argsort(costs, kind="stable")  # where terms can't be told apart, the dear ones go
    path = eliminate(theta, target, np.ones(len(terms), dtype=bool), np.argsort(order).astype(float))
    kept = np.append(np.cumsum(costs[path.order][::-1])[::-1], 0.0)
    values = ROWS * np.log(path.losses + floor) + kept
    first = int(np.argmin(values))
    found.append((float(values[first]), path.order[first:]))
    candidates = [
        (made(columns, feature, tuple(terms[k] for k in support)), float(costs[support].sum()))
        for _, support in found
        if len(support)
    ]
    return min(candidates, key=lambda c: c[0].criterion + c[1] - columns.costs(list(c[0].terms), feature).sum())[0]


def tuned(columns: Columns, feature: int, equation: Equation, iterations: int = ITERATIONS) -> Equation:
    """At the parameters of its functions with which it leaves least, by Gauss and Newton's steps of their logs."""
    functions, target = equation.functions, columns.targets[feature]
    which = free(functions)
    if not which:
        return equation

    def at(changed: Group) -> tuple[Term, ...]:
        new = dict(zip(functions, changed, strict=True))
        return tuple(Term(term.monomial, tuple(new[f] for f in term.functions)) for term in equation.terms)

    def rest(changed: Group) -> Array:
        return _rest(columns.of(list(at(changed))), target)

    here, left = functions, rest(functions)
    loss, damping = float(left @ left), 1e-3
    slopes: Array | None = None
    for _ in range(iterations):
        if slopes is None:
            unit = np.eye(len(which)) * DIFFERENCE
            slopes = np.stack([(rest(with_parameters(here, which, u)) - left) / DIFFERENCE for u in unit], axis=1)
        if not np.isfinite(slopes).all():
            break
        normal = slopes.T @ slopes
        step = np.linalg.lstsq(normal + damping * np.diag(np.diagonal(normal)), -slopes.T @ left, rcond=None)[0]
        trial = with_parameters(here, which, np.clip(step, -LARGEST_STEP, LARGEST_STEP))
        new = rest(trial)
        gone = loss - float(new @ new)
        if np.isfinite(new).all() and gone > 0:
            here, left, loss, damping, slopes = trial, new, loss - gone, damping / 10, None
            if gone <= ENOUGH * (loss + gone) or loss < columns.floors[feature] / 10:
                break
        else:
            damping *= 10
            if damping > 1e3:
                break
    return made(columns, feature, at(here))
