"""Which models and runs of a window to show, so that a reader sees why the verdict is what it is."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.verdict import Verdict
from ecodyn.comparison.window_result import WindowResult
from ecodyn.equations.library import COUPLINGS
from ecodyn.families.model_name import FAMILY, NULL

__all__ = ["BEST", "TYPICAL", "WORST", "families_standing", "left_in", "telling_models", "telling_runs"]

TYPICAL, BEST, WORST = "typical", "best", "worst"
MOST_FAMILIES = 3


def families_standing(w: WindowResult, verdict: Verdict) -> list[ModelScore]:
    """The families that the verdict names, or that it can't decide between, the simplest first."""
    names = {verdict.best, *verdict.tied, *verdict.undecided_against} - {None}
    found = {m.name: m for m in w.models if m.name in names and w.verdicts.get(m.protocol) is verdict}
    return sorted(found.values(), key=lambda m: (m.library_size, _place(m.coupling), m.label))


def telling_models(w: WindowResult, protocol: str) -> list[ModelScore]:
    """The best three families, the one that is named first, and all nulls: those of which rollouts are kept."""
    drawn = [m for m in w.of(protocol) if w.drawn.get((protocol, m.name))]
    best = w.verdicts[protocol].best if protocol in w.verdicts else None
    families = sorted((m for m in drawn if m.kind == FAMILY), key=lambda m: m.name != best)
    return [*families[:MOST_FAMILIES], *(m for m in drawn if m.kind == NULL)]


def telling_runs(w: WindowResult, protocol: str) -> dict[str, int]:
    """A typical, the best and the worst run of the first of `telling_models`, of those that are kept for drawing.

    Runs are ordered by the share that the model leaves unexplained, a rollout that ended early being the worst; the
    typical one is the median. Of fewer than three runs there are as many. Runs in which nothing moves are left out.
    """
    models = telling_models(w, protocol)
    if not models:
        return {}
    m = models[0]
    left = {run: left_in(m, run) for run in w.drawn[protocol, m.name] if run in w.truth}
    moving = [run for run in left if not (np.isnan(left[run]) and _finished(w.drawn[protocol, m.name][run][1]))]
    ordered = sorted(moving, key=lambda run: (np.nan_to_num(left[run], nan=np.inf), run))
    if not ordered:
        return {}
    found = {TYPICAL: ordered[(len(ordered) - 1) // 2], BEST: ordered[0], WORST: ordered[-1]}
    return {word: run for n, (word, run) in enumerate(found.items()) if run not in list(found.values())[:n]}


def left_in(m: ModelScore, run: int) -> float:
    """The share that a model leaves unexplained of a run; NaN where its rollout ended early, or nothing moves."""
    return 1.0 - float(m.skill_per_run[run])


def _place(coupling: str | None) -> int:
    return COUPLINGS.index(coupling) if coupling in COUPLINGS else len(COUPLINGS)


def _finished(rollout: Array) -> bool:
    return bool(np.isfinite(rollout).all())
