"""How well the data tell the terms of a library apart: condition number, effective rank, variance inflation.

All are of the library matched to the data, ΘS with the columns' norms divided out (S = diag 1/‖Θⱼ‖), so that no unit
of signal or time changes them. Singular values come from the compressed regression, never from ΘᵀΘ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dtrcon, dtrtri

from ecodyn.arrays import Array
from ecodyn.estimation import MatchedIntegrals

ROUNDING = float(np.finfo(float).eps)  # of numbers of 64 bits: what is relatively less is noise
# A term takes part in an exact dependence if its share of the direction is beyond what rounding puts there.
PART_OF_A_DEPENDENCE = ROUNDING**0.5
WELL_CONDITIONED = 1e-9  # a reciprocal condition number that leaves a variance inflation six digits


def effective_rank(singular_values: Array) -> float:
    """exp of the entropy of the singular values as shares of their sum (Roy and Vetterli 2007)."""
    shares = singular_values / max(float(singular_values.sum()), 1e-300)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def condition_number(singular_values: Array) -> float:
    """Largest over smallest singular value; infinite for a singular library."""
    smallest = float(singular_values.min(initial=np.inf))
    return float(singular_values.max(initial=0.0)) / smallest if smallest > 0 else float("inf")


def variance_inflation(columns: Array) -> Array:
    """VIFⱼ = 1/(1 − Rⱼ²) = ‖Θⱼ‖² [(ΘᵀΘ)⁻¹]ⱼⱼ: by how much the other terms inflate the variance of coefficient j.

    Uncentred: Rⱼ² is what all other terms, the constant among them, explain of ∫φⱼ about zero. Textbooks centre,
    which takes a constant in every regression for granted and has no VIF for the constant itself; here the constant
    is a coefficient like any other, and Lotka-Volterra laws have none (Belsley 1984, The American Statistician 38,
    73, argues so). A term that hardly varies next to its mean then has a large VIF beside a constant. 1 is a term
    orthogonal to all others; the largest lies between κ²/n² and κ², κ the condition number of the n terms.

    Parameters
    ----------
    columns : array (row, term)
        Candidate terms, or any triangular factor of them.

    Returns
    -------
    array (term,), infinite for terms that are an exact combination of others and for terms that vanish.
    """
    rows, terms = columns.shape
    norms = np.linalg.norm(columns, axis=0)
    scaled = columns / np.where(norms > 0, norms, 1.0)
    if rows > terms > 0:
        scaled = np.asarray(np.linalg.qr(scaled, mode="r"))
        if dtrcon(scaled)[0] > WELL_CONDITIONED:  # the rows of R⁻¹, at a hundredth of the cost of singular vectors
            return np.maximum(1.0, (dtrtri(scaled)[0] ** 2).sum(axis=1))
    _, singular, directions = np.linalg.svd(scaled, full_matrices=True)
    singular = np.pad(singular, (0, terms - len(singular)))
    dependent = singular <= ROUNDING * max(rows, terms) * singular.max(initial=0.0)
    shares = directions[~dependent] / singular[~dependent, None]
    takes_part = (np.abs(directions[dependent]) > PART_OF_A_DEPENDENCE).any(axis=0)
    return np.where(takes_part, np.inf, np.maximum(1.0, (shares**2).sum(axis=0)))


def inflation_by_row(matched: MatchedIntegrals, mask: NDArray[np.bool_]) -> Array:
    """The variance inflation of each free coefficient among those of its own row (row, term); NaN elsewhere.

    Where the data have fewer rows than a row has free coefficients, none is determined: all are infinite.
    """
    inflation = np.full(mask.shape, np.nan)
    inflations: dict[tuple[int, bytes], Array] = {}
    for row, free in enumerate(mask):
        design, _ = matched.place(row)
        key = (design, free.tobytes())  # rows with the same terms on the same data share it
        if key not in inflations:
            few = matched.rows < free.sum()
            inflations[key] = (
                np.full(free.sum(), np.inf) if few else variance_inflation(matched.matrix[design][:, free])
            )
        inflation[row, free] = inflations[key]
    return inflation
