"""The weak form with smooth test functions: a law's regression without derivatives of the data.

With ψ(s) = (1 − s²)^p on a window, which vanishes at both ends, −∫ψ′x dt = Σⱼ θⱼ ∫ψ φⱼ(x) dt (Messenger and Bortz
2021). On an even grid trapezoids are then accurate far beyond their order, and white noise in x weighs least where ψ is
smooth. On any other they are of the second order, which is less than many a term is worth: there the integrals are
those of the cubic spline through a window's samples, linear in these too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.rollouts.iteration import UNEVEN

__all__ = ["operator", "regression", "spans"]

POWER = 8  # of the test function: derivatives up to the seventh vanish at its ends
SPANS = (12, 24, 48, 96)  # steps in a window; a short one sees fast terms, a long one averages noise
SHORTEST = 6  # steps in a window: fewer can't tell ψ from zero
MOST_OF_RUN = 0.5  # of a run that one window may span
WINDOWS_PER_SPAN = 8  # a window begins every eighth of its length
FINER = 8  # points a step on which ψ times a spline is summed


def spans(length: int) -> list[int]:
    """Window lengths, in steps, for runs of so many samples."""
    longest = max(SHORTEST, int(MOST_OF_RUN * (length - 1)))
    return sorted({min(span, longest) for span in SPANS})


def regression(runs: Iterable[tuple[Array, Array, Array]], span: int, own: Array) -> tuple[Array, Array]:
    """Rows (feature, row, term) and targets (feature, row) of all runs' windows, over how far each feature goes.

    Parameters
    ----------
    runs : of (candidate terms (step, term), states (step, feature), times (step,))
    span : int
        Samples in a window, less one.
    own : array (feature,)
    """
    blocks = [_of_run(terms, x, t, min(span, len(t) - 1)) for terms, x, t in runs]
    theta = np.concatenate([b[0] for b in blocks])
    target = np.concatenate([b[1] for b in blocks], axis=1)
    return theta / own[:, None, None], target / own[:, None]


def operator(times: Sequence[Array], span: int) -> tuple[Array, Array]:
    """Matrices (row, sample) of all runs' windows: one takes terms' values to integrals, one states to targets."""
    from scipy.linalg import block_diag

    shortest = int(MOST_OF_RUN * (min(len(t) for t in times) - 1))
    of_values: list[Array] = []
    of_states: list[Array] = []
    for t in times:
        rows, value, slope = _windows(t, min(span, shortest))
        for found, weights in ((of_values, value), (of_states, -slope)):
            matrix = np.zeros((len(rows), len(t)))
            np.put_along_axis(matrix, rows, weights, axis=1)
            found.append(matrix)
    return np.asarray(block_diag(*of_values)), np.asarray(block_diag(*of_states))


def _of_run(terms: Array, x: Array, t: Array, span: int) -> tuple[Array, Array]:
    """Of one run: (window, term) and (feature, window)."""
    rows, value, slope = _windows(t, span)
    theta = np.matmul(value[:, None], terms[rows])[:, 0]
    target = -np.matmul(slope[:, None], x[rows])[:, 0]
    return theta, target.T


def _windows(t: Array, span: int) -> tuple[Integers, Array, Array]:
    """Samples of each window, the test function's weights there, and its derivative's."""
    starts = np.arange(0, len(t) - span, max(1, span // WINDOWS_PER_SPAN))
    rows = starts[:, None] + np.arange(span + 1)
    at = t[rows]
    begin, end = at[:, :1], at[:, -1:]
    s = (2 * at - begin - end) / (end - begin)
    gaps = np.diff(at, axis=1)
    weights = np.zeros_like(at)
    weights[:, :-1] += gaps / 2
    weights[:, 1:] += gaps / 2
    value, slope = weights * _bump(s), weights * _slope(s, end - begin)
    for w in np.flatnonzero(np.ptp(gaps, axis=1) > UNEVEN * gaps.mean(axis=1)).tolist():
        value[w], slope[w] = _of_splines(at[w])
    return rows, value, slope


def _bump(s: Array) -> Array:
    """ψ at places from −1 to 1."""
    return np.asarray((1 - s**2) ** POWER)


def _slope(s: Array, length: Array | float) -> Array:
    """ψ′ there, in a window of this length."""
    return np.asarray((1 - s**2) ** (POWER - 1) * (-2 * POWER * s) * 2 / length)


def _of_splines(t: Array) -> tuple[Array, Array]:
    """Weights of samples at times t: ∫ψ f dt and ∫ψ′ f dt of the cubic spline f through them."""
    from scipy.interpolate import CubicSpline

    s = np.linspace(-1.0, 1.0, FINER * (len(t) - 1) + 1)  # both vanish at the ends: all weights are one step
    length = t[-1] - t[0]
    each = CubicSpline(t, np.eye(len(t)))(t[0] + (s + 1) * length / 2) * length / (len(s) - 1)
    return _bump(s) @ each, _slope(s, length) @ each
