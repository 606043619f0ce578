"""Shooting in whose course terms are left out that rollouts can do without."""

from __future__ import annotations

from collections import defaultdict
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
    _exchange(current, shoot)
    _eliminate(current, shoot)
    ahead: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for i, (_, result) in current.items():
        again = result.starts is not None and result.reached > 0
        ahead[tuple(s for s in stages if s >= result.reached) if again else stages[-1:]].append(i)
    for further, members in ahead.items():
        sets = [current[i][0].from_result(current[i][1]) for i in members]
        current.update(zip(members, zip(sets, shoot(sets, further), strict=True), strict=True))
    _eliminate(current, shoot)
    return [current[i] for i in range(len(prepared))]


def _exchange(current: Fitted, shoot: Shoot) -> None:
    """Go over to other terms as long as rollouts over segments of one stage say that these are worth their number."""
    ahead = list(current)
    for _ in range(ROUNDS):
        offered = [
            (i, training, price) for i in ahead for training, price in current[i][0].with_other_terms(current[i][1])
        ]
        ahead = list[int]()
        stages = {i: current[i][1].reached for i, _, _ in offered}
        for reached in sorted(set(stages.values())):
            alike = [offer for offer in offered if stages[offer[0]] == reached]
            for (i, training, price), result in zip(alike, shoot([t for _, t, _ in alike], (reached,)), strict=True):
                before, was = current[i][1], int(current[i][0].initial.mask.sum())
                dearer = price * (int(training.initial.mask.sum()) - was)
                if result.reached == reached and result.squares + dearer < before.squares:
                    current[i] = training, result
                    ahead += [i] if i not in ahead else []


def _eliminate(current: Fitted, shoot: Shoot) -> None:
    """Leave out terms as long as the squares over segments of one stage grow by no more than these are worth."""
    ahead = list(current)
    for _ in range(ROUNDS):
        found = {i: smaller for i in ahead if (smaller := current[i][0].without_idle_terms(current[i][1]))}
        ahead = []
        stages = {i: current[i][1].reached for i in found}
        for reached in sorted(set(stages.values())):
            members = [i for i in found if stages[i] == reached]
            results = shoot([found[i][0] for i in members], (reached,))
            for i, result in zip(members, results, strict=True):
                training, allowed = found[i]
                before = current[i][1]
                alike = result.reached == before.reached and result.squares <= before.squares + allowed
                if alike or result.reached > before.reached:
                    current[i] = training, result
                    ahead.append(i)
