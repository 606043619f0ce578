"""The verdict: decided, tied, undecided or no family, by the rule of ``ranking``, with the sentence that says so.

``no_family``: the lowest mean loss does not beat every null. ``undecided``: too few runs, or no best can be named, or
naming it would rest on a rival's diverged rollouts alone. ``tied``: others are in the confidence set, or will do as
well. Else ``decided``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ecodyn.comparison.candidate import DECIDED, FEWEST_RUNS, NO_FAMILY, TIED, UNDECIDED, Candidate, mean
from ecodyn.comparison.ranking import Ranking, beats_clock, one_model, rank, runs_needed, unranked_ahead
from ecodyn.comparison.statement import Statement

MARGIN = math.log(1.1)  # a tenth more unexplained is as good as equal
CLAIM_LEVEL = 0.90  # of the confidence set, and of the headline over several windows
SMALLEST_NEURAL_SKILL = 0.1


@dataclass(frozen=True)
class Verdict:
    """Which equation family describes the runs best, by how much, or that the data can't tell.

    Attributes are the keys of report.json's ``verdict``; ``p_value`` is the largest p-value that the claim rests on,
    ``holds`` whether it stands after Holm's correction over the windows, ``members`` and ``p_values`` the
    confidence set by candidate index, ``diverged`` the families that could not be ranked.
    """

    best: dict[str, str | None] | None
    status: str
    tied: list[dict[str, str | None]]
    undecided_against: list[dict[str, str | None]]
    runs_needed: int | None
    statement: str
    share_of_neural_ode: float | None
    share_low: float | None
    share_high: float | None
    coupling_identified: bool
    p_value: float | None = None
    holds: bool = True
    runs: int = 0
    diverged: list[str] = field(default_factory=list)
    same_model: list[list[str]] = field(default_factory=list)
    members: tuple[int, ...] = ()
    p_values: dict[int, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.statement

    def to_json(self) -> dict[str, Any]:
        """The stable keys, and a few more."""
        return {
            "best": self.best,
            "status": self.status,
            "tied": self.tied,
            "undecided_against": self.undecided_against,
            "runs_needed": self.runs_needed,
            "statement": self.statement,
            "share_of_neural_ode": self.share_of_neural_ode,
            "share_of_neural_ode_interval": [self.share_low, self.share_high],
            "coupling_identified": self.coupling_identified,
            "p_value": self.p_value,
            "holds_over_windows": self.holds,
            "runs": self.runs,
            "diverged": self.diverged,
            "same_model": self.same_model,
        }


def decide(
    candidates: Sequence[Candidate],
    *,
    folds: int | None = None,
    margin: float = MARGIN,
    where: str = "",
    seed: int = 0,
) -> Verdict:
    """Apply the rule to candidates whose losses are over the same runs.

    Parameters
    ----------
    candidates : families, nulls, clocks and ceilings
    folds : int, optional
        Number of folds where folds share training runs; over-flexible families' t is then corrected.
    margin : float
        In log unexplained share.
    where : str
        What the statement says it is about, such as "steps 60 to 1000".
    """
    given = {c: i for i, c in enumerate(candidates)}
    # The order of the candidates must not matter: all lists and sentences go by simplicity.
    candidates = sorted(candidates, key=lambda c: (*c.simplicity, c.state, c.kind, c.dynamics or ""))
    runs = len(candidates[0].losses) if candidates else 0
    diverged = [f"{c.label} ({c.diverged} diverged)" for c in candidates if c.kind == "family" and c.diverged]
    eligible = [c for c in candidates if c.eligible]
    if not eligible:
        return _no_eligible(where, runs, diverged)
    if not runs:
        return _nothing_to_explain(where)
    names_of = one_model(eligible)
    nulls = [c for c in candidates if c.kind == "null" and np.isfinite(c.losses).all()]
    ranking = rank(list(names_of), nulls, folds, margin, seed)
    ahead = unranked_ahead(ranking.lowest, candidates, margin)
    status = _status(runs, ranking, ahead)
    best = ranking.best if status in (DECIDED, TIED) else None
    coupled = None if best is None else _coupling_identified(names_of[best][0], candidates, folds, margin, seed)
    share = (None, None, None) if best is None else _share_of_neural_ode(best, candidates)
    needed = runs_needed(ranking, folds, margin) if status == UNDECIDED and not ahead else None
    twins = [] if best is None else [twin.label for twin in names_of[best][1:]]
    sentence = Statement(where, runs, margin, ranking, status, coupled, needed, share, diverged, twins, ahead)
    standing = [c.named() for c in [*ranking.standing, *ahead]]
    return Verdict(
        best=None if best is None else best.named(),
        status=status,
        tied=standing if status == TIED else [],
        undecided_against=standing if status == UNDECIDED else [],
        runs_needed=needed,
        statement=sentence.text(list(names_of)),
        share_of_neural_ode=share[0],
        share_low=share[1],
        share_high=share[2],
        coupling_identified=bool(coupled),
        p_value=ranking.p_value,
        runs=runs,
        diverged=diverged,
        same_model=[[names[0].label, twin.label] for names in names_of.values() for twin in names[1:]],
        # All names of one model stand and fall together.
        members=tuple(sorted(given[name] for c in ranking.members for name in names_of[c])),
        p_values={given[name]: p for c, p in ranking.p_values.items() for name in names_of[c]},
    )


def _status(runs: int, ranking: Ranking, ahead: Sequence[Candidate]) -> str:
    if runs < FEWEST_RUNS:
        return UNDECIDED
    if not ranking.beats_nulls:
        return NO_FAMILY
    if ranking.best is None or ahead:
        return UNDECIDED
    return TIED if len(ranking.standing) > 1 else DECIDED


def _no_eligible(where: str, runs: int, diverged: list[str]) -> Verdict:
    statement = f"{where}: no family's held-out rollouts all finished ({'; '.join(diverged) or 'none was fitted'})."
    return Verdict(None, NO_FAMILY, [], [], None, statement, None, None, None, False, None, True, runs, diverged)


def _nothing_to_explain(where: str) -> Verdict:
    statement = f"{where}: undecided, since no run changes over what is scored, so there is nothing to explain."
    return Verdict(None, UNDECIDED, [], [], None, statement, None, None, None, False)


def _coupling_identified(
    best: Candidate, candidates: Sequence[Candidate], folds: int | None, margin: float, seed: int
) -> bool | None:
    """Whether an exchangeable best beats its own clock; None where there is no clock to beat."""
    mine = (best.family, best.coupling, best.state, best.dynamics)
    clocks = [c for c in candidates if c.kind == "clock" and (c.family, c.coupling, c.state, c.dynamics) == mine]
    return all(beats_clock(best, c, folds, margin, seed) for c in clocks) if clocks else None


def _share_of_neural_ode(
    best: Candidate, candidates: Sequence[Candidate]
) -> tuple[float | None, float | None, float | None]:
    """skill(best)/skill(best neural ODE) with its 95 % interval (delta method on the runs' pairs)."""
    from scipy.stats import t

    neural = [c for c in candidates if c.family == "neural_ode" and c.kind == "family" and not c.diverged]
    if not neural:
        return None, None, None
    strongest = max(neural, key=lambda c: mean(c.skills))
    top, bottom = mean(best.skills), mean(strongest.skills)
    if not bottom >= SMALLEST_NEURAL_SKILL or not math.isfinite(top):
        return None, None, None
    ratio, runs = top / bottom, len(best.skills)
    if runs < 2:
        return ratio, None, None
    deviation = np.sort(best.skills - ratio * strongest.skills)
    half = float(t.ppf(0.975, runs - 1)) * float(deviation.std(ddof=1)) / math.sqrt(runs) / bottom
    return ratio, ratio - half, ratio + half
