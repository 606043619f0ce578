"""Adaptive rollouts of equations that jump, or have a kink, at known times: steps end there, and begin anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import EXHAUSTED, RightHandSide, Rollout, _Solver, checked_grid

__all__ = ["integrate_with_stops"]

CALLS_A_STOP = 14  # of the right-hand side: two steps, one that ends there and one that was cut short before


def integrate_with_stops(
    rhs: RightHandSide,
    x0: ArrayLike,
    times: ArrayLike,
    stops: Array,
    *,
    bound: ArrayLike | None = None,
    rtol: float = 1e-8,
    max_evaluations: int = 20_000,
) -> Rollout:
    """As ``integrate``, with steps that end at ``stops`` (batch, stop), increasing, infinite behind a member's last.

    A step that ends at a stop asks for slopes of just before it, and the next begins with that of the stop itself. The
    budget grows with the number of stops.

    Examples
    --------
    >>> pulse = lambda x, t: np.where((t >= 1.0) & (t < 1.01), 100.0, 0.0)[:, None]
    >>> rollout = integrate_with_stops(pulse, [[1.0]], [0.0, 1.0, 1.005, 2.0], np.array([[1.0, 1.01]]))
    >>> print(rollout.values.ravel().round(9))
    [1.  1.  1.5 2. ]
    """
    x = np.array(x0, dtype=float)
    grid = checked_grid(times, len(x))
    inside = ((stops > grid[:, :1]) & (stops < np.nanmax(grid, axis=1)[:, None])).sum(axis=1)
    budget = max_evaluations + CALLS_A_STOP * int(inside.max(initial=0))
    solver = _Stopping(rhs, x, grid, bound=bound, rtol=rtol, budget=budget)
    solver.stops = np.column_stack([stops, np.full(len(x), np.inf)])
    with np.errstate(all="ignore"):
        solver.run()
    return Rollout(solver.values, np.array(grid), tuple(solver.status), solver.evaluations)


class _Stopping(_Solver):
    """A solver whose steps go to each member's next stop at most."""

    stops: Array

    def run(self) -> None:
        latest = np.full(len(self.x), np.inf)  # when slopes are asked for at the latest

        def slopes(x: Array, t: Array) -> Array:
            self.evaluations += 1
            return np.asarray(self.rhs(x, np.minimum(t, latest)), dtype=float)

        self._call = slopes  # type: ignore[method-assign]
        slope = slopes(self.x, self.t)
        self._end(~self._finite(self.x) | ~self._finite(slope), "not finite")
        h, members = self._first_step(slope), np.arange(len(self.x))
        place = np.count_nonzero(self.stops <= self.t[:, None], axis=1)
        while self.active.any():
            if self.evaluations + 7 > self.budget:
                self._end(self.active.copy(), EXHAUSTED)
                return
            target = np.minimum(self.end, self.stops[members, place])
            wanted = np.minimum(h, self.end - self.t)
            h = np.minimum(h, target - self.t)
            at_stop = (h >= target - self.t) & (target < self.end)
            latest[:] = np.where(h >= target - self.t, np.nextafter(target, -np.inf), np.inf)
            stages, new = self._stages(slope, h)
            ratio = self._error_ratio(stages, new, h)
            accepted = self.active & (ratio <= 1.0)
            self._record(accepted, stages, h)
            slope = self._advance(accepted, new, stages, slope, h)
            h = self._next_step(h, ratio)
            latest[:] = np.inf
            if (met := accepted & at_stop).any():
                self.t[met] = target[met]
                place = np.where(met, place + 1, place)
                slope = np.where(self._column(met.astype(float)) > 0, slopes(self.x, self.t), slope)
                h = np.where(met, np.maximum(h, wanted), h)  # as long as it was before the stop cut it short
