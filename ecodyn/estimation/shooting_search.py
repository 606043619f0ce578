"""One problem's search by multiple shooting: over the stages, and which of them has the last word."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import FULL
from ecodyn.estimation.constrained_descent import ConstrainedDescent
from ecodyn.estimation.damped_descent import DampedDescent
from ecodyn.estimation.pieced_objective import PiecedObjective, objective_of
from ecodyn.estimation.rolled_out import bound
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import MOST_SUBSTEPS, Objective, Probe, Question
from ecodyn.estimation.shooting_result import Problem, ShootingResult, of_runs
from ecodyn.rollouts.stiff_marching import is_stiff

__all__ = [
    "EARLY_TOLERANCE",
    "LAST_TOLERANCE",
    "SETTLED",
    "Search",
    "Staging",
    "choose_substeps",
    "search",
    "steps_for_decays",
]


AUTO = "auto"  # of options: as the data ask for
INTERVALS = 24  # Runge-Kutta intervals a window, and outputs of a rollout that are compared with the data
FREED_INTERVALS = 96  # the same where starting states are estimated: noise averages out over many samples
MOST_FREED = 8  # features whose starting states are estimated unasked: each is one more direction of sensitivities
STAGES = (0.2, 0.6, 1.0)  # lengths of the segments, as shares of the window
SHORTEST = 0.02  # of the window: where rollouts diverge, stages are inserted, down to growth by so little
STEP_TOLERANCE = 1e-3  # of the data's root mean square, between rollouts with a step and with half of it
POOR = 0.5  # share of what happens within the first segments, beyond which shorter ones come first
STEP_SHARE = 0.1  # of what is left, as a root mean square: more of it may not be the solver's error
FINEST_TOLERANCE = 1e-7  # of steps, for that
NEARLY_EXACT = 1e-3  # left of data of order one, under which it may all be the solver's
MOST_OF_POLISHING = 64  # substeps of an interval
SETTLED = 2.0  # factor by which their tolerance must fall for another round to be worth it
MOST_POLISHING = 3  # rounds
EARLY_TOLERANCE, LAST_TOLERANCE = 1e-2, 1e-5  # relative decrease of the cost at which a stage is done
MAX_ITERATIONS = 40  # a stage
ALIKE = 0.05  # in the mean log of what runs leave: by less, the longest segments have the last word


@dataclass(frozen=True, kw_only=True)
class Staging:
    """How a search goes.

    Attributes
    ----------
    stages : shares of the window
        Segment lengths, short to long.
    intervals : int or "auto"
        Runge-Kutta intervals over the window; each is subdivided until halving no longer matters. For a map, how many
        outputs of a rollout are compared with the data; between them it goes by its own steps. "auto" is 24, or 96
        where starting signals are estimated.
    ridge : float
        Pull towards the starting coefficients, relative to the Hessian's diagonal.
    estimate_starts : bool or "auto"
        Estimate each segment's starting signal with the coefficients; the data's first state then counts as one
        more noisy observation. "auto" does so for noisy samples of full laws of at most 8 features: where a
        law is far from the truth, estimated starts make up for much of what is wrong with it.
    max_iterations : int
        A stage.
    step_tolerance : float
        Of the data's root mean square, between rollouts with a step and with half of it.
    """

    stages: Sequence[float] = STAGES
    intervals: int | str = AUTO
    ridge: float = 0.0
    estimate_starts: bool | str = False
    max_iterations: int = MAX_ITERATIONS
    step_tolerance: float = STEP_TOLERANCE

    def frees(self, problem: Problem) -> bool:
        """Whether starting signals are estimated."""
        if self.estimate_starts != AUTO:
            return bool(self.estimate_starts)
        noisy = problem.samples.smooth is not None
        return noisy and problem.library.coupling == FULL and problem.samples.states.shape[2] <= MOST_FREED

    def points(self, freed: bool) -> int:
        """Intervals a window."""
        if self.intervals != AUTO:
            return int(self.intervals)
        return FREED_INTERVALS if freed else INTERVALS


@dataclass(frozen=True, eq=False)
class _End:
    """Where a stage ended: the length of its segments, a share of the window, and where the descent was then."""

    share: float
    objective: Objective
    descent: DampedDescent


Search = Generator[Question, Any, ShootingResult]  # what is sent back depends on the question


def search(problem: Problem, staging: Staging) -> Search:
    """One problem's search: a generator that asks for rollouts and normal equations, and returns what it found."""
    samples, coefficients = problem.samples, problem.coefficients
    mask = np.ones(coefficients.shape, dtype=bool) if problem.mask is None else problem.mask
    parameters = coefficients[mask]
    if not len(parameters):
        return _unrefined(samples, coefficients, parameters, "no coefficients are free")
    descent = DampedDescent(parameters, staging.ridge)
    if problem.restriction is not None:
        descent = ConstrainedDescent(parameters, staging.ridge, problem.restriction)
    freed = staging.frees(problem)
    points = staging.points(freed)
    ends, stopped = yield from _staged(problem, mask, descent, staging, freed)
    if not ends:
        return _unrefined(samples, coefficients, parameters, stopped)
    end = ends[-1]
    if freed and len(ends) > 1:
        end = yield from _that_follows_longest(ends)
    elif ends[0].share < min(staging.stages[0], end.share):
        end = yield from _best_over_longest(ends, staging)
    descent, objective = end.descent, end.objective
    if stopped:
        descent.converged, descent.status = False, stopped
    elif descent.equations.cost <= objective.exact:
        descent.converged, descent.status = True, "converged"  # steps that gain nothing then gain rounding
    equations = descent.equations.reduced()
    return ShootingResult(
        coefficients=objective.coefficients(descent.parameters),
        hessians=equations.hessians,
        gradients=equations.gradients,
        converged=descent.converged,
        status=descent.status,
        iterations=descent.iterations,
        optimality=descent.optimality(objective.exact),
        squares=descent.equations.cost,
        reached=end.share,
        starts=descent.starts if freed else None,
        points=points,
        substeps=0 if objective.implicit else objective.substeps,
    )


def _staged(
    problem: Problem, mask: NDArray[np.bool_], descent: DampedDescent, staging: Staging, freed: bool
) -> Generator[Question, Any, tuple[list[_End], str]]:
    """Ends of the stages, and why the last was not the longest, "" if it was."""
    done, ahead, substeps, implicit = 0.0, list(staging.stages), 1, False
    ends: list[_End] = []
    while ahead:
        objective = objective_of(
            problem.library, problem.samples, staging.points(freed), ahead[0], mask=mask, freed=freed
        )
        objective.substeps, objective.implicit = substeps, implicit
        if not done:
            yield from choose_substeps(objective, descent.parameters, staging.step_tolerance)
            first = not freed and len(ahead) == len(staging.stages) > 1 and ahead[0] > SHORTEST
            if first and (yield from _unexplained(objective, descent.parameters)) > POOR:
                ahead.insert(0, SHORTEST)
                continue
        settles = len(ahead) == 1 or ahead[0] < staging.stages[0]  # nothing is behind, or near: an optimum is worth it
        tolerance = LAST_TOLERANCE if settles else EARLY_TOLERANCE
        if (yield from descent.run(objective, tolerance, staging.max_iterations)):
            done = ahead.pop(0)
            substeps = objective.substeps
            if settles and ahead:
                descent.anchor = descent.parameters  # what these rollouts say, rather than a start that failed them
            if settles:
                yield from _polished(objective, descent, staging)
            ends.append(_End(done, objective, copy.copy(descent)))
        elif not implicit and substeps < MOST_SUBSTEPS and (steps := steps_for_decays(objective, descent.parameters)):
            substeps, implicit = steps  # the same stage again
        elif (ahead[0] - done) / 2 >= SHORTEST:
            ahead.insert(0, (done + ahead[0]) / 2)  # longer rollouts diverge from here: go by a stage between
        elif done:
            return ends, f"rollouts over more than {done:.0%} of the window diverge"
        else:
            return [], "rollouts diverge even over the shortest segments"
    return ends, ""


def _polished(objective: Objective, descent: DampedDescent, staging: Staging) -> Generator[Question, Any, None]:
    """Go on with finer steps, as long as what is left may be the solver's error: whole rollouts can need such.

    Of exact data little is left, and what the steps get wrong in it would be read into the coefficients.
    """
    tolerance, most, pulled = staging.step_tolerance, MOST_SUBSTEPS, False
    for _ in range(MOST_POLISHING):
        before = objective.substeps
        now = yield from choose_substeps(objective, descent.parameters, tolerance, most)
        if now > before or pulled:
            yield from descent.run(objective, LAST_TOLERANCE, staging.max_iterations, enough=objective.exact)
        left = objective.root_mean_square(descent.equations.cost)
        finer = STEP_SHARE * left if left > NEARLY_EXACT else FINEST_TOLERANCE
        if not finer < tolerance / SETTLED or descent.equations.cost <= objective.exact:
            break
        tolerance, most, pulled = finer, MOST_OF_POLISHING, descent.ridge > 0
        descent.let_go()  # a pull towards the start would be most of what is left


def _unexplained(objective: Objective, parameters: Array) -> Generator[Question, Any, float]:
    """Share of what happens within segments that rollouts leave; infinite where they end early."""
    if isinstance(objective, PiecedObjective):
        left, moved = objective.left_and_moved_at(parameters)
    else:
        left, moved = objective.left_and_moved((yield Probe(objective, parameters, objective.substeps)))
    return left / moved if np.isfinite(left) and moved > 0 else np.inf


def _best_over_longest(ends: list[_End], staging: Staging) -> Generator[Question, Any, _End]:
    """Where the longest segments lead to from the end of the stage whose coefficients follow these best.

    The stages between may have led away from what the shortest segments had found.
    """
    last = ends[-1]
    costs = []
    for end in ends:
        costs.append((yield from _unexplained(last.objective, end.descent.parameters)))
    best = int(np.argmin(costs))
    if best == len(ends) - 1:
        return last
    again = _End(last.share, last.objective, copy.copy(ends[best].descent))
    if not (yield from again.descent.run(again.objective, LAST_TOLERANCE, staging.max_iterations)):
        return last
    yield from _polished(again.objective, again.descent, staging)
    return again if again.descent.equations.cost < last.descent.equations.cost else last


def _that_follows_longest(ends: list[_End]) -> Generator[Question, Any, _End]:
    """The end of a stage whose rollouts over the longest segments leave least, in the mean log over runs.

    Where rollouts forget where they began, sums of squares over long ones have optima far from the law, and single
    runs that went another way count for all others. The mean log of what each run leaves, which laws are judged by,
    doesn't let them. Runs start where they leave least, of the smoothed states and those that any stage estimated.
    """
    longest = ends[-1].objective
    firsts: list[Array | None] = [None]
    if len(longest.segments) == longest.n_runs:
        firsts += [of_runs(end.descent.starts, longest.n_runs) for end in ends]
    left = []
    for end in ends:
        runs = []
        for starts in firsts:
            rollouts = yield Probe(longest, end.descent.parameters, longest.substeps, starts)
            runs.append(_left_by_run(longest, rollouts))
        left.append(float(np.mean(np.log(np.min(runs, axis=0)))))
    best = min(range(len(ends)), key=lambda k: left[k])
    if left[best] >= left[-1] - ALIKE:
        return ends[-1]
    end = ends[best]
    end.descent.status += f" over segments of {end.share:.0%} of the window; longer ones lead to worse rollouts"
    return end


def _left_by_run(objective: Objective, rollouts: Array) -> Array:
    """Weighted squares (run,) that rollouts (segment, point, feature) leave of signals, with what noise leaves.

    With it, none is told by how well it follows noise; those that diverged leave all there is.
    """
    of_run = np.sum(objective.squares(rollouts), axis=(1, 2)).reshape(objective.n_runs, -1).sum(axis=1)
    all_there_is = float(np.sum(objective.squares(0.0)))
    return np.asarray(np.where(of_run < all_there_is, of_run, all_there_is) + objective.noise / objective.n_runs)


def steps_for_decays(objective: Objective, parameters: Array) -> tuple[int, bool] | None:
    """Substeps, and whether implicit ones, for decays along the data that single steps can't follow; None of none.

    Explicit ones where 16 of them do; implicit ones where these can't, as few as follow the growth that there is.
    """
    states = objective.segments.states
    if states.shape[-1] > 1 or objective.step is not None or objective.drive is not None:
        return None

    coefficients = objective.coefficients(parameters)

    def stiff(substeps: int) -> bool:
        for piece in objective.pieces() if isinstance(objective, PiecedObjective) else (objective,):
            law = bound(piece.library, coefficients, inputs=piece.inputs)  # each piece has inputs of its own runs
            if is_stiff(law.jacobian, piece.segments.states[..., 0], piece.segments.times, substeps).any():
                return True
        return False

    numbers = [2**k for k in range(MOST_SUBSTEPS.bit_length())]
    if stiff(MOST_SUBSTEPS):
        return next(n for n in numbers if stiff(n)), True
    return (MOST_SUBSTEPS, False) if any(stiff(n) for n in numbers[:-1]) else None


def _unrefined(samples: Samples, coefficients: Array, parameters: Array, why: str) -> ShootingResult:
    size = len(parameters)
    return ShootingResult(
        coefficients=coefficients,
        hessians=np.zeros((samples.n_runs, size, size)),
        gradients=np.zeros((samples.n_runs, size)),
        converged=False,
        status=why,
        iterations=0,
    )


def choose_substeps(
    objective: Objective, parameters: Array, tolerance: float, most: int = MOST_SUBSTEPS
) -> Generator[Question, Any, int]:
    """Halve the steps until that no longer moves the rollouts; how many there are then. A map's are what they are."""
    if objective.step is not None:
        return objective.substeps
    if isinstance(objective, PiecedObjective):
        while objective.substeps < most and objective.apart_by_halving(parameters) > tolerance:
            objective.substeps *= 2
        return objective.substeps
    coarse = yield Probe(objective, parameters, objective.substeps)
    while objective.substeps < most:
        fine = yield Probe(objective, parameters, 2 * objective.substeps)
        if objective.apart(fine, coarse) <= tolerance:
            break
        objective.substeps *= 2
        coarse = fine
    return objective.substeps
