"""The first fit of a law's coefficients, as integral matching and selection hand it to refinement."""

from __future__ import annotations

from dataclasses import dataclass

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.equations.library import Library
from ecodyn.estimation.integral_matching import MatchedIntegrals

__all__ = ["InitialFit"]


@dataclass(frozen=True, kw_only=True)
class InitialFit:
    """Coefficients with what they were fitted to.

    Attributes
    ----------
    library : Library
        The terms kept.
    matched : MatchedIntegrals
        Their regression over all runs.
    coefficients : array (equation × group, term)
        In the samples' scaled units; a group is one feature, or all.
    mask : bool array like ``coefficients``
        Which of them are free; the others are zero.
    support : int array (term,)
        Positions of the terms kept among all candidates.
    candidates : int
        How many tuning candidates were tried.
    chosen : tuple of (name, value)
        What tuning chose, such as ("threshold", 0.01).
    notes : tuple of str
        What a reader should know of how it went.
    """

    library: Library
    matched: MatchedIntegrals
    coefficients: Array
    mask: Bools
    support: Integers
    candidates: int = 1
    chosen: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
