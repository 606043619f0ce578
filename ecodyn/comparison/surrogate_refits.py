"""Does a family do better on the data than on surrogates of them? The same fits, folds and scores for both."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ecodyn.comparison.aggregate import window_result
from ecodyn.comparison.contenders import FAMILY, UNSEEN_RUNS, Contender
from ecodyn.comparison.protocols import execute, tasks_of
from ecodyn.comparison.result import ModelScore, WindowResult
from ecodyn.comparison.surrogate_result import SURROGATE_LEVEL, SurrogateTest
from ecodyn.comparison.surrogates import RUN_SHUFFLED, SURROGATES
from ecodyn.comparison.verdict import MARGIN
from ecodyn.equations.library import INDEPENDENT
from ecodyn.errors import UnusableDataError
from ecodyn.rollouts.iteration import FLOW
from ecodyn.runtime.processes import each_with
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, parse_state

__all__ = ["check_count", "kinds_for", "surrogate_tests", "with_tests"]

FEWEST_SURROGATES = 19  # 1/SURROGATE_LEVEL - 1
SAME = 1e-9  # losses closer than rounding are equal
NEEDS_COUPLING = (RUN_SHUFFLED,)  # to a law that sees one feature, runs are shuffled already


@dataclass(frozen=True)
class _Refit:
    """What is fitted to one surrogate: enough to do it in another process."""

    contender: Contender
    kind: str
    number: int
    folds: int | None
    seed: int

    def __call__(self, data: Trajectories) -> tuple[float, float]:
        """Mean loss and mean skill over runs; NaN if the family could not be fitted."""
        place = list(SURROGATES).index(self.kind)
        rng = np.random.default_rng([self.seed, place, self.number])
        surrogate = SURROGATES[self.kind](data, rng)
        score = unseen_score(surrogate, self.contender, self.folds, self.seed)
        return (math.nan, math.nan) if score is None else (float(np.mean(score.loss_per_run)), score.skill)


def unseen_score(data: Trajectories, contender: Contender, folds: int | None, seed: int) -> ModelScore | None:
    """One model on runs it has not seen, as ``compare`` scores it; None if it could not be fitted."""
    tasks = tasks_of([contender], [UNSEEN_RUNS], data, folds, seed, 1)
    found = {task.index: execute(task, data) for task in tasks}
    scores = window_result(data, [contender], tasks, found, [UNSEEN_RUNS], MARGIN, folds, seed).models
    return scores[0] if scores and len(scores[0].loss_per_run) else None


def check_count(count: int, protocols: Sequence[str]) -> None:
    """Refuse a number of surrogates that nothing could follow from."""
    if count and count < FEWEST_SURROGATES:
        raise ValueError(
            f"expected at least {FEWEST_SURROGATES} surrogates, or none, got {count}: with fewer no p-value can be "
            f"{SURROGATE_LEVEL:g} or less"
        )
    if count and UNSEEN_RUNS not in protocols:
        raise ValueError(
            f"surrogates are scored on unseen runs, got the protocols {', '.join(protocols)}; add unseen_runs"
        )


def kinds_for(data: Trajectories, contender: Contender) -> tuple[list[str], list[str]]:
    """The kinds of surrogates on which a family can be tested with these data, and why not on the others."""
    if data.n_clusters < 2:
        return [], [
            f"no surrogates: they are scored on unseen runs, expected 2 independent ones or more, got {data.n_clusters}"
        ]
    if VELOCITY in parse_state(contender.state):
        return [], [
            f"no surrogates for the state {contender.state}: a velocity is told from the steps before the window, "
            "which surrogates don't have; use --state signal"
        ]
    kinds, reasons = [], []
    for kind, make in SURROGATES.items():
        if kind in NEEDS_COUPLING and contender.coupling == INDEPENDENT:
            reasons.append(f"{kind} surrogates left out: {contender.label} sees one feature, and nothing couples")
            continue
        try:
            make(data, np.random.default_rng(0))
        except UnusableDataError as error:
            reasons.append(str(error))
        else:
            kinds.append(kind)
    return kinds, reasons


def with_tests(window: WindowResult, tests: tuple[SurrogateTest, ...]) -> WindowResult:
    """The window's result with its surrogate tests; what they take back is said in the verdict's statement."""
    said = " ".join(t.sentence for t in tests if not t.better)
    if not said:
        return replace(window, surrogates=tests)
    verdict = window.verdicts[UNSEEN_RUNS]
    shuffled_as_good = any(t.kind in NEEDS_COUPLING and not t.better for t in tests)
    told = replace(
        verdict,
        statement=f"{verdict.statement} {said}",
        coupling_identified=verdict.coupling_identified and not shuffled_as_good,
    )
    return replace(window, surrogates=tests, verdicts={**window.verdicts, UNSEEN_RUNS: told})


def surrogate_tests(
    window: WindowResult,
    data: Trajectories,
    models: Sequence[Contender],
    count: int,
    *,
    folds: int | None = None,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int, int, str], Any] | None = None,
) -> tuple[tuple[SurrogateTest, ...], list[str]]:
    """Refit the window's best family to ``count`` surrogates of each kind, and compare losses; why a kind is missing.

    The statistic is the mean over independent runs of log(unexplained) on unseen runs;
    p = (1 + #{surrogates with a loss as low as the data's}) / (1 + count). A surrogate to which the family could not be
    fitted counts as one on which it did as well: that can only weaken a claim. The family is the data's best, and is
    not chosen anew on each surrogate: with several families compared, p is valid only for one named beforehand.
    """
    score = _tested(window)
    if score is None:
        return (), []
    contender = next(m for m in models if m.label == score.label)
    kinds, reasons = kinds_for(data, contender)
    refits = [_Refit(contender, kind, number, folds, seed) for kind in kinds for number in range(count)]
    outcomes: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    found = each_with(_Refit.__call__, refits, data, jobs, ordered=True)
    for done, (refit, outcome) in enumerate(zip(refits, found, strict=True), start=1):
        outcomes[refit.kind].append(outcome)
        if progress is not None:
            progress(done, len(refits), f"{refit.kind} surrogates {score.label}")
    return tuple(_test(kind, score, outcomes[kind]) for kind in kinds), reasons


def _tested(window: WindowResult) -> ModelScore | None:
    """The best on unseen runs; where the verdict names none, the family that leaves least unexplained."""
    ranked = [m for m in window.of(UNSEEN_RUNS) if m.kind == FAMILY and len(m.loss_per_run)]
    best = window.verdicts[UNSEEN_RUNS].best if UNSEEN_RUNS in window.verdicts else None
    if best is None:
        return next(iter(ranked), None)
    name = best["family"], best["coupling"], best.get("state", "signal"), best.get("dynamics", FLOW)
    return next(m for m in ranked if (m.family, m.coupling, m.state, m.dynamics) == name)


def _test(kind: str, score: ModelScore, outcomes: list[tuple[float, float]]) -> SurrogateTest:
    losses, skills = np.array(outcomes).T
    loss = float(np.mean(score.loss_per_run))
    as_good = int(np.sum(~(losses > loss + SAME)))  # NaN counts among them
    return SurrogateTest(
        kind=kind,
        model=score.label,
        protocol=UNSEEN_RUNS,
        window=score.window,
        skill=score.skill,
        skills=skills,
        loss=loss,
        losses=losses,
        failed=int(np.isnan(losses).sum()),
        p_value=(1 + as_good) / (1 + len(losses)),
    )
