"""Neural ODEs by Gauss-Newton: where a fit ends, and what it depends on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchdiffeq import odeint

from ecodyn.estimation import Samples
from ecodyn.estimation.network_fitting import OBSERVATIONS, Schedule, fit_network
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.families import NeuralODE
from ecodyn.trajectories import Trajectories

COUPLINGS = ("independent", "exchangeable", "full")


def small(coupling="exchangeable", state="signal", **more):
    """One that is quick: no strength of the prior has to be found."""
    sizes = {"hidden": 3, "means": 1, "starts": 1, "matching_steps": 10, "rollout_steps": 5, "intervals": 6}
    return NeuralODE(coupling, state, **{**sizes, "prior": 1e-3, **more})


@pytest.mark.parametrize("coupling", COUPLINGS)
def test_seeds_reproduce(competing_runs, coupling):
    data = competing_runs()
    first, again = (small(coupling, random_state=3).fit_model(data) for _ in range(2))
    other = small(coupling, random_state=4).fit_model(data)
    for name, weight in first.weights.items():
        np.testing.assert_array_equal(weight, again.weights[name])
        assert not np.array_equal(weight, other.weights[name])


def test_global_random_states_are_untouched(competing_runs):
    before, numpy_before = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    small().fit_model(competing_runs())
    assert torch.equal(torch.random.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


@pytest.mark.parametrize("clock", [False, True], ids=["coupled", "clock"])
def test_sets_and_seeds_fitted_together_are_each_alone(competing_runs, clock):
    sets = [competing_runs(runs=3), competing_runs(runs=4, steps=30)]
    together = small().fit_seeds(sets, [5, 6], clock=clock)
    assert len(together) == 4
    for i, training in enumerate(sets):
        for s, seed in enumerate((5, 6)):
            alone = small(random_state=seed).fit_model(training, clock=clock)
            for name, weight in alone.weights.items():
                np.testing.assert_array_equal(together[2 * i + s].weights[name], weight)


def test_runs_of_unequal_length_are_each_followed_to_their_end(competing_runs):
    full = competing_runs(runs=4)
    lengths = [41, 12, 20, 41]
    data = Trajectories(
        [v[:n] for v, n in zip(full.values, lengths, strict=True)], [np.arange(float(n)) for n in lengths]
    )
    model = small(rollout_steps=10).fit_model(data)
    rollout = model.simulate(full.values[:, 0], full.times[0])
    for r, n in enumerate(lengths):
        error = np.mean((rollout.signal[r, :n] - full.values[r, :n]) ** 2)
        assert error < 0.05 * np.mean((full.values[r, :n] - full.values[r, :1]) ** 2)


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


def test_rollouts_leave_less_unexplained_than_matching_alone(competing_runs):
    data = competing_runs(runs=4)
    fits = [small(matching_steps=3, rollout_steps=n, prior=1e-4).fit_model(data) for n in (0, 10)]
    errors = [np.mean((m.simulate(data.values[:, 0], data.times[0]).signal - data.values) ** 2) for m in fits]
    assert errors[1] < 0.1 * errors[0]


def test_a_fit_ends_where_the_gradient_is_small(competing_runs):
    """Beside the gradient where nothing is known of the data: a network of zeros leaves about all unexplained."""
    model = small(rollout_steps=60, prior=1e-3).fit_model(competing_runs(runs=4))
    assert model.status == "converged"
    assert model.gradient < 2e-3


def test_the_prior_is_the_noise_that_is_left(competing_runs):
    """The strength that the fit ends with is within its tolerance of what its own misfit says."""
    data = competing_runs(runs=4, noise=0.1)
    model = small(rollout_steps=10, prior=None).fit_model(data)
    assert model.prior == pytest.approx(model.unexplained / (OBSERVATIONS * data.n_runs), rel=0.5)
    exact = small(rollout_steps=10, prior=None).fit_model(competing_runs(runs=4))
    assert exact.prior < 0.1 * model.prior


def test_a_prior_that_is_given_stays(competing_runs):
    assert small(prior=0.02).fit_model(competing_runs()).prior == 0.02


def test_data_that_no_rollout_survives_are_told_and_leave_finite_weights(competing_runs):
    samples = Samples.of(competing_runs(runs=3))
    states = samples.states.copy()
    states[:, 1::2] *= -1e6  # to and fro between steps, by a million
    shape = Architecture(coupling="exchangeable", channels=1, features=4, hidden=3, mean_hidden=3, means=1)
    network = fit_network(replace(samples, states=states), shape, Schedule(rollout_steps=3, starts=1), seed=0)
    assert all(np.isfinite(w).all() for w in network.weights.values())
