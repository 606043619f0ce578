"""What the terms that a family selects, fold by fold, say against there being such a law."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

__all__ = ["against_selection"]

LARGE_LIBRARY = 10  # terms from which on a selection is one: the law of a few is often all of them
NEARLY_ALL = 0.9  # of a large library: what takes as much selects nothing
LEAST_ALIKE = 0.5  # share of two folds' terms that both have, on average: under that most are chance


def against_selection(terms: Sequence[frozenset[str]], n_coefficients: float, library_size: int) -> str:
    """What a selection that is none, or no law, does, as a sentence goes on; "" where nothing speaks against it.

    Parameters
    ----------
    terms : of each fold's law
    n_coefficients : non-zero, mean over folds
    library_size : coefficients before selection

    Examples
    --------
    >>> against_selection([frozenset({"x", "x**2"})] * 3, 2, 14)
    ''
    >>> against_selection([frozenset("abc"), frozenset("cde")], 3, 14)[:57]
    'has other terms in every fold, two sharing 20% on average'
    """
    smooth = "the data may follow a smooth law that none of these families holds"
    if library_size >= LARGE_LIBRARY and n_coefficients >= NEARLY_ALL * library_size:
        return f"takes {n_coefficients:.0f} of {library_size} terms, which is none; {smooth}"
    shares = [len(a & b) / len(a | b) for a, b in combinations(terms, 2) if a | b]
    alike = float(np.mean(shares)) if shares else 1.0
    if alike < LEAST_ALIKE:
        return f"has other terms in every fold, two sharing {alike:.0%} on average; {smooth}"
    return ""
