"""Multiple shooting: coefficients whose free rollouts follow the data.

Each run is cut into segments; from the data's state at the start of each segment the law is rolled out, and the
squared distance to the data, Σ w (x̂ − x)², is minimised by Levenberg-Marquardt with exact Jacobians (forward
sensitivities, Ṡ = ∂f/∂θ + (∂f/∂x) S, of all channels that move). Segments grow from stage to stage, up to the window
itself: long rollouts have a rugged objective, and a start from short ones is what keeps Lotka-Volterra laws from
diverging (Bock 1983). Observables that evolve beside the signal are compared with the data as well, at a tenth of the
signal's weight: left free, they become hidden variables that serve the signal and are no longer what their name says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Hashable, Sequence
from typing import Any, TypedDict, TypeVar, Unpack

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.pieced_objective import PiecedObjective
from ecodyn.estimation.rolled_out import AnyLaw
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import equations_at, normal_equations, rollouts
from ecodyn.estimation.shooting_equations import BATCH_ELEMENTS, Objective, Question, Trial
from ecodyn.estimation.shooting_result import Problem, ShootingResult
from ecodyn.estimation.shooting_search import (
    AUTO,
    INTERVALS,
    MAX_ITERATIONS,
    SHORTEST,
    STAGES,
    STEP_TOLERANCE,
    Staging,
    search,
)

__all__ = [
    "AUTO",
    "INTERVALS",
    "MAX_ITERATIONS",
    "SHORTEST",
    "STAGES",
    "STEP_TOLERANCE",
    "Options",
    "Problem",
    "ShootingResult",
    "equations_of_all",
    "shoot",
    "shoot_all",
    "together",
]

Found = TypeVar("Found")


class Options(TypedDict, total=False):
    """The keyword arguments of `shoot_all`, what a `Staging` has."""

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
    return equations_at(objective, found.coefficients.ravel(), found.starts).reduced()


@np.errstate(all="ignore")  # a trial's rollouts may overflow: that is what makes its cost infinite
def shoot_all(problems: Sequence[Problem], **options: Unpack[Options]) -> list[ShootingResult]:
    """Refine the coefficients of each problem by rollouts over segments of growing length.

    Every problem is searched as it would be alone; what the searches ask at the same time is answered in one batch
    where it is of one kind.

    Parameters
    ----------
    problems : such as the folds of one family
    **options : see ``Staging``
    """
    staging = Staging(**options)
    return together([search(p, staging) for p in problems])


def together(searches: Sequence[Generator[Question, Any, Found]]) -> list[Found]:
    """What each search returns; questions of one kind that they ask at the same time are answered in one batch."""
    results: dict[int, Found] = {}
    answers: dict[int, Any] = dict.fromkeys(range(len(searches)))
    while answers:
        asked: dict[int, Question] = {}
        for index, answer in answers.items():
            try:
                asked[index] = searches[index].send(answer)
            except StopIteration as end:
                results[index] = end.value
        answers = _answers(asked)
    return [results[index] for index in range(len(searches))]


def _answers(asked: dict[int, Question]) -> dict[int, Any]:
    """Answers by index: questions of one kind together, as many at a time as are worth it."""
    kinds: dict[Hashable, list[int]] = defaultdict(list)
    answers: dict[int, Any] = {}
    for index, question in asked.items():
        if isinstance(question.objective, PiecedObjective):
            answers[index] = question.objective.answer(question)
        else:
            kinds[question.kind].append(index)
    for alike in kinds.values():
        size = max(1, BATCH_ELEMENTS // max(1, asked[alike[0]].elements))
        for begin in range(0, len(alike), size):
            batch = alike[begin : begin + size]
            questions: list[Any] = [asked[i] for i in batch]
            answer = normal_equations(questions) if isinstance(questions[0], Trial) else rollouts(questions)
            answers.update(zip(batch, answer, strict=True))
    return answers
