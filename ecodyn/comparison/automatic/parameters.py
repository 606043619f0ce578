"""The search with functions: their parameters refined by rollouts, and the laws against those of monomials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.function_groups import free, same, times
from ecodyn.comparison.automatic.functions import DEGREE, asked_for
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined, Window, linearised, march_laws, refine
from ecodyn.comparison.automatic.search import WORTH, Found, exact, search
from ecodyn.estimation.support_paths import solved

__all__ = ["searched"]

STEPS_LAST, FARTHEST = 3, 0.1  # Gauss-Newton steps of rollouts, and the longest, of the parameter itself
DIFFERENCE = 1e-5  # of a parameter, for the derivative of rollouts by it
MOST_TUNED = 5  # laws that are refined at new parameters


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
    moving = [k for k in free(functions) if used[k] or (same(functions, k) and used[k + 1])]
    law = laws[0]
    for _ in range(STEPS_LAST if moving else 0):
        shift, coefficients = _step(problem, law, moving, found.substeps)
        changed = _moved(problem, moving, shift)
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


def _moved(problem: Problem, moving: list[int], shift: Array) -> Problem:
    """The problem with parameters of some functions changed by so much of themselves."""
    functions = list(problem.terms.functions)
    for k, s in zip(moving, shift.tolist(), strict=True):
        last = k + 1 + same(problem.terms.functions, k)
        functions[k:last] = times(tuple(functions[k:last]), 1 + s)
    return replace(problem, terms=Terms(problem.terms.features, problem.terms.degree, tuple(functions)))


def _step(problem: Problem, law: Refined, moving: list[int], substeps: int) -> tuple[Array, Array]:
    """A Gauss-Newton step of rollouts: the parameters' relative changes, and the coefficients after it."""
    window = Window(problem.runs, 1.0)
    coefficients = np.repeat(law.coefficients[None], len(window.first), axis=0)

    def rolled(some: Problem) -> Array:
        return march_laws(some.terms, coefficients, law.starts, window.t, substeps, some.bound)[1]

    here, unit = rolled(problem), np.eye(len(moving)) * DIFFERENCE
    further = np.stack([(rolled(_moved(problem, moving, u)) - here) / DIFFERENCE for u in unit], axis=-1)
    further = further * window.use.T[..., None, None]
    matrix, target = linearised(
        problem.terms, law, problem.runs, problem.weights, substeps, problem.bound, further=further
    )
    support = np.append(law.mask.ravel(), np.ones(len(moving), dtype=bool))
    solution = solved(matrix[None], target[None], support[None])[0]
    size = law.mask.size
    return np.clip(solution[size:], -FARTHEST, FARTHEST), solution[:size].reshape(law.mask.shape)
