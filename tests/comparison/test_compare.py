"""Comparisons of systems whose law is known: the true one is best, once, by whatever it is asked for."""

import json
from dataclasses import fields

import numpy as np
import pytest
from known_laws import COUPLINGS, FAMILIES, LAWS, UNSEEN, quick, system

from ecodyn import Linear, Matching, Shooting, SINDy, Trajectories, compare
from ecodyn.comparison.contenders import Contender
from ecodyn.comparison.request import Options, Request
from ecodyn.equations.forms import polynomial_library
from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families.base import LibraryFamily
from ecodyn.families.model_name import ModelName

# -------------------------------------------------------------------------------------------------- the right answer


@pytest.mark.parametrize(
    ("law", "scale", "family", "coupling"),
    [
        ("linear", 1.0, "linear", "exchangeable"),
        ("linear", 100.0, "linear", "exchangeable"),
        ("lotka_volterra", 1.0, "lotka_volterra", "exchangeable"),
        ("lotka_volterra", 100.0, "lotka_volterra", "exchangeable"),
        ("logistic", 100.0, "lotka_volterra", "independent"),
    ],
)
def test_the_true_law_is_best(law, scale, family, coupling):
    data = system(law, scale=scale, samples=41, features=4)
    found = compare(data, FAMILIES, COUPLINGS, protocols=UNSEEN, folds=2)
    verdict = found.verdict
    assert verdict.best.matches(family=family, coupling=coupling)
    assert verdict.status == ("tied" if law == "logistic" else "decided")
    assert verdict.coupling_identified == (coupling == "exchangeable")
    assert verdict.runs == 8
    best = found.score(family, coupling, kind="family")
    assert best.skill > 1 - 1e-7
    assert best.in_confidence_set
    assert best.diverged == 0
    assert verdict.holds


def test_noise_does_not_hide_the_true_law():
    data = system("lotka_volterra", scale=100.0)
    noisy = data.values + np.random.default_rng(3).normal(0, 5.0, data.values.shape)
    verdict = quick(Trajectories(noisy, data.steps), FAMILIES, protocols=UNSEEN).verdict
    assert verdict.best.matches(family="lotka_volterra", coupling="exchangeable")


def test_a_model_compared_with_itself_ties():
    class Again(Linear):
        name = "linear_again"

    found = quick(system("lotka_volterra"), [Linear, Again], ["exchangeable"], protocols=UNSEEN)
    one, two = (found.score(name, "exchangeable", kind="family") for name in ("linear", "linear_again"))
    assert one.loss_per_run.tolist() == two.loss_per_run.tolist()
    assert one.p_value == two.p_value
    assert [name.family for name in found.verdict.tied] == ["linear", "linear_again"]
    assert found.verdict.best.family == "linear"


def test_the_same_model_twice_is_refused():
    with pytest.raises(ValueError, match="each model once"):
        compare(system("linear"), ["linear", "linear"], COUPLINGS)


class Quadratic(LibraryFamily):
    """ẋᵢ = b + a xᵢ + c xᵢ²: a user's own family, which is in no registry."""

    name = "quadratic"
    couplings = ("independent",)

    def library(self, channels, features):
        return polynomial_library(self.coupling, channels, features, 2)


def test_two_configurations_of_one_family_are_two_models():
    """Told apart by what of them is not the default; a score that may be either is refused."""
    ridges = [Linear(matching=Matching(ridge=ridge), shooting=Shooting(refine=False)) for ridge in (1e-6, 1.0)]
    result = compare(system("linear"), ridges, protocols=UNSEEN, folds=2)
    families = [m for m in result.models if m.kind == "family"]
    assert [m.name.variant for m in families] == ["ridge=1e-06, refine=False", "ridge=1, refine=False"]
    assert families[0].skill > families[1].skill
    with pytest.raises(KeyError, match=r"may be any of .*; say which by state, dynamics, kind or variant"):
        result.score("linear", "exchangeable")
    for m in families:
        assert result.score(m.name) is m
        assert result.score("linear", "exchangeable", variant=m.name.variant) is m


def test_one_configuration_has_one_name():
    data = system("linear")
    ridges = [Linear(matching=Matching(ridge=ridge), shooting=Shooting(refine=False)) for ridge in (1, np.float64(1.0))]
    with pytest.raises(ValueError, match="expected each model once"):
        compare(data, ridges, protocols=UNSEEN, folds=2)
    paths = [SINDy("independent", thresholds=np.linspace(1e-3, 1, 200) + shift) for shift in (0.0, 1e-6)]
    names = [str(Contender.of(path).name) for path in paths]
    assert names[0] != names[1]
    assert max(map(len, names)) < 60


def test_a_seed_changes_only_what_depends_on_it():
    """What is fitted without chance has its equations, its drawn rollouts and its bands at any seed."""
    data = system("linear")
    one, other = (quick(data, ["linear"], ["exchangeable"], folds=2, seed=seed) for seed in (0, 5))
    assert [m.skill for m in one.models] == [m.skill for m in other.models]
    assert [m.equations for m in one.models] == [m.equations for m in other.models]
    assert any(m.equations for m in other.models)
    assert one.windows[0].errors.keys() == other.windows[0].errors.keys() != set()
    assert all(other.windows[0].drawn[key].keys() == drawn.keys() for key, drawn in one.windows[0].drawn.items())


def test_a_score_of_another_state_is_never_returned():
    law = Linear("independent", "signal,velocity", shooting=Shooting(refine=False))
    result = compare(system("logistic", samples=71).window(3.0, 30.0), [law], protocols=UNSEEN, folds=2)
    assert result.score("linear", "independent", state="signal,velocity").state == "signal,velocity"
    with pytest.raises(KeyError, match="no linear/independent"):
        result.score("linear", "independent", state="signal")


def test_options_are_the_requests():
    """What type checkers know of compare's keywords is what a request takes, but for what compare opens itself."""
    named = {field.name for field in fields(Request)} - {"families", "couplings", "kept"}
    assert set(Options.__annotations__) == named


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"protocols": []}, "protocols are unseen_runs, forecast, in_sample; got none"),
        ({"protocols": "unseen_runs"}, "protocols is a list"),
        ({"protocols": ["in_sample", "in_sample"]}, "expected each protocol once"),
        ({"jobs": -1}, "jobs is a number of processes"),
        ({"folds": 1}, "at least 2 folds"),
        ({"margin": -0.1}, "the margin is a share of at least 0"),
        ({"survivor_rule": "luck"}, "expected a survivor rule, twice_mean"),
        ({"surrogates": 5}, "at least 19 surrogates"),
    ],
)
def test_a_request_that_no_data_could_answer_is_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Request(**options)


def test_a_margin_is_a_share():
    """A tenth more unexplained is as good as equal at margin=0.1, and the statement says 10 %."""
    result = quick(system("linear"), ["linear", "sindy"], ["exchangeable"], protocols=UNSEEN, margin=0.25)
    assert result.settings["margin"] == 0.25
    assert "at most 25% more" in result.verdict.statement or result.verdict.status == "decided"


def test_a_users_own_family_takes_part():
    found = quick(system("quadratic", until=20), [Quadratic, *FAMILIES])
    verdict = found.verdict
    assert verdict.best.matches(family="quadratic", coupling="independent")
    protocols = {m.protocol for m in found.models if m.family == "quadratic"}
    assert protocols == {"unseen_runs", "forecast", "in_sample"}
    assert "x**2" in found.score("quadratic", "independent").equations
    assert found.score("quadratic", "independent").library_size == 3
    assert json.dumps(found.to_json(), allow_nan=False)


# ------------------------------------------------------------------------------------------------------ maps and flows


def iterates(h, runs=8, count=24):
    """Runs of the map x + h·f(x), f the Lotka-Volterra law's."""
    states = [np.random.default_rng(0).uniform(2, 20, (runs, 4))]
    for _ in range(count):
        x = states[-1]
        states.append(x + h * LAWS["lotka_volterra"](x, x.mean(axis=-1, keepdims=True)))
    return Trajectories(np.stack(states, axis=1), h * np.arange(count + 1.0))


@pytest.mark.parametrize("true", ["flow", "map"])
def test_a_map_is_told_from_a_flow(true):
    data = iterates(2.0) if true == "map" else system("lotka_volterra", samples=16, until=30.0)
    found = compare(data, ["lotka_volterra"], ["exchangeable"], dynamics="flow,map", protocols=UNSEEN, folds=2)
    assert found.verdict.status == "decided"
    assert found.verdict.best == ModelName("lotka_volterra", "exchangeable", dynamics=true)
    labels = [m.label for m in found.windows[0].of("unseen_runs") if m.kind in ("family", "clock")]
    assert sorted(labels) == sorted(
        f"lotka_volterra/exchangeable{mark}{kind}" for mark in ("", " (map)") for kind in ("", " clock")
    )
    best = found.score("lotka_volterra", "exchangeable", kind="family", dynamics=true)
    assert best.skill > 1 - 1e-4
    assert best.to_json()["dynamics"] == true
    assert {m.dynamics for m in found.models if m.kind == "null"} == {None}


def test_what_has_no_map_is_left_out_and_said():
    with pytest.warns(DataWarning, match="neural_ode is a flow only"):
        found = quick(iterates(1.0), ["linear", "neural_ode"], ["exchangeable"], dynamics="map", protocols=UNSEEN)
    assert {m.family for m in found.models if m.kind == "family"} == {"linear"}
    with pytest.raises(ValueError, match="as a map"):
        compare(iterates(1.0), ["neural_ode"], dynamics="map")


def test_maps_of_uneven_steps_are_refused_and_flows_go_on():
    data = system("linear")
    uneven = Trajectories(data.values[:, ::2][:, 1:], data.steps[::2][1:] ** 2)
    with pytest.raises(UnusableDataError, match="evenly spaced"):
        quick(uneven, dynamics="map")
    found = quick(uneven, couplings=["exchangeable"], dynamics="flow,map", protocols=UNSEEN)
    assert {m.dynamics for m in found.models if m.kind == "family"} == {"flow"}
    assert any("evenly spaced" in failure for failure in found.failures)
