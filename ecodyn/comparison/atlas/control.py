"""What is claimed of many cells at once, and what of it stands.

In each cell the null hypothesis is that its claim is false: that a family which was excluded is as good as the best,
that the family named does not beat every null model, or that it leaves more than the margin more unexplained than
another that stays. Each of these is a test of its own, and a claim's p-value is the largest of them
(intersection-union), ``Verdict.p_value``. A verdict that names no family claims nothing and has the p-value 1; it is
counted all the same, since it was asked: a cell that became a claim by chance must not be held to fewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.candidate import NAMING
from ecodyn.comparison.verdict import Verdict
from ecodyn.statistics.confidence_set import EXACT_RUNS
from ecodyn.statistics.multiplicity import FALSE_DISCOVERY, HOLM, adjusted
from ecodyn.trajectories.independence import FEWEST_RUNS

__all__ = ["adjusted_claims", "asked", "control_sentence", "resolution_note"]


def asked(verdict: Verdict) -> bool:
    """Whether a cell's verdict could have been a claim: with too few runs nothing is decided, whatever they say."""
    return verdict.runs >= FEWEST_RUNS


def adjusted_claims(verdicts: Sequence[Verdict], control: str) -> Array:
    """Adjusted p-values (verdict,) of all claims together; NaN for verdicts that were not asked or name nothing."""
    counted = np.array([asked(v) for v in verdicts], dtype=bool)
    naming = np.array([v.status in NAMING for v in verdicts], dtype=bool)
    p_values = np.array([_p_value(v) for v in verdicts], dtype=np.float64)
    found = np.full(len(verdicts), np.nan)
    found[counted] = adjusted(p_values[counted], control)
    return np.where(naming, found, np.nan)


def _p_value(verdict: Verdict) -> float:
    return verdict.p_value if verdict.status in NAMING and verdict.p_value is not None else 1.0


def control_sentence(control: str, level: float, claims: int) -> str:
    """What is controlled, over how many claims, and at what level."""
    if not claims:
        return f"No cell has the {FEWEST_RUNS} independent runs without which nothing is decided: there is no claim."
    share = f"{1 - level:.2g}"
    null = (
        "The null hypothesis in each cell: a family that was excluded is as good as the best, or the one named does "
        "not beat every null model, or leaves more than the margin more than another that stays."
    )
    if control == HOLM:
        return (
            f"{null} Holm's procedure over {claims} verdicts keeps the chance of even one false claim among those that "
            f"stand at most {share}, whatever the dependence between cells."
        )
    if control == FALSE_DISCOVERY:
        return (
            f"{null} Benjamini and Hochberg's procedure over {claims} verdicts keeps the expected share of false "
            f"claims among those that stand at most {share}, if cells are independent or positively dependent."
        )
    return (
        f"{null} Nothing is controlled over the {claims} verdicts: of cells in which the null hypothesis is true, up "
        f"to a share of {share} may make a claim."
    )


def resolution_note(runs: Sequence[int], control: str, level: float) -> str | None:
    """Say it where the cells have too few runs for a claim to stand, whatever the data; None where they have enough.

    Of R runs no test by sign flips has a p-value under 2^(−R), and none that excludes a family, which has two sides,
    one under 2^(1 − R). Holm's first step over m claims asks for (1 − level)/m.
    """
    counted = [r for r in runs if r >= FEWEST_RUNS]
    if control != HOLM or not counted or max(counted) > EXACT_RUNS:
        return None
    least, wanted = 2.0 ** (1 - max(counted)), (1 - level) / len(counted)
    if least <= wanted * (1 + 1e-9):  # a hair for rounding
        return None
    one_sided = least / 2 <= wanted * (1 + 1e-9)
    what, which = ("no cell that excludes a family", "two-sided ") if one_sided else ("no cell", "")
    least = least if one_sided else least / 2
    needed = math.ceil(1 - math.log2(wanted) - 1e-9)
    return (
        f"{what} can stand: {which}sign flips of at most {max(counted)} runs give no p-value under {least:.2g}, and "
        f"Holm's first step over {len(counted)} verdicts asks for {wanted:.2g}; have at least {needed} runs a cell, "
        "ask for fewer cells, or for another control (--control fdr)"
    )
