"""The search with functions: their parameters refined by rollouts, and the laws against those of monomials."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.function_groups import Group, free, same, with_parameters
from ecodyn.comparison.automatic.functions import DEGREE, SPAN, Asked, asked_for
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined, Window, linearised, march_laws, refine
from ecodyn.comparison.automatic.search import WORTH, Found, Tried, exact, from_seeds, improved, search
from ecodyn.comparison.automatic.weak_form import regression
from ecodyn.estimation.support_paths import solved

__all__ = ["searched"]

STEPS_LAST, FARTHEST = 3, 0.1  # Gauss-Newton steps of rollouts, and the longest, of the parameter itself
DIFFERENCE = 1e-5  # of a parameter, for the derivative of rollouts by it
KINKED = 1e-6  # unexplained where a function has a kink: steps across it are not exact
NOT_WITHOUT = 1e-8  # unexplained with functions: monomials that follow as closely are many
MOST_SEARCHED = 90  # coefficients of a law with functions: the local search's time is as their third power
MOST_TUNED = 5  # laws that are refined at new parameters


def searched(problem: Problem, scale: Array) -> Found:
    """The search's laws: with functions where the data ask for some and it pays, else of monomials.

    Where the weak form has exact equations for all features, and their rollouts are exact, they are the law.
    """
    asked = asked_for(problem, scale)
    found = _of_equations(problem, asked) if asked.functions or asked.clean else None
    if found is not None and exact(found.problem, found.pool[0]):
        return improved(found)
    functions = asked.functions
    kinked = any(f.kind.startswith("abs") for f in functions)
    if found is not None and kinked and found.problem.left(found.pool[0]) < KINKED:
        return found
    if not functions:
        return search(problem)
    if found is not None:
        found = improved(found)
    else:
        found = search(replace(problem, terms=_terms_of(problem, functions)))
        if found.problem.left(found.pool[0]) < WORTH:
            found = _tuned(found)
    if found.problem.left(found.pool[0]) < NOT_WITHOUT:
        return found
    plain = search(problem)
    floor = max(found.problem.floor, plain.problem.floor)

    def least(some: Found) -> float:
        alike = replace(some.problem, floor=floor)
        return min((alike.value(law) for law in some.pool), default=np.inf)

    return found if least(found) < least(plain) else plain


def _terms_of(problem: Problem, functions: Group) -> Terms:
    """A library with the functions, as many of the first as there is room for."""
    features = problem.terms.features
    while True:
        terms = Terms(features, DEGREE, functions)
        if len(terms) * features <= MOST_SEARCHED or not functions:
            return terms
        functions = functions[: -2 if same(functions, len(functions) - 2) else -1]


def _of_equations(problem: Problem, asked: Asked) -> Found | None:
    """The law of equations that the weak form has for each feature, refined; None where one has none."""
    equations = [e for e in asked.equations if e is not None]
    if asked.columns is None or len(equations) < len(asked.equations):
        return None
    functions = asked.functions
    wider = replace(
        problem, terms=Terms(problem.terms.features, asked.degree, functions) if functions else problem.terms
    )
    mask = np.stack([asked.columns.mask(wider.terms, e.terms) for e in equations])
    runs = [(x, t) for x, _, t in problem.runs]
    theta, target = regression(wider.terms, runs, SPAN, problem.own)
    found = from_seeds(wider, [Tried("none", SPAN, mask, solved(theta, target, mask))])
    if found.pool and found.problem.left(found.pool[0]) < WORTH and functions:
        found = _tuned(found)
    return found if found.pool else None


def _tuned(found: Found) -> Found:
    """At the parameters with which rollouts of the best law leave least, and the best laws refined there."""
    problem, laws = found.problem, [law for law in found.pool if law.ok][:MOST_TUNED]
    if not laws:
        return found
    used = laws[0].mask.any(axis=0) @ (problem.terms.exponents[:, problem.terms.features :] > 0)
    functions = problem.terms.functions
    moving = [(k, name) for k, name in free(functions) if used[k] or (same(functions, k) and used[k + 1])]
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
    if others:
        _refined(problem, others, found.substeps)
    return replace(found, problem=problem, pool=sorted([o for o in (law, *others) if o.ok], key=problem.value))


def _refined(problem: Problem, laws: list[Refined], substeps: int) -> None:
    weights, bound = problem.weights, problem.bound
    refine(problem.terms, laws, problem.runs, weights, substeps=substeps, bound=bound, stages=(1.0,))


def _moved(problem: Problem, moving: list[tuple[int, str]], logs: Array) -> Problem:
    """The problem with parameters of some functions times the exponentials of so much."""
    functions = with_parameters(problem.terms.functions, moving, logs)
    return replace(problem, terms=Terms(problem.terms.features, problem.terms.degree, functions))


def _step(problem: Problem, law: Refined, moving: list[tuple[int, str]], substeps: int) -> tuple[Array, Array]:
    """A Gauss-Newton step of rollouts: the parameters' changes of logs, and the coefficients after it."""
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
