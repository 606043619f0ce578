"""The verdict: by rule, from losses per run.

S is the confidence set: the families that the runs can't exclude from being the best. A family *will do* if it surely
leaves at most the margin more unexplained than any in S. Best is the simplest that will do. ``no_family``: the
lowest mean loss does not beat every null. ``undecided``: too few runs, none will do, or one that is simpler than the
best is still in S. ``tied``: others are in S, or will do as well. Else ``decided``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.comparison.candidate import (
    DECIDED,
    FEWEST_RUNS,
    NO_FAMILY,
    TIED,
    UNDECIDED,
    Candidate,
    Ranking,
    mean,
)
from ecodyn.comparison.confidence_set import confidence_set, p_above
from ecodyn.comparison.statement import Statement

Array = NDArray[np.float64]

MARGIN = math.log(1.1)  # a tenth more unexplained is as good as equal
PAIR_LEVEL = 0.90
NULL_LEVEL = 0.95
WILL_DO_LEVEL = 0.95
MOST_RUNS = 1000
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
    place = {id(c): i for i, c in enumerate(candidates)}
    # The order of the candidates must not matter: all lists and sentences go by simplicity.
    candidates = sorted(candidates, key=lambda c: (*c.simplicity, c.state, c.kind, c.time or ""))
    given = [place[id(c)] for c in candidates]
    runs = len(candidates[0].losses) if candidates else 0
    eligible = [c for c in candidates if c.eligible]
    diverged = [f"{c.label} ({c.diverged} diverged)" for c in candidates if c.kind == "family" and c.diverged]
    if not eligible:
        return _no_eligible(where, runs, diverged)
    if not runs:
        return _nothing_to_explain(where)
    merged = _merge(eligible)
    eligible = [c for c in eligible if id(c) not in {id(twin) for twin, _ in merged}]
    ranking = _rank(candidates, eligible, folds, margin, seed)
    best = ranking.best or ranking.lowest
    status, named = _status(runs, ranking), [best]
    if status in (UNDECIDED, NO_FAMILY):
        named = []
    share = _share_of_neural_ode(best, candidates) if named else (None, None, None)
    coupled = _coupling_identified(best, candidates, folds, margin) if named else None
    needed = _runs_needed(ranking, runs, folds, margin) if status == UNDECIDED else None
    twins = [twin.label for twin, other in merged if other is best]
    sentence = Statement(where, runs, margin, best, ranking, status, coupled, needed, share, diverged, twins)
    index = {id(c): i for i, c in enumerate(candidates)}
    # Two names of one model stand and fall together.
    member_of = {id(twin): index[id(other)] for twin, other in merged}
    members = {*ranking.members, *(index[i] for i, other in member_of.items() if other in ranking.members)}
    p_values = ranking.p_values | {index[i]: ranking.p_values[other] for i, other in member_of.items()}
    return Verdict(
        best=named[0].named() if named else None,
        status=status,
        tied=[c.named() for c in ranking.standing] if status == TIED else [],
        undecided_against=[c.named() for c in ranking.standing] if status == UNDECIDED else [],
        runs_needed=needed,
        statement=sentence.text(eligible),
        share_of_neural_ode=share[0],
        share_low=share[1],
        share_high=share[2],
        coupling_identified=bool(coupled),
        p_value=ranking.p_value,
        runs=runs,
        diverged=diverged,
        same_model=[[other.label, twin.label] for twin, other in merged],
        members=tuple(sorted(given[i] for i in members)),
        p_values={given[i]: p for i, p in p_values.items()},
    )


def _no_eligible(where: str, runs: int, diverged: list[str]) -> Verdict:
    statement = f"{where}: no family's held-out rollouts all finished ({'; '.join(diverged) or 'none was fitted'})."
    return Verdict(None, NO_FAMILY, [], [], None, statement, None, None, None, False, None, True, runs, diverged)


def _nothing_to_explain(where: str) -> Verdict:
    statement = f"{where}: undecided, since no run changes over what is scored, so there is nothing to explain."
    return Verdict(None, UNDECIDED, [], [], None, statement, None, None, None, False)


def _merge(eligible: list[Candidate]) -> list[tuple[Candidate, Candidate]]:
    """(selection, family) pairs of one model: a selection that keeps to another family's terms is of that family.

    Of several such families the simplest is meant: ẋ = ax is linear, whatever library it was selected from.
    """
    merged = []
    for c in eligible:
        if not c.selects or not c.terms:
            continue
        homes = [
            other
            for other in eligible
            if not other.selects
            and (other.coupling, other.state, other.time) == (c.coupling, c.state, c.time)
            and c.terms <= (other.terms or set())
        ]
        if homes:
            merged.append((c, min(homes, key=lambda home: home.simplicity)))
    return merged


def _rank(
    candidates: Sequence[Candidate], eligible: list[Candidate], folds: int | None, margin: float, seed: int
) -> Ranking:
    losses = np.stack([c.losses for c in eligible], axis=1)
    inflation = np.array([[_inflation(a, b, folds) for b in eligible] for a in eligible])
    chosen = confidence_set(losses, inflation=inflation, seed=seed)
    means = np.sort(losses, axis=0).mean(axis=0)
    lowest = min(range(len(eligible)), key=lambda i: (means[i], eligible[i].simplicity))
    a = eligible[lowest]
    members = [c for c, inside in zip(eligible, chosen.members, strict=True) if inside]
    enough = [c for c in eligible if all(_will_do(c, m, c in members, folds, margin, seed) for m in members)]
    best = min(enough, key=lambda c: c.simplicity, default=None)
    if best is not None and any(c.simplicity < best.simplicity for c in members):
        best = None
    standing = [a, *(c for c in eligible if c is not a and (c in members or c in enough))]
    nulls = [_one_sided_p(a, c, folds) for c in candidates if c.kind == "null" and np.isfinite(c.losses).all()]
    out = [p for i, p in enumerate(chosen.p_values) if not chosen.members[i]]
    index = {id(c): i for i, c in enumerate(candidates)}
    return Ranking(
        a,
        best,
        standing,
        all(p <= 1 - NULL_LEVEL for p in nulls),
        float(max([*nulls, *out], default=0.0)),
        tuple(index[id(c)] for i, c in enumerate(eligible) if chosen.members[i]),
        {index[id(c)]: float(chosen.p_values[i]) for i, c in enumerate(eligible)},
    )


def _status(runs: int, ranking: Ranking) -> str:
    if runs < FEWEST_RUNS:
        return UNDECIDED
    if not ranking.beats_nulls:
        return NO_FAMILY
    if ranking.best is None:
        return UNDECIDED
    return TIED if len(ranking.standing) > 1 else DECIDED


def _inflation(a: Candidate, b: Candidate, folds: int | None) -> float:
    """√(1 + F/(F − 1)) for a pair with an over-flexible family, whose F folds share training runs.

    Nadeau and Bengio's (2003) variance of a mean over F folds' scores is σ²(1/F + 1/(F − 1)), σ² that of one fold's:
    of R/F runs each, so that beside the t of R single runs it is this factor, whatever R.
    """
    if folds is None or folds < 2 or a is b or not (a.over_flexible or b.over_flexible):
        return 1.0
    return math.sqrt(1.0 + folds / (folds - 1))


def _will_do(a: Candidate, b: Candidate, in_set: bool, folds: int | None, margin: float, seed: int) -> bool:
    """Whether a surely leaves at most the margin more than b; for one in the set, of all that is left, noise included.

    Where noise is nearly all that either leaves, what remains without it is a difference of two nearly equal numbers,
    and no number of runs would bound its ratio. If the set then can't tell the two apart, and what they leave in all
    is the same to within the margin, or next to nothing, what could still be found out matters to no prediction.
    """
    if a is b:
        return True
    inflation = _inflation(a, b, folds)
    scales = (False, True) if in_set else (False,)
    return any(
        p_above(a.loss(gross) - b.loss(gross), margin, inflation=inflation, seed=seed) <= 1 - WILL_DO_LEVEL
        for gross in scales
    )


def _paired(a: Candidate, b: Candidate, folds: int | None, gross: bool = False) -> tuple[float, float, int]:
    """Mean loss difference b − a, its standard error (corrected), and the number of runs."""
    difference = np.sort(b.loss(gross) - a.loss(gross))  # sorted, so that the order of runs can't matter
    runs = len(difference)
    if runs < 2:
        return float(difference.mean()), math.inf, runs
    error = float(difference.std(ddof=1)) / math.sqrt(runs) * _inflation(a, b, folds)
    return float(difference.mean()), error, runs


def _within(a: Candidate, b: Candidate, folds: int | None, margin: float) -> bool:
    from scipy.stats import t

    mean, error, runs = _paired(a, b, folds)
    return runs > 1 and abs(mean) + float(t.ppf(0.5 + PAIR_LEVEL / 2, runs - 1)) * error <= margin


def _one_sided_p(a: Candidate, b: Candidate, folds: int | None) -> float:
    """p-value of "a's loss is not below b's"."""
    from scipy.stats import t

    mean, error, runs = _paired(a, b, folds)
    if runs < 2 or not math.isfinite(error):
        return 1.0
    if error == 0.0:
        return 0.0 if mean > 0 else 1.0
    return float(t.sf(mean / error, runs - 1))


def _coupling_identified(
    best: Candidate, candidates: Sequence[Candidate], folds: int | None, margin: float
) -> bool | None:
    """Whether an exchangeable best beats its own clock: surely (95 %, one-sided), and by more than counts as equal.

    The second condition is the one that families are held to: with many runs a clock that leaves a hundredth more
    unexplained would be "beaten", and a coupling be read into next to nothing. A clock whose rollouts diverge is not
    beaten. None where there is no clock to beat.
    """
    mine = (best.family, best.coupling, best.state, best.time)
    clocks = [c for c in candidates if c.kind == "clock" and (c.family, c.coupling, c.state, c.time) == mine]
    if not clocks:
        return None
    return all(
        not c.diverged and _one_sided_p(best, c, folds) <= 1 - NULL_LEVEL and not _within(best, c, folds, margin)
        for c in clocks
    )


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


def _runs_needed(ranking: Ranking, runs: int, folds: int | None, margin: float) -> int | None:
    """The smallest number of runs with which every contest would be settled, if differences stay as they are.

    A contest with the lowest is settled when the pair's interval lies within the margin or beyond it:
    t₀.₉₅,ₙ₋₁ · s/√n ≤ ||d| − margin|; or within it with noise included.
    """
    contests = ranking.standing[1:]
    if runs < 2 or not contests:
        return FEWEST_RUNS
    settled = np.all([_settled(ranking.lowest, c, folds, margin) for c in contests], axis=0)
    if not settled.any():
        return None
    # Pairs can be settled at the present number while the set, which asks more, is not: then one run more, at least.
    return max(FEWEST_RUNS, runs + 1, int(np.argmax(settled)) + 2)


def _settled(a: Candidate, b: Candidate, folds: int | None, margin: float) -> NDArray[np.bool_]:
    """Whether a contest would be settled with 2, 3, … runs."""
    from scipy.stats import t

    n = np.arange(2, MOST_RUNS + 1)
    quantile = t.ppf(0.5 + PAIR_LEVEL / 2, n - 1) / np.sqrt(n)
    (net, net_error, runs), (gross, gross_error, _) = (_paired(a, b, folds, with_noise) for with_noise in (False, True))
    half, gross_half = (quantile * error * math.sqrt(runs) for error in (net_error, gross_error))
    return np.asarray((half <= abs(abs(net) - margin)) | (abs(gross) + gross_half <= margin))
