"""Survivors of runs under a rule: the one definition that comparisons, analyses of survival and figures ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.survivors.rules import RULES, RunState
from ecodyn.trajectories import Trajectories, as_trajectories

if TYPE_CHECKING:
    from ecodyn.trajectories.conversions import DataLike

__all__ = ["DEFAULT_RULE", "Survivors", "alive_at_end", "run_state", "stored_at", "survivors"]

# Of the rules that can find more than half alive, it agrees best with later fates on the long trainings of data/.
DEFAULT_RULE = "two_component"


@dataclass(frozen=True, eq=False, repr=False)
class Survivors:
    """Who is alive.

    Attributes
    ----------
    alive : (run, feature)
    rule : name of the rule
    steps : the step (run,) at which each run was looked at
    """

    alive: Bools
    rule: str
    steps: Array

    def __repr__(self) -> str:
        """How many live in each run, and by what rule; the runs are those that were asked about, in their order."""
        steps = np.unique(self.steps)
        at = f"at step {steps[0]:g}" if len(steps) == 1 else f"at steps {steps[0]:g} to {steps[-1]:g}"
        n_runs, n_features = self.alive.shape
        counts = np.array2string(self.counts, separator=", ", threshold=20)
        return f"Survivors({counts} of {n_features} features in {n_runs} runs, {at}, rule {self.rule!r})"

    @property
    def counts(self) -> Integers:
        """Number of survivors (run,)."""
        return np.asarray(self.alive.sum(axis=1))

    @property
    def one_fate(self) -> Bools:
        """Whether all features of a run (run,) live, or none: there is nothing to tell apart."""
        return np.asarray(self.alive.all(axis=1) | ~self.alive.any(axis=1))


def survivors(runs: DataLike, rule: str = DEFAULT_RULE, step: float | None = None) -> Survivors:
    """Who is alive at a step, each run by itself.

    Parameters
    ----------
    runs : Trajectories, or what `ecodyn.as_trajectories` takes
    rule : one of `RULES`
    step : a stored step of every run; the last of each by default

    Raises
    ------
    ValueError
        There is no such rule.
    UnusableDataError
        A run does not have the step, or the rule needs more features than the runs have.

    Examples
    --------
    >>> from ecodyn import Trajectories
    >>> from ecodyn.survival import survivors
    >>> runs = Trajectories([[[88.0, 87.0, 89.0, 86.0, 88.0], [71.0, 69.0, 9.0, 10.0, 11.0]]], [0, 1000])
    >>> survivors(runs).counts.tolist()
    [2]
    """
    runs = as_trajectories(runs).complete()
    places = np.array([stored_at(runs, r, step) for r in range(runs.n_runs)])
    judge = RULES.named(rule)
    alive = np.array([judge(run_state(runs, r, place)) for r, place in enumerate(places)])
    return Survivors(alive=alive, rule=rule, steps=runs.times[np.arange(runs.n_runs), places])


def alive_at_end(runs: Trajectories, run: int, rule: str = DEFAULT_RULE) -> Bools | None:
    """Who is alive (feature,) at the last step of one run (its position); None where the rule can't tell.

    That is so where it needs more features than the runs have: two of them show no two groups; and where the run has no
    step with a value of every feature.

    Raises
    ------
    ValueError
        There is no such rule.
    """
    judge = RULES.named(rule)
    try:
        if runs.lacks_values:  # of one run alone: a comparison asks this of every rollout
            runs, run = runs.select(runs=[runs.runs[run]]).complete(), 0
        return judge(run_state(runs, run, stored_at(runs, run, None)))
    except UnusableDataError:
        return None


def run_state(runs: Trajectories, run: int, place: int) -> RunState:
    """What a rule sees of a run (its position) at its place-th stored step."""
    dc = None if runs.dc is None else float(runs.dc[run, place])
    return RunState(signal=runs.values[run, place], start=runs.values[run, 0], dc=dc)


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
