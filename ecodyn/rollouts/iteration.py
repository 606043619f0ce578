"""Maps: laws that go from one stored step to the next, x(t + h) = x(t) + h·f(x(t)), and their guarded rollouts.

Gradient descent is a map, and a flow ẋ = f(x) only where a step changes little. A map is written by its increment per
step, so that f has the same library and units as a flow's: it is the flow's Euler map, and the two agree as h → 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.rollouts.integration import OK, RightHandSide, Rollout

FLOW, MAP = "flow", "map"
DYNAMICS = (FLOW, MAP)

UNEVEN = 1e-6  # of a step: what rounding leaves of evenly spaced times


def parse_dynamics(text: str) -> tuple[str, ...]:
    """Split the dynamics asked for: "flow", "map" or both, "flow,map".

    Raises
    ------
    ValueError
        Another word, or none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if not set(names) <= set(DYNAMICS):
        raise ValueError(f"expected dynamics of {', '.join(DYNAMICS)}, or both with a comma between them; got {text!r}")
    return names


def stored_step(times: Array, lengths: NDArray[np.intp]) -> float:
    """h, the spacing of the stored steps of all runs, (run, step) of so many each.

    Raises
    ------
    UnusableDataError
        They are not evenly spaced, or not alike in all runs.
    """
    gaps = np.concatenate([np.diff(row[:n]) for row, n in zip(times, lengths, strict=True)])
    step = float(np.median(gaps))
    if np.abs(gaps - step).max() > UNEVEN * step:
        raise UnusableDataError(
            f"expected stored steps evenly spaced, alike in all runs, for a map from each to the next; got spacings of "
            f"{gaps.min():g} to {gaps.max():g}: take a window that is evenly stored, or fit flows (dynamics='flow')"
        )
    # The mean is the spacing to the last digit where single differences are rounded.
    return float(gaps.mean())


def iterate(
    rhs: RightHandSide,
    x0: ArrayLike,
    times: ArrayLike,
    *,
    step: float,
    bound: ArrayLike = np.inf,
    max_evaluations: int = 20_000,
) -> Rollout:
    """Iterate x(t + h) = x(t) + h·f(x(t), t) from each starting state: what ``integrate`` is to a flow.

    Parameters
    ----------
    rhs : callable (x, t) -> f
        ``x`` has the shape of ``x0`` and ``t`` shape (batch,); members must not influence one another.
    x0 : array (batch, ...)
        Starting states at ``times[..., 0]``.
    times : array (step,) or (batch, step)
        Increasing, whole multiples of h after the first; NaN at the end of a row marks padding and gives NaN.
    step : float
        h.
    bound : float or array (batch,) or of the shape of ``x0``
        A rollout of which an absolute value exceeds it has diverged.
    max_evaluations : int
        Budget of right-hand-side calls; as many as there are times are always allowed.

    Returns
    -------
    Rollout
        Always, and never an exception for a misbehaving map. Bound and finiteness are checked at every step.

    Raises
    ------
    ValueError
        The times are off the map's grid.
    """
    x = np.array(x0, dtype=float)
    grid = np.array(np.broadcast_to(np.asarray(times, dtype=float), (len(x), np.shape(times)[-1])))
    due = _steps_of(grid, step)
    limit = np.asarray(bound, dtype=float)
    limit = limit.reshape(-1, *(1,) * (x.ndim - 1)) if limit.ndim == 1 else limit
    with np.errstate(all="ignore"):
        return _iterated(rhs, x, grid, due, step, limit, max(max_evaluations, grid.shape[1]))


def _steps_of(grid: Array, step: float) -> NDArray[np.intp]:
    """How many steps after the first each time is, (batch, step); −1 for padding."""
    known = ~np.isnan(grid)
    counts = np.where(known, (grid - grid[:, :1]) / step, np.nan)
    whole = np.rint(counts)
    if np.isnan(grid[:, 0]).any() or (np.diff(whole, axis=1) <= 0).any():
        raise ValueError(
            f"times must increase by {step:g} or more from the first on (NaN only as padding at the end), got "
            f"{np.array2string(grid[0], threshold=6)}: a map has no states in between"
        )
    off = known & (np.abs(counts - whole) > UNEVEN * np.maximum(1.0, np.abs(whole)))
    if off.any():
        b, i = np.argwhere(off)[0]
        raise ValueError(
            f"expected times on the map's grid, whole multiples of h = {step:g} from the first on; got {grid[b, i]:g} "
            f"after {grid[b, 0]:g}: ask for times on the grid, or fit a flow (dynamics='flow')"
        )
    return np.where(known, whole, -1).astype(np.intp)


def _iterated(
    rhs: RightHandSide, x: Array, grid: Array, due: NDArray[np.intp], step: float, bound: Array, budget: int
) -> Rollout:
    axes, members = tuple(range(1, x.ndim)), np.arange(len(x))
    values, status = np.full((*grid.shape, *x.shape[1:]), np.nan), [OK] * len(x)
    first, last = grid[:, 0], due.max(axis=1)
    position = np.zeros(len(x), dtype=np.intp)
    active = np.ones(len(x), dtype=bool)

    def end(which: NDArray[np.bool_], why: str, n: int) -> None:
        for b in np.flatnonzero(which & active):
            status[b] = f"{why} at t={first[b] + n * step:g}"
        active[which] = False
        x[which] = 0.0  # a harmless state, so that the batch can go on

    n = evaluations = 0
    while True:
        end(np.asarray(~np.isfinite(x).all(axis=axes)), "not finite", n)
        if n:
            end(np.asarray((np.abs(x) > bound).any(axis=axes)), "diverged", n)
        here = active & (due[members, position] == n)
        values[here, position[here]] = x[here]
        position[here] = np.minimum(position[here] + 1, due.shape[1] - 1)
        active &= last > n
        if not active.any():
            break
        if evaluations >= budget:
            end(active.copy(), "budget exhausted", n)
            break
        x = x + step * np.asarray(rhs(x, first + n * step), dtype=float)
        n, evaluations = n + 1, evaluations + 1
    return Rollout(values, grid, tuple(status), evaluations)
