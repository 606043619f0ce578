"""How well the data tell the terms of a library apart: condition number, effective rank, variance inflation.

All are of the library matched to the data, ΘS with the columns' norms divided out (S = diag 1/‖Θⱼ‖), so that no unit
of signal or time changes them. Singular values come from the compressed regression, never from ΘᵀΘ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecodyn.estimation import MatchedIntegrals

Array = NDArray[np.float64]

ROUNDING = float(np.finfo(float).eps)
# A term takes part in an exact dependence if its share of the direction is beyond what rounding puts there.
PART_OF_A_DEPENDENCE = ROUNDING**0.5


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
    norms = np.linalg.norm(columns, axis=0)
    _, singular, directions = np.linalg.svd(columns / np.where(norms > 0, norms, 1.0), full_matrices=True)
    terms = columns.shape[1]
    singular = np.pad(singular, (0, terms - len(singular)))
    dependent = singular <= ROUNDING * max(columns.shape) * singular.max(initial=0.0)
    shares = directions[~dependent] / singular[~dependent, None]
    takes_part = (np.abs(directions[dependent]) > PART_OF_A_DEPENDENCE).any(axis=0)
    return np.where(takes_part, np.inf, np.maximum(1.0, (shares**2).sum(axis=0)))


def inflation_by_row(matched: MatchedIntegrals, mask: NDArray[np.bool_]) -> Array:
    """The variance inflation of each free coefficient among those of its own row (row, term); NaN elsewhere."""
    inflation = np.full(mask.shape, np.nan)
    found: dict[tuple[int, bytes], Array] = {}
    for row, free in enumerate(mask):
        design, _ = matched.place(row)
        key = (design, free.tobytes())  # rows with the same terms on the same data share it
        if key not in found:
            found[key] = variance_inflation(matched.matrix[design][:, free])
        inflation[row, free] = found[key]
    return inflation
