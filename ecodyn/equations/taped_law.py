"""A bound library as a tape: its derivatives, rollouts and normal equations by compiled loops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.steps import Steps
from ecodyn.equations.tape import Tape, taped
from ecodyn.rollouts.integration import EXHAUSTED, OK, Rollout, checked_grid

__all__ = ["TapedLaw"]

MOST_WORK = 500_000_000  # multiplications of one compiled call, about half a second: Ctrl-C waits for its end
MOST_GIVEN = 4_000_000  # values from outside that are worked out beforehand
MOST_EVALUATIONS = 2**62
MOST_DIRECTIONS = 100  # up to which products of Jacobians are compiled too; of more, BLAS is faster


class _Compared(NamedTuple):
    """What rollouts are compared with, and what comes of it: see ``equations.compiled.march``."""

    observed: Integers
    data: Array
    weights: Array
    hessian: Array
    gradient: Array
    cost: Array

    @classmethod
    def nothing(cls) -> _Compared:
        none = np.zeros((0, 0, 0, 0))
        return cls(np.zeros((0, 2), dtype=np.intp), none, none, np.zeros((0, 0, 0)), np.zeros((0, 0)), np.zeros(0))


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
        return step is None and not (library.functions or library.inner or library.shifts)

    @classmethod
    def of(
        cls,
        library: Library,
        coefficients: Array,
        features: int,
        drive: Drive | Drives | None = None,
        inputs: KnownInputs | None = None,
    ) -> TapedLaw | None:
        """The law of so many features; None where it has another number of them, or of coefficients."""
        rows = coefficients.shape[-2]
        whole = rows % len(library.fitted) == 0 and library.groups(rows) in (1, features)
        if not whole or (library.coupling == FULL and features != len(library.features)):
            return None
        return cls(library, coefficients, features, drive, inputs)

    def holds(self, x: Array) -> bool:
        """Whether these are states (member, feature, channel) of it: compiled loops don't ask."""
        members = {1, len(x)} if self.coefficients.ndim > 2 else {1}
        shape = self.features, len(self.library.channels)
        return x.ndim == 3 and len(x) > 0 and x.shape[1:] == shape and len(self._theta) in members

    @cached_property
    def tape(self) -> Tape:
        """Of the coefficients that any member has."""
        rows, terms = self._used.shape
        masks = self._used.tobytes(), None if self.directions is None else self.directions.tobytes()
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

    @property
    def autonomous(self) -> bool:
        """Whether the state alone decides its derivatives."""
        return self.drive is None and self.inputs is None

    @property
    def n_given(self) -> int:
        """How many environment variables the state doesn't tell."""
        return self.library.n_variables - (0 if self.drive is not None else self.library.n_seen)

    def given(self, times: Array) -> Array:
        """What does not come from the state at times (..., member), as (..., member, value).

        Raises
        ------
        ValueError
            There are more or fewer of them, or of other members, than the library says.
        """
        parts = [part(times) for part in (self.drive, self.inputs) if part is not None]
        found = np.concatenate(parts, axis=-1) if parts else np.empty((*times.shape, 0))
        if found.shape != (*times.shape, self.n_given):
            raise ValueError(
                f"expected {self.n_given} values from outside for each of {times.shape[-1]} states, got an array of "
                f"shape {found.shape}"
            )
        return _plain(found)

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (member, feature, channel) that it ``holds`` and times (member,)."""
        from ecodyn.equations.compiled import derivatives, rooms

        out, given = np.empty(x.shape), np.empty((len(x), 0)) if self.autonomous else self.given(t)
        own = rooms(self.tape, x.shape[2], self.features)
        derivatives(self.tape, self._theta, _plain(x), given, out, own)
        return out

    def path(self, x0: Array, steps: Steps, bound: float | Array) -> tuple[Array, Integers]:
        """States (member, point, feature, channel), zero from a death on, and at how many points each member lived."""
        members, features, channels = x0.shape
        path, lived = np.zeros((members, len(steps.ends), channels, features)), np.zeros(members, dtype=np.intp)
        for _ in self._march(x0, np.zeros((members, 0, 0)), steps, bound, path, lived, _Compared.nothing()):
            pass
        return path.swapaxes(2, 3), lived

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
        (members, moving, features, count), first = directions.shape, self.library.moving.index
        hessian, gradient, cost = np.zeros((members, count, count)), np.zeros((members, count)), np.zeros(members)
        observed = np.array([(c, first(c) * features) for c in self.library.observed], dtype=np.intp)
        weights = _by_channel(np.broadcast_to(weights, data.shape))
        compared = _Compared(observed, _by_channel(data), weights, hessian, gradient, cost)
        rows, lived = directions.reshape(members, moving * features, count), np.zeros(members, dtype=np.intp)
        parts = rows, steps, bound, np.zeros((0, 0, 0, 0)), lived
        if count <= MOST_DIRECTIONS:
            for _ in self._march(x0, *parts, compared):
                pass
            hessian += np.tril(hessian, -1).swapaxes(1, 2)
            return hessian, gradient, cost
        for i, (x, s) in enumerate(self._march(x0, *parts, _Compared.nothing(), outputs=1)):
            alive = lived > i
            for channel, row in observed.tolist():
                jacobian, residual = s[:, row : row + features], x[:, channel] - compared.data[:, i, channel]
                weighted = compared.weights[:, i, channel, :, None] * jacobian
                hessian += np.matmul(weighted.swapaxes(1, 2), jacobian)
                gradient += np.matmul(weighted.swapaxes(1, 2), residual[..., None])[..., 0]
                each = (compared.weights[:, i, channel] * residual**2).sum(axis=1)
                cost += np.where(alive, each, np.inf)
            if not alive.any():
                break
        return hessian, gradient, cost

    def _march(
        self,
        x0: Array,
        directions: Array,
        steps: Steps,
        bound: float | Array,
        path: Array,
        lived: Integers,
        compared: _Compared,
        *,
        outputs: int | None = None,
    ) -> Iterator[tuple[Array, Array]]:
        """See ``equations.compiled.march``, which goes a stretch of outputs at a time, or so many; where it then is."""
        from ecodyn.equations.compiled import march, rooms

        x, s, limit = _by_channel(x0).copy(), _plain(directions).copy(), np.full(len(x0), bound, dtype=float)
        own = rooms(self.tape, x.shape[1], self.features, *s.shape[1:])
        work = 1 + self._theta.shape[1] + self.tape.turns[2].sum() + own.blocks.size * max(1, s.shape[2])
        each = max(1, min(MOST_WORK // int(work), MOST_GIVEN // max(1, 3 * self.n_given)) // (4 * len(x0)))
        first = done = 0
        while first < len(steps.ends):
            last = max(first + 1, int(np.searchsorted(steps.ends, done + each, side="right")))
            last = last if outputs is None else first + outputs
            end = int(steps.ends[last - 1])
            lengths, ends = steps.lengths[done:end], steps.ends[first:last] - done
            given = self.given(steps.stages[3 * done : 3 * end])
            march(self.tape, self._theta, x, s, lengths, given, ends, first, limit, path, lived, *compared, own)
            yield x, s
            first, done = last, end

    def integrate(
        self, x0: Array, times: ArrayLike, *, units: Array, bound: ArrayLike, rtol: float, max_evaluations: float
    ) -> Rollout:
        """What `ecodyn.rollouts.integration.integrate` gives of states (member, feature, channel); traits stand still.

        Of an autonomous law, and states that it ``holds``.

        Parameters
        ----------
        units : (member, feature or 1, moving channel), in which errors and bounds of these channels are measured
        bound : float, (member,), or of the shape of units
        """
        from ecodyn.equations import compiled_integration as compiled
        from ecodyn.equations.compiled import rooms

        moving = np.array(self.library.moving, dtype=np.intp)
        grid, (members, features, channels) = checked_grid(times, len(x0)), x0.shape
        shape, limit = (members, features, len(moving)), np.asarray(bound, dtype=float)
        limits = _by_channel(np.broadcast_to(limit[:, None, None] if limit.ndim == 1 else limit, shape))
        budget, units = int(min(max_evaluations, MOST_EVALUATIONS)), _by_channel(np.broadcast_to(units, shape))
        start, points = _by_channel(x0), np.count_nonzero(~np.isnan(grid), axis=1)
        values = np.full((*grid.shape, channels, features), np.nan)
        values[:, 0] = start
        ended, evaluations = np.zeros((2, members), dtype=np.intp)
        when, theta, whole = np.zeros(members), self._theta, _plain(grid)
        spaces, own = compiled.workspace(len(moving), features), rooms(self.tape, channels, features)
        each = max(1, int(MOST_WORK // (max(1, budget) * (theta.shape[1] + 20 * start[0].size))))
        for first in range(0, members, each):  # a call can't be interrupted
            part = slice(first, first + each)
            compiled.integrate_tape(
                self.tape,
                theta[part] if len(theta) > 1 else theta,
                start[part],
                moving,
                units[part],
                whole[part],
                points[part],
                limits[part],
                float(rtol),
                budget,
                values[part],
                ended[part],
                when[part],
                evaluations[part],
                spaces,
                own,
            )
        traits = [c for c in range(channels) if c not in self.library.moving]
        if traits:
            values[:, :, traits] = np.where(np.isnan(values[:, :, moving[:1]]), np.nan, start[:, None, traits])
        why = {compiled.DIVERGED: "diverged", compiled.NOT_FINITE: "not finite", compiled.SPENT: EXHAUSTED}
        ends = zip(ended.tolist(), when.tolist(), strict=True)
        status = tuple(f"{why[how]} at t={t:g}" if how in why else OK for how, t in ends)
        return Rollout(values.swapaxes(2, 3), np.array(grid), status, int(evaluations.max(initial=1)))


def _by_channel(values: Array) -> Array:
    """(…, feature, channel) as (…, channel, feature)."""
    return _plain(values.swapaxes(-1, -2))


def _plain(values: Array) -> Array:
    """Contiguous and writable: for arrays of any other kind Numba would compile all once more."""
    return np.require(values, dtype=float, requirements=["C", "W", "A"])
