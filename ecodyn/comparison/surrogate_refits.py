"""Does a family do better on the data than on surrogates of them? The same fits, folds and scores for both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.comparison.contenders import UNSEEN_RUNS, Contender
from ecodyn.comparison.entries import entries_of
from ecodyn.comparison.execution import execute
from ecodyn.comparison.kept import each_kept, keys_on
from ecodyn.comparison.model_score import ModelScore
from ecodyn.comparison.plan import Plan, plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.surrogate_result import SurrogateTest
from ecodyn.comparison.surrogates import RUN_SHUFFLED, SURROGATES
from ecodyn.comparison.window_result import WindowResult, WindowsWithTests
from ecodyn.equations.library import INDEPENDENT
from ecodyn.errors import LostWorkError, UnusableDataError
from ecodyn.families.model_name import FAMILY
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.state import VELOCITY, parse_state

__all__ = ["against_surrogates", "kinds_for", "surrogate_tests", "with_tests"]

SAME = 1e-9  # losses closer than rounding are equal
NEEDS_COUPLING = (RUN_SHUFFLED,)  # to a law that sees one feature, runs are shuffled already


@dataclass(frozen=True)
class _Refit:
    """What is fitted to one surrogate: enough to do it in another process."""

    contender: Contender
    kind: str
    number: int
    request: Request
    warm_up: int

    @property
    def decided_by(self) -> tuple[object, ...]:
        """What has a say in its result, beside the data."""
        asked = self.request
        return (self.contender, self.kind, self.number, asked.seed, asked.folds, asked.survivor_rule, self.warm_up)

    def __call__(self, data: Trajectories) -> tuple[float, float]:
        """Mean loss and mean skill over runs; NaN if the family could not be fitted."""
        place = list(SURROGATES).index(self.kind)
        rng = np.random.default_rng([self.request.seed, place, self.number])
        surrogate = SURROGATES[self.kind](data, rng)
        score = unseen_score(surrogate, self.contender, self.request, self.warm_up)
        return (math.nan, math.nan) if score is None else (float(np.mean(score.loss_per_run)), score.skill)


def unseen_score(data: Trajectories, contender: Contender, request: Request, warm_up: int = 0) -> ModelScore | None:
    """One model on runs it has not seen, as ``compare`` scores it; None if it could not be fitted.

    Scores begin after ``warm_up`` steps, as those of the data.
    """
    work = plan(data, [contender], request, warm_up=warm_up)
    entries = entries_of(
        work, {task.index: execute(task, data, judged=False) for task in work.tasks}, request.protocols
    )
    return entries[0].score if entries and len(entries[0].score.loss_per_run) else None


@dataclass(frozen=True)
class WindowTests:
    """The tests of one window, why kinds are missing, and what was lost of them."""

    tests: tuple[SurrogateTest, ...] = ()
    notes: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def against_surrogates(windows: Sequence[WindowResult], plans: Sequence[Plan], request: Request) -> WindowsWithTests:
    """The windows' results with their tests, where any were asked for."""
    tested: list[WindowResult] = []
    notes: list[str] = []
    failures: list[str] = []
    interrupted = False
    if request.surrogates:
        try:
            for window, work in zip(windows, plans, strict=True):
                found = surrogate_tests(window, work, request)
                notes += found.notes
                failures += found.failures
                tested.append(with_tests(window, found.tests))
        except KeyboardInterrupt:
            interrupted = True
    return WindowsWithTests([*tested, *windows[len(tested) :]], tuple(notes), tuple(failures), interrupted)


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
    identified = verdict.coupling_identified and not shuffled_as_good
    changed = replace(verdict, coupling_identified=identified).with_sentence(said)
    return replace(window, surrogates=tests, verdicts={**window.verdicts, UNSEEN_RUNS: changed})


def surrogate_tests(window: WindowResult, work: Plan, request: Request) -> WindowTests:
    """Refit the window's best family to ``request.surrogates`` of each kind, and compare losses.

    The statistic is the mean over independent runs of log(unexplained) on unseen runs;
    p = (1 + #{surrogates with a loss as low as the data's}) / (1 + count). A surrogate to which the family could not be
    fitted counts as one on which it did as well: that can only weaken a claim. The family is the data's best, and is
    not chosen anew on each surrogate: with several families compared, p is valid only for one named beforehand.

    Should a worker process be killed, kinds whose surrogates were all done have their test, and the others are named.
    """
    score = _tested(window)
    if score is None:
        return WindowTests()
    contender = next(c for c in work.contenders if c.name == score.name)
    data = work.data.since_complete()  # surrogates need every value, rollouts none before their start
    kinds, reasons = kinds_for(data, contender)
    alone = replace(
        request, protocols=[UNSEEN_RUNS], jobs=1, progress=None, on_laws=None, families=None, phases=None, windows=None
    )
    alone = replace(alone, keep=None, on_kept=None, kept=None)
    refits = [
        _Refit(contender, kind, number, alone, work.warm_up) for kind in kinds for number in range(request.surrogates)
    ]
    outcomes: dict[str, list[tuple[float, float]]] = {kind: [] for kind in kinds}
    keys = keys_on(data, [refit.decided_by for refit in refits], request.kept)
    results = each_kept(_Refit.__call__, refits, data, request, keys, ordered=True)
    try:
        for done, (place, outcome) in enumerate(results, start=1):
            refit = refits[place]
            outcomes[refit.kind].append(outcome)
            if callable(request.progress):
                request.progress(done, len(refits), f"{refit.kind} surrogates {score.label}")
    except LostWorkError as error:
        why = str(error)
        lost = [kind for kind in kinds if len(outcomes[kind]) < request.surrogates]
        kinds = [kind for kind in kinds if kind not in lost]
    else:
        lost, why = [], ""
    first, last = work.window
    return WindowTests(
        tests=tuple(_test(kind, score, outcomes[kind]) for kind in kinds),
        notes=tuple(reasons),
        failures=tuple(f"{score.label} on {kind} surrogates of {first:g}:{last:g}: {why}" for kind in lost),
    )


def _tested(window: WindowResult) -> ModelScore | None:
    """The best on unseen runs; where the verdict names none, the family that leaves least unexplained."""
    ranked = [m for m in window.of(UNSEEN_RUNS) if m.kind == FAMILY and len(m.loss_per_run)]
    best = window.verdicts[UNSEEN_RUNS].best if UNSEEN_RUNS in window.verdicts else None
    return next((m for m in ranked if best in (None, m.name)), None)


def _test(kind: str, score: ModelScore, outcomes: Sequence[tuple[float, float]]) -> SurrogateTest:
    losses, skills = np.array(outcomes).T
    loss = float(np.mean(score.loss_per_run))
    as_good = int(np.sum(~(losses > loss + SAME)))  # NaN counts among them
    return SurrogateTest(
        kind=kind,
        model=score.name,
        protocol=UNSEEN_RUNS,
        window=score.window,
        skill=score.skill,
        skills=skills,
        loss=loss,
        losses=losses,
        failed=int(np.isnan(losses).sum()),
        p_value=(1 + as_good) / (1 + len(losses)),
    )
