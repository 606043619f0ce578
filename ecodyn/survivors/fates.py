"""How well numbers given to features tell the survivors of a run from the rest."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array, Bools

__all__ = ["area_under_curve", "top_overlap"]


def area_under_curve(score: Array, alive: Bools) -> float:
    """Chance that a survivor scores above one that dies, ties counting half; NaN if all live or all die."""
    yes, no = score[alive], score[~alive]
    if not len(yes) or not len(no) or not np.isfinite(score).all():
        return float("nan")
    return float(np.mean((yes[:, None] > no) + 0.5 * (yes[:, None] == no)))


def top_overlap(score: Array, alive: Bools) -> float:
    """Share of the m survivors among the m highest scores."""
    m = int(alive.sum())
    if not m or not np.isfinite(score).all():
        return float("nan")
    return float(alive[np.argsort(-score, kind="stable")[:m]].mean())
