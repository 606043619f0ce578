"""How well numbers given to features tell the survivors of a run from the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array


def survivors(signal: Array, dc: Array | None) -> NDArray[np.bool_]:
    """Features alive at the end of a run (step, feature): above twice the mean over all p frequencies.

    The study's first rule (arXiv 2405.17420): the mean counts each frequency pair twice and the DC component once,
    where the file carries it; without it the mean is over the features.
    """
    last = signal[-1]
    if dc is None:
        return np.asarray(last > 2 * last.mean())
    return np.asarray(last > 2 * (dc[-1] + 2 * last.sum()) / (2 * len(last) + 1))


def area_under_curve(score: Array, alive: NDArray[np.bool_]) -> float:
    """Chance that a survivor scores above one that dies, ties counting half; NaN if all live or all die."""
    yes, no = score[alive], score[~alive]
    if not len(yes) or not len(no) or not np.isfinite(score).all():
        return float("nan")
    return float(np.mean((yes[:, None] > no) + 0.5 * (yes[:, None] == no)))


def top_overlap(score: Array, alive: NDArray[np.bool_]) -> float:
    """Share of the m survivors among the m highest scores."""
    m = int(alive.sum())
    if not m or not np.isfinite(score).all():
        return float("nan")
    return float(alive[np.argsort(-score, kind="stable")[:m]].mean())
