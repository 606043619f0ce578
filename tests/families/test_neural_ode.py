"""Neural ODEs on laws that are known: what they recover, beside which law, and what a file keeps of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.families import NeuralODE, load_model
from ecodyn.families import base_law as base_laws
from ecodyn.trajectories import Trajectories

TIMES = np.linspace(0.0, 12.0, 25)
QUICK = {"hidden": 4, "means": 1, "starts": 1, "intervals": 6}
COUPLINGS = ("independent", "exchangeable", "full")


@pytest.fixture(scope="module")
def hill_runs(solve):
    """Runs of ẋᵢ = 1 / (1 + x̄⁴) + 0.3 tanh(xᵢ) − 0.5 xᵢ, which no polynomial is."""

    def make(runs, seed):
        rng = np.random.default_rng(seed)
        starts = rng.uniform(0.1, 3.0, (runs, 3))
        paths = [solve(lambda t, x: 1 / (1 + x.mean() ** 4) + 0.3 * np.tanh(x) - 0.5 * x, x, TIMES) for x in starts]
        return Trajectories(np.array(paths), TIMES)

    return make


def unexplained(model, data):
    signal = model.simulate(data.values[:, 0], data.times[0]).signal
    return np.mean((signal - data.values) ** 2) / np.mean((data.values - data.values[:, :1]) ** 2)


@pytest.fixture(scope="module")
def of_seeds(hill_runs):
    training = hill_runs(6, seed=0)
    return [NeuralODE(**QUICK, prior=1e-6, rollout_steps=12, random_state=s).fit_model(training) for s in (0, 1)]


def test_a_law_that_is_no_polynomial_is_recovered_from_unseen_starts(of_seeds, hill_runs):
    unseen = hill_runs(6, seed=1)
    for model in of_seeds:
        assert unexplained(model, unseen) < 2e-3


def test_seeds_agree_far_better_than_runs_differ(of_seeds, hill_runs):
    unseen = hill_runs(6, seed=1)
    first, second = (m.simulate(unseen.values[:, 0], TIMES).signal for m in of_seeds)
    assert np.mean((first - second) ** 2) < 2e-3 * np.mean((unseen.values - unseen.values[:, :1]) ** 2)


def test_the_order_of_runs_does_not_matter(hill_runs):
    data = hill_runs(3, seed=0)
    options = {**QUICK, "prior": 1e-2, "matching_steps": 10, "rollout_steps": 6}
    model = NeuralODE(**options).fit_model(data)
    turned = NeuralODE(**options).fit_model(data.select(runs=data.runs[::-1].tolist()))
    rollouts = [m.simulate(data.values[:, 0], TIMES).signal for m in (model, turned)]
    np.testing.assert_allclose(rollouts[1], rollouts[0], rtol=0, atol=1e-4)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_beside_a_law_a_network_of_zeros_is_that_law(linear_runs, coupling):
    options = {**QUICK, "prior": 1.0, "matching_steps": 2, "rollout_steps": 1}
    model = NeuralODE(coupling, base="library", **options).fit_model(linear_runs(steps=21))
    assert model.base is not None
    nothing = replace(model, weights={name: np.zeros_like(w) for name, w in model.weights.items()})
    x, t = np.random.default_rng(0).uniform(0.5, 2.0, (3, 4, 1)), np.zeros(3)
    np.testing.assert_array_equal(nothing.rhs(x, t), model.base.rhs(x, t))
    directions = np.random.default_rng(1).standard_normal((3, 4, 2))
    np.testing.assert_allclose(
        model.jacobian_times(x, directions),
        super(type(model), model).jacobian_times(x, directions),
        rtol=1e-6,
        atol=1e-7,
    )
    assert model.n_coefficients == sum(w.size for w in model.weights.values()) + model.base.n_coefficients


def test_beside_a_law_that_holds_the_network_stays_small(linear_runs):
    """The truth is in the library: what the network adds to it is next to nothing."""
    model = NeuralODE(base="library", **QUICK, matching_steps=5, rollout_steps=3).fit_model(linear_runs(steps=21))
    x, t = np.random.default_rng(0).uniform(0.5, 2.0, (3, 4, 1)), np.zeros(3)
    slopes = model.base.rhs(x, t)
    assert np.abs(model.rhs(x, t) - slopes).max() < 1e-2 * np.abs(slopes).max()


@pytest.mark.parametrize("clock", [False, True], ids=["coupled", "clock"])
def test_a_law_that_diverges_on_the_training_runs_gives_way(linear_runs, monkeypatch, clock):
    whole = base_laws._WholeLibrary.fit_model

    def exploding(self, trajectories, *, clock=False):
        law = whole(self, trajectories, clock=clock)
        return replace(law, coefficients=law.coefficients + 10.0)

    monkeypatch.setattr(base_laws._WholeLibrary, "fit_model", exploding)
    options = {**QUICK, "prior": 1.0, "matching_steps": 2, "rollout_steps": 1}
    data = linear_runs(steps=21)
    model = NeuralODE(base="library", **options).fit_model(data, clock=clock)
    assert model.base.family == "linear"
    assert (model.base.drive is not None) == clock
    nothing = replace(model, weights={name: np.zeros_like(w) for name, w in model.weights.items()})
    x0 = data.values[:, 0]
    alone, base = nothing.simulate(x0, data.times).signal, model.base.simulate(x0, data.times).signal
    np.testing.assert_allclose(alone, base, rtol=1e-12)  # one is compiled, the other not: the last digit differs


@pytest.mark.parametrize("base", [None, "library"])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_a_file_keeps_all_of_a_network(linear_runs, tmp_path, coupling, base):
    options = {**QUICK, "prior": 1e-2, "matching_steps": 2, "rollout_steps": 2}
    model = NeuralODE(coupling, base=base, **options).fit_model(linear_runs(steps=21))
    model.save(tmp_path / "law.json")
    same = load_model(tmp_path / "law.json")
    x, t = np.random.default_rng(0).uniform(0.5, 2.0, (3, 4, 1)), np.zeros(3)
    np.testing.assert_array_equal(same.rhs(x, t), model.rhs(x, t))
    for name in ("prior", "unexplained", "gradient", "iterations", "status", "converged"):
        assert getattr(same, name) == getattr(model, name)
    assert same.to_json() == model.to_json()


def test_a_file_of_an_older_version_is_read(linear_runs, tmp_path):
    """Those say nothing of the fit nor of a base law."""
    model = NeuralODE(**QUICK, prior=1e-2, matching_steps=2, rollout_steps=0).fit_model(linear_runs(steps=21))
    model.save(tmp_path / "law.json")
    document = json.loads((tmp_path / "law.json").read_text())
    del document["fit"]
    (tmp_path / "law.json").write_text(json.dumps(document))
    same = load_model(tmp_path / "law.json")
    assert same.base is None
    assert np.isnan(same.prior)
    x = np.ones((1, 4, 1))
    np.testing.assert_array_equal(same.rhs(x, np.zeros(1)), model.rhs(x, np.zeros(1)))


def test_weights_of_another_network_are_refused(linear_runs, tmp_path):
    data = linear_runs(steps=21)
    options = {**QUICK, "prior": 1e-2, "matching_steps": 1, "rollout_steps": 0}
    for coupling in ("exchangeable", "full"):
        NeuralODE(coupling, **options).fit_model(data).save(tmp_path / f"{coupling}.json")
    (tmp_path / "full.safetensors").rename(tmp_path / "exchangeable.safetensors")
    with pytest.raises(UnusableDataError, match="got other weights"):
        load_model(tmp_path / "exchangeable.json")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"base": "sindy"}, "base is 'library' or None, got 'sindy'"),
        ({"prior": 0.0}, "prior is a number above 0, or None to have it chosen, got 0.0"),
        ({"starts": 0}, "starts is a whole number of at least 1, got 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(linear_runs, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        NeuralODE(**options).fit(linear_runs(steps=21))
