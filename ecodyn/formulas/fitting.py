"""Fitting formulas: matched integrals from several starts, then multiple shooting with exact sensitivities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.multiple_shooting import STAGES, STEP_TOLERANCE, Problem, ShootingResult, shoot_all
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_search import SETTLED
from ecodyn.formulas.law import FormulaLaw
from ecodyn.formulas.searching import Candidate, Search, candidates_of, draws_of

__all__ = ["FittedFormula", "fit_formulas"]

STEP_SHARE = 0.01  # of a rollout's misfit, that the solver's error may be
EXACT = 1e-18  # mean square of what is left, the data being of order one: nine digits, of which conditioning takes some
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
    found = [candidates_of(search, samples, columns) for search, samples, columns in searches]
    if not refine:
        return [_fitted(found[i][0], None, draws_of(search)) for i, (search, _, _) in enumerate(searches)]
    training = [samples for _, samples, _ in searches]
    direct = {**options, "stages": tuple(options.get("stages", STAGES))[-1:]}
    results = _shot([matched for matched, _ in found], training, options)
    others = _shot([rolled_out for _, rolled_out in found], training, direct)
    fits = []
    for index, samples in enumerate(training):
        pairs = [(found[index][0], results[index]), (found[index][1], others[index])]
        candidate, result = min(((c, r) for c, r in pairs if c is not None and r is not None), key=_rank)
        draws = draws_of(searches[index][0])
        fits.append(_fitted(candidate, _polished(candidate, result, samples, options), draws))
    return fits


def _shot(
    candidates: Sequence[Candidate | None], training: Sequence[Samples], options: Mapping[str, Any]
) -> list[ShootingResult | None]:
    """The results of shooting from each candidate, side by side; None where there is none."""
    there = [i for i, candidate in enumerate(candidates) if candidate is not None]
    problems = [_problem(c, training[i], c.coordinates) for i in there if (c := candidates[i]) is not None]
    by_index = dict(zip(there, shoot_all(problems, **options), strict=True))
    return [by_index.get(i) for i in range(len(candidates))]


def _problem(candidate: Candidate, samples: Samples, coordinates: Array) -> Problem:
    return Problem(candidate.law, samples, coordinates.reshape(1, -1))


def _rank(pair: tuple[Candidate, ShootingResult]) -> tuple[float, float]:
    """The longest rollouts first, then the smallest squares."""
    _, result = pair
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
        exact = result.squares <= EXACT * size  # the data are of order one
        if exact or not (result.reached and (undone or tolerance < before / SETTLED)):
            break
        tolerance = min(before, tolerance)
        again = {**options, "stages": (result.reached,), "step_tolerance": tolerance}
        finer = shoot_all([_problem(candidate, samples, result.coefficients)], **again)[0]
        if finer.reached != result.reached:
            break
        result, before = finer, tolerance
    return result


def _fitted(candidate: Candidate, result: ShootingResult | None, draws: int) -> FittedFormula:
    coordinates = candidate.coordinates if result is None else result.coefficients[0]
    _, slopes = candidate.increments.linearised(coordinates)
    slopes = (np.sqrt(candidate.increments.weights)[:, None] * slopes).reshape(-1, slopes.shape[-1])
    finite = np.isfinite(slopes).all(axis=1)
    return FittedFormula(
        law=candidate.law,
        coordinates=coordinates,
        slopes=slopes[finite] if finite.any() else np.zeros((len(coordinates), len(coordinates))),
        shooting=result,
        draws=draws,
    )
