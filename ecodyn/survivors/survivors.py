"""Survivors of runs under a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.errors import UnusableDataError
from ecodyn.survivors.rules import RULES, Alive, Standing
from ecodyn.trajectories import Trajectories

# Of the rules that can find more than half alive, it agrees best with later fates on the long trainings of data/.
DEFAULT_RULE = "two_component"


@dataclass(frozen=True, eq=False)
class Survivors:
    """Who is alive.

    Attributes
    ----------
    alive : (run, feature)
    rule : name of the rule
    steps : the step (run,) at which each run was looked at
    """

    alive: NDArray[np.bool_]
    rule: str
    steps: NDArray[np.float64]

    @property
    def counts(self) -> NDArray[np.int_]:
        """Number of survivors (run,)."""
        return np.asarray(self.alive.sum(axis=1))

    @property
    def one_fate(self) -> Alive:
        """Whether all features of a run (run,) live, or none: there is nothing to tell apart."""
        return np.asarray(self.alive.all(axis=1) | ~self.alive.any(axis=1))


def survivors(runs: Trajectories, rule: str = DEFAULT_RULE, step: float | None = None) -> Survivors:
    """Who is alive at a step, each run by itself.

    Parameters
    ----------
    runs : Trajectories
    rule : one of `RULES`
    step : a stored step of every run; the last of each by default

    Raises
    ------
    ValueError
        There is no such rule.
    UnusableDataError
        A run does not have the step, or the rule needs more features than the runs have.
    """
    places = np.array([stored_at(runs, r, step) for r in range(runs.n_runs)])
    judge = rule_named(rule)
    alive = np.array([judge(standing(runs, r, place)) for r, place in enumerate(places)])
    return Survivors(alive, rule, runs.times[np.arange(runs.n_runs), places])


def rule_named(name: str) -> Callable[[Standing], Alive]:
    """A rule of the registry; a name that is not there is a ValueError."""
    if name not in RULES:
        raise ValueError(f"expected a survivor rule, {', '.join(RULES)}; got {name!r}")
    return RULES[name]


def standing(runs: Trajectories, run: int, place: int) -> Standing:
    """What a rule sees of a run (its position) at its place-th stored step."""
    dc = None if runs.dc is None else float(runs.dc[run, place])
    return Standing(runs.values[run, place], runs.values[run, 0], dc)


def stored_at(runs: Trajectories, run: int, step: float | None) -> int:
    """Place of a step among those stored of a run (its position); the last if none is asked for."""
    last = int(runs.lengths[run]) - 1
    if step is None:
        return last
    times = runs.times[run, : last + 1]
    place = int(np.argmin(np.abs(times - step)))
    if times[place] != step:
        raise UnusableDataError(
            f"run {runs.runs[run]} has no step {step:g}: its {last + 1} steps go from {times[0]:g} to {times[-1]:g}, "
            f"the nearest is {times[place]:g}; ask for a stored step"
        )
    return place
