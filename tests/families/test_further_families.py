"""Families on formulas: what is known of each is found again, and nothing of them comes unasked."""

import numpy as np
import pytest
from sklearn.base import clone

from ecodyn.families import FURTHER, REGISTRY, asked_for, family, family_names, load_model
from ecodyn.families.configuration import Shooting
from ecodyn.families.estimator import Family
from ecodyn.trajectories import Trajectories

STEPS = np.linspace(0.0, 40.0, 41)
# Parameters of each, and what else is set: name, coupling, options, parameters, ẋ of x (feature,).
TRUTHS = [
    (
        "share",
        "exchangeable",
        {},
        {"b": 0.02, "a": 0.1, "g": 0.25, "n": 3.0, "k": 1.5},
        lambda x, b, a, g, n, k: b - a * x + g * x**n / (x**n + k * np.mean(x**n)),
    ),
    (
        "share",
        "independent",
        {},
        {"b": 0.02, "a": 0.1, "g": 0.25, "n": 3.0, "h": 0.9},
        lambda x, b, a, g, n, h: b - a * x + g * x**n / (x**n + h**n),
    ),
    (
        "hill",
        "independent",
        {"holling": 2},
        {"g": 0.3, "h": 0.8, "a": 0.12},
        lambda x, g, h, a: g * x / (x + h) - a * x,
    ),
    ("hill", "independent", {}, {"g": 0.3, "h": 0.8, "a": 0.12}, lambda x, g, h, a: g * x**2 / (x**2 + h) - a * x),
    (
        "hill",
        "exchangeable",
        {},
        {"g": 0.4, "h": 0.4, "k": 0.5, "a": 0.12},
        lambda x, g, h, k, a: g * x**2 / (x**2 + h + k * np.mean(x**2)) - a * x,
    ),
    ("power_law", "independent", {}, {"c": 0.3, "n": 0.6, "a": 0.2}, lambda x, c, n, a: c * x**n - a * x),
    (
        "power_law",
        "exchangeable",
        {},
        {"c": 0.3, "n": 0.6, "a": 0.1, "d": 0.08},
        lambda x, c, n, a, d: c * x**n - a * x - d * x * x.mean(),
    ),
    ("gompertz", "independent", {}, {"r": 0.1, "K": 2.5}, lambda x, r, K: r * x * np.log(K / x)),
    (
        "gompertz",
        "exchangeable",
        {},
        {"r": 0.1, "K": 3.5, "c": 0.4},
        lambda x, r, K, c: r * x * np.log(K / (x + c * x.mean())),
    ),
    (
        "replicator",
        "exchangeable",
        {},
        {"a": 0.02, "n": 1.3},
        lambda x, a, n: a * x * (x**n - np.mean(x ** (n + 1)) / x.mean()),
    ),
    (
        "replicator",
        "exchangeable",
        {"normalised": False},
        {"r": 0.05, "a": -0.06, "n": 1.3, "c": -0.03},
        lambda x, r, a, n, c: x * (r + a * x**n - c * np.mean(x ** (n + 1)) / x.mean()),
    ),
]
every_truth = pytest.mark.parametrize(
    ("name", "coupling", "options", "parameters", "slopes"), TRUTHS, ids=[f"{t[0]}-{t[1]}-{t[2]}" for t in TRUTHS]
)
QUICK = [("share", "exchangeable"), ("gompertz", "independent")]  # one that has a clock, one that has none
FORMULAS = [
    pytest.param(name, coupling, marks=() if (name, coupling) in QUICK else pytest.mark.slow)
    for name in FURTHER
    for coupling in family(name).couplings
]


def runs_of(solve, slopes, parameters, runs=5, features=3, seed=0):
    rng = np.random.default_rng(seed)
    starts = rng.uniform(0.4, 2.0, (runs, features))
    return Trajectories([solve(lambda t, x: slopes(x, **parameters), x0, STEPS) for x0 in starts], STEPS)


# Those that can't be fitted without rollouts, or whose terms are selected.
ROLLED_OUT = {
    "consumer_resource": {"shooting": Shooting(max_iterations=3), "searches": 1},
    "linear_hidden": {"shooting": Shooting(max_iterations=3), "searches": 1, "warm_up": 0},
    "residual_hidden": {"shooting": Shooting(max_iterations=3), "searches": 1, "units": 1, "warm_up": 0},
    "rational": {"degree": 2, "denominator_degree": 1},
}


def quickly(name, coupling, **options):
    """Without rollouts that are made to follow the data, or with few."""
    quick = ROLLED_OUT.get(name, {"shooting": Shooting(refine=False), "searches": 1})
    return family(name)(coupling, **quick, **options)


@every_truth
def test_right_hand_sides_are_what_they_say(name, coupling, options, parameters, slopes):
    law = family(name)(coupling, **options)
    assert set(law.statement.parameters) == set(parameters)
    from ecodyn.formulas.law import FormulaLaw

    theta = np.array([[parameters[p] for p in law.statement.parameters]])
    x = np.array([0.4, 1.1, 1.9])
    found = FormulaLaw(law.statement).at(theta).rhs(x[None, :, None], np.zeros(1))[0, :, 0]
    np.testing.assert_allclose(found, slopes(x, **parameters), rtol=1e-12)


@pytest.mark.slow
@every_truth
def test_a_known_truth_is_recovered(solve, name, coupling, options, parameters, slopes):
    model = family(name)(coupling, **options).fit_model(runs_of(solve, slopes, parameters))
    for parameter, value in parameters.items():
        np.testing.assert_allclose(model.parameters[parameter], value, rtol=1e-6, err_msg=parameter)
    assert not model.warnings


@pytest.mark.slow
@every_truth
def test_a_noisy_truth_is_within_its_intervals(solve, name, coupling, options, parameters, slopes):
    """5 % of every value, starting values included, which are then estimated too."""
    inside, several = 0, range(6)
    for seed in several:
        clean = runs_of(solve, slopes, parameters, runs=8, features=4, seed=seed)
        noise = 1 + 0.05 * np.random.default_rng(seed).normal(size=clean.values.shape)
        law = family(name)(coupling, shooting=Shooting(estimate_starts=True), **options)
        model = law.fit_model(Trajectories(clean.values * noise, STEPS))
        d, names = model.diagnostics, list(model.parameters)
        inside += sum(d.low[0, i] <= parameters[p] <= d.high[0, i] for i, p in enumerate(names))
    assert inside >= 0.75 * len(several) * len(parameters)  # 95 % intervals: 90 % of all in benchmarks of more seeds


@pytest.mark.parametrize(("name", "coupling"), FORMULAS)
@pytest.mark.usefixtures("quiet")
def test_the_contract_of_families_holds(competing_runs, name, coupling, tmp_path):
    data = competing_runs(steps=15, runs=3)
    law = quickly(name, coupling)
    copy = clone(law)
    assert copy.get_params() == law.get_params()
    model = law.fit(data).model_
    assert (model.family, model.coupling) == (name, coupling)
    model.save(tmp_path / "law.json")
    assert load_model(tmp_path / "law.json").to_json() == model.to_json()
    rollout = model.simulate(data.values[:, 0], data.times)
    assert rollout.signal.shape == data.shape
    assert rollout.values.shape[-1] == len(model.channels)
    assert (law.fit_model(data, clock=True).drive is not None) == law.clock_applies()
    with pytest.raises(ValueError, match="couplings"):
        quickly(name, "full").fit(data)


def test_options_of_families_are_checked(competing_runs):
    for name, option, sentence in (("hill", {"holling": 4}, "2 or 3"), ("replicator", {"normalised": "no"}, "True")):
        with pytest.raises(ValueError, match=sentence):
            quickly(name, "exchangeable", **option).fit(competing_runs(steps=15))


def test_they_are_asked_for_by_name():
    assert not set(FURTHER) & set(REGISTRY)
    assert set(family_names()) >= {*FURTHER, *REGISTRY}
    assert all(issubclass(family(name), Family) and family(name).name == name for name in FURTHER)
    assert asked_for(["+share", "hill"]) == [*REGISTRY, "share", "hill"]
    assert asked_for(["hill", "linear"]) == ["hill", "linear"]
    with pytest.raises(ValueError, match="unknown family 'shore'; there are linear"):
        asked_for(["+shore"])


def test_the_total_of_normalised_replicators_is_kept(competing_runs):
    data = competing_runs(steps=15)
    model = quickly("replicator", "exchangeable").fit_model(data)
    slopes = model.rhs(data.values[:, 0, :, None], np.zeros(data.n_runs))
    np.testing.assert_allclose(slopes.sum(axis=1), 0, atol=1e-12)
