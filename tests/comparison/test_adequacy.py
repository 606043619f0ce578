"""What a family leaves on held-out runs: noise, or something that a better law would explain."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_losses import decided

import ecodyn
from ecodyn import Trajectories
from ecodyn.comparison.adequacy import Adequacy
from ecodyn.comparison.freed_starts import freed_start as freed_starts_of
from ecodyn.comparison.left_over import Residuals, strongest_dependence
from ecodyn.comparison.residual_test import _systematic
from ecodyn.comparison.verdict import Verdict, decide
from ecodyn.runtime.json_values import plain_json
from ecodyn.statistics.intervals import Estimate

UNSEEN = {"protocols": ["unseen_runs"]}
open_inputs = settings(max_examples=4, deadline=None, derandomize=True, database=None)


def oscillators(noise, *, bend=0.0, runs=8, seed=0):
    """ẍ = −x − bend·x³ from several starts, by the linear family's own exact solution where it doesn't bend."""
    from scipy.integrate import solve_ivp

    rng = np.random.default_rng(seed)
    t = np.linspace(0.0, 6.0, 121)
    starts = rng.uniform(0.6, 1.4, (runs, 2))
    paths = [
        solve_ivp(lambda _, x: [x[1], -x[0] - bend * x[0] ** 3], (0, 6), x0, t_eval=t, rtol=1e-10, atol=1e-12).y.T
        for x0 in starts
    ]
    values = np.array(paths) + noise * rng.normal(size=(runs, len(t), 2))
    return Trajectories(values, t, ["position", "speed"], labels_shared=True)


def compared(data):
    return ecodyn.compare(data, ["linear"], ["full"], **UNSEEN)


@cache
def of_oscillators(noise, bend=0.0):
    return compared(oscillators(noise, bend=bend))


@pytest.mark.parametrize("noise", [0.0, 0.02, 0.1])
def test_the_true_family_is_adequate_whatever_the_noise(noise):
    verdict = of_oscillators(noise).verdict
    assert verdict.adequacy is not None
    assert verdict.adequacy.adequate
    assert verdict.status in ("decided", "tied")
    assert abs(verdict.adequacy.systematic.mean) <= verdict.adequacy.tolerated


@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_linear_law_of_what_bends_is_not(noise):
    verdict = of_oscillators(noise, 0.15).verdict
    assert (verdict.status, verdict.best.family) == ("inadequate", "linear")
    assert not verdict.adequacy.adequate
    assert verdict.adequacy.p_value <= 0.05
    assert verdict.adequacy.systematic.mean > verdict.adequacy.tolerated
    assert "linear/full is the best of these, but wrong" in verdict.statement
    assert "beyond measurement noise (p = 0.0" in verdict.statement


def test_what_is_systematic_is_what_is_unexplained_where_there_is_no_noise():
    result = of_oscillators(0.0, 0.15)
    left = 1 - result.score("linear", "full").skill
    assert result.verdict.adequacy.systematic.mean == pytest.approx(left, rel=0.02)


@pytest.mark.parametrize(("unit", "time"), [(1e-6, 86400.0), (1e9, 1.0)])
def test_units_change_nothing(unit, time):
    data = oscillators(0.02, bend=0.15)
    other = Trajectories(data.values * [unit, 1.0], data.times[0] * time, data.features.tolist(), labels_shared=True)
    one, two = of_oscillators(0.02, 0.15).verdict.adequacy, compared(other).verdict.adequacy
    assert two.systematic.mean == pytest.approx(one.systematic.mean, rel=1e-4)
    assert two.p_value == one.p_value


def test_it_is_not_asked_where_nobody_is_named():
    data = oscillators(0.02, runs=3)  # too few runs for a verdict
    assert compared(data).verdict.adequacy is None


# ------------------------------------------------------------------------------------------ what residuals depend on


def residuals_of(left, rolled=None):
    t = np.arange(left.shape[0], dtype=float)
    return Residuals(t, np.zeros_like(left) if rolled is None else rolled, left)


def test_residuals_that_follow_time_are_said_to():
    rng = np.random.default_rng(0)
    data = Trajectories(rng.normal(size=(2, 100, 3)), np.arange(100.0))
    rising = np.repeat(np.linspace(-1, 1, 100)[:, None], 3, axis=1)
    found = strongest_dependence([residuals_of(rising, rng.normal(size=(100, 3)))], data, None)
    assert found.quantity == "time"
    assert found.share == pytest.approx(0.96, abs=0.01)  # quintile means of a line: 1 − 1/25
    assert "time (96% of it)" in found.text()


def test_residuals_of_one_feature_are_told_by_its_name():
    rng = np.random.default_rng(1)
    data = Trajectories(rng.normal(size=(2, 100, 3)), np.arange(100.0), ["a", "b", "c"], labels_shared=True)
    left = 0.01 * rng.normal(size=(100, 3)) + [0.0, -2.0, 0.0]
    found = strongest_dependence([residuals_of(left, rng.normal(size=(100, 3)))], data, np.array([1.0, 10.0, 1.0]))
    assert (found.quantity, found.feature) == ("the feature", "b")
    assert found.residual == pytest.approx(-20.0, rel=0.01)  # in the feature's unit
    assert "rollouts of b are too high by 20" in found.text()


@open_inputs
@given(seed=st.integers(0, 1000))
def test_noise_depends_on_nothing(seed):
    rng = np.random.default_rng(seed)
    data = Trajectories(rng.normal(size=(2, 200, 3)), np.arange(200.0))
    parts = [residuals_of(rng.normal(size=(200, 3)), rng.normal(size=(200, 3))) for _ in range(4)]
    assert strongest_dependence(parts, data, None) is None


# ------------------------------------------------------------------------------------------------------- the verdict


def found(p_value, selection=""):
    return Adequacy(systematic=Estimate(0.03, 0.02, 0.04, 8), tolerated=1e-4, p_value=p_value, selection=selection)


@pytest.mark.parametrize(
    ("adequacy", "status"), [(None, "decided"), (found(0.2), "decided"), (found(0.01), "inadequate")]
)
def test_only_what_is_surely_left_changes_the_verdict(adequacy, status):
    verdict = decide(decided()).with_adequacy(adequacy)
    assert (verdict.status, verdict.best) == (status, decide(decided()).best)
    assert (verdict.statement == decide(decided()).statement) == (status == "decided")


def test_a_selection_that_is_none_makes_it_inadequate():
    verdict = decide(decided()).with_adequacy(found(0.9, "takes all terms"))
    assert verdict.status == "inadequate"
    assert verdict.statement.endswith("The selection of linear/exchangeable takes all terms.")


@pytest.mark.parametrize("adequacy", [None, found(0.2), found(0.01)])
def test_reports_keep_it(adequacy):
    verdict = decide(decided()).with_adequacy(adequacy)
    document = json.loads(json.dumps(plain_json(verdict.to_json())))
    assert Verdict.from_json(document) == verdict
    assert replace(verdict, adequacy=None) == Verdict.from_json({**document, "adequacy": None})


# ------------------------------------------------------------------------------------- of what can't be told apart


def preys_of_a_predator(seed=1):
    """ẋ = −x³/2 / (0.3 + x³), Holling III: neither linear nor Lotka-Volterra's, which leave about as much."""
    from scipy.integrate import solve_ivp

    rng, t = np.random.default_rng(seed), np.linspace(0.0, 3.0, 61)
    ends = {"t_eval": t, "rtol": 1e-9, "atol": 1e-11}
    starts = rng.uniform(0.3, 1.8, (8, 2))
    paths = [solve_ivp(lambda _, x: -0.5 * x**3 / (0.3 + x**3), (0, 3), x0, **ends).y.T for x0 in starts]
    return Trajectories(np.array(paths), t, ["hare", "vole"], labels_shared=True)


def of_preys():
    return ecodyn.compare(preys_of_a_predator(), ["linear", "lotka_volterra"], ["independent"], **UNSEEN).verdict


def test_laws_that_cannot_be_told_apart_may_all_be_wrong():
    verdict = of_preys()
    assert (verdict.status, verdict.best, verdict.adequacy) == ("undecided", None, None)
    assert verdict.none_adequate
    assert (
        "None of these is the law: each leaves something beyond measurement noise (p at most 0.0" in verdict.statement
    )
    document = json.loads(json.dumps(plain_json(verdict.to_json())))
    assert Verdict.from_json(document) == verdict
    del document["none_adequate"]  # reports of before
    assert Verdict.from_json(document) == replace(verdict, none_adequate=False)


@pytest.mark.parametrize(
    ("of_each", "said"),
    [
        ([0.01, 0.04], "(p at most 0.040)"),
        ([0.01, 0.06], ""),
        ([0.3], ""),
        ([0.01, None], ""),  # too rough to be asked
        ([0.01, ValueError("negative state")], "could not be asked: negative state."),
    ],
)
def test_none_is_the_law_only_if_each_surely_leaves_something(of_each, said, monkeypatch):
    answers = iter(of_each)

    def asked(*of, **named):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer if answer is None else found(answer, "takes other terms in every fold")

    monkeypatch.setattr("ecodyn.comparison.judge.adequacy_of", asked)
    verdict = of_preys()
    assert verdict.none_adequate == ("(p at most" in said)
    assert said in verdict.statement
    assert ("None of these" in verdict.statement) == verdict.none_adequate


# ------------------------------------------------------------------------------------------------------ freed starts


@pytest.mark.parametrize("noise", [0.002, 0.02])
def test_no_start_is_moved_beyond_noise(noise):
    data = oscillators(noise, bend=0.15, runs=1)
    law = ecodyn.Linear(coupling="full").fit(oscillators(noise, bend=0.15, seed=1)).model_
    state, times = data.state("signal")[0], data.times[0]
    moved = freed_starts_of(law, state, times)
    assert np.all(np.abs(moved - state[0]) <= 3.5 * noise)  # σ is estimated, to some 10 %
    assert np.any(moved != state[0])


def test_a_start_without_noise_stays():
    data = oscillators(0.0, runs=1)
    law = ecodyn.Linear(coupling="full").fit(oscillators(0.0, seed=1)).model_
    state = data.state("signal")[0]
    assert np.array_equal(freed_starts_of(law, state, data.times[0]), state[0])


def test_a_family_that_fails_when_it_is_asked_costs_no_comparison(monkeypatch):
    def failing(*of, **named):
        raise ValueError("negative state")

    monkeypatch.setattr("ecodyn.comparison.judge.adequacy_of", failing)
    verdict = compared(oscillators(0.0)).verdict
    assert (verdict.status, verdict.adequacy) == ("decided", None)
    assert "could not be asked: negative state" in verdict.statement


def test_alternating_residuals_are_systematic():
    t = np.arange(40.0)
    assert _systematic(np.where(t % 2, 1.0, -1.0)[:, None], t) == pytest.approx(1.0)
    assert _systematic(np.ones((40, 1)), t) == pytest.approx(1.0)
    assert abs(_systematic(np.random.default_rng(0).normal(size=(4000, 3)), np.arange(4000.0))) < 0.05
