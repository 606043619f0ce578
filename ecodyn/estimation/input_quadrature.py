"""Integrals of terms that have known inputs as factors: exact in the inputs, at their jumps too.

∫ φ(x(s)) w(u(s)) ds over an interval, with w a product of powers of inputs: φ is interpolated between samples, by a
parabola as in Simpson's rule, and w is known. Pieces between two breaks of the inputs are integrated by Gauss's rule,
exactly for piecewise linear inputs. Where an input jumps, so does ẋ: a parabola is through samples of one side of a
jump, also over that part of an interval which is cut by one, unless there are fewer than three on that side.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array, csr_array

from ecodyn.arrays import Array, Integers
from ecodyn.equations.known_inputs import Curves
from ecodyn.equations.library import Library
from ecodyn.estimation.quadrature import over_spans
from ecodyn.trajectories.inputs import STEPS

__all__ = ["integrals_with_inputs", "interpolated"]

STENCIL = 3  # samples of a parabola


def integrals_with_inputs(
    library: Library, x: Array, seen: Array, times: Array, curves: Curves, starts: Integers, span: int
) -> Array:
    """∫ of each term dt from times[start] to times[start + span], (start, feature or 1, term).

    ``x`` are states (step, feature, channel), ``seen`` the environment variables (step, variable) but for the inputs.
    """
    terms = library.values(x, np.concatenate([seen, np.ones((len(x), len(curves)))], axis=-1))
    powers = np.array([library.environment[e][library.n_seen :] for _, e in library.terms], dtype=np.int64)
    out = np.empty((len(starts), *terms.shape[1:]))
    for exponents in np.unique(powers, axis=0):
        mine = np.flatnonzero((powers == exponents).all(axis=1))
        weights = over_spans(_intervals(times, curves, exponents), starts, span)
        out[..., mine] = (weights @ terms[..., mine].reshape(len(x), -1)).reshape(len(starts), terms.shape[1], -1)
    return out


def _intervals(times: Array, curves: Curves, exponents: Integers) -> csr_array:
    """Weights of the samples in each interval's integral of a product of powers of the inputs, (interval, sample)."""
    count = len(times)
    size = min(STENCIL, count)
    begin, end = _pieces(times, curves)
    interval = np.searchsorted(times, begin, side="right") - 1
    first = _stencils(times, curves, begin, interval, size)
    nodes, shares = np.polynomial.legendre.leggauss((size + int(exponents.sum()) + 1) // 2)  # exact to their degree
    at = (begin + end)[:, None] / 2 + (end - begin)[:, None] / 2 * nodes
    known = np.ones_like(at)
    for curve, power in zip(curves, exponents.tolist(), strict=True):
        known *= curve(at) ** power
    shares = shares * known * (end - begin)[:, None] / 2
    samples = first[:, None] + np.arange(size)
    weights = np.stack([(shares * basis).sum(axis=1) for basis in _parabolas(times[samples], at)], axis=1)
    rows = np.repeat(interval, size)
    return coo_array((weights.ravel(), (rows, samples.ravel())), shape=(count - 1, count)).tocsr()


def _parabolas(knots: Array, at: Array) -> list[Array]:
    """Lagrange's polynomials of knots (piece, knot) at times (piece, node), one a knot."""
    found = []
    for k in range(knots.shape[1]):
        others = [j for j in range(knots.shape[1]) if j != k]
        found.append(np.prod([(at - knots[:, [j]]) / (knots[:, [k]] - knots[:, [j]]) for j in others], axis=0))
    return found


def interpolated(x: Array, times: Array, curves: Curves, at: Array) -> Array:
    """States (node, ...) at times (node,) within a run, of states (step, ...) at its times, as integrals see them.

    They stay within what the run's states go through: where a parabola goes further, it is noise that does.
    """
    size = min(STENCIL, len(times))
    interval = np.clip(np.searchsorted(times, at, side="right") - 1, 0, max(0, len(times) - 2))
    samples = _stencils(times, curves, at, interval, size)[:, None] + np.arange(size)
    weights = np.stack([basis[:, 0] for basis in _parabolas(times[samples], at[:, None])], axis=1)
    return np.clip(np.einsum("nk,nk...->n...", weights, x[samples]), x.min(axis=0), x.max(axis=0))


def _pieces(times: Array, curves: Curves) -> tuple[Array, Array]:
    """Begin and end of what lies between samples and breaks, each (piece,)."""
    breaks = np.concatenate([curve.breaks for curve in curves])
    edges = np.union1d(times, breaks[(breaks > times[0]) & (breaks < times[-1])])
    return edges[:-1], edges[1:]


def _stencils(times: Array, curves: Curves, begin: Array, interval: Integers, size: int) -> Integers:
    """First of the samples that each piece's parabola is through, pairs of intervals sharing one as by Simpson."""
    jumps = np.unique(np.concatenate([curve.breaks for curve in curves if curve.kind == STEPS] or [np.zeros(0)]))
    jumps = jumps[(jumps > times[0]) & (jumps < times[-1])]
    bounds = np.concatenate([times[:1], jumps, times[-1:]])
    side = np.searchsorted(jumps, begin, side="right")
    lowest = np.searchsorted(times, bounds[side], side="left")
    highest = np.searchsorted(times, bounds[side + 1], side="right") - size
    alone = highest < lowest
    lowest, highest = np.where(alone, 0, lowest), np.where(alone, len(times) - size, highest)
    return np.clip(interval - (interval - lowest) % 2, lowest, highest)
