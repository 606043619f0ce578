"""What is known of runs before any of their values is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.inputs import Input, Kind
from ecodyn.trajectories.parts import share_times, take_runs

__all__ = ["Facts", "Measured", "Times", "kinds_of", "outline", "placeholders"]


@dataclass(frozen=True)
class Times:
    """How long runs are, and when.

    Attributes
    ----------
    lengths
        Steps of each run (run,).
    steps
        The times (step,) that all runs share, as far as each goes; None where they differ.
    span
        The first and the last time of any run; None where it was not read.
    """

    lengths: Integers
    steps: Array | None
    span: tuple[float, float] | None

    @classmethod
    def shared(cls, lengths: Integers, steps: Array) -> Times:
        """Of runs that share their times, as far as each goes."""
        own = steps[: lengths.max()]
        return cls(lengths, own, (float(own[0]), float(own[-1])))


@dataclass(frozen=True)
class Facts:
    """Labels, settings and names of some runs, and how long they are.

    Attributes
    ----------
    outline
        All but the arrays over steps: those have no steps here.
    longest
        Steps of the longest run, or more.
    lacks_values
        Whether values within runs may be missing, so that a part of a run may end earlier than its times say.
    times
        How long the runs are, and when; None where only the runs themselves tell.
    """

    outline: Checked
    longest: int
    lacks_values: bool
    times: Times | None

    def of_runs(self, index: Sequence[int]) -> Facts:
        """The same of the runs at these positions, in this order."""
        kept, times = take_runs(self.outline, list(index)), self.times
        if times is not None and times.steps is not None:
            times = Times.shared(times.lengths[list(index)], times.steps)
        elif len(index) < len(self.outline.runs):
            times = None  # some of the runs may share what not all of them do
        elif times is not None:
            times = replace(times, lengths=times.lengths[list(index)])
        return replace(self, outline=kept, times=times)


class Measured:
    """Lengths and times of runs that pass by, some after the other."""

    def __init__(self) -> None:
        self.runs = 0
        self._lengths: list[Integers] = []
        self._steps: Array = np.empty(0)
        self._shared = True
        self._span = (np.inf, -np.inf)

    def add(self, times: Array, lengths: Integers) -> None:
        """Take note of the next runs' times (run, step)."""
        longest = times[np.argmax(lengths)]
        common = min(len(longest), len(self._steps))
        alike = share_times(times, lengths) and np.array_equal(longest[:common], self._steps[:common])
        self._shared = self._shared and alike
        self._steps = longest if len(longest) > len(self._steps) else self._steps
        self._lengths.append(lengths)
        first, last = self._span
        self._span = min(first, float(np.nanmin(times))), max(last, float(np.nanmax(times)))
        self.runs += len(lengths)

    @property
    def times(self) -> Times:
        """What is known by now."""
        return Times(np.concatenate(self._lengths), self._steps if self._shared else None, self._span)


def outline(data: Checked) -> Checked:
    """Checked data without their steps."""
    R, _, K = data.observables["signal"].shape
    return replace(
        data,
        observables=dict.fromkeys(data.observables, np.empty((R, 0, K))),
        curves=dict.fromkeys(data.curves, np.empty((R, 0))),
        times=np.empty((R, 0)),
        lengths=np.zeros(R, dtype=np.intp),
        embedding=None if data.embedding is None else np.empty((R, 1, 0)),
        velocity=None,
        missing=None,
        inputs={name: placeholders(name, curves[0].kind, R) for name, curves in data.inputs.items()},
        remarks=(),
    )


def placeholders(name: str, kind: Kind, count: int) -> tuple[Input, ...]:
    """Curves that stand for those of an input that were not read: only their name and kind are used."""
    return (Input(name, np.zeros(1), np.zeros(1), kind),) * count


def kinds_of(inputs: Mapping[str, tuple[Input, ...]]) -> dict[str, str]:
    """The kind of each input."""
    return {name: curves[0].kind for name, curves in inputs.items()}
