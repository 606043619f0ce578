"""What becomes of tests against surrogates that are ended midway, and that they change nothing that they are given."""

import copy
import os
import signal

import numpy as np
import pytest

from ecodyn import Linear, compare
from ecodyn.comparison import InterruptedComparison
from ecodyn.comparison.check import check
from ecodyn.comparison.judge import judge
from ecodyn.comparison.plan import plan
from ecodyn.comparison.request import Request
from ecodyn.comparison.run import run
from ecodyn.comparison.surrogate_refits import against_surrogates
from ecodyn.families import Shooting
from ecodyn.systems import SYSTEMS, simulate

COUNT = 19
MATCHED = Shooting(refine=False)


@pytest.fixture(scope="module")
def data():
    return simulate(SYSTEMS["linear_exchangeable_5"], runs=5, samples=11)


def mortal():
    """A family whose process is killed, as for memory, where it is fitted to phase-randomised surrogates."""
    here = os.getpid()

    class Mortal(Linear):  # in a function, so that workers are sent all of it
        name = "mortal"

        def fit_model(self, trajectories, *, clock=False):
            if trajectories.provenance.get("surrogate") == "phase-randomised":
                assert os.getpid() != here, "this is the test's own process"
                os.kill(os.getpid(), signal.SIGKILL)
            return super().fit_model(trajectories, clock=clock)

    return Mortal(shooting=MATCHED)


def test_a_killed_worker_costs_its_tests_and_nothing_else(data):
    result = compare(data, [mortal()], protocols=["unseen_runs"], folds=2, surrogates=COUNT, jobs=2)
    said = (
        "on phase_randomised surrogates of 0:4: its process was killed each time that it was tried, perhaps for memory"
    )
    (lost,) = [failure for failure in result.failures if failure.endswith(said)]
    assert lost.startswith("mortal/exchangeable")
    assert not result.interrupted
    tests = result.windows[0].surrogates
    assert {t.kind for t in tests} <= {"run_shuffled"}
    assert all(len(t.losses) == COUNT for t in tests)
    assert result.windows[0].models


def judged(data, request):
    checked = check(data, request)
    plans = [plan(part, checked.contenders, request, window=i) for i, part in enumerate(checked.windows)]
    outcome = run(plans, request)
    return [judge(p, r, request) for p, r in zip(outcome.plans, outcome.results, strict=True)], plans


def of(**more):
    return Request(
        families=[Linear(shooting=MATCHED)],
        protocols=["unseen_runs"],
        windows=[(0.0, 2.0), (0.0, 4.0)],
        folds=2,
        surrogates=COUNT,
        **more,
    )


@pytest.mark.slow
def test_windows_that_are_given_stay_as_they_are(data):
    request = of()
    windows, plans = judged(data, request)
    before = copy.copy(windows)
    tested = against_surrogates(windows, plans, request)
    assert all(mine is theirs for mine, theirs in zip(windows, before, strict=True))
    assert not any(w.surrogates for w in windows)
    assert all(len(w.surrogates) == 2 for w in tested.windows)
    assert (tested.notes, tested.failures, tested.interrupted) == ((), (), False)


def test_without_any_asked_for_they_come_back(data):
    request = Request(families=[Linear(shooting=MATCHED)], protocols=["unseen_runs"], folds=2)
    windows, plans = judged(data, request)
    tested = against_surrogates(windows, plans, request)
    assert tested.windows == windows
    assert not tested.interrupted


def test_an_interrupt_keeps_the_windows_that_were_tested(data):
    def stop(done, total, what):
        if "surrogates" in what:
            calls.append(what)
            if len(calls) == 2 * COUNT + 1:  # the first of the second window
                raise KeyboardInterrupt

    calls = []
    request = of(progress=stop)
    options = {k: getattr(request, k) for k in ("protocols", "windows", "folds", "surrogates", "progress")}
    with pytest.raises(InterruptedComparison) as caught:
        compare(data, list(request.families), **options)
    finished = caught.value.finished
    assert finished.interrupted
    assert [len(w.surrogates) for w in finished.windows] == [2, 0]
    assert np.isfinite(finished.windows[1].models[0].skill)
