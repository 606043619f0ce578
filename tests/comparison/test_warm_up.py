"""Where a law sees the first steps of a run, all are scored from the same later step on."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import ecodyn
from ecodyn.comparison.contenders import UNSEEN_RUNS, contenders
from ecodyn.comparison.execution import execute
from ecodyn.comparison.folds import first_row
from ecodyn.comparison.held_out import fit_folds, roll_out_folds
from ecodyn.comparison.plan import plan
from ecodyn.comparison.request import Request
from ecodyn.errors import UnusableDataError
from ecodyn.families import family
from ecodyn.families.model_name import ModelName
from ecodyn.trajectories import Trajectories

STEPS = np.linspace(0.0, 30.0, 31)
WARM_UP = 5


def consumers(rng, runs, noise=0.0):
    """Three species on a hidden resource that starts elsewhere in each run."""

    def rhs(_, y):
        x, r = y[:3], y[3]
        return np.append(x * (r - 0.2), 0.15 - 0.1 * r - 0.3 * r * x.sum())

    starts = [np.append(rng.uniform(0.02, 0.5, 3), rng.uniform(0.2, 1.5)) for _ in range(runs)]
    x = np.array([solve_ivp(rhs, (0, 30), y, t_eval=STEPS, rtol=1e-10, atol=1e-12).y[:3].T for y in starts])
    return Trajectories(x + noise * x.std() * rng.normal(size=x.shape), STEPS)


def competitors(rng, runs, noise):
    """Lotka and Volterra's law of competition, which has nothing hidden."""

    def rhs(_, x):
        return x * (0.4 - 0.3 * x - 0.25 * x.mean())

    starts = rng.uniform(0.05, 2.0, (runs, 3))
    x = np.array([solve_ivp(rhs, (0, 30), y, t_eval=STEPS, rtol=1e-10, atol=1e-12).y.T for y in starts])
    return Trajectories(x + noise * x.std() * rng.normal(size=x.shape), STEPS)


@pytest.fixture(scope="module")
def work():
    data = consumers(np.random.default_rng(0), 4)
    request = Request(protocols=[UNSEEN_RUNS], folds=2)
    entries = ["linear", family("consumer_resource")(warm_up=WARM_UP)]
    return plan(data, contenders(entries, ["exchangeable"], "signal"), request)


def test_all_models_are_scored_after_the_longest_warm_up(work):
    assert work.warm_up == WARM_UP
    assert {task.warm_up for task in work.tasks} == {WARM_UP}
    (task,) = (t for t in work.tasks if t.name == ModelName("linear", "exchangeable"))
    for held in roll_out_folds(task, fit_folds(task, work.data), work.data):
        assert held.first.tolist() == [WARM_UP] * len(held.runs)
        np.testing.assert_array_equal(held.starts, work.data.state("signal")[held.runs, WARM_UP])


def test_references_are_functions_of_the_steps_that_are_scored(work):
    """Scored after a warm-up, they are as good as on data that begin there."""
    references = [c for c in work.contenders if c.reference]
    alone = plan(work.data.after(WARM_UP), references, Request(protocols=[UNSEEN_RUNS], folds=2))
    later = {t.name: execute(t, alone.data) for t in alone.tasks}
    for task in work.tasks:
        if task.contender.reference is not None:
            scores = [s.score.skill for s in execute(task, work.data).scores]
            assert scores == pytest.approx([s.score.skill for s in later[task.name].scores], abs=1e-12)


def test_forecasts_begin_where_they_did(work):
    origin = 12.0
    assert first_row(work.data, 0, origin, WARM_UP) == first_row(work.data, 0, origin)
    assert first_row(work.data, 0, None, WARM_UP) == WARM_UP


def test_windows_without_steps_after_the_warm_up_are_refused():
    data = consumers(np.random.default_rng(0), 4)
    with pytest.raises(UnusableDataError, match=r"warm_up \+ 3 = 43 complete steps"):
        ecodyn.compare(data, ["linear", family("consumer_resource")(warm_up=40)], couplings=["exchangeable"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_what_is_hidden_is_named_where_it_is_needed():
    data = consumers(np.random.default_rng(1), 6, noise=0.02)
    hidden = family("consumer_resource")(warm_up=WARM_UP)
    result = ecodyn.compare(
        data, ["linear", "lotka_volterra", hidden], couplings=["exchangeable"], protocols=[UNSEEN_RUNS], folds=3
    )
    verdict = result.windows[0].verdict
    assert verdict.best is not None
    assert verdict.best.family == "consumer_resource"
    assert f"after the first {WARM_UP} steps of each run" in verdict.statement
    assert result.settings["warm_up"] == WARM_UP
    skills = {m.name.family: m.skill for m in result.windows[0].models if m.kind == "family"}
    assert skills["consumer_resource"] > 0.9 > max(skills["linear"], skills["lotka_volterra"])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ecodyn.errors.DataWarning")
def test_nothing_hidden_is_named_where_nothing_is_hidden():
    data = competitors(np.random.default_rng(2), 6, noise=0.02)
    result = ecodyn.compare(
        data,
        ["lotka_volterra", family("consumer_resource")(), family("linear_hidden")(warm_up=WARM_UP)],
        couplings=["exchangeable"],
        protocols=[UNSEEN_RUNS],
        folds=3,
    )
    plain = [m for m in result.windows[0].models if m.name.family == "lotka_volterra" and m.kind == "family"]
    assert [m.in_confidence_set for m in plain] == [True]
    best = result.windows[0].verdict.best
    assert best is None or best.family == "lotka_volterra"
