"""Shooting in whose course terms are left out that rollouts can do without."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ecodyn.estimation import ShootingResult
from ecodyn.families.training_set import TrainingSet

__all__ = ["shot_without_idle_terms"]

ROUNDS = 2  # a stage: each goes by the Hessian of the last

Shoot = Callable[[Sequence[TrainingSet], tuple[float, ...]], list[ShootingResult]]
Fitted = dict[int, tuple[TrainingSet, ShootingResult]]


def shot_without_idle_terms(
    prepared: Sequence[TrainingSet], stages: tuple[float, ...], shoot: Shoot
) -> list[tuple[TrainingSet, ShootingResult]]:
    """Training sets with the terms that are left, and their results of shooting.

    Before the last stage objectives are nearly quadratic, and what is left out there need not be shot over the whole
    window; rollouts over all of it can do without more.

    Parameters
    ----------
    prepared : with their first fits
    stages : lengths of the segments, as shares of the window, at least two
    shoot : refines training sets over stages
    """
    current: Fitted = dict(enumerate(zip(prepared, shoot(prepared, stages[:-1]), strict=True)))
    _eliminate(current, stages[-2:-1], shoot)
    further = [training.from_result(result) for training, result in current.values()]
    current = dict(enumerate(zip(further, shoot(further, stages[-1:]), strict=True)))
    _eliminate(current, stages[-1:], shoot)
    return list(current.values())


def _eliminate(current: Fitted, stage: tuple[float, ...], shoot: Shoot) -> None:
    """Leave out terms as long as the squares over segments of one stage grow by no more than these are worth."""
    ahead = list(current)
    for _ in range(ROUNDS):
        found = {i: smaller for i in ahead if (smaller := current[i][0].without_idle_terms(current[i][1]))}
        again = shoot([training for training, _ in found.values()], stage)
        ahead = []
        for (i, (training, allowed)), result in zip(found.items(), again, strict=True):
            before = current[i][1]
            alike = result.reached == before.reached and result.squares <= before.squares + allowed
            if alike or result.reached > before.reached:
                current[i] = training, result
                ahead.append(i)
