"""A bound library as a tape: its derivatives, rollouts and normal equations by compiled loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import Library
from ecodyn.equations.tape import Tape, can_be_taped, taped
from ecodyn.rollouts.integration import EXHAUSTED, OK, Rollout, checked_grid
from ecodyn.rollouts.marching import steps_in_pieces

__all__ = ["Steps", "TapedLaw"]


@dataclass(frozen=True)
class Steps:
    """Runge-Kutta steps along a grid: their lengths (step, member), when their stages are, (stage, member), three a
    step, and after how many of them each time of the grid is reached."""

    lengths: Array
    stages: Array
    ends: Integers

    @classmethod
    def along(cls, times: Array, substeps: int, cuts: Sequence[Array | None] | None = None) -> Steps:
        """As `ecodyn.rollouts.marching.march` goes along times (member, point), so many an interval."""
        if cuts is None:
            gap = np.diff(times, axis=1).T[:, None] / substeps
            begin = times.T[:-1, None] + np.arange(substeps)[:, None] * gap
            stages = np.stack([begin, begin + 0.5 * gap, begin + gap], axis=2)
            lengths = np.broadcast_to(gap, begin.shape).reshape(-1, len(times))
            ends = substeps * np.arange(times.shape[1])
            return cls(_plain(lengths), stages.reshape(-1, len(times)), ends)
        each, when, reached = list[Array](), list[Array](), [0]
        for i, cut in enumerate(cuts):
            for t, h, end in steps_in_pieces(times[:, i : i + 2] if cut is None else cut, substeps):
                each.append(h)
                when += [t, t + 0.5 * h, t + h if end is None else end]
            reached.append(len(each))
        return cls(np.array(each), np.array(when), np.array(reached))


@dataclass(frozen=True, eq=False)
class TapedLaw:
    """A library of monomials with coefficients (row, term), or (member, row, term), as ``BoundLibrary`` has them.

    ``directions`` (row, term) says which coefficients the first directions of sensitivities are to.
    """

    library: Library
    coefficients: Array
    features: int
    drive: Drive | Drives | None = None
    inputs: KnownInputs | None = None
    directions: Bools | None = None

    @staticmethod
    def can_hold(library: Library, step: object) -> bool:
        """Whether this is a flow of monomials; maps, and functions of one's own, are evaluated otherwise."""
        return step is None and can_be_taped(library)

    @cached_property
    def tape(self) -> Tape:
        """Of the coefficients that any member has."""
        rows, terms = self._used.shape
        directions = np.zeros((rows, terms), dtype=bool) if self.directions is None else self.directions
        masks = self._used.tobytes(), directions.tobytes()
        return taped(self.library, self.features, (rows, terms), *masks, self.drive is not None)

    @cached_property
    def _used(self) -> Bools:
        """The coefficients (row, term) that any member has."""
        used = self.coefficients != 0
        return np.asarray(used if used.ndim == 2 else used.any(axis=0))

    @cached_property
    def _theta(self) -> Array:
        """Of each member, or of all, (member or 1, free), as tapes have them: row after row of each term."""
        return _plain(np.atleast_2d(self.coefficients.swapaxes(-1, -2)[..., self._used.T]))

    def given(self, times: Array) -> Array:
        """What does not come from the state at times (..., member), as (..., member, value)."""
        parts = [part(times) for part in (self.drive, self.inputs) if part is not None]
        if not parts:
            return np.empty((*times.shape, 0))
        return _plain(parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1))

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (member, feature, channel) and times (member,)."""
        from ecodyn.equations.compiled import derivatives, rooms

        out = np.empty(x.shape)
        own = rooms(self.tape, x.shape[2], self.features)
        derivatives(self.tape, self._theta, _plain(x), self.given(t), out, own)
        return out

    def path(self, x0: Array, steps: Steps, bound: float | Array) -> tuple[Array, Integers]:
        """States (member, point, feature, channel), zero from a death on, and at how many points each member lived."""
        from ecodyn.equations.compiled import march, rooms

        members, _, channels = x0.shape
        path, lived = np.zeros((members, len(steps.ends), channels, self.features)), np.zeros(members, dtype=np.intp)
        none = np.zeros((0, 0, 0, 0))
        march(
            self.tape,
            self._theta,
            _by_channel(x0),
            np.zeros((members, 0, 0)),
            steps.lengths,
            self.given(steps.stages),
            steps.ends,
            np.full(members, bound, dtype=float),
            path,
            lived,
            np.zeros((0, 2), dtype=np.intp),
            none,
            none,
            np.zeros((0, 0, 0)),
            np.zeros((0, 0)),
            np.zeros(0),
            rooms(self.tape, channels, self.features),
        )
        return path.swapaxes(2, 3), lived

    @property
    def autonomous(self) -> bool:
        """Whether the state alone decides its derivatives."""
        return self.drive is None and self.inputs is None

    def integrate(
        self, x0: Array, times: ArrayLike, *, units: Array, bound: ArrayLike, rtol: float, max_evaluations: int
    ) -> Rollout:
        """What `ecodyn.rollouts.integration.integrate` gives of states (member, feature, channel); traits stand still.

        Parameters
        ----------
        units : (member, feature or 1, moving channel), in which errors and bounds of these channels are measured
        bound : float, (member,), or of the shape of units
        """
        from ecodyn.equations import compiled_integration as compiled
        from ecodyn.equations.compiled import rooms

        moving = np.array(self.library.moving, dtype=np.intp)
        grid = checked_grid(times, len(x0))
        shape = len(x0), self.features, len(moving)
        limit = np.asarray(bound, dtype=float)
        values = np.full((*grid.shape, len(self.library.channels), self.features), np.nan)
        start = _by_channel(x0)
        values[:, 0] = start
        ended, evaluations = np.zeros(len(x0), dtype=np.intp), np.zeros(len(x0), dtype=np.intp)
        when = np.zeros(len(x0))
        compiled.integrate_tape(
            self.tape,
            self._theta,
            start,
            moving,
            _by_channel(np.broadcast_to(units, shape)),
            _plain(grid),
            np.count_nonzero(np.isfinite(grid), axis=1),
            _by_channel(np.broadcast_to(limit[:, None, None] if limit.ndim == 1 else limit, shape)),
            rtol,
            max_evaluations,
            values,
            ended,
            when,
            evaluations,
            compiled.workspace(len(moving), self.features, x0.shape[-1]),
            rooms(self.tape, x0.shape[-1], self.features),
        )
        traits = [c for c in range(x0.shape[-1]) if c not in self.library.moving]
        if traits:
            values[:, :, traits] = np.where(np.isnan(values[:, :, moving[:1]]), np.nan, start[:, None, traits])
        why = {compiled.DIVERGED: "diverged", compiled.NOT_FINITE: "not finite", compiled.SPENT: EXHAUSTED}
        status = tuple(
            OK if e == compiled.FINE else f"{why[e]} at t={t:g}" for e, t in zip(ended.tolist(), when, strict=True)
        )
        return Rollout(values.swapaxes(2, 3), np.array(grid), status, int(evaluations.max(initial=0)))

    def normal_equations(
        self, x0: Array, directions: Array, steps: Steps, bound: Array, data: Array, weights: Array
    ) -> tuple[Array, Array, Array]:
        """Σ w JᵀJ, Σ w Jᵀr and Σ w r² of each member's residuals r of observed channels, with Jacobians J.

        Parameters
        ----------
        x0 : states (member, feature, channel)
        directions : sensitivities (member, moving, feature, direction) to begin with
        bound : of each member, beyond which it is dead, its cost infinite
        data, weights : (member, point, feature, channel), or weights that broadcast to it
        """
        from ecodyn.equations.compiled import march, rooms

        members, _, channels = x0.shape
        moving, count = self.library.moving, directions.shape[-1]
        hessian, gradient, cost = np.zeros((members, count, count)), np.zeros((members, count)), np.zeros(members)
        rows = directions.reshape(members, -1, count)
        march(
            self.tape,
            self._theta,
            _by_channel(x0),
            _plain(rows),
            steps.lengths,
            self.given(steps.stages),
            steps.ends,
            _plain(bound),
            np.zeros((0, 0, 0, 0)),
            np.zeros(members, dtype=np.intp),
            np.array([(c, moving.index(c) * self.features) for c in self.library.observed], dtype=np.intp),
            _by_channel(data),
            _by_channel(np.broadcast_to(weights, data.shape)),
            hessian,
            gradient,
            cost,
            rooms(self.tape, channels, self.features, rows.shape[1], count),
        )
        return hessian, gradient, cost


def _by_channel(values: Array) -> Array:
    """(…, feature, channel) as (…, channel, feature)."""
    return _plain(values.swapaxes(-1, -2))


def _plain(values: Array) -> Array:
    """Contiguous and writable: for arrays of any other kind Numba would compile all once more."""
    return np.require(values, dtype=float, requirements=["C", "W", "A"])
