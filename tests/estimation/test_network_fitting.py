from dataclasses import replace

import numpy as np
import pytest
import torch
from torchdiffeq import odeint

from ecodyn.estimation import Samples
from ecodyn.estimation.network_data import simpson
from ecodyn.estimation.network_fitting import Schedule, fit_networks
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.families import NeuralODE
from ecodyn.trajectories import Trajectories

COUPLINGS = ("independent", "exchangeable", "full")
SHORT = Schedule(matching_steps=25, rollout_steps=4, intervals=10)


def architecture(coupling, channels=1, driven=0):
    return Architecture(
        coupling=coupling, channels=channels, features=4, hidden=8, mean_hidden=5, means=2, driven=driven
    )


def small(coupling="exchangeable", state="signal", **more):
    options = {"hidden": 8, "means": 2, "matching_steps": 25, "rollout_steps": 4, "intervals": 10, **more}
    return NeuralODE(coupling, state, **options)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_seeds_reproduce(competing_runs, coupling):
    data = competing_runs()
    first, again = (small(coupling, random_state=3).fit_model(data) for _ in range(2))
    other = small(coupling, random_state=4).fit_model(data)
    for name, weight in first.weights.items():
        np.testing.assert_array_equal(weight, again.weights[name])
        assert not np.array_equal(weight, other.weights[name])


def test_global_random_state_and_threads_are_untouched(competing_runs):
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    numpy_before = np.random.get_state()[1].copy()  # noqa: NPY002
    small().fit_model(competing_runs())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


@pytest.mark.parametrize("clock", [False, True], ids=["coupled", "clock"])
@pytest.mark.parametrize("runs", [2, 6])
def test_a_batch_is_its_members_alone(competing_runs, runs, clock):
    sets = [competing_runs(runs=runs, seed=seed) for seed in (0, 1)]
    family = small()
    together = family.fit_seeds(sets, [5, 6], clock=clock)
    assert len(together) == 4
    for i, training in enumerate(sets):
        for s, seed in enumerate((5, 6)):
            alone = small(random_state=seed).fit_model(training, clock=clock)
            for name, weight in alone.weights.items():
                np.testing.assert_allclose(together[2 * i + s].weights[name], weight, rtol=0, atol=1e-4)


def test_training_sets_of_different_shapes_may_be_given_together(competing_runs):
    sets = [competing_runs(runs=5), competing_runs(runs=6), competing_runs(runs=5, steps=30)]
    models = small().fit_models(sets)
    for model, training in zip(models, sets, strict=True):
        alone = small().fit_model(training)
        np.testing.assert_allclose(model.weights["g1.weight"], alone.weights["g1.weight"], atol=1e-4)


@pytest.mark.parametrize("runs", [2, 5])
def test_runs_of_unequal_length_may_be_batched(competing_runs, runs):
    """Sets of one shape whose runs end at different times, and seeds that hold out runs of different lengths."""
    full = competing_runs(runs=runs)
    sets = []
    for lengths in ([41, 8, 12, 41, 9][:runs], [9, 41, 41, 7, 20][:runs]):
        values = [full.values[r, :n] for r, n in enumerate(lengths)]
        sets.append(Trajectories(values, [np.arange(float(n)) for n in lengths]))
    for model in small(intervals=24).fit_seeds(sets, [0, 1, 2]):
        assert all(np.isfinite(w).all() for w in model.weights.values())


@pytest.mark.parametrize("coupling", ["independent", "exchangeable"])
def test_networks_are_equivariant_to_permutations(competing_runs, coupling):
    model = small(coupling).fit_model(competing_runs())
    x = np.random.default_rng(0).uniform(0.1, 2.0, (5, 4, 1))
    order = np.array([2, 0, 3, 1])
    t = np.zeros(5)
    np.testing.assert_allclose(model.rhs(x[:, order], t), model.rhs(x, t)[:, order], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_torchdiffeq_agrees_with_the_rollout(competing_runs, coupling):
    data = competing_runs()
    model = small(coupling).fit_model(data)
    x0, times = data.values[:, 0], data.times[0]

    def rhs(t, x):
        return torch.from_numpy(model.rhs(x.numpy(), np.full(len(x), float(t))))

    start, grid = torch.from_numpy(x0[..., None].copy()), torch.from_numpy(times.copy())
    path = odeint(rhs, start, grid, method="dopri5", rtol=1e-9, atol=1e-10).numpy()
    rollout = model.simulate(x0, times)
    assert rollout.ok.all()
    np.testing.assert_allclose(rollout.values, path.swapaxes(0, 1), rtol=0, atol=1e-5 * np.abs(path).max())


def test_training_reduces_what_is_unexplained(competing_runs):
    data = competing_runs(runs=6)
    untrained = small(matching_steps=1, rollout_steps=0).fit_model(data)
    trained = small(matching_steps=150, rollout_steps=10).fit_model(data)
    assert trained.validation < 0.3 * untrained.validation
    assert trained.validation < 0.2


def test_a_loss_that_is_nan_leaves_finite_weights(monkeypatch, competing_runs):
    monkeypatch.setattr("ecodyn.estimation.network_fitting.PEAK_RATE", 1e30)
    samples = Samples.of(competing_runs())
    (network,) = fit_networks([samples], [0], architecture("exchangeable"), SHORT)
    assert all(np.isfinite(w).all() for w in network.weights.values())


def test_one_bad_network_does_not_spoil_the_batch(competing_runs):
    good = Samples.of(competing_runs(runs=5))
    states = good.states.copy()
    states[:, :, 0] *= 1e30  # float32 overflows when it is squared
    bad = replace(good, states=states)
    alone = fit_networks([good], [0], architecture("exchangeable"), SHORT)[0]
    together = fit_networks([good, bad], [0], architecture("exchangeable"), SHORT)
    for name, weight in alone.weights.items():
        np.testing.assert_allclose(together[0].weights[name], weight, atol=1e-4)
        assert np.isfinite(together[1].weights[name]).all()


def testsimpsons_rule_is_exact_for_parabolas_at_uneven_nodes():
    times = np.sort(np.random.default_rng(0).uniform(0, 3, (6, 5)), axis=1)
    weights = simpson(times)
    for q in range(3):
        exact = (times[:, -1] ** (q + 1) - times[:, 0] ** (q + 1)) / (q + 1)
        np.testing.assert_allclose((weights * times**q).sum(axis=1), exact, rtol=1e-10, atol=1e-12)


def testsimpsons_rule_with_intervals_of_no_length():
    times = np.array([[0.0, 1.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(simpson(times).sum(axis=1), [2.0, 1.0])
