"""Multiple shooting: coefficients whose free rollouts follow the data.

Each run is cut into segments; from the data's state at the start of each segment the law is rolled out, and the
squared distance to the data, Σ w (x̂ − x)², is minimised by Levenberg-Marquardt with exact Jacobians (forward
sensitivities, Ṡ = ∂f/∂θ + (∂f/∂x) S, of all channels that move). Segments grow from stage to stage, up to the window
itself: long rollouts have a rugged objective, and a start from short ones is what keeps Lotka-Volterra laws from
diverging (Bock 1983). Observables that evolve beside the signal are compared with the data as well, at a tenth of the
signal's weight: left free, they become hidden variables that serve the signal and are no longer what their name says.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import FULL
from ecodyn.estimation.damped_descent import DampedDescent
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.rolled_out import AnyLaw
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_equations import (
    BATCH_ELEMENTS,
    MOST_SUBSTEPS,
    Objective,
    Probe,
    Question,
    Trial,
    normal_equations,
    rollouts,
)

AUTO = "auto"  # of options: as the data ask for
INTERVALS = 24  # Runge-Kutta intervals a window, and outputs of a rollout that are compared with the data
FREED_INTERVALS = 96  # the same where starting states are estimated: noise averages out over many samples
MOST_FREED = 8  # features whose starting states are estimated unasked: each is one more direction of sensitivities
STAGES = (0.2, 0.6, 1.0)  # lengths of the segments, as shares of the window
SHORTEST = 0.02  # of the window: where rollouts diverge, stages are inserted, down to growth by so little
STEP_TOLERANCE = 1e-3  # of the data's root mean square, between rollouts with a step and with half of it
EARLY_TOLERANCE, LAST_TOLERANCE = 1e-2, 1e-5  # relative decrease of the cost at which a stage is done
MAX_ITERATIONS = 40  # a stage
ALIKE = 0.05  # in the mean log of what runs leave: by less, the longest segments have the last word


@dataclass(frozen=True, kw_only=True)
class ShootingResult:
    """Refined coefficients, and how refinement went.

    Attributes
    ----------
    coefficients : array (row, term), in the samples' scaled units
    hessians : array (run, parameter, parameter)
        Gauss-Newton Hessians at the solution, JᵀWJ, with starting states that are estimated at their optimum.
    gradients : array (run, parameter)
        JᵀWr of each run; their sum vanishes at a minimum.
    initial_states : array (segment, feature) or None
        Estimated signals at the start of each of the last stage's segments (the runs themselves, if it is the whole
        window), where those were estimated.
    converged : bool
    status : str
    iterations : int
    optimality : float
        Share of the sum of squares that one more undamped Gauss-Newton step would take off, gᵀH⁻¹g / Σr²: 0 at an
        optimum, and where the sum is rounding; NaN where nothing was refined.
    squares : float
        Σr² itself, weighted, of the last stage; NaN likewise.
    reached : float
        Length of that stage's segments, a share of the window; 0 where nothing was refined.
    starts : array (segment, feature) or None
        All starting signals of that stage, where they were estimated.
    points, substeps : int
        Runge-Kutta intervals a window, and how each was subdivided; substeps are 0 where steps were implicit.
    """

    coefficients: Array
    hessians: Array
    gradients: Array
    initial_states: Array | None
    converged: bool
    status: str
    iterations: int
    optimality: float = float("nan")
    squares: float = float("nan")
    reached: float = 0.0
    starts: Array | None = None
    points: int = INTERVALS
    substeps: int = 0


@dataclass(frozen=True)
class Problem:
    """What is fitted to what, from where.

    Attributes
    ----------
    library, samples
    coefficients : array (row, term)
        Where to start, in the samples' units (integral matching's answer).
    mask : bool array like ``coefficients``, or None
        Which coefficients are free; None frees all.
    """

    library: AnyLaw
    samples: Samples
    coefficients: Array
    mask: NDArray[np.bool_] | None = None


Search = Generator[Question, Any, ShootingResult]  # what is sent back depends on the question


class Options(TypedDict, total=False):
    """The keyword arguments of `shoot_all`."""

    stages: Sequence[float]
    intervals: int | str
    ridge: float
    estimate_starts: bool | str
    max_iterations: int
    step_tolerance: float


def shoot(
    library: AnyLaw,
    samples: Samples,
    coefficients: Array,
    *,
    mask: NDArray[np.bool_] | None = None,
    **options: Unpack[Options],
) -> ShootingResult:
    """Refine the coefficients of one problem; see ``shoot_all``."""
    return shoot_all([Problem(library, samples, coefficients, mask)], **options)[0]


@np.errstate(all="ignore")
def equations_of_all(problem: Problem, found: ShootingResult) -> Equations:
    """Normal equations at what shooting found, of all coefficients, those too that are not free.

    Parameters
    ----------
    problem : whose library may have more terms than were shot
    found : with estimated starts, its coefficients (row, term) those of the problem's library
    """
    if found.starts is None or not found.substeps:
        raise ValueError("expected a result of explicit shooting with estimated starts")
    segments = Segments.cut(problem.samples, found.points, found.reached, smoothed=True)
    mask = np.ones(found.coefficients.shape, dtype=bool)
    objective = Objective(problem.library, problem.samples, segments, mask=mask, estimate_starts=True)
    objective.substeps = found.substeps
    return objective.equations(found.coefficients.ravel(), found.starts).reduced()


@np.errstate(all="ignore")  # a trial's rollouts may overflow: that is what makes its cost infinite
def shoot_all(
    problems: Sequence[Problem],
    *,
    stages: Sequence[float] = STAGES,
    intervals: int | str = AUTO,
    ridge: float = 0.0,
    estimate_starts: bool | str = False,
    max_iterations: int = MAX_ITERATIONS,
    step_tolerance: float = STEP_TOLERANCE,
) -> list[ShootingResult]:
    """Refine the coefficients of each problem by rollouts over segments of growing length.

    Every problem is searched as it would be alone; what the searches ask at the same time is answered in one batch
    where it is of one kind.

    Parameters
    ----------
    problems : such as the folds of one family
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
    results: dict[int, ShootingResult] = {}
    options = (stages, intervals, ridge, estimate_starts, max_iterations, step_tolerance)
    searches = [_search(p, *options) for p in problems]
    answers: dict[int, Any] = dict.fromkeys(range(len(searches)))
    while answers:
        asked: dict[int, Question] = {}
        for index, answer in answers.items():
            try:
                asked[index] = searches[index].send(answer)
            except StopIteration as end:
                results[index] = end.value
        answers = _answers(asked)
    return [results[index] for index in range(len(problems))]


def _answers(asked: dict[int, Question]) -> dict[int, Any]:
    """Answers by index: questions of one kind together, as many at a time as are worth it."""
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    for index, question in asked.items():
        kinds[question.kind].append(index)
    answers: dict[int, Any] = {}
    for alike in kinds.values():
        size = max(1, BATCH_ELEMENTS // max(1, asked[alike[0]].elements))
        for begin in range(0, len(alike), size):
            batch = alike[begin : begin + size]
            questions: list[Any] = [asked[i] for i in batch]
            answer = normal_equations(questions) if isinstance(questions[0], Trial) else rollouts(questions)
            answers.update(zip(batch, answer, strict=True))
    return answers


def _search(
    problem: Problem,
    stages: Sequence[float],
    intervals: int | str,
    ridge: float,
    estimate_starts: bool | str,
    max_iterations: int,
    step_tolerance: float,
) -> Search:
    """One problem's search: a generator that asks for rollouts and normal equations, and returns what it found."""
    samples, coefficients = problem.samples, problem.coefficients
    freed = _noisy_and_small(problem) if estimate_starts == AUTO else bool(estimate_starts)
    points = int(intervals) if intervals != AUTO else FREED_INTERVALS if freed else INTERVALS
    mask = np.ones(coefficients.shape, dtype=bool) if problem.mask is None else problem.mask
    parameters = coefficients[mask]
    if not len(parameters):
        return _unrefined(samples, coefficients, parameters, "no coefficients are free")
    search = DampedDescent(parameters, ridge)
    done, ahead, substeps, implicit = 0.0, list(stages), 1, False
    ends: list[tuple[float, Objective, DampedDescent]] = []
    while ahead:
        segments = Segments.cut(samples, points, ahead[0], smoothed=freed)
        objective = Objective(problem.library, samples, segments, mask=mask, estimate_starts=freed)
        objective.substeps, objective.implicit = substeps, implicit
        if not done:
            yield from _choose_substeps(objective, search.parameters, step_tolerance)
        tolerance = LAST_TOLERANCE if len(ahead) == 1 else EARLY_TOLERANCE
        if (yield from search.run(objective, tolerance, max_iterations)):
            done = ahead.pop(0)
            substeps = objective.substeps
            if not ahead and (yield from _choose_substeps(objective, search.parameters, step_tolerance)) > substeps:
                # Whole rollouts can need finer steps than short ones.
                yield from search.run(objective, tolerance, max_iterations)
            if freed:
                ends.append((done, objective, copy.copy(search)))
        elif not implicit and substeps < MOST_SUBSTEPS and (steps := objective.steps_for_decays(search.parameters)):
            substeps, implicit = steps  # the same stage again
        elif (ahead[0] - done) / 2 >= SHORTEST:
            ahead.insert(0, (done + ahead[0]) / 2)  # longer rollouts diverge from here: go by a stage between
        elif done:
            search.converged, search.status = False, f"rollouts over more than {done:.0%} of the window diverge"
            break
        else:
            return _unrefined(samples, coefficients, parameters, "rollouts diverge even over the shortest segments")
    if len(ends) > 1:
        done, objective, search = yield from _that_follows_longest(ends)
    if not ahead and search.equations.cost <= objective.exact:
        search.converged, search.status = True, "converged"  # steps that gain nothing then gain rounding
    equations = search.equations.reduced()
    return ShootingResult(
        coefficients=objective.coefficients(search.parameters),
        hessians=equations.hessians,
        gradients=equations.gradients,
        initial_states=search.starts.reshape(samples.n_runs, -1, samples.states.shape[2])[:, 0] if freed else None,
        converged=search.converged,
        status=search.status,
        iterations=search.iterations,
        optimality=search.optimality(objective.exact),
        squares=search.equations.cost,
        reached=done,
        starts=search.starts if freed else None,
        points=points,
        substeps=0 if objective.implicit else objective.substeps,
    )


def _noisy_and_small(problem: Problem) -> bool:
    noisy = problem.samples.smooth is not None
    return noisy and problem.library.coupling == FULL and problem.samples.states.shape[2] <= MOST_FREED


def _that_follows_longest(
    ends: list[tuple[float, Objective, DampedDescent]],
) -> Generator[Question, Any, tuple[float, Objective, DampedDescent]]:
    """The end of a stage, of those given, whose rollouts over the longest segments leave least, in the mean log.

    Where rollouts forget where they began, sums of squares over long ones have optima far from the law, and single
    runs that went another way count for all others. The mean log of what each run leaves, which laws are judged by,
    doesn't let them. Runs start where they leave least, of the smoothed states and those that any stage estimated.
    """
    longest = ends[-1][1]
    firsts: list[Array | None] = [None]
    if len(longest.segments) == longest.n_runs:
        firsts += [s.starts.reshape(longest.n_runs, -1, s.starts.shape[1])[:, 0] for _, _, s in ends]
    left = []
    for _, _, search in ends:
        runs = []
        for starts in firsts:
            rollouts = yield Probe(longest, search.parameters, longest.substeps, starts)
            runs.append(longest.left_by_run(rollouts))
        left.append(float(np.mean(np.log(np.min(runs, axis=0)))))
    best = min(range(len(ends)), key=lambda k: left[k])
    if left[best] >= left[-1] - ALIKE:
        return ends[-1]
    ends[best][2].status += f" over segments of {ends[best][0]:.0%} of the window; longer ones lead to worse rollouts"
    return ends[best]


def _unrefined(samples: Samples, coefficients: Array, parameters: Array, why: str) -> ShootingResult:
    size = len(parameters)
    return ShootingResult(
        coefficients=coefficients,
        hessians=np.zeros((samples.n_runs, size, size)),
        gradients=np.zeros((samples.n_runs, size)),
        initial_states=None,
        converged=False,
        status=why,
        iterations=0,
    )


def _choose_substeps(objective: Objective, parameters: Array, tolerance: float) -> Generator[Question, Any, int]:
    """Halve the steps until that no longer moves the rollouts; how many there are then. A map's are what they are."""
    if objective.step is not None:
        return objective.substeps
    coarse = yield Probe(objective, parameters, objective.substeps)
    while objective.substeps < MOST_SUBSTEPS:
        fine = yield Probe(objective, parameters, 2 * objective.substeps)
        if objective.apart(fine, coarse) <= tolerance:
            break
        objective.substeps *= 2
        coarse = fine
    return objective.substeps
