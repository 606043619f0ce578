"""How much measurement noise a series has, from what is rough at its sampling rate."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ecodyn.arrays import Array

__all__ = ["NOISELESS", "noise_that_shows", "noise_variance", "noise_variances"]

NOISELESS = 1e-7  # of how far a feature goes, squared: a tenth of the solvers' accuracy, and no noise
ROUNDING = 1e-12  # of a feature's size: a constant's differences are no more

ORDERS = range(2, 7)  # of differences: below two trends count as noise, above six a few neighbours tell little
# A mean square so many times what half of the squares are is of a few places, and of the signal: where noise was made,
# additive, in proportion or with Student's t of three degrees, it was up to 10 times in 999 of 1000 series of a hundred
# steps, and 100 times never; in spikes and jumps without noise over 700 times.
OF_FEW_PLACES = 100.0
FEWEST_WINDOWS = 16  # for half of them to say anything
MEDIAN = 0.4549  # of the square of a standard normal variable


def noise_variance(signal: Array, times: Array) -> float:
    """Variance of the measurement noise in one run (step, feature), from what is rough at the sampling rate.

    Divided differences of order k annihilate polynomials of degree k − 1, so that of a smooth signal only noise is
    left; normalised, their mean square estimates its variance. The least over orders 2 to 6 is taken: a signal that
    is itself rough at the sampling rate can only raise it. Noise is everywhere: where a few places alone are rough,
    such as spikes that two samples have of each, what there is elsewhere is taken.
    """
    return float(_by_order(signal, times).mean(axis=1).min(initial=np.inf)) if _enough(signal) else 0.0


def noise_variances(signal: Array, times: Array) -> Array:
    """The same of each feature by itself, (feature,)."""
    return _by_order(signal, times).min(axis=0) if _enough(signal) else np.zeros(signal.shape[1])


def noise_that_shows(series: Array, times: Array) -> Array:
    """Variance of the noise of each series (step, series), 0 where there is next to none; NaN are missing values."""
    variances = np.array([noise_variances(series[:, [k]], times)[0] for k in range(series.shape[1])])
    present = ~np.isnan(series)
    count = np.maximum(present.sum(axis=0), 1)
    first = series[np.argmax(present, axis=0), np.arange(series.shape[1])]
    moved = np.where(present, series - first, 0.0)
    moved, size = np.sum(moved**2, axis=0) / count, np.sum(np.where(present, series, 0.0) ** 2, axis=0) / count
    return np.asarray(np.where(variances > np.maximum(NOISELESS * moved, ROUNDING**2 * size), variances, 0.0))


def _enough(signal: Array) -> bool:
    return int(np.count_nonzero(~np.isnan(signal).any(axis=1))) > ORDERS[0] + 1


def _by_order(signal: Array, times: Array) -> Array:
    """Mean squares of normalised differences, (order, feature), of the orders that there are steps for."""
    whole = ~np.isnan(signal).any(axis=1)
    signal, times = signal[whole], times[whole]
    estimates = []
    for order in ORDERS:
        if len(times) <= order + 1:
            break
        weights = _difference_weights(times.tobytes(), order)
        windows = np.lib.stride_tricks.sliding_window_view(signal, order + 1, axis=0)
        squares = np.einsum("nkw,nw->nk", windows, weights) ** 2
        estimates.append(_of_most_places(squares, np.einsum("nkw,nkw->nk", windows, windows) / (order + 1)))
    return np.array(estimates)


def _of_most_places(squares: Array, sizes: Array) -> Array:
    """Means of squares (window, feature), or what medians say that they were, were they as large everywhere.

    Of noise as large everywhere, or in proportion to the signal, whose own mean squares are ``sizes``; the larger.
    """
    means = squares.mean(axis=0)
    if len(squares) < FEWEST_WINDOWS:
        return np.asarray(means)
    alike = _median(squares) / MEDIAN
    if (means <= OF_FEW_PLACES * alike).all():
        return np.asarray(means)
    relative = _median(squares / np.maximum(sizes, np.finfo(float).tiny)) * sizes.mean(axis=0)
    elsewhere = np.maximum(alike, relative / MEDIAN)
    return np.where(means > OF_FEW_PLACES * elsewhere, elsewhere, means)


def _median(squares: Array) -> Array:
    """Of those above zero, of each feature: a signal that stands still, or is rounded, says nothing of its noise."""
    none = np.count_nonzero(squares <= 0, axis=0)
    middle = np.minimum(none + (len(squares) - none) // 2, len(squares) - 1)
    ordered = np.partition(np.ascontiguousarray(squares.T), np.unique(middle), axis=1)  # each feature's in one piece
    return np.asarray(np.take_along_axis(ordered, middle[:, None], axis=1)[:, 0])


@lru_cache(maxsize=4 * len(ORDERS))  # features of a run, and mostly runs, are at the same times
def _difference_weights(times: bytes, order: int) -> Array:
    """Weights of the divided difference over each order + 1 consecutive times, of unit norm."""
    t = np.lib.stride_tricks.sliding_window_view(np.frombuffer(times), order + 1)
    gaps = t[:, :, None] - t[:, None, :]
    gaps = gaps / (t[:, -1] - t[:, 0])[:, None, None] + np.eye(order + 1)
    weights = 1.0 / gaps.prod(axis=2)
    return np.asarray(weights / np.linalg.norm(weights, axis=1, keepdims=True))
