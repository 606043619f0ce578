"""What is asked of runs before they are read: done to each shard once it is, and to what is known of it at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.collection.facts import Facts, Times
from ecodyn.trajectories.parts import take_features
from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["Every", "Features", "Later", "Window"]


class Later(Protocol):
    """Something that is done to every run by itself."""

    def of_data(self, data: Checked) -> Checked:
        """Runs that were read, with it done."""

    def of_facts(self, facts: Facts) -> Facts:
        """What is then known of runs."""


@dataclass(frozen=True)
class Window:
    """`Trajectories.window`."""

    start: float
    stop: float

    def of_data(self, data: Checked) -> Checked:
        """The steps within."""
        return Trajectories._derived(data).window(self.start, self.stop)._data

    def of_facts(self, facts: Facts) -> Facts:
        """Lengths and times where the runs share theirs; a run without a step within is refused."""
        times = facts.times
        if times is None or times.steps is None or facts.lacks_values:
            return replace(facts, times=None)
        inside = (times.steps >= self.start) & (times.steps <= self.stop)
        counts = np.concatenate([[0], np.cumsum(inside)])[times.lengths]
        for run, held, count in zip(facts.outline.runs, times.lengths, counts, strict=True):
            if not count:
                raise UnusableDataError(
                    f"run {run} has no step in the window {self.start:g}:{self.stop:g}, its steps go from "
                    f"{times.steps[0]:g} to {times.steps[held - 1]:g}; choose a window within, or leave it out"
                )
        return _cut(facts, counts, times.steps, inside)


@dataclass(frozen=True)
class Every:
    """`Trajectories.every`."""

    n: int

    def of_data(self, data: Checked) -> Checked:
        """Each n-th step of each run."""
        return Trajectories._derived(data).every(self.n)._data

    def of_facts(self, facts: Facts) -> Facts:
        """Lengths and times where the runs share theirs."""
        times = facts.times
        if times is None or facts.lacks_values:
            return replace(facts, times=None)
        counts = -(-times.lengths // self.n)
        if times.steps is None:  # thinned, they may still agree
            return replace(facts, times=None)
        return _cut(facts, counts, times.steps, np.arange(len(times.steps)) % self.n == 0)


@dataclass(frozen=True)
class Features:
    """`Trajectories.select` of features."""

    index: tuple[int, ...]

    def of_data(self, data: Checked) -> Checked:
        """These features, in this order."""
        return take_features(data, list(self.index))

    def of_facts(self, facts: Facts) -> Facts:
        """The same; where values are missing, runs may end earlier."""
        kept = take_features(facts.outline, list(self.index))
        return replace(facts, outline=kept, times=None if facts.lacks_values else facts.times)


def _cut(facts: Facts, counts: np.ndarray, steps: Array, kept: Bools) -> Facts:
    return replace(facts, longest=int(counts.max()), times=Times.shared(counts, steps[kept]))
