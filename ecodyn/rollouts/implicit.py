"""Rollouts of stiff equations, one at a time, by an implicit method with the guards of ``integrate``.

Explicit steps must be as short as the fastest decay, long after it is over; implicit ones as what is left moves. The
method is SciPy's Radau (Hairer and Wanner 1996), stepped from here: the right-hand side refuses what is not finite and
counts its calls, and every step is checked against the bound, so that it can't hang.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array

__all__ = ["integrate_stiff"]

CALLS_A_STOP = 200  # of the right-hand side, and one a variable: a Jacobian, and some ten steps from short to long ones
FLOOR = 1e-3  # of the start's root mean square, under which errors are no longer relative: that of ``integrate``


def integrate_stiff(
    rhs: Callable[[Array, float], Array],
    x0: Array,
    times: Array,
    *,
    bound: Array | float,
    rtol: float,
    budget: int,
    stops: Sequence[float] = (),
) -> tuple[Array, int] | None:
    """The solution (step, variable) of ẋ = f(x, t) at increasing times (step,) from x0 (variable,), and calls of f.

    None if it can't be had: the budget ends, something is not finite, or an absolute value exceeds ``bound``.

    At ``stops`` f jumps, or has a kink: steps end there, at slopes of just before, and begin anew. The budget grows
    with their number.

    Examples
    --------
    >>> import numpy as np
    >>> stiff = lambda x, t: np.array([-x[0], 1e5 * (1.0 - x[1])])
    >>> start, times = np.array([1.0, 0.0]), np.array([0.0, 10.0])
    >>> values, calls = integrate_stiff(stiff, start, times, bound=1e3, rtol=1e-8, budget=5_000)
    >>> bool(np.allclose(values[-1], [np.exp(-10.0), 1.0], atol=1e-7))
    True
    """
    edges = [float(times[0]), *sorted(s for s in stops if times[0] < s < times[-1]), float(times[-1])]
    guarded = _Guarded(rhs, budget + (CALLS_A_STOP + len(x0)) * (len(edges) - 2))
    values = np.full((len(times), len(x0)), np.nan)
    values[0], x = x0, x0
    size = FLOOR * float(np.sqrt(np.mean(x0**2))) + 1e-300
    try:
        with np.errstate(all="ignore"):
            for begin, end in itertools.pairwise(edges):
                guarded.latest = np.inf if end == edges[-1] else float(np.nextafter(end, -np.inf))
                inside = (times > begin) & (times <= end)
                found = _without_stops(guarded, x, begin, end, times[inside], bound=bound, rtol=rtol, size=size)
                if found is None:
                    return None
                values[inside], x = found
    except (FloatingPointError, ValueError, np.linalg.LinAlgError):  # ended; or a Jacobian not finite, or singular
        return None
    return values, guarded.calls


@dataclass
class _Guarded:
    """A right-hand side that counts its calls, and ends what calls it too often or gets what is not finite."""

    rhs: Callable[[Array, float], Array]
    most: int
    latest: float = np.inf  # when slopes are asked for at the latest
    calls: int = 0

    def __call__(self, t: float, x: Array) -> Array:
        self.calls += 1
        slope = self.rhs(x, min(t, self.latest))
        if self.calls > self.most or not np.isfinite(slope).all():
            raise FloatingPointError  # it ends here, whatever the solver would try next
        return slope


def _without_stops(
    rhs: Callable[[float, Array], Array],
    x0: Array,
    begin: float,
    end: float,
    times: Array,
    *,
    bound: Array | float,
    rtol: float,
    size: float,
) -> tuple[Array, Array] | None:
    """The solution (step, variable) at times between two stops, and the state at the second; None if there is none."""
    from scipy.integrate import Radau

    values, done = np.empty((len(times), len(x0))), 0
    solver = Radau(rhs, begin, x0, end, rtol=rtol, atol=rtol * size)
    while solver.status == "running":
        solver.step()
        if solver.status == "failed" or not bool((np.abs(solver.y) <= bound).all()):
            return None
        passed = int(np.searchsorted(times, solver.t, side="right"))
        if passed > done:
            values[done:passed] = solver.dense_output()(times[done:passed]).T
            done = passed
    return values, solver.y
