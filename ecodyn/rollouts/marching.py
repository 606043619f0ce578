"""Fixed steps along a grid, for estimation: thousands of cheap rollouts, with their sensitivities beside them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.rollouts.integration import RightHandSide

__all__ = ["march", "steps_in_pieces", "within"]


def march(
    rhs: RightHandSide,
    x0: Array,
    times: Array,
    *,
    substeps: int = 1,
    bound: float | Array = np.inf,
    step: float | Array | None = None,
    cuts: Sequence[Array | None] | None = None,
) -> Iterator[tuple[int, Array, Bools]]:
    """Classical Runge-Kutta steps along a grid, one output at a time, so that a caller need not store them.

    Or a map's own steps, x(t + h) = x(t) + h·f(x(t)), as many as there are between two outputs.

    Parameters
    ----------
    rhs : callable (x, t) -> ẋ, ``t`` of shape (batch,)
    x0 : array (batch, feature, any number of columns)
    times : array (batch, step); a repeated time is an interval of no length, which is how rows are padded
    substeps : steps an interval, of a flow
    step : h of a map, one for all or (batch,); None for a flow
    cuts : of a right-hand side that jumps at known times: how each interval is cut there, as edges (batch, edge), or
        None where it is not; a step that ends at a jump asks for slopes just before it
    bound : one for all, or (batch,); a member whose first column exceeds it in size is dead from then on: zero

    Yields
    ------
    index, state, alive
        From the first time on; ``alive`` (batch,) says who is still finite and within bounds.
    """
    x = np.array(x0, dtype=float)
    alive = np.isfinite(x).all(axis=(1, 2))
    yield 0, x, alive
    for i in range(times.shape[1] - 1):
        t, gap = times[:, i], times[:, i + 1] - times[:, i]
        if step is not None:
            x = _iterated(rhs, x, t, gap, step)
        elif cuts is None:
            x = _solved(rhs, x, t, gap, substeps)
        else:
            edges = cuts[i]
            x = _solved_in_pieces(rhs, x, times[:, i : i + 2] if edges is None else edges, substeps)
        alive = alive & within(x, bound)
        if not alive.all():
            x[~alive] = 0.0
        yield i + 1, x, alive


def within(x: Array, bound: float | Array) -> Bools:
    """Which members (batch,) are finite, and their first columns no larger than the bound."""
    # One reduction tells of NaN, infinity and size together: comparisons with NaN are false.
    return np.asarray((np.abs(x[..., 0]).max(axis=1) <= bound) & np.isfinite(x.sum(axis=(1, 2))))


def _solved(rhs: RightHandSide, x: Array, t: Array, gap: Array, substeps: int) -> Array:
    h = gap / substeps
    for j in range(substeps):
        x = _runge_kutta_step(rhs, x, t + j * h, h)
    return x


def _solved_in_pieces(rhs: RightHandSide, x: Array, edges: Array, substeps: int) -> Array:
    for t, h, end in steps_in_pieces(edges, substeps):
        x = _runge_kutta_step(rhs, x, t, h, end)
    return x


def steps_in_pieces(edges: Array, substeps: int) -> Iterator[tuple[Array, Array, Array | None]]:
    """Begin and length of steps over an interval that is cut at edges (batch, edge), and when their last slope is of.

    A piece gets as many steps as its share of the interval takes. The last slope of a piece is of just before its end;
    of the other steps, whose end is None, it is of t + h.
    """
    whole = edges[:, -1] - edges[:, 0]
    for t, end in itertools.pairwise(edges.T):
        gap = end - t
        share = float(np.max(gap / np.where(whole > 0, whole, 1.0)))
        count = max(1, math.ceil(substeps * share))
        h, before = gap / count, np.maximum(t, np.nextafter(end, -np.inf))
        for j in range(count):
            yield t + j * h, h, before if j == count - 1 else None


def _iterated(rhs: RightHandSide, x: Array, t: Array, gap: Array, step: float | Array) -> Array:
    counts = np.rint(gap / step)  # they may differ by one between members: those that are there stay
    for j in range(int(counts.max(initial=0.0))):
        h = np.where(j < counts, step, 0.0)
        x = x + h[:, None, None] * rhs(x, t + j * step)
    return x


def _runge_kutta_step(rhs: RightHandSide, x: Array, t: Array, h: Array, end: Array | None = None) -> Array:
    """One step; ``end`` is when its last slope is asked for, where that is not quite t + h."""
    step = h[:, None, None]
    half, middle = 0.5 * step, t + 0.5 * h  # one array of times: what depends on time alone is worked out once for it
    k1 = rhs(x, t)
    # In place: new memory for every sum took longer than the sums.
    at = half * k1
    at += x
    k2 = rhs(at, middle)
    np.multiply(half, k2, out=at)
    at += x
    k3 = rhs(at, middle)
    np.multiply(step, k3, out=at)
    at += x
    k4 = rhs(at, t + h if end is None else end)
    # x + h/6 (k₁ + 2(k₂ + k₃) + k₄)
    total = k2 + k3
    total *= 2
    total += k1
    total += k4
    total *= step / 6
    total += x
    return np.asarray(total)
