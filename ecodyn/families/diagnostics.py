"""How far coefficients can be believed: intervals over runs, agreement of halves, conditioning.

Runs are the independent observations, so everything here is made of the runs' own contributions to the normal
equations: Hᵣ = JᵣᵀWJᵣ and gᵣ = JᵣᵀWrᵣ at the fitted θ. The covariance is the cluster-robust sandwich
H⁻¹ (Σᵣ gᵣgᵣᵀ) H⁻¹ · R/(R−1); estimates from some of the runs are one Gauss-Newton step away, θ − H⁻¹g over those.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALVES_LIMIT = 2.0  # standard errors between two halves beyond which a coefficient is not identified
CORRELATION_LIMIT = 0.5  # of the halves' off-diagonal matrices, for full couplings
RUNS_FOR_HALVES = 4
LEVEL = 0.95


@dataclass(frozen=True)
class Diagnostics:
    """Diagnostics of one fit; arrays are shaped like the coefficients, NaN where they can't be had.

    Attributes
    ----------
    low, high : ends of the 95 % t interval over runs (NaN with one run)
    halves : |θ₁ − θ₂| between the odd and the even runs, in standard errors (NaN with under 4 runs)
    run_spread : standard deviation over runs of the coefficients fitted to one run, over the coefficient's size
    identified : halves within 2 standard errors; all false for a full matrix whose off-diagonal halves correlate
        under 0.5
    halves_correlation : of the off-diagonal coefficients of the two halves, for full couplings
    condition_number, effective_rank : of the column-normalised library on the data; the rank is the exponential of
        the entropy of the normalised singular values (Roy and Vetterli 2007)
    rows : regression rows that integral matching had
    refined, converged : whether multiple shooting was done, and whether it converged
    status : the same in words
    candidates : how many tuning candidates were tried
    chosen : what tuning chose, such as {"threshold": 0.01}
    seconds : how long the fit took
    warnings : sentences
    """

    low: Array
    high: Array
    halves: Array
    run_spread: Array
    identified: NDArray[np.bool_]
    halves_correlation: float | None
    condition_number: float
    effective_rank: float
    rows: int
    refined: bool
    converged: bool
    status: str
    candidates: int
    chosen: dict[str, float]
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spread:
    """What the runs say about one block of coefficients, each array (parameter,)."""

    half_width: Array
    halves: Array
    run_spread: Array
    first: Array
    second: Array


def spread_over_runs(theta: Array, hessians: Array, gradients: Array) -> Spread:
    """Intervals, halves and run-to-run spread of θ (P,) from Hᵣ (run, P, P) and gᵣ (run, P)."""
    from scipy.stats import t

    runs, size = gradients.shape
    nothing = np.full(size, np.nan)
    if runs < 2 or not np.any(hessians):
        return Spread(nothing, nothing, nothing, nothing, nothing)
    inverse = np.linalg.pinv(hessians.sum(axis=0), hermitian=True)
    meat = gradients.T @ gradients * runs / (runs - 1)
    error = np.sqrt(np.maximum(np.diagonal(inverse @ meat @ inverse), 0.0))
    half_width = t.ppf(0.5 + LEVEL / 2, runs - 1) * error
    single = np.array([_step(theta, h[None], g[None]) for h, g in zip(hessians, gradients, strict=True)])
    spread = single.std(axis=0, ddof=1) / np.maximum(np.abs(theta), 1e-300)
    if runs < RUNS_FOR_HALVES:
        return Spread(half_width, nothing, spread, nothing, nothing)
    first = _step(theta, hessians[::2], gradients[::2])
    second = _step(theta, hessians[1::2], gradients[1::2])
    # Each half has about twice the variance of the whole, and their difference twice that.
    return Spread(half_width, np.abs(first - second) / np.maximum(2 * error, 1e-300), spread, first, second)


def _step(theta: Array, hessians: Array, gradients: Array) -> Array:
    return np.asarray(theta - np.linalg.pinv(hessians.sum(axis=0), hermitian=True) @ gradients.sum(axis=0))


def effective_rank(singular_values: Array) -> float:
    """exp of the entropy of the singular values as shares of their sum."""
    shares = singular_values / max(float(singular_values.sum()), 1e-300)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def condition_number(singular_values: Array) -> float:
    """Largest over smallest singular value; infinite for a singular library."""
    smallest = float(singular_values.min(initial=np.inf))
    return float(singular_values.max(initial=0.0)) / smallest if smallest > 0 else float("inf")
