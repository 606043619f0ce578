"""Laws written as formulas: recovered, kept, invariant, and honest about what the data can't tell."""

import copy
import json
import pickle
import warnings

import numpy as np
import pytest
import sympy
from sklearn.base import clone

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.families import load_model
from ecodyn.families.configuration import Shooting
from ecodyn.families.formula import Formula
from ecodyn.trajectories import Trajectories

LOGISTIC = "r*x*(1 - x/K)"
STEPS = np.arange(31.0)


def logistic(r=0.2, K=2.0, starts=((0.1, 0.4), (0.2, 3.0), (0.3, 0.9)), steps=STEPS):
    """Exact solutions (run, step, feature)."""
    x0 = np.array(starts)[:, None]
    return Trajectories(K / (1 + (K / x0 - 1) * np.exp(-r * (steps - steps[0])[:, None])), steps)


@pytest.fixture(scope="module")
def law():
    return Formula(LOGISTIC, positive="all").fit(logistic())


def test_a_known_truth_is_recovered(law):
    assert law.coupling == "independent"
    np.testing.assert_allclose([law.model_.parameters["r"], law.model_.parameters["K"]], [0.2, 2.0], rtol=1e-6)
    assert law.model_.diagnostics.converged
    assert law.model_.warnings == ()


def test_a_rollout_is_the_solution(law):
    data = logistic(starts=[(0.05, 2.5)])
    rollout = law.simulate(data.values[0, 0], data.steps)
    np.testing.assert_allclose(rollout.signal, data.values, rtol=1e-6)


def test_units_of_signal_and_time_do_not_matter():
    noise = 1 + 0.02 * np.random.default_rng(0).normal(size=(3, 31, 2))
    values = logistic().values * noise
    found = Formula(LOGISTIC).fit_model(Trajectories(values, STEPS)).parameters
    scaled = Formula(LOGISTIC).fit_model(Trajectories(1e7 * values, 3600 * STEPS)).parameters
    np.testing.assert_allclose(scaled["K"] / 1e7, found["K"], rtol=1e-4)
    np.testing.assert_allclose(scaled["r"] * 3600, found["r"], rtol=1e-4)


def test_the_order_of_features_does_not_matter():
    data = logistic()
    turned = Trajectories(data.values[..., ::-1], data.steps)
    shooting = Shooting(refine=False)
    one, other = (Formula("r*x - c*x*mean(x)", shooting=shooting).fit_model(d).parameters for d in (data, turned))
    np.testing.assert_allclose(list(one.values()), list(other.values()), rtol=1e-8)


def test_model_files_are_exact_and_hold_no_code(law, tmp_path):
    law.model_.save(tmp_path / "law.json")
    same = load_model(tmp_path / "law.json")
    assert same.parameters == law.model_.parameters
    assert same.to_json() == law.model_.to_json()
    x, t = np.full((1, 2, 1), 0.7), np.zeros(1)
    np.testing.assert_array_equal(same.rhs(x, t), law.model_.rhs(x, t))


def test_a_model_goes_to_other_processes(law):
    law.model_.rhs(np.ones((1, 2, 1)), np.zeros(1))  # which compiles it
    same = pickle.loads(pickle.dumps(law.model_))  # noqa: S301 - of what was made here
    assert same.to_json() == law.model_.to_json()
    np.testing.assert_array_equal(
        same.rhs(np.ones((1, 2, 1)), np.zeros(1)), law.model_.rhs(np.ones((1, 2, 1)), np.zeros(1))
    )


@pytest.mark.parametrize(
    "change",
    [
        {"formula": "__import__('os').system('touch executed')"},
        {"formula": "r*x*(1 - x/K) + q"},
        {"formula": "r*x"},
        {"formula": 7},
        {"formula": "r*x*(1 - mean(x)/K)"},
        {"formula": "r*x_nobody*(1 - x/K)", "coupling": "full"},
        {"parameters": {"r": "0.2", "K": 2.0}},
        {"parameters": {"r": 0.2}},
        {"parameters": [0.2, 2.0]},
        {"parameters": {"r": 0.2, "K": True}},
        {"state": "signal,gradient"},
        {"drive": {"times": [0, 1], "values": [[1.0], [2.0]]}},
    ],
)
def test_damaged_and_hostile_model_files_are_refused(law, change, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    document = copy.deepcopy(law.model_.to_json()) | change
    (tmp_path / "law.json").write_text(json.dumps(document))
    with pytest.raises(UnusableDataError, match=r"law\.json"):
        load_model(tmp_path / "law.json")
    assert [path.name for path in tmp_path.iterdir()] == ["law.json"]


def test_what_is_printed_is_what_is_simulated():
    model = Formula("b - a*x + g*x**2/(h + mean(x**2))", shooting=Shooting(refine=False)).fit_model(logistic())
    (equation,) = model.equations()
    x = np.array([0.3, 1.1])
    function = sympy.lambdify(sympy.Symbol("x"), equation.rhs, modules=[{"mean": np.mean}, "numpy"])
    np.testing.assert_allclose(function(x), model.rhs(x[None, :, None], np.zeros(1))[0, :, 0], rtol=1e-12)
    assert r"\overline{x^{2}}" in model.to_latex()
    assert len(model.lines(2)[0]) < 70  # rounded inside the mean as well


def test_parameters_are_parameters():
    bounds, starts = {"K": (1, None)}, {"K": 3.0}
    law = Formula(LOGISTIC, positive=["r"], bounds=bounds, starts=starts, name="mine")
    assert clone(law).get_params() == law.get_params()
    assert law.bounds is bounds
    assert law.set_params(formula="a*x").statement.parameters == ("a",)


@pytest.mark.slow
def test_a_state_with_a_trait_and_a_law_of_time():
    rng = np.random.default_rng(1)
    trait = rng.uniform(0.5, 2, (4, 1, 3)) * np.ones((1, 31, 1))
    t = STEPS[:, None]
    values = 1 + trait * (1 - np.exp(-0.3 * t)) + 0.1 * t
    data = Trajectories(values, STEPS, observables={"gradient": trait})
    model = Formula("a*gradient*exp(-a*t) + c", state="signal,gradient@start").fit_model(data)
    np.testing.assert_allclose([model.parameters["a"], model.parameters["c"]], [0.3, 0.1], rtol=1e-6)
    assert not model.autonomous


def test_a_second_order_law_moves_its_velocity():
    t = np.arange(0.0, 40.0, 0.5)
    phase = np.array([[0.1, 1.0], [2.0, 0.6], [1.4, 3.0]])[:, None]
    data = Trajectories(np.cos(0.4 * t[:, None] + phase), t).window(2, 30)
    model = Formula("-k*x", state="signal,velocity").fit_model(data)
    np.testing.assert_allclose(model.parameters["k"], 0.16, rtol=0.05)  # the velocity is a difference quotient
    assert len(model.equations()) == 2


def test_features_by_name():
    """ẋᵢ = c·hare − a·xᵢ: the hare grows by c − a, and the lynx comes to follow it."""
    c, a, hares, lynxes = 0.15, 0.1, np.array([1.0, 0.7, 1.4]), np.array([0.2, 2.0, 1.0])
    hare = hares[:, None] * np.exp((c - a) * STEPS)
    lynx = hare + (lynxes - hares)[:, None] * np.exp(-a * STEPS)
    values = np.stack([hare, lynx], axis=-1)
    law = Formula("c*x_hare - a*x")
    assert law.coupling == "full"
    model = law.fit_model(Trajectories(values, STEPS, ["hare", "lynx"], labels_shared=True))
    np.testing.assert_allclose([model.parameters["c"], model.parameters["a"]], [c, a], rtol=1e-6)
    with pytest.raises(ValueError, match="labels_shared=True"):
        law.fit(Trajectories(values, STEPS, ["hare", "lynx"]))
    with pytest.raises(ValueError, match="name a feature, 1, 2, got x_hare"):
        law.fit(Trajectories(values, STEPS, [1, 2], labels_shared=True))


def test_what_the_data_can_not_tell_is_named():
    with pytest.warns(DataWarning, match="a and b can't be told"):
        model = Formula("a*b*x + c").fit(logistic()).model_
    assert not model.diagnostics.identified[0, :2].any()
    assert model.diagnostics.identified[0, 2]


def test_a_parameter_at_its_bound_is_said_to_be():
    """ẋ = −0.1(x − 0.5) asks for a constant above 0."""
    values = 0.5 + np.array([[1.0, 2.0], [0.4, 3.0]])[:, None] * np.exp(-0.1 * STEPS[:, None])
    with pytest.warns(DataWarning, match="at a bound, c at 0"):
        Formula("-a*x - c", positive="all").fit(Trajectories(values, STEPS))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"positive": ["q"]}, "parameters r, K, got 'q'"),
        ({"positive": "r"}, r"such as \['a', 'n'\]"),
        ({"bounds": {"q": (0, 1)}}, "got 'q'"),
        ({"bounds": {"K": (2, 1)}}, "low under high"),
        ({"bounds": {"K": 3}}, r"\(low, high\)"),
        ({"bounds": {"K": (-2, -1)}, "positive": ["K"]}, "nothing above 0"),
        ({"starts": {"K": "much"}}, "a number between"),
        ({"starts": {"K": -1.0}, "positive": ["K"]}, "between 0 and inf"),
        ({"searches": 0}, "searches is a whole number"),
        ({"dynamics": "jump"}, "dynamics is"),
        ({"formula": "r*x*(1 - x/K"}, r"expected \)"),
    ],
)
def test_wrong_options_are_a_sentence(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        Formula(**{"formula": LOGISTIC, **options}).fit(logistic())


def test_a_formula_without_a_value_along_the_data_is_refused():
    data = Trajectories(logistic().values - 1.0, STEPS)
    with pytest.raises(UnusableDataError, match=r"finite value along the data.*values are negative"):
        Formula("a*x**n").fit(data)


def test_a_rollout_that_loses_its_value_ends_with_a_status(law):
    model = Formula("a - b*log(x)", shooting=Shooting(refine=False)).fit_model(logistic())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rollout = model.simulate([-1.0, 0.5], STEPS)
    assert rollout.status[0] != "ok"


def test_a_map_is_fitted_exactly():
    x = [np.array([0.2, 0.5])]
    for _ in range(30):
        x.append(x[-1] + 0.3 * x[-1] * (1 - x[-1] / 2))
    model = Formula(LOGISTIC, dynamics="map").fit_model(Trajectories([np.array(x)], STEPS))
    np.testing.assert_allclose([model.parameters["r"], model.parameters["K"]], [0.3, 2.0], rtol=1e-8)
    assert "x(t + 1)" in str(model.equations()[0].lhs)


def test_folds_fitted_together_are_those_fitted_alone():
    noise = 1 + 0.02 * np.random.default_rng(0).normal(size=(2, 31, 2))
    starts = [(0.1, 0.4), (0.2, 3.0)], [(0.3, 0.9), (0.1, 1.5)]
    folds = [Trajectories(logistic(starts=each).values * noise, STEPS) for each in starts]
    law = Formula(LOGISTIC, shooting=Shooting(stages=(0.5,)))
    for together, alone in zip(law.fit_models(folds), map(law.fit_model, folds), strict=True):
        np.testing.assert_allclose(list(together.parameters.values()), list(alone.parameters.values()), rtol=1e-7)
