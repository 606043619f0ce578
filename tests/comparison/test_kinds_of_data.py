"""Comparisons of few runs, shared starts, times of their own, runs that stand still: handled, or refused and said."""

import json

import numpy as np
import pytest
from known_laws import FAMILIES, UNSEEN, quick, system, without_seconds

from ecodyn import Trajectories
from ecodyn.errors import DataWarning, UnusableDataError


def test_runs_that_share_a_start_count_once():
    data = system("lotka_volterra", cluster=[0, 0, 1, 1, 2, 2, 3, 4])
    found = quick(data, protocols=UNSEEN)
    assert found.verdict.runs == 5
    model = found.score("linear", "exchangeable", kind="family")
    assert len(model.loss_per_run) == 5
    assert len(model.skill_per_run) == 8
    assert model.folds == 5
    assert found.windows[0].headline == "unseen_runs"
    skills = model.skill_per_run
    assert model.skill == pytest.approx(
        np.mean([skills[:2].mean(), skills[2:4].mean(), skills[4:6].mean(), *skills[6:]])
    )


def test_fewer_than_five_clusters_make_forecast_the_headline():
    found = quick(system("lotka_volterra", cluster=[0, 0, 1, 1, 2, 2, 3, 3]))
    assert found.windows[0].headline == "forecast"
    assert found.verdict.status == "undecided"


@pytest.mark.parametrize("runs", [1, 2])
def test_few_runs_work(runs):
    found = quick(system("lotka_volterra", runs=runs), FAMILIES)
    assert found.to_json()["protocol"] == "forecast"
    assert found.verdict.status == "undecided"
    assert found.verdict.best is None
    assert set(found.windows[0].verdicts) == ({"forecast"} if runs == 1 else {"forecast", "unseen_runs"})
    json.dumps(found.to_json(), allow_nan=False)


def test_integers_are_numbers():
    data = system("lotka_volterra", scale=1e6)
    whole = np.round(data.values).astype(np.int64)
    one, two = (quick(Trajectories(v, data.steps), protocols=UNSEEN) for v in (whole, whole.astype(float)))
    assert without_seconds(one.to_json()) == without_seconds(two.to_json())


def test_irregular_times_find_the_same_law():
    data = system("lotka_volterra", samples=241)
    rows = np.sort(np.random.default_rng(5).choice(241, 80, replace=False))
    verdict = quick(Trajectories(data.values[:, rows], data.steps[rows]), FAMILIES, protocols=UNSEEN).verdict
    assert verdict.best.matches(family="lotka_volterra", coupling="exchangeable")


def test_a_run_that_does_not_move_is_left_out_and_counted(quiet):
    values = system("logistic").values.copy()
    values[2] = values[2, :1]
    found = quick(Trajectories(values, np.linspace(0, 30, 61)), protocols=UNSEEN)
    assert found.verdict.runs == 7
    for m in found.models:
        assert m.left_out == 1
        assert len(m.loss_per_run) == 7
        assert np.isnan(m.skill_per_run).nonzero()[0].tolist() == [2]


def test_runs_may_start_at_times_of_their_own():
    data = system("linear")
    shifted = Trajectories(data.values, data.times + 0.2 * np.arange(8)[:, None])
    assert quick(shifted, protocols=UNSEEN).verdict.best.matches(family="linear", coupling="exchangeable")


def test_nothing_to_explain_is_refused(quiet):
    with pytest.raises(UnusableDataError, match="nothing is left to explain"):
        quick(Trajectories(np.full((5, 20, 3), 2.0), np.arange(20)))


def test_runs_that_stand_still_at_the_end_leave_forecasts_undecided(quiet):
    values = system("logistic").values.copy()
    values[:, 20:] = values[:, 20:21]
    found = quick(Trajectories(values, np.linspace(0, 30, 61)))
    assert found.windows[0].verdicts["forecast"].status == "undecided"
    assert found.windows[0].verdicts["forecast"].runs == 0
    assert found.verdict.runs == 8
    json.dumps(found.to_json(), allow_nan=False)


def test_negative_values_under_lotka_volterra_are_warned_about():
    data = system("logistic")
    with pytest.warns(DataWarning, match="negative"):
        found = quick(Trajectories(data.values - 3.0, data.steps), ["lotka_volterra"], protocols=UNSEEN)
    assert sum("negative" in w for w in found.warnings) == 1


def test_known_decay_needs_the_rates():
    data = system("linear")
    stated = Trajectories(
        data.values, data.steps, provenance={"learning_rate": 0.1, "weight_decay": 0.5, "optimiser": "AdamW"}
    )
    nulls = {m.family for m in quick(stated, protocols=UNSEEN).models if m.kind == "null"}
    assert nulls == {"persistence", "mean_curve", "time_only", "known_decay"}
    silent = Trajectories(data.values, data.steps, provenance={"learning_rate": 0.1})
    assert {m.family for m in quick(silent, protocols=UNSEEN).models if m.kind == "null"} == {
        "persistence",
        "mean_curve",
        "time_only",
    }


def with_trait(unit):
    """A linear system whose gradient is given in some unit."""
    data = system("linear")
    gradient = unit * np.random.default_rng(5).uniform(1, 2, data.shape)
    return Trajectories(data.values, data.steps, observables={"gradient": gradient})


def test_the_units_of_a_trait_decide_nothing():
    ones, thousands = (
        quick(with_trait(u), couplings=["exchangeable"], protocols=UNSEEN, state="signal,gradient@start")
        for u in (1.0, 1000.0)
    )
    skills = [r.score("linear", "exchangeable", kind="family").skill_per_run for r in (ones, thousands)]
    np.testing.assert_allclose(*skills, rtol=1e-6)


def test_forecasts_start_on_each_runs_own_clock():
    data = system("linear")
    times = data.times + np.array([0, 0, 0, 0, 0, 0, 0, 25.0])[:, None]
    late, together = (
        quick(Trajectories(data.values, t), couplings=["exchangeable"], protocols=["forecast"])
        for t in (times, data.steps)
    )
    assert not late.failures
    score, same = (r.score("linear", "exchangeable", protocol="forecast") for r in (late, together))
    np.testing.assert_allclose(score.skill_per_run, same.skill_per_run, atol=1e-6)


def test_rates_that_are_no_numbers_make_no_null():
    data = system("linear", provenance={"learning_rate": [0.01, 0.001], "weight_decay": 0.5})
    result = quick(data, couplings=["independent"], protocols=UNSEEN)
    assert not result.failures
    with pytest.raises(KeyError):
        result.score("known_decay")


def test_thinning_keeps_the_windows_first_step():
    result = quick(system("linear"), couplings=["independent"], windows=[(0.5, 30)], every=7, protocols=UNSEEN)
    assert result.windows[0].window[0] == 0.5
