"""Fits under constraints: made once without them, and again under them where that fit does not hold them.

A fit without constraints that holds them is the answer, bit for bit; else the same data are matched and shot again
under them, and what the two leave is kept side by side, so that a reader sees what the constraints cost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import ClassVar, Protocol

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import INDEPENDENT, Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation import InitialFit, MatchedIntegrals, ShootingResult
from ecodyn.estimation.centred import Centred
from ecodyn.estimation.constrained_matching import MatchedUnderConstraints
from ecodyn.estimation.constraints import Constraints, map_of
from ecodyn.estimation.restriction import Restriction
from ecodyn.families.constraint_names import Coefficients
from ecodyn.families.constraints import AFFINE, Constraint, Data, constraints_on
from ecodyn.families.constraints_held import ConstraintsHeld
from ecodyn.families.training_set import TrainingSet
from ecodyn.rollouts.iteration import MAP, stored_step
from ecodyn.trajectories import Trajectories

__all__ = ["MOST_CONSTRAINED", "Refined", "directions_of", "matched_fit", "on_data", "under_constraints"]

MOST_CONSTRAINED = 600  # coefficients: a quadratic programme of more takes seconds a step

MUCH = 1.1  # times the squares of the fit without constraints, beyond which another start is tried
FLAT = 1e-10  # of a Hessian's largest eigenvalue: directions of less are held as those are

Refined = tuple[TrainingSet, ShootingResult | None, float]


class Shoot(Protocol):
    """A family's shooting of training sets, with some options changed."""

    def __call__(self, prepared: Sequence[TrainingSet], **changed: object) -> list[ShootingResult]:
        """Their results."""


class Constrained(Protocol):
    """What is asked of a family whose fits are constrained."""

    constraints: Sequence[Constraint] | None
    dynamics: str
    stability_of: ClassVar[str | None]

    def coefficient_names(self, library: Library) -> tuple[dict[str, int], str]:
        """What it calls coefficients, by term, and its matrix."""

    def constrained_fit(self, training: TrainingSet, constraints: Constraints) -> InitialFit:
        """A first fit under constraints."""


def on_data(family: Constrained, library: Library, free: Bools, trajectories: Trajectories) -> Constraints:
    """Constraints on the coefficients (row, term) of a family's law of these data, of which some are ``free``.

    Raises
    ------
    ValueError
        One is of no coefficients of the law, or several contradict one another.
    """
    if free.sum() > MOST_CONSTRAINED:
        raise ValueError(
            f"expected at most {MOST_CONSTRAINED} coefficients under constraints, got {int(free.sum())}; select fewer "
            "features, a smaller degree or coupling='exchangeable'"
        )
    whole, form = trajectories.complete(), family.stability_of
    # With several equations a name such as a would be of all of them; terms have their channel in front.
    parameters, matrix = family.coefficient_names(library) if len(library.fitted) == 1 else ({}, "")
    coefficients = Coefficients(library, library.groups(len(free)), parameters, matrix)
    levels = np.nanmean(whole.values, axis=(0, 1))
    if form == AFFINE:
        levels = np.sqrt(np.nanmean(whole.values**2, axis=(0, 1)))
        levels = np.where(levels > 0, levels, 1.0)
    duration = float(np.nanmax(np.nanmax(whole.times, axis=1) - np.nanmin(whole.times, axis=1))) or 1.0
    step = stored_step(whole.times, whole.lengths) if family.dynamics == MAP else None
    return constraints_on(family.constraints or (), coefficients, free, Data(duration, levels, step), form=form)


def matched_fit(training: TrainingSet, constraints: Constraints, ridge: float | None) -> InitialFit:
    """The terms of a first fit, matched again under constraints.

    Raises
    ------
    UnusableDataError
        These terms alone can't hold the constraints, or no stable law was found.
    """
    initial, samples = training.initial, training.samples
    problem = MatchedUnderConstraints(
        initial.matched,
        constraints,
        initial.mask,
        training.in_data_units,
        ridge=ridge,
        centred=Centred.of(samples, initial.library, len(initial.mask)),
        own=samples.own if initial.library.coupling != INDEPENDENT or len(initial.mask) > 1 else None,
    )
    if not problem.possible():
        raise UnusableDataError("the terms that were selected can't hold the constraints; leave one of them out")
    return replace(initial, coefficients=problem.solve())


def under_constraints(
    family: Constrained,
    refined: Sequence[Refined],
    constraints: Sequence[Constraints],
    *,
    wants_shooting: Callable[[InitialFit], bool],
    shoot: Shoot,
) -> list[Refined]:
    """Fits under constraints, from those without.

    Parameters
    ----------
    family : whose first fits under constraints are asked for
    refined : training sets with results of shooting without constraints, and seconds
    constraints : of each
    wants_shooting, shoot : the family's
    """
    found = list(refined)
    ahead: dict[int, TrainingSet] = {}
    for i, ((training, result, seconds), own) in enumerate(zip(refined, constraints, strict=True)):
        started = perf_counter()
        if _holds(training, result, own):
            held = ConstraintsHeld(given=own.given, active=(), binding=False, without=np.nan, under=np.nan, loss="")
            found[i] = (replace(training, held=held), result, seconds)
            continue
        ahead[i] = replace(training, initial=family.constrained_fit(training, own), constraints=own)
        found[i] = (ahead[i], None, seconds + perf_counter() - started)
    wanted = [i for i, training in ahead.items() if wants_shooting(training.initial)]
    started = perf_counter()
    results = dict(zip(wanted, shoot([ahead[i] for i in wanted]), strict=True))
    _again_from_the_free_fit(refined, ahead, results, shoot)
    share = (perf_counter() - started) / max(1, len(wanted))
    for i, training in ahead.items():
        result = results.get(i)
        found[i] = (replace(training, held=_held(refined[i], training, result)), result, found[i][2] + share)
    return found


def _again_from_the_free_fit(
    refined: Sequence[Refined], ahead: dict[int, TrainingSet], results: dict[int, ShootingResult], shoot: Shoot
) -> None:
    """Shoot again from near the fit without constraints where that left much less: matching may have begun far off."""
    for i, result in list(results.items()):
        (before, free, _), training = refined[i], ahead[i]
        if free is None or not free.reached or not np.array_equal(before.initial.mask, training.initial.mask):
            continue
        if result.reached == free.reached and result.squares <= MUCH * free.squares:
            continue
        point = _nearest(training, free)
        if point is None:
            continue
        coefficients = np.zeros(training.initial.mask.shape)
        coefficients[training.initial.mask] = point
        other = replace(training, initial=replace(training.initial, coefficients=coefficients))
        (again,) = shoot([other], stages=(free.reached,))
        if (again.reached, -again.squares) > (result.reached, -result.squares):
            ahead[i], results[i] = other, again


def _nearest(training: TrainingSet, free: ShootingResult) -> Array | None:
    """Free coefficients (parameter,) under the constraints that a fit without them loses least by, to second order."""
    constraints = training.constraints
    assert constraints is not None  # only such are fitted again
    hessian = free.hessians.sum(axis=0)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    root = np.sqrt(np.maximum(values, FLAT * float(values[-1])))[:, None] * vectors.T
    try:
        return _restriction_of(training, constraints).minimum(root, root @ free.coefficients[training.initial.mask])
    except UnusableDataError:
        return None


def directions_of(training: TrainingSet, result: ShootingResult | None) -> Array | None:
    """Directions (parameter, direction) that constraints leave at a fit, in the samples' units; None of all."""
    if training.constraints is None or not training.initial.mask.any():
        return None
    return _restriction_of(training, training.constraints).directions(_coefficients(training, result))


def _restriction_of(training: TrainingSet, constraints: Constraints) -> Restriction:
    """Constraints on a first fit's free coefficients, in the samples' units."""
    return constraints.within(map_of(training.initial.mask, training.in_data_units))


def _coefficients(training: TrainingSet, result: ShootingResult | None) -> Array:
    found = training.initial.coefficients if result is None else result.coefficients
    return np.asarray(found[training.initial.mask])


def _holds(training: TrainingSet, result: ShootingResult | None, constraints: Constraints) -> bool:
    """Whether a fit holds constraints, of which terms that it lacks are zeros, with nothing to spare for rounding."""
    found = training.initial.coefficients if result is None else result.coefficients
    point = training.in_data_units(found).ravel()
    rows = constraints.linear
    value = rows.matrix @ point - rows.limits
    return bool(np.where(rows.equal, value == 0, value <= 0).all()) and all(
        (s.excess(point) <= 0).all() for s in constraints.stability
    )


def _held(free: Refined, training: TrainingSet, result: ShootingResult | None) -> ConstraintsHeld:
    """What is active at a fit under constraints, and what they cost."""
    constraints = training.constraints
    assert constraints is not None  # only such are fitted again
    restriction = _restriction_of(training, constraints)
    active, at_margin = restriction.at_bounds(_coefficients(training, result))
    rows = constraints.linear
    equations = dict.fromkeys(constraints.given[n] for n in rows.statement[rows.equal].tolist())
    bounds = dict.fromkeys([*(rows.names[k] for k in active), *(s.name for s in at_margin)])
    without, under, loss = _losses(free, training, result)
    return ConstraintsHeld(
        given=constraints.given, active=(*equations, *bounds), binding=True, without=without, under=under, loss=loss
    )


def _losses(free: Refined, training: TrainingSet, result: ShootingResult | None) -> tuple[float, float, str]:
    before, shot, _ = free
    if shot is not None and result is not None:
        if shot.reached == 0.0 and result.reached > 0.0:
            return np.nan, result.squares, "without them rollouts diverge over the shortest segments"
        if shot.reached != result.reached:
            lengths = f"over {shot.reached:.0%} of the window without them, over {result.reached:.0%} under them"
            return np.nan, result.squares, f"rollouts finish {lengths}"
        return shot.squares, result.squares, "squares of rollouts"
    own = [_matched_squares(t.initial.matched, t.initial) for t in (before, training)]
    return own[0], own[1], "squares of matched increments"


def _matched_squares(matched: MatchedIntegrals, initial: InitialFit) -> float:
    squares = 0.0
    for row, coefficients in enumerate(initial.coefficients):
        design, target = matched.place(row)
        squares += float(np.sum((matched.matrix[design] @ coefficients - matched.targets[design][:, target]) ** 2))
    return squares
