"""Fitting formulas: matched integrals from several starts, then multiple shooting with exact sensitivities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.multiple_shooting import STEP_TOLERANCE, Problem, ShootingResult, shoot_all
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import EXACT_SQUARES
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.searching import DRAWS, Candidate, Search, candidates_of

__all__ = ["FittedFormula", "fit_formulas"]

ROLLED_OUT = 2  # distinct optima of matching that are rolled out: noise in short spans may have the wrong one first
STEP_SHARE = 0.01  # of a rollout's misfit, that the solver's error may be
SETTLED = 2.0  # factor by which the steps' tolerance must fall for another round to be worth it
UNDONE = 1e-4  # share of the squares that a further step would take off, from which on the search goes on
MOST_POLISHING = 4  # rounds: of exact data each shows how much of the misfit was the solver's


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedFormula:
    """A fit of one training set.

    Attributes
    ----------
    law : FormulaLaw
    coordinates : φ (parameter,)
    slopes : ∂(matched integrals)/∂φ (row, parameter) there
    shooting : how refinement went, None without it
    draws : of starts that were tried
    """

    law: FormulaLaw
    coordinates: Array
    slopes: Array
    shooting: ShootingResult | None
    draws: int

    @property
    def parameters(self) -> Array:
        """θ."""
        return self.law.bind(self.coordinates[None]).parameters[0]


@np.errstate(all="ignore")  # draws and trials may have no value: that is what makes their cost infinite
def fit_formulas(
    searches: Sequence[tuple[Search, Samples, tuple[int, ...]]], options: Mapping[str, Any], *, refine: bool
) -> list[FittedFormula]:
    """Fit each training set as it would be alone; their shooting goes on side by side.

    Parameters
    ----------
    searches : what is searched for in which samples, and where the features that the formula names are
    options : of ``shoot_all``
    refine : whether rollouts are followed
    """
    found = [candidates_of(search, samples, columns, ROLLED_OUT) for search, samples, columns in searches]
    if not refine:
        return [_fitted(candidates[0], None) for candidates in found]
    owner = [i for i, candidates in enumerate(found) for _ in candidates]
    every = [candidate for candidates in found for candidate in candidates]
    problems = [_problem(c, searches[i][1], c.coordinates) for i, c in zip(owner, every, strict=True)]
    results = shoot_all(problems, **options)
    best = [min((k for k, o in enumerate(owner) if o == i), key=lambda k: _rank(results[k])) for i in range(len(found))]
    chosen = zip([(every[k], results[k]) for k in best], searches, strict=True)
    return [_fitted(c, _polished(c, result, samples, options)) for (c, result), (_, samples, _) in chosen]


def _problem(candidate: Candidate, samples: Samples, coordinates: Array) -> Problem:
    return Problem(candidate.law, samples, coordinates.reshape(1, -1))


def _rank(result: ShootingResult) -> tuple[float, float]:
    """The longest rollouts first, then the smallest squares."""
    return -result.reached, result.squares if np.isfinite(result.squares) else np.inf


def _polished(
    candidate: Candidate, result: ShootingResult, samples: Samples, options: Mapping[str, Any]
) -> ShootingResult:
    """The same at its optimum, with steps so fine that the solver's error is a small share of what rollouts leave."""
    before = STEP_TOLERANCE
    for _ in range(MOST_POLISHING):
        durations = samples.times[np.arange(samples.n_runs), samples.lengths - 1] - samples.times[:, 0]
        size = float(durations.sum()) * samples.states.shape[2]
        tolerance = STEP_SHARE * float(np.sqrt(result.squares / size))
        undone = result.optimality > UNDONE  # of curved valleys, which take many steps
        exact = result.squares <= EXACT_SQUARES * size  # the data are of order one
        if exact or not (result.reached and (undone or tolerance < before / SETTLED)):
            break
        tolerance = min(before, tolerance)
        again = {**options, "stages": (result.reached,), "step_tolerance": tolerance}
        finer = shoot_all([_problem(candidate, samples, result.coefficients)], **again)[0]
        if finer.reached != result.reached:
            break
        result, before = finer, tolerance
    return result


def _fitted(candidate: Candidate, result: ShootingResult | None) -> FittedFormula:
    coordinates = candidate.coordinates if result is None else result.coefficients[0]
    _, slopes = candidate.increments.linearised(coordinates)
    slopes = np.sqrt(candidate.increments.weights)[:, None] * slopes
    return FittedFormula(
        law=candidate.law,
        coordinates=coordinates,
        slopes=slopes.reshape(-1, slopes.shape[-1]),
        shooting=result,
        draws=DRAWS,
    )
