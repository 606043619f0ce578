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

__all__ = ["FEWEST_CLUSTERS", "Reduced", "reduced"]

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


def reduced(parameters: Array, hessians: Array, gradients: Array, candidates: int) -> Reduced | None:
    """What elimination leaves of fitted parameters (parameter,); None if all of them stay.

    Parameters
    ----------
    parameters
    hessians, gradients : arrays (cluster, parameter, parameter) and (cluster, parameter)
        Sums over the runs of each independent cluster, at the parameters.
    candidates : int
        How many terms were to be had, P.
    """
    clusters, size = gradients.shape
    if clusters < FEWEST_CLUSTERS or size < 2:
        return None
    hessian = hessians.sum(axis=0)
    scale = np.sqrt(np.maximum(np.diagonal(hessian), 1e-300))
    inverse, rank = _inverse(hessian / np.outer(scale, scale))
    # What differs between clusters: a sum that a search which stopped early, or a pull, has left says nothing of it.
    scaled = (gradients - gradients.mean(axis=0)) / scale
    dispersion = float(np.einsum("ci,ij,cj->", scaled, inverse, scaled)) * clusters / (clusters - 1) / rank
    price = 2.0 * np.log(max(2, candidates)) * dispersion
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


def _inverse(matrix: Array) -> tuple[Array, int]:
    """The inverse of a normalised Hessian, very large along what it says nothing of, and its rank."""
    values, vectors = np.linalg.eigh(matrix)
    lift = RANK * float(values[-1])
    return np.asarray((vectors / np.maximum(values, lift)) @ vectors.T), int(np.count_nonzero(values > lift))
