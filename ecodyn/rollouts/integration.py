"""The one guarded place where equations are integrated.

``integrate`` is adaptive and serves everything that is scored or shown; estimation, where thousands of cheap rollouts
are wanted, takes fixed steps (``ecodyn.rollouts.marching``). It can't hang: the number of right-hand-side calls and
the amplitude are bounded and every step is checked to be finite. A rollout that ends early is data, not an exception:
it carries a status and NaN from where it stopped.

The method is Dormand and Prince's 5(4) pair with the standard step controller and a fourth-order interpolant. With NaN
in its right-hand side SciPy's RK45 does not return, and LSODA reports success: hence a solver of our own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

RightHandSide = Callable[[Array, Array], Array]

OK, EXHAUSTED = "ok", "budget exhausted"  # status of a rollout that reached the last time, and of one out of steps

# Dormand and Prince (1980), the 5(4) pair, with Shampine's (1986) fourth-order interpolant.
_NODES = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
STAGES = (
    np.array([1 / 5]),
    np.array([3 / 40, 9 / 40]),
    np.array([44 / 45, -56 / 15, 32 / 9]),
    np.array([19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729]),
    np.array([9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656]),
    np.array([35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84]),
)
ERROR = np.array([-71 / 57600, 0, 71 / 16695, -71 / 1920, 17253 / 339200, -22 / 525, 1 / 40])
INTERPOLANT = np.array(
    [
        [1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432],
        [0, 0, 0, 0],
        [0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799],
        [0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072],
        [0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632],
        [0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844],
        [0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423],
    ]
)
FLOOR = 1e-3  # of the starting value: the scale of the error in what decays to zero
BUDGET_OF_A_STEP = 6  # calls of the right-hand side
STUCK = 1e-13  # of the time: a step that short is none
SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0  # of the step size, as in SciPy's RK45 (Hairer, Nørsett and Wanner 1993, II.4)


@dataclass(frozen=True)
class Rollout:
    """Free solutions of a fitted equation from given starting states.

    Attributes
    ----------
    values : array (batch, step, feature, channel)
        The solutions at the requested times; NaN after a rollout has ended early.
    times : array (batch, step)
    status : tuple of str, one a rollout
        ``"ok"``, ``"diverged at t=..."``, ``"not finite at t=..."`` or ``"budget exhausted at t=..."``.
    evaluations : int
        Calls of the right-hand side (each call evaluates the whole batch).
    features, channels : labels of the last two axes, where a fitted model's are known
    """

    values: Array
    times: Array
    status: tuple[str, ...]
    evaluations: int
    features: tuple[Hashable, ...] | None = None
    channels: tuple[str, ...] | None = None

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which rollouts reached the last time, as a mask over the batch."""
        return np.array([s == OK for s in self.status])

    @property
    def signal(self) -> Array:
        """The first channel, (batch, step, feature)."""
        return self.values[..., 0]

    def to_dataset(self, runs: Sequence[Hashable] | None = None) -> xr.Dataset:
        """As an xarray dataset with dimensions run, step and feature, ``signal`` and any further channels by name.

        ``status`` (run,) says how each ended; ``runs`` are labels of the batch, 0, 1, … by default. Where times differ
        from run to run they are ``time`` (run, step).

        Examples
        --------
        >>> from ecodyn import Linear
        >>> x = np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0]
        >>> law = Linear(coupling="independent").fit(x, feature_names=["hare", "lynx"])
        >>> ds = law.simulate([[1.0, 2.0], [3.0, 3.0]], steps=[0.0, 10.0, 20.0]).to_dataset(runs=["a", "b"])
        >>> print(dict(ds.sizes), ds.signal.sel(run="b", step=10.0, feature="lynx").item().__round__(3))
        {'run': 2, 'step': 3, 'feature': 2} 1.104
        """
        from ecodyn.rollouts.labelled import labelled

        return labelled(self.values, self.times, self.status, (runs, self.features, self.channels))

    def to_dataframe(self, runs: Sequence[Hashable] | None = None) -> pd.DataFrame:
        """As a pandas table of the signal: columns step, run and one a feature, as `Trajectories.from_dataframe` reads.

        Rows after an early end have no values.

        Examples
        --------
        >>> from ecodyn import Linear
        >>> x = np.exp(-0.1 * np.arange(50.0))[:, None] * [1.0, 2.0]
        >>> law = Linear(coupling="independent").fit(x, feature_names=["hare", "lynx"])
        >>> print(law.simulate({"hare": 1.0, "lynx": 2.0}, steps=[0.0, 10.0]).to_dataframe().round(3))
           step  run   hare   lynx
        0   0.0    0  1.000  2.000
        1  10.0    0  0.368  0.736
        """
        from ecodyn.rollouts.labelled import table

        return table(self.signal, self.times, runs, self.features)


def integrate(
    rhs: RightHandSide,
    x0: ArrayLike,
    times: ArrayLike,
    *,
    bound: ArrayLike | None = None,
    rtol: float = 1e-8,
    max_evaluations: int = 20_000,
) -> Rollout:
    """Solve ẋ = f(x, t) from each starting state, with its own adaptive step for each member of the batch.

    Parameters
    ----------
    rhs : callable (x, t) -> ẋ
        ``x`` has the shape of ``x0`` and ``t`` shape (batch,); members must not influence one another.
    x0 : array (batch, ...)
        Starting states at ``times[..., 0]``.
    times : array (step,) or (batch, step)
        Increasing; NaN at the end of a row marks padding and gives NaN.
    bound : float or array (batch,) or of the shape of ``x0``, optional
        A rollout of which an absolute value exceeds it has diverged. The default is 10⁶ times the rollout's own
        largest starting value, and none for a start at zero.
    rtol : float
        Error allowed a step, relative to the state's root mean square (per member of the batch).
    max_evaluations : int
        Budget of right-hand-side calls.

    Returns
    -------
    Rollout
        Always, and never an exception for a misbehaving equation.

    Raises
    ------
    ValueError
        The times don't increase.

    Examples
    --------
    >>> rollout = integrate(lambda x, t: -x, [[1.0]], [0.0, 1.0])
    >>> print(rollout.status, rollout.values.round(6).ravel())
    ('ok',) [1.       0.367879]
    """
    x = np.array(x0, dtype=float)
    grid = checked_grid(times, len(x))
    solver = _Solver(rhs, x, grid, bound=bound, rtol=rtol, budget=max_evaluations)
    with np.errstate(all="ignore"):
        solver.run()
    return Rollout(solver.values, np.array(grid), tuple(solver.status), solver.evaluations)


def checked_grid(times: ArrayLike, batch: int) -> Array:
    """Times as (batch, step), a view where all members share them."""
    if np.ndim(times) == 0:
        raise ValueError(
            f"expected the times of the rollout, from its start on, got the number {times!r}: give an array"
        )
    grid = np.broadcast_to(np.asarray(times, dtype=float), (batch, np.shape(times)[-1]))
    if np.isnan(grid[:, 0]).any() or (np.diff(grid, axis=1) <= 0).any():
        raise ValueError(
            "times must increase strictly from the first on (NaN only as padding at the end), got "
            f"{np.array2string(grid[0], threshold=6)}; sort them and keep one of each"
        )
    return grid


class _Solver:
    """State of one ``integrate`` call; members that have ended are carried along frozen."""

    def __init__(
        self, rhs: RightHandSide, x: Array, grid: Array, *, bound: ArrayLike | None, rtol: float, budget: int
    ) -> None:
        self.rhs, self.x, self.grid, self.rtol, self.budget = rhs, x, grid, rtol, budget
        self.axes = tuple(range(1, x.ndim))
        if bound is None:
            largest = np.abs(x).max(axis=self.axes, initial=0.0)
            bound = np.where(largest > 0, 1e6 * largest, np.inf)
        self.bound = self._column(limit) if (limit := np.asarray(bound, dtype=float)).ndim == 1 else limit
        self.t = grid[:, 0].copy()
        self.end = np.nanmax(grid, axis=1)
        self.values = np.full((*grid.shape, *x.shape[1:]), np.nan)
        self.values[:, 0] = x
        self.recorded = np.ones(len(x), dtype=np.intp)  # points of the grid that are passed
        self.points = int(np.count_nonzero(np.isfinite(grid[:1])))
        self.one_grid = grid.strides[0] == 0 or bool((grid == grid[:1]).all())
        self.status = [OK] * len(x)
        self.active = self.end > self.t
        self.evaluations = 0
        # The scale of the error: a floor keeps members that decay to zero from shrinking the step forever.
        self.floor = FLOOR * np.sqrt(np.mean(x**2, axis=self.axes)) + 1e-300

    def run(self) -> None:
        slope = self._call(self.x, self.t)
        self._end(~self._finite(self.x) | ~self._finite(slope), "not finite")
        h = self._first_step(slope)
        while self.active.any():
            if self.evaluations + BUDGET_OF_A_STEP > self.budget:
                self._end(self.active.copy(), EXHAUSTED)
                return
            h = np.minimum(h, self.end - self.t)
            stages, new = self._stages(slope, h)
            ratio = self._error_ratio(stages, new, h)
            accepted = self.active & (ratio <= 1.0)
            self._record(accepted, stages, h)
            slope = self._advance(accepted, new, stages, slope, h)
            h = self._next_step(h, ratio)

    def _call(self, x: Array, t: Array) -> Array:
        self.evaluations += 1
        return np.asarray(self.rhs(x, t), dtype=float)

    def _column(self, v: Array) -> Array:
        return v.reshape(-1, *(1,) * len(self.axes))

    def _finite(self, x: Array) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(x).all(axis=self.axes))

    def _end(self, which: NDArray[np.bool_], why: str) -> None:
        for b in np.flatnonzero(which & self.active):
            self.status[b] = f"{why} at t={self.t[b]:g}"
        self.active &= ~which
        self.x[which] = 0.0  # a harmless state, so that the batch can go on

    def _first_step(self, slope: Array) -> Array:
        speed = np.sqrt(np.mean(slope**2, axis=self.axes))
        size = np.sqrt(np.mean(self.x**2, axis=self.axes)) + self.floor
        with np.errstate(divide="ignore"):
            h = 0.01 * size / speed
        return np.where(np.isfinite(h) & (h > 0), np.minimum(h, self.end - self.t), self.end - self.t)

    def _stages(self, slope: Array, h: Array) -> tuple[Array, Array]:
        stages = np.empty((7, *self.x.shape))
        stages[0] = slope
        step = self._column(h)
        x = self.x
        for s, weights in enumerate(STAGES, start=1):
            x = self.x + step * _weighted(weights, stages)
            stages[s] = self._call(x, self.t + _NODES[s] * h)
        return stages, x

    def _error_ratio(self, stages: Array, new: Array, h: Array) -> Array:
        error = self._column(h) * _weighted(ERROR, stages)
        size = np.sqrt(np.mean(np.maximum(self.x**2, new**2), axis=self.axes)) + self.floor
        ratio = np.sqrt(np.mean(error**2, axis=self.axes)) / (self.rtol * size)
        return np.where(np.isfinite(ratio), ratio, np.inf)

    def _reaches_end(self, h: Array) -> NDArray[np.bool_]:
        return np.asarray(h >= self.end - self.t)

    def _record(self, accepted: NDArray[np.bool_], stages: Array, h: Array) -> None:
        """The interpolant x + h θ(q₀ + θ(q₁ + θ(q₂ + θ q₃))) at the grid points that the accepted steps pass."""
        reached = np.where(self._reaches_end(h), self.end, self.t + h)  # t + h may round to just before the end
        passed = np.where(accepted, self._points_until(reached), self.recorded)
        counts = passed - self.recorded
        if not counts.any():
            return
        b = np.repeat(np.arange(len(counts)), counts)
        i = np.arange(len(b)) + np.repeat(self.recorded - np.cumsum(counts) + counts, counts)
        fraction = self._column((self.grid[b, i] - self.t[b]) / h[b])
        slopes = np.einsum("sp,sb...->bp...", INTERPOLANT, stages)[b]
        moved = slopes[:, -1]
        for power in range(slopes.shape[1] - 2, -1, -1):
            moved = moved * fraction
            moved += slopes[:, power]
        moved *= self._column(h[b]) * fraction
        moved += self.x[b]
        self.values[b, i] = moved
        self.recorded = passed

    def _points_until(self, t: Array) -> NDArray[np.intp]:
        """How many points of each member's grid are not after t."""
        if self.one_grid:
            return np.searchsorted(self.grid[0, : self.points], t, side="right")
        return np.count_nonzero(self.grid <= t[:, None], axis=1)

    def _advance(self, accepted: NDArray[np.bool_], new: Array, stages: Array, slope: Array, h: Array) -> Array:
        keep = self._column(accepted.astype(float)) > 0
        self.x = np.where(keep, new, self.x)
        slope = np.where(keep, stages[-1], slope)
        at_end = accepted & self._reaches_end(h)
        self.t = np.where(at_end, self.end, np.where(accepted, self.t + h, self.t))
        self._end(accepted & ((np.abs(self.x) > self.bound).any(axis=self.axes)), "diverged")
        stuck = self.active & ~accepted & (h <= STUCK * np.maximum(np.abs(self.t), self.end - self.grid[:, 0]))
        self._end(stuck & self._finite(stages.sum(axis=0)), "diverged")
        self._end(stuck, "not finite")
        self.active &= ~at_end
        return slope

    def _next_step(self, h: Array, ratio: Array) -> Array:
        with np.errstate(divide="ignore"):
            factor = SAFETY * ratio**-0.2
        return h * np.clip(np.where(np.isfinite(factor), factor, GROW), SHRINK, GROW)


def _weighted(weights: Array, stages: Array) -> Array:
    """Σ wₛkₛ, not by a matrix product: its last digit would depend on who else is in the batch."""
    return np.einsum("s,s...->...", weights, stages[: len(weights)])
