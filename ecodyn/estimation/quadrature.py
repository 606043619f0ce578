"""Integrals of sampled terms over spans of samples, as one sparse matrix.

Along a run, ∫φ(x(s)) ds over a span of samples is a weighted sum of φ at the samples in it and beside it. The weights
depend on the times alone: they are the same for all terms, features and runs that share their times.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from ecodyn.arrays import Array


def span_integrals(values: Array, times: Array, starts: NDArray[np.intp], span: int) -> Array:
    """∫ values dt from times[start] to times[start + span], for values (step, ...): (start, ...), by Simpson's rule.

    Each interval's share is that of the parabola through its ends and a third sample, the next for the first, third, …
    interval and the one before for the others and the last (as SciPy's ``cumulative_simpson``; Cartwright 2017).
    Times may be unevenly spaced. With two samples it is the trapezoid.
    """
    return _applied(_simpson(times.tobytes(), starts.tobytes(), span), values)


def span_sums(values: Array, step: float, starts: NDArray[np.intp], span: int) -> Array:
    """h Σ values over the steps from start to start + span − 1: what a map's increments add up to."""
    intervals = np.arange(len(values) - 1)
    each = coo_array((np.full(len(intervals), step), (intervals, intervals)), shape=(len(intervals), len(values)))
    return _applied(over_spans(each.tocsr(), starts, span), values)


def _applied(weights: csr_array, values: Array) -> Array:
    integrals = weights @ values.reshape(len(values), -1)
    return np.asarray(integrals).reshape(len(integrals), *values.shape[1:])


@lru_cache(maxsize=64)
def _simpson(times: bytes, starts: bytes, span: int) -> csr_array:
    return over_spans(_intervals(np.frombuffer(times)), np.frombuffer(starts, dtype=np.intp), span)


def over_spans(each: csr_array, starts: NDArray[np.intp], span: int) -> csr_array:
    """Sums of intervals' rows (interval, sample) over each span, (start, sample)."""
    rows = np.repeat(np.arange(len(starts)), span)
    columns = (starts[:, None] + np.arange(span)).ravel()
    member = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(starts), each.shape[0]))
    return csr_array(member.tocsr() @ each)


def _intervals(t: Array) -> csr_array:
    """Weights of the samples in each interval's integral, (interval, sample)."""
    n = len(t)
    h = np.diff(t)
    if n == 2:
        return csr_array(np.array([[h[0] / 2, h[0] / 2]]))
    i = np.arange(n - 1)
    forward = (i % 2 == 0) & (i < n - 2)
    third = np.where(forward, i + 2, i - 1)  # the parabola's sample beside the interval
    near, far = np.where(forward, i + 1, i), np.where(forward, i, i + 1)
    beside = h[np.where(forward, np.minimum(i + 1, n - 2), i - 1)]
    share, skew = h / (h + beside), h / beside
    weights = h / 6 * np.array([3 - share, 3 + share * skew + share, -share * skew])
    rows, columns = np.tile(i, 3), np.concatenate([far, near, third])
    return coo_array((weights.ravel(), (rows, columns)), shape=(n - 1, n)).tocsr()
