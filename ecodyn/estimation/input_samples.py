"""The inputs of samples, in units in which they are of order one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.equations.known_inputs import Curves, KnownInputs, at
from ecodyn.equations.library import Library
from ecodyn.trajectories import Input, Trajectories

__all__ = ["AHEAD", "InputSamples", "input_scales_of", "input_units"]

AHEAD = 1e-6  # of a map's step: what rounding may leave of the times of stored steps (see `rollouts.iteration.UNEVEN`)


@dataclass(frozen=True, kw_only=True)
class InputSamples:
    """Known functions of time of several runs.

    Attributes
    ----------
    curves : the inputs of each run, values divided by ``scales`` and times by the samples' ``time_scale``
    scales : array (input,), powers of two
    ahead : how much later than asked for those that jump are read, for a map
    """

    curves: tuple[Curves, ...]
    scales: Array
    ahead: float = 0.0

    @classmethod
    def of(
        cls, trajectories: Trajectories, names: Sequence[str], time_scale: float, step: float | None
    ) -> InputSamples | None:
        """Those of these names, in the order of the names; None of none."""
        if not names:
            return None
        inputs = trajectories.inputs
        scales = input_scales_of(trajectories, names)
        of_runs = zip(*(inputs[name] for name in names), strict=True)
        curves = tuple(
            tuple(curve.rescaled(float(s), time_scale) for curve, s in zip(own, scales, strict=True)) for own in of_runs
        )
        return cls(curves=curves, scales=scales, ahead=0.0 if step is None else AHEAD * step)

    def of_runs(self, runs: Integers) -> KnownInputs:
        """u(t) of a batch whose members are of these runs."""
        return KnownInputs.of([self.curves[r] for r in runs.tolist()], self.ahead)

    def take(self, runs: Integers) -> InputSamples:
        """Those of some of the runs."""
        return InputSamples(curves=tuple(self.curves[r] for r in runs.tolist()), scales=self.scales, ahead=self.ahead)

    def centred(self, zeros: Array, units: Array) -> InputSamples:
        """The same curves about other zeros and in other units, (u − c)/d, both (input,)."""
        moved: dict[tuple[int, int], Input] = {}  # runs may share a curve

        def of(k: int, curve: Input) -> Input:
            if (k, id(curve)) not in moved:
                values = (curve.values - zeros[k]) / units[k]
                moved[k, id(curve)] = Input(curve.name, curve.times, values, curve.kind)
            return moved[k, id(curve)]

        curves = tuple(tuple(of(k, curve) for k, curve in enumerate(own)) for own in self.curves)
        return InputSamples(curves=curves, scales=self.scales, ahead=self.ahead)

    def at(self, run: int, t: Array) -> Array:
        """One run's at times (...), as (..., input)."""
        return at(self.curves[run], t, self.ahead)

    def at_steps(self, times: Array, lengths: Integers) -> Array:
        """All runs' at their times (run, step), one after the other, (run × step, input)."""
        return np.concatenate([self.at(r, row[:n]) for r, (row, n) in enumerate(zip(times, lengths, strict=True))])


def input_scales_of(trajectories: Trajectories, names: Sequence[str]) -> Array:
    """About the root mean square of each input over the steps of all runs, a power of two (input,)."""
    found = []
    for name in names:
        curves = trajectories.inputs[name]
        rows = zip(curves, trajectories.times, trajectories.lengths, strict=True)
        heights = np.fromiter(chain.from_iterable(curve(times[:n]) for curve, times, n in rows), dtype=float)
        size = np.abs(heights).max()
        found.append(np.exp2(np.rint(np.log2(size * np.sqrt(np.mean((heights / size) ** 2))))) if size > 0 else 1.0)
    return np.array(found)


def input_units(library: Library, samples: InputSamples | None) -> Array:
    """What the inputs make of each term (term,), from inputs divided by their scales to the data's."""
    if samples is None:
        return np.ones(len(library))
    powers = np.array([library.environment[e][library.n_seen :] for _, e in library.terms], dtype=float)
    return np.asarray(np.prod(samples.scales**powers, axis=1))
