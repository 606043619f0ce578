"""Comparisons of systems whose law is known, and everything around them that must hold."""

import json
import math
import warnings
from dataclasses import fields, replace

import numpy as np
import pytest

from ecodyn import Linear, Matching, Shooting, SINDy, Trajectories, compare, integrate
from ecodyn.comparison import Comparison, InterruptedComparison
from ecodyn.comparison.contenders import Contender
from ecodyn.comparison.request import Options, Request
from ecodyn.equations.forms import polynomial_library
from ecodyn.errors import DataWarning, NothingFittedError, UnusableDataError
from ecodyn.families.base import LibraryFamily
from ecodyn.families.model_name import ModelName

FAMILIES = ["linear", "lotka_volterra"]
COUPLINGS = ["independent", "exchangeable"]
OWN = ["linear_again", "quadratic", "failing", "interrupting", "exploding", "losing_its_clock"]
QUICK = {name: {"refine": False} for name in (*FAMILIES, *OWN)}
WINDOWS = [(0, 30), (0, 10), (10, 30)]
UNSEEN = ["unseen_runs"]

LAWS = {
    # An equilibrium away from zero; coupled through the mean.
    "linear": lambda x, m: 0.6 - 0.08 * x + 0.05 * m,
    "lotka_volterra": lambda x, m: x * (0.25 - 0.01 * x - 0.015 * m),
    "logistic": lambda x, m: x * (0.2 - 0.02 * x),
    "quadratic": lambda x, m: 2.0 - 0.01 * x**2,
}


def system(law, *, scale=1.0, runs=8, samples=61, features=4, seed=0, until=30.0, **more):
    """Runs of a known law, solved far tighter than anything asserted of them."""
    start = np.random.default_rng(seed).uniform(2, 20, (runs, features))
    times = np.linspace(0, until, samples)

    def slopes(x, t):
        return LAWS[law](x, x.mean(axis=-1, keepdims=True))

    values = integrate(slopes, start, times, rtol=1e-11).values
    return Trajectories(scale * values, times, **more)


def quick(data, families=("linear",), couplings=COUPLINGS, **more):
    """A comparison by integral matching alone."""
    names = {*FAMILIES, *(f if isinstance(f, str) else f.name for f in families)}
    parameters = {name: own for name, own in QUICK.items() if name in names}
    return compare(data, list(families), couplings, **{"parameters": parameters, **more})


@pytest.fixture(scope="module")
def found():
    """One comparison that several tests read."""
    return quick(system("lotka_volterra"), FAMILIES, windows=WINDOWS)


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
    assert found.verdict.status == "tied"
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
    """What type checkers know of compare's keywords is what a request takes."""
    named = {field.name for field in fields(Request)} - {"families", "couplings"}
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


# ------------------------------------------------------------------------------------------------------- report.json

VERDICT_KEYS = {
    "best",
    "status",
    "tied",
    "undecided_against",
    "runs_needed",
    "statement",
    "share_of_neural_ode",
    "coupling_identified",
}
MODEL_KEYS = {
    "family",
    "coupling",
    "state",
    "kind",
    "protocol",
    "window",
    "skill",
    "skill_low",
    "skill_high",
    "skill_median",
    "skill_per_run",
    "log_skill",
    "diverged",
    "survivor_auc",
    "order_crossing",
    "one_step_r2",
    "n_coefficients",
    "library_size",
    "in_confidence_set",
    "p_value",
    "fit_seconds",
    "equations",
}


def numbers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for v in value:
            yield from numbers(v)
    elif isinstance(value, float | int):
        yield value


def test_the_report_has_its_keys(found):
    report = found.to_json()
    assert report["schema"] == 2
    assert report["protocol"] == "unseen_runs"
    assert report["window"] == [0.0, 30.0]
    assert {"schema", "protocol", "window", "verdict", "models", "pairs", "windows", "data", "settings"} <= set(report)
    assert set(report["verdict"]) >= VERDICT_KEYS
    for m in report["models"]:
        assert set(m) >= MODEL_KEYS
        assert m["kind"] in ("family", "null", "ceiling", "clock")
        assert m["coupling"] is not None or m["kind"] in ("null", "ceiling")
        assert len(m["skill_per_run"]) == 8
    for pair in report["pairs"]:
        assert set(pair) >= {"a", "b", "protocol", "window", "skill_difference", "low", "high"}
        assert pair["low"] <= pair["skill_difference"] <= pair["high"]
    assert all(set(w) >= {"window", "verdict"} for w in report["windows"])


def test_the_report_is_plain_json(found, tmp_path):
    report = found.to_json()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert all(math.isfinite(n) for n in numbers(report))
    found.save(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == report


def test_a_report_is_read_back(found, tmp_path):
    """Save and load are the identity on all that a report says."""
    found.save(tmp_path / "report.json")
    again = Comparison.load(tmp_path / "report.json")
    assert again.to_json() == found.to_json()
    assert again.verdict == found.verdict
    assert [m.name for m in again.models] == [m.name for m in found.models]
    for mine, theirs in zip(found.models, again.models, strict=True):
        np.testing.assert_array_equal(mine.skill_per_run, theirs.skill_per_run)
        assert (mine.model is None) == (theirs.model is None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda r: {**r, "schema": 1}, "follows schema 1, this version reads 2: run the comparison again"),
        (lambda r: {"models": []}, "expected a report.json of ecodyn compare"),
        (lambda r: {**r, "windows": [{}]}, "is damaged"),
    ],
)
def test_what_is_no_report_of_this_schema_is_refused(found, tmp_path, change, sentence):
    (tmp_path / "report.json").write_text(json.dumps(change(found.to_json())))
    with pytest.raises(UnusableDataError, match=sentence):
        Comparison.load(tmp_path / "report.json")


def test_scores_as_tables(found):
    frame, dataset = found.to_dataframe(), found.to_dataset()
    assert len(frame) == len(found.models)
    for m, (_, row) in zip(found.models, frame.iterrows(), strict=True):
        assert (row["model"], row["protocol"], row["window_first"]) == (m.label, m.protocol, m.window[0])
        place = {"window": WINDOWS.index(m.window), "protocol": m.protocol, "model": m.label}
        place = {"window": place.pop("window")}, place
        cell = dataset.isel(place[0]).sel(place[1])
        assert row["skill"] == m.skill == float(cell["skill"])
        np.testing.assert_array_equal(cell["skill_per_run"], m.skill_per_run)


def test_every_model_says_how_it_was_made(found):
    for m in found.models:
        assert m.fits == m.folds * m.seeds
        assert bool(m.parameters) == m.name.is_law
    forecast = found.score("linear", "exchangeable", protocol="forecast")
    unseen = found.score("linear", "exchangeable", protocol="unseen_runs")
    stages = {k: v for k, v in forecast.parameters.items() if k.endswith("stages")}
    assert stages != {k: unseen.parameters[k] for k in stages}  # a protocol sets them, and the report says so
    assert found.settings["versions"]["numpy"] == np.__version__


def test_scores_hold_together(found):
    for m in found.models:
        skills = m.skill_per_run[np.isfinite(m.skill_per_run)]
        assert m.skill == pytest.approx(skills.mean())
        assert m.skill_interval.low <= m.skill <= m.skill_interval.high
        assert m.skill_median == pytest.approx(np.median(skills))
        if m.protocol != "forecast":
            assert m.horizons[-1] == pytest.approx(m.skill)
        assert m.in_confidence_set == (m.p_value > 0.1)
        if m.family == "persistence":
            assert m.skill == pytest.approx(0, abs=1e-9)
        # One law of the signal alone never reorders features, so its survivors are the starting signal's.
        assert math.isnan(m.survivor_auc)
        if m.kind == "family" and m.protocol != "forecast":
            assert m.order_crossing == 0.0
        assert math.isnan(m.one_step_r2) == (m.protocol != "in_sample")


def test_each_window_has_a_verdict(found):
    assert [w.window for w in found.windows] == WINDOWS
    assert all(set(w.verdicts) == {"unseen_runs", "forecast"} for w in found.windows)
    assert found.verdict is found.windows[0].verdict
    assert {m.window for m in found.models} == set(WINDOWS)
    for w in found.windows:
        assert f"steps {w.window[0]:g} to {w.window[1]:g}" in w.verdict.statement


def without_seconds(report):
    for m in report["models"]:
        del m["fit_seconds"]
        if "law" in m:
            del m["law"]["diagnostics"]["seconds"]
    return report


@pytest.mark.slow
def test_processes_change_no_number():
    one, two = (quick(system("lotka_volterra"), jobs=jobs) for jobs in (1, 2))
    assert without_seconds(two.to_json()) == without_seconds(one.to_json())


def test_progress_counts_to_the_end():
    calls = []
    quick(system("linear"), windows=[(0, 15), (15, 30)], progress=lambda *call: calls.append(call))
    assert [done for done, _, _ in calls] == list(range(1, len(calls) + 1))
    assert {total for _, total, _ in calls} == {len(calls)}


# ---------------------------------------------------------------------------------------------------- kinds of data


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


def test_what_diverges_on_a_run_that_does_not_move_is_compared_on_the_others(quiet):
    values = system("linear").values.copy()
    values[2] = values[2, :1]
    found = quick(Trajectories(values, np.linspace(0, 30, 61)), [LosingItsClock, Exploding], None, protocols=UNSEEN)
    assert found.verdict.runs == 7
    for m in found.models:
        assert m.left_out == 1
        assert len(m.loss_per_run) == 7


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


# ------------------------------------------------------------------------------------------- failures and interrupts


def exploding(law):
    """ẋᵢ = xᵢ², whatever the data say."""
    library = polynomial_library("independent", law.library.channels, law.library.features, 2)
    return replace(law, library=library, coefficients=np.array([[0.0, 0.0, 1.0]]), diagnostics=None)


class Failing(Linear):
    name = "failing"

    def fit_model(self, trajectories, *, clock=False):
        raise ValueError("expected the impossible, got these data; give up")


class Interrupting(Linear):
    name = "interrupting"

    def fit_model(self, trajectories, *, clock=False):
        raise KeyboardInterrupt


class Exploding(Linear):
    name = "exploding"
    couplings = ("independent",)

    def fit_model(self, trajectories, *, clock=False):
        return exploding(super().fit_model(trajectories))


class LosingItsClock(Linear):
    name = "losing_its_clock"
    couplings = ("exchangeable",)

    def fit_model(self, trajectories, *, clock=False):
        law = super().fit_model(trajectories)
        return exploding(law) if clock else law


def test_one_failing_family_does_not_stop_the_others():
    data = system("lotka_volterra")
    found, alone = (quick(data, f, protocols=UNSEEN) for f in ([Failing, "linear"], ["linear"]))
    assert found.verdict.to_json() == alone.verdict.to_json()
    assert not any(m.family == "failing" for m in found.models)
    assert len(found.failures) == 3  # two couplings, and a clock
    assert all("expected the impossible" in f for f in found.failures)
    assert found.to_json()["failures"] == list(found.failures)


def test_when_all_fail_it_says_so():
    with pytest.raises(NothingFittedError, match="expected the impossible"):
        quick(system("linear"), [Failing])


def test_what_was_finished_survives_an_interrupt():
    with pytest.raises(InterruptedComparison) as caught:
        # What was named last is done first: the built-in families are in order of cost.
        quick(system("lotka_volterra"), [Interrupting, *FAMILIES], ["independent"])
    finished = caught.value.finished
    assert finished.interrupted
    assert {m.family for m in finished.models if m.kind == "family"} == set(FAMILIES)
    assert finished.to_json()["interrupted"] is True


def test_an_interrupt_before_anything_is_finished_leaves_nothing():
    with pytest.raises(KeyboardInterrupt) as caught:
        quick(system("linear"), [Interrupting])
    assert caught.value.finished is None


def test_a_family_whose_rollouts_diverge_is_listed():
    found = quick(system("logistic"), [Exploding, "linear"])
    exploded = found.score("exploding", "independent")
    assert exploded.diverged == 8
    assert math.isnan(exploded.skill)
    assert not exploded.in_confidence_set
    assert found.verdict.diverged == {exploded.name: 8}
    assert found.verdict.best is None or found.verdict.best.family == "linear"
    json.dumps(found.to_json(), allow_nan=False)


def test_where_every_family_diverges_there_is_none():
    found = quick(system("logistic"), [Exploding], protocols=UNSEEN)
    assert found.verdict.status == "no_family"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"protocols": ["unseen"]}, "protocols are"),
        ({"protocols": []}, "protocols are"),
        ({"families": ["lotka"]}, "unknown family"),
        ({"families": ["linear"], "couplings": ["mean_field"]}, "got mean_field"),
        ({"windows": [(40, 50)]}, "no step in the window"),
        ({"families": ["linear"], "windows": [(0, 0.6)]}, "at least 3 steps"),
        ({"families": ["linear"], "state": "signal,gradient@start"}, "gradient"),
    ],
)
def test_what_can_not_be_done_is_refused_in_a_sentence(arguments, message):
    with pytest.raises(ValueError, match=message):
        compare(system("linear"), **arguments)


def test_a_quiet_comparison_is_quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert quick(system("linear")).warnings == ()


# -------------------------------------------------------------------------------------------------- what a review found


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


def test_an_error_of_any_kind_is_one_models_failure():
    class Confused(Linear):
        name = "confused"

        def fit_model(self, trajectories, *, clock=False):
            raise TypeError("what is this?")

    with pytest.raises(NothingFittedError, match="TypeError: what is this"):
        quick(system("linear"), [Confused], ["independent"])
    result = quick(system("linear"), ["linear", Confused], ["independent"])
    assert result.score("linear", "independent").skill > 0
    assert "what is this" in result.failures[0]


def test_rates_that_are_no_numbers_make_no_null():
    data = system("linear", provenance={"learning_rate": [0.01, 0.001], "weight_decay": 0.5})
    result = quick(data, couplings=["independent"], protocols=UNSEEN)
    assert not result.failures
    with pytest.raises(KeyError):
        result.score("known_decay")


def test_nothing_that_could_be_fitted_is_wrong_usage():
    with pytest.raises(ValueError, match="at least 2 independent runs"):
        quick(system("linear", runs=1), couplings=["independent"], protocols=UNSEEN)
    with pytest.raises(ValueError, match="labels are shared"):
        quick(system("linear"), couplings=["full"], protocols=UNSEEN)


def test_thinning_keeps_the_windows_first_step():
    result = quick(system("linear"), couplings=["independent"], windows=[(0.5, 30)], every=7, protocols=UNSEEN)
    assert result.windows[0].window[0] == 0.5
