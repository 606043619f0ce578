"""Inputs u(t) of the members of a batch, and where a solver's steps have to end because of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.trajectories.inputs import LINEAR, STEPS, Input

__all__ = ["Curves", "KnownInputs", "at"]

MOST_ENTRIES = 3_000_000  # of look-ups, three numbers each: 72 MB

Curves = tuple[Input, ...]  # one for each input, in the order of a library's


@dataclass(frozen=True, eq=False)
class KnownInputs:
    """u(t) of each member of a batch, (batch, input), each its own curve or shared ones.

    At a jump it is the new value; what a step sees at its end is asked for just before (see ``rollouts.marching``).

    Parameters
    ----------
    curves : the inputs of each run, all in one order
    member : which run each member of the batch is of
    ahead : how much later than asked for curves that jump are read: a part of a map's step, so that rounding of its
        times can't fall short of a jump
    """

    curves: tuple[Curves, ...]
    member: Integers
    ahead: float = 0.0
    _cuts: dict[bytes, list[Array | None]] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(cls, curves: Sequence[Curves], ahead: float = 0.0) -> KnownInputs:
        """Of a batch of which each member has its own curves; those that are the same are kept once."""
        distinct: dict[Curves, int] = {}
        member = np.array([distinct.setdefault(own, len(distinct)) for own in curves], dtype=np.intp)
        return cls(tuple(distinct), member, ahead)

    @classmethod
    def concat(cls, batches: Sequence[KnownInputs | None]) -> KnownInputs | None:
        """The members of several batches one after the other; None where these have no inputs."""
        parts = [part for part in batches if part is not None]
        if len(parts) <= 1:
            return parts[0] if parts else None
        first = np.cumsum([0, *(len(part.curves) for part in parts)])
        member = np.concatenate([part.member + n for part, n in zip(parts, first, strict=False)])
        return cls(tuple(itertools.chain(*(part.curves for part in parts))), member, parts[0].ahead)

    @classmethod
    def ones(cls, names: Sequence[str]) -> KnownInputs | None:
        """Inputs that are 1 throughout, for batches of any size; None of none."""
        return cls.of([tuple(Input(name, [0.0], [1.0], STEPS) for name in names)]) if names else None

    def take(self, members: Integers) -> KnownInputs:
        """Some of the members, or some of them several times."""
        return KnownInputs(self.curves, self.member[members], self.ahead)

    def __call__(self, t: Array) -> Array:
        """u at times (..., batch), as (..., batch, input)."""
        if len(self.curves) == 1:
            return at(self.curves[0], t, self.ahead)
        if self._tables is None:
            out = np.empty((*t.shape, len(self.curves[0])))
            for r, own in enumerate(self.curves):
                mine = self.member == r
                out[..., mine, :] = at(own, t[..., mine], self.ahead)
            return out
        pairs = zip(self._tables, self.curves[0], strict=True)
        return np.stack([table(_when(curve, t, self.ahead), self.member) for table, curve in pairs], axis=-1)

    @cached_property
    def _tables(self) -> list[_Table] | None:
        """A look-up for each input, quicker than each run's own; None where these would take too much memory."""
        inputs = range(len(self.curves[0]))
        knots = sum(len(np.unique(np.concatenate([own[k].times for own in self.curves]))) for k in inputs)
        if knots * len(self.curves) > MOST_ENTRIES:
            return None
        return [_Table.of([own[k] for own in self.curves]) for k in inputs]

    @cached_property
    def breaks(self) -> Array:
        """Times (batch, break), increasing, at which a step has to end; infinite behind a member's last."""
        each = [np.unique(np.concatenate([curve.breaks for curve in own])) for own in self.curves]
        padded = np.full((len(each), max(len(own) for own in each)), np.inf)
        for row, own in zip(padded, each, strict=True):
            row[: len(own)] = own
        return padded[self.member]

    def cuts(self, times: Array) -> list[Array | None]:
        """Where each interval of times (batch, step) is cut by breaks, (batch, edge), its ends included.

        None for an interval within which no member has any. Members with fewer have pieces of no length at its end.
        """
        key = times.tobytes()
        if key not in self._cuts:
            self._cuts[key] = [self._edges(*times[:, i : i + 2].T) for i in range(times.shape[1] - 1)]
        return self._cuts[key]

    def _edges(self, begin: Array, end: Array) -> Array | None:
        breaks = self.breaks
        inside = (breaks > begin[:, None]) & (breaks < end[:, None])
        most = int(inside.sum(axis=1).max(initial=0))
        if not most:
            return None
        within = np.sort(np.where(inside, breaks, end[:, None]), axis=1)[:, :most]
        return np.column_stack([begin, within, end])


def at(curves: Curves, t: Array, ahead: float = 0.0) -> Array:
    """One run's inputs at times (...), as (..., input), those that jump by so much later: see `KnownInputs`."""
    return np.stack([curve(_when(curve, t, ahead)) for curve in curves], axis=-1)


def _when(curve: Input, t: Array, ahead: float) -> Array:
    return t + ahead if ahead and curve.kind == STEPS else t


@dataclass(frozen=True, eq=False)
class _Table:
    """One input of several runs: all knots (knot,), and from each on the value and slope of each run, (run, knot).

    A run's value is that at its own last knot before, which ``since`` has.
    """

    knots: Array
    since: Array
    values: Array
    slopes: Array

    @classmethod
    def of(cls, curves: Sequence[Input]) -> _Table:
        knots = np.unique(np.concatenate([curve.times for curve in curves]))
        since, values, slopes = np.zeros((3, len(curves), len(knots)))
        for r, curve in enumerate(curves):
            place = np.searchsorted(curve.times, knots, side="right") - 1
            rises = np.zeros(len(curve.times))
            if curve.kind == LINEAR:
                rises[:-1] = np.diff(curve.values) / np.diff(curve.times)
            # Before the first knot a curve has its value: only rounding asks there.
            since[r], values[r] = curve.times[np.maximum(place, 0)], curve.values[np.maximum(place, 0)]
            slopes[r] = np.where(place < 0, 0.0, rises[place])
        return cls(knots, since, values, slopes)

    def __call__(self, t: Array, member: Integers) -> Array:
        place = np.maximum(np.searchsorted(self.knots, t, side="right") - 1, 0)
        rise = self.slopes[member, place] * np.maximum(t - self.since[member, place], 0.0)
        return np.asarray(self.values[member, place] + rise)
