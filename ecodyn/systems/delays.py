"""Solutions of equations with constant delays, by the method of steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ecodyn.arrays import Array

__all__ = ["Past", "integrate_delayed"]

Past = Callable[[float], Array]
"""The state (batch, feature) so long ago."""

STEPS = 2000  # at least, to the last time: of a run that oscillates ten times this leaves an error of 1e-7 or so
MULTIPLE = 1e-9  # relative: how closely a delay is a whole number of steps


def integrate_delayed(
    rhs: Callable[[Array, float, Past], Array],
    x0: Array,
    times: Array,
    delays: Sequence[float],
) -> Array:
    """Solve ẋ(t) = f(x(t), t, x(t − τ)) with x = x0 before the first time.

    Runge and Kutta's method of order 4 with a fixed step that divides every delay, so that the times at which a
    derivative jumps are steps of it; between steps the past is the cubic that has their values and slopes (Bellen and
    Zennaro, Numerical Methods for Delay Differential Equations, 2003).

    Parameters
    ----------
    rhs : callable (x, t, past) -> ẋ, where ``past(delay)`` is the state so long before t
    x0 : array (batch, feature)
    times : array (step,), increasing
    delays : all that ``past`` is asked for; whole multiples of the smallest one

    Returns
    -------
    array (batch, step, feature)

    Raises
    ------
    ValueError
        A delay is no multiple of the smallest.

    Examples
    --------
    ẋ = −x(t − 1) with x = 1 before 0 is 1 − t until t = 1:

    >>> x = integrate_delayed(lambda x, t, past: -past(1.0), np.ones((1, 1)), np.array([0.0, 0.5, 1.0]), [1.0])
    >>> x[0, :, 0].round(9).tolist()
    [1.0, 0.5, 0.0]
    """
    smallest, span = min(delays), float(times[-1] - times[0])
    within = int(np.ceil(STEPS * smallest / span))
    h = smallest / within
    if any(abs(delay / smallest - round(delay / smallest)) > MULTIPLE for delay in delays):
        raise ValueError(f"expected delays that are multiples of the smallest, got {', '.join(map(str, delays))}")
    steps = int(np.ceil(span / h - MULTIPLE))
    x, slopes = np.empty((2, steps + 1, *x0.shape))
    x[0] = x0

    def before(step: int, fraction: float) -> Past:
        """The past at the time of a step and a fraction of one."""

        def past(delay: float) -> Array:
            k = step - round(delay / h)
            if k + fraction <= 0:
                return np.asarray(x0)
            if fraction in (0.0, 1.0):
                return np.asarray(x[k + int(fraction)])
            return _between(x[k : k + 2], slopes[k : k + 2], h, np.array(fraction))

        return past

    for k in range(steps):
        t = times[0] + k * h
        slopes[k] = one = rhs(x[k], t, before(k, 0.0))
        halfway = before(k, 0.5)
        two = rhs(x[k] + h / 2 * one, t + h / 2, halfway)
        three = rhs(x[k] + h / 2 * two, t + h / 2, halfway)
        four = rhs(x[k] + h * three, t + h, before(k, 1.0))
        x[k + 1] = x[k] + h / 6 * (one + 2 * two + 2 * three + four)
    slopes[steps] = rhs(x[steps], times[0] + steps * h, before(steps, 0.0))
    at = np.clip(((times - times[0]) / h).astype(int), 0, steps - 1)
    fraction = ((times - times[0]) / h - at)[:, None, None]
    return np.moveaxis(
        _between(np.stack([x[at], x[at + 1]]), np.stack([slopes[at], slopes[at + 1]]), h, fraction), 0, 1
    )


def _between(values: Array, slopes: Array, h: float, fraction: Array) -> Array:
    """Hermite's cubic at fractions of a step with values and slopes (2, ...) at its ends."""
    s = fraction
    at_ends = (1 + 2 * s) * (1 - s) ** 2 * values[0] + s**2 * (3 - 2 * s) * values[1]
    return np.asarray(at_ends + h * (s * (1 - s) ** 2 * slopes[0] - s**2 * (1 - s) * slopes[1]))
