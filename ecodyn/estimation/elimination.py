"""Backward elimination after shooting: which coefficients the rollouts can do without.

At the least squares θ̂ of Σ_r S_r(θ) over independent runs r, with Gauss-Newton Hessians H_r = JᵀWJ and gradients
g_r = JᵀW(x̂ − x), the sum of squares without coefficient j, all others fitted anew, grows by

    Δⱼ = θ̂ⱼ² / (H⁻¹)ⱼⱼ,        H = Σ_r H_r,

whatever the units. If its true value is zero, Δⱼ is φ χ²₁ with the dispersion φ = E[gᵀH⁻¹g]: the variance of a
residual, were neighbouring ones not alike, and told here by how gradients differ between runs. The term whose loss
costs least goes, as long as that is under 2 log P times φ, of P candidates: with that, the largest of P terms that mean
nothing stays by chance about as seldom as a single one at any smaller price (the risk inflation criterion, Foster and
George 1994).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.estimation.support_paths import eliminate, exchange, solved

__all__ = ["FEWEST_CLUSTERS", "Alternative", "Reduced", "alternatives", "reduced"]

FEWEST_CLUSTERS = 4  # independent runs, or what they differ by says nothing of how certain coefficients are
RANK = 1e-12  # eigenvalues of the normalised Hessian under so much of the largest are rounding


@dataclass(frozen=True, eq=False)
class Reduced:
    """Coefficients that are left, and what their squares are expected to grow by.

    Attributes
    ----------
    kept : bool array (parameter,)
    parameters : array (parameter,)
        Of a quadratic objective, zero where not kept.
    growth : float
        Of the sum of squares, of a quadratic objective.
    allowed : float
        What it may grow by, 2 log P times φ for each that went.
    """

    kept: Bools
    parameters: Array
    growth: float
    allowed: float


def reduced(
    parameters: Array, hessians: Array, gradients: Array, candidates: int, negligible: float = 0.0
) -> Reduced | None:
    """What elimination leaves of fitted parameters (parameter,); None if all of them stay.

    Parameters
    ----------
    parameters
    hessians, gradients : arrays (cluster, parameter, parameter) and (cluster, parameter)
        Sums over the runs of each independent cluster, at the parameters.
    candidates : int
        How many terms were to be had, P.
    negligible : float
        Squares that a term may cost whatever φ is: of exact data that is the solver's error.
    """
    clusters, size = gradients.shape
    if clusters < FEWEST_CLUSTERS or size < 2:
        return None
    hessian = hessians.sum(axis=0)
    scale = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    inverse, rank = _inverse(hessian / np.outer(scale, scale))
    price = max(_price((gradients - gradients.mean(axis=0)) / scale, inverse, rank, candidates), negligible)
    theta, kept, growth = parameters * scale, np.ones(size, dtype=bool), 0.0
    while kept.sum() > 1:
        variances = np.where(kept, np.maximum(np.diagonal(inverse), 1e-300), 1.0)
        costs = np.where(kept, theta**2 / variances, np.inf)
        j = int(np.argmin(costs))
        if costs[j] >= price:
            break
        column = inverse[:, j].copy()
        theta = np.where(kept, theta - column * theta[j] / variances[j], 0.0)
        inverse = inverse - np.outer(column, column) / variances[j]
        kept[j], theta[j], growth = False, 0.0, growth + float(costs[j])
    if kept.all():
        return None
    gone = int(size - kept.sum())
    return Reduced(kept=kept, parameters=theta / scale, growth=growth, allowed=price * gone)


def _price(scaled: Array, inverse: Array, rank: int, candidates: int) -> float:
    """2 log P φ, from what gradients (cluster, parameter) differ by, in units in which the Hessian is normalised."""
    clusters = len(scaled)
    # What differs between clusters: a sum that a search which stopped early, or a pull, has left says nothing of it.
    dispersion = float(np.einsum("ci,ij,cj->", scaled, inverse, scaled)) * clusters / (clusters - 1) / rank
    return float(2.0 * np.log(max(2, candidates)) * dispersion)


@dataclass(frozen=True, eq=False)
class Alternative:
    """Other terms (parameter,), the coefficients of a quadratic objective with them, and the price of a term."""

    kept: Bools
    parameters: Array
    price: float


def alternatives(parameters: Array, hessians: Array, gradients: Array, free: Bools) -> list[Alternative]:
    """Other terms that do better near fitted parameters, absent ones (zero) included, as far as all is quadratic.

    Of Σ r² ≈ c + 2gᵀΔ + ΔᵀHΔ with a price for each term: the best on the path of backward elimination from all, and
    what single additions, removals and exchanges from the present ones lead to.

    Parameters
    ----------
    parameters : (parameter,)
    hessians, gradients : arrays (cluster, parameter, parameter) and (cluster, parameter)
    free : bool (parameter,)
        The present terms.
    """
    clusters, size = gradients.shape
    if clusters < FEWEST_CLUSTERS or size < 2 or not free.any():
        return []
    hessian = hessians.sum(axis=0)
    scale = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    normalised = hessian / np.outer(scale, scale)
    inverse, rank = _inverse(normalised[np.ix_(free, free)])
    price = _price(((gradients - gradients.mean(axis=0)) / scale)[:, free], inverse, rank, size)
    values, vectors = np.linalg.eigh(normalised)
    root = np.sqrt(np.maximum(values, RANK * float(values[-1])))
    matrix = root[:, None] * vectors.T
    target = matrix @ (parameters * scale) - vectors.T @ (gradients.sum(axis=0) / scale) / root
    unit = np.sqrt(max(price, 1e-300))
    path = eliminate(matrix / unit, target / unit, np.ones(size, dtype=bool), np.zeros(size))
    found = {}
    for kept in (path.at(1.0), exchange(matrix / unit, target / unit, free, np.ones(size))):
        if kept.any() and (kept != free).any():
            solution = solved(matrix[None], target[None], kept[None])[0] / scale
            found[kept.tobytes()] = Alternative(kept, solution, price)
    return list(found.values())


def _inverse(matrix: Array) -> tuple[Array, int]:
    """The inverse of a normalised Hessian, very large along what it says nothing of, and its rank."""
    values, vectors = np.linalg.eigh(matrix)
    lift = RANK * float(values[-1])
    return np.asarray((vectors / np.maximum(values, lift)) @ vectors.T), int(np.count_nonzero(values > lift))
