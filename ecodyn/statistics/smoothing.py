"""Cubic smoothing splines of many series at once, each as smooth as generalised cross-validation says.

Of values y at times t₁ < … < tₙ, the spline minimises Σ (yᵢ − g(tᵢ))² + λ ∫ g″². Its values are (1 + λK)⁻¹y with
K = QR⁻¹Qᵀ of the times alone (Green and Silverman 1994, section 2.3); in K's eigenvectors a series is smoothed at any λ
by a division, and that λ is taken at which n Σ (yᵢ − ŷᵢ)² / (n − γ tr)² is least, tr = Σ 1/(1 + λdᵢ). γ = 1 is
generalised cross-validation (Craven and Wahba 1979), which now and then takes noise for movement; a γ above it seldom
does (Kim and Gu 2004), but what moves almost from sample to sample is lost with it: where that leaves more than noise,
told by differences, γ is 1. All series of the same times share the one decomposition.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.statistics.noise import noise_variances

__all__ = ["FEWEST", "smoothed"]

FEWEST = 20  # samples: of fewer, cross-validation tells noise from movement badly
LONGEST, SHARED = 800, 100  # samples of one spline, and how many it shares with the next: its time grows as n³
CAUTION = 1.2  # γ: of nine systems under noise of 5 %, what it leaves of noise at most falls from 0.8 to 0.5 of it
MORE_THAN_NOISE = 3.0  # times the variance of noise that differences tell
LEVELS = 97  # of smoothing, from next to none to straight lines
LINES = 2  # waves that no smoothing touches, straight lines, come first
DIGITS = 9  # of times a unit or so apart: series of the same times to rounding share a decomposition


def smoothed(values: Array, times: Array) -> Array:
    """Smoothed values (sample, series) at increasing times (sample,).

    A long series is smoothed in pieces that overlap, each by itself.

    Examples
    --------
    >>> times = np.linspace(0.0, 1.0, 200)
    >>> noise = 0.1 * np.random.default_rng(0).standard_normal((200, 1))
    >>> wave = np.sin(6.0 * times)[:, None]
    >>> bool(np.std(smoothed(wave + noise, times) - wave) < 0.3 * np.std(noise))
    True
    """
    if len(times) < FEWEST:
        raise ValueError(f"expected at least {FEWEST} samples to smooth, got {len(times)}")
    if len(times) <= LONGEST:
        return _spline(values, times)
    out = np.empty_like(values)
    step = LONGEST - 2 * SHARED
    for begin in range(0, len(times), step):
        first = max(0, min(begin - SHARED, len(times) - LONGEST))
        piece = slice(first, first + LONGEST)
        kept = slice(begin, min(begin + step, len(times)))
        out[kept] = _spline(values[piece], times[piece])[kept.start - first : kept.stop - first]
    return out


def _spline(values: Array, times: Array) -> Array:
    # Times a unit or so apart, so that nothing depends on their unit.
    u = (times - times[0]) * ((len(times) - 1) / (times[-1] - times[0]))
    rounded = np.round(u, DIGITS)
    u = rounded if (np.diff(rounded) > 0).all() else u
    roughness, waves = _basis(u.tobytes())
    middle = values.mean(axis=0)
    amplitudes = waves.T @ (values - middle)
    levels = np.geomspace(1e-2 / roughness[-1], 1e2 / roughness[LINES], LEVELS)
    kept = 1.0 / (1.0 + levels[:, None] * roughness)
    left = ((1.0 - kept) ** 2) @ amplitudes**2
    trace = kept.sum(axis=1)[:, None]
    plain, cautious = (_least(left, len(times) - gamma * trace) for gamma in (1.0, CAUTION))
    variance = np.take_along_axis(left / (len(times) - trace), cautious[None], axis=0)[0]
    best = np.where(variance > MORE_THAN_NOISE * noise_variances(values, times), plain, cautious)
    return middle + waves @ (kept[best].T * amplitudes)


def _least(left: Array, free: Array) -> Integers:
    """Level of the least squares left (level, series) by free numbers (level, 1) squared, where these are any."""
    return np.argmin(np.where(free > 0, left / np.where(free > 0, free, 1.0) ** 2, np.inf), axis=0)


@lru_cache(maxsize=16)
def _basis(times: bytes) -> tuple[Array, Array]:
    """K's eigenvalues, increasing, and its eigenvectors (sample, wave)."""
    t = np.frombuffer(times)
    gaps, n = np.diff(t), len(t)
    from scipy.linalg import cholesky_banded, solve_banded

    second = np.zeros((n, n - 2))
    inner = np.arange(n - 2)
    second[inner, inner] = 1.0 / gaps[:-1]
    second[inner + 1, inner] = -1.0 / gaps[:-1] - 1.0 / gaps[1:]
    second[inner + 2, inner] = 1.0 / gaps[1:]
    bands = np.zeros((2, n - 2))
    bands[0] = (gaps[:-1] + gaps[1:]) / 3.0
    bands[1, :-1] = gaps[1:-1] / 6.0
    factor = cholesky_banded(bands, lower=True)
    # Of L⁻¹Qᵀ with R = LLᵀ, whose square K is: eigenvalues of K itself would drown in the rounding of the largest.
    _, singular, waves = np.linalg.svd(solve_banded((1, 0), factor, second.T), full_matrices=True)
    roughness = np.append(singular, [0.0, 0.0])[::-1] ** 2
    return roughness, waves[::-1].T
