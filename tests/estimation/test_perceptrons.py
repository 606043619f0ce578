from dataclasses import replace

import numpy as np
import pytest
import torch

from ecodyn.estimation.perceptrons import Architecture, evaluate, in_sigmoids, initial_weights
from ecodyn.families import NeuralODE
from ecodyn.trajectories.state import fitted, moving

COUPLINGS = ("independent", "exchangeable", "full")
FLOAT32 = 1e-5  # of order-one outputs that went through three layers


def architecture(coupling, channels=1, driven=0):
    return Architecture(
        coupling=coupling, channels=channels, features=4, hidden=8, mean_hidden=5, means=2, driven=driven
    )


def fitted_network(data, coupling="exchangeable", state="signal", clock=False):
    family = NeuralODE(coupling, state, hidden=8, means=2, matching_steps=25, rollout_steps=4, intervals=10)
    return family.fit_model(data, clock=clock)


@pytest.mark.parametrize("state", ["signal", "signal,gradient@start", "signal,gradient", "signal,velocity"])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_training_and_evaluation_are_one_function(competing_runs, coupling, state):
    """The float32 torch network of the training and the float64 NumPy right-hand side agree to float32."""
    model = fitted_network(competing_runs(), coupling, state)
    channels = len(model.channels)
    x = np.random.default_rng(0).uniform(0.1, 2.0, (6, 4, channels))
    weights = {k: torch.from_numpy(w.astype(np.float32))[None] for k, w in model.weights.items()}
    u = torch.from_numpy(((x - model.centre) / model.spread).astype(np.float32))[None]
    shape = replace(architecture(coupling, channels), moving=moving(model.channels), fitted=fitted(model.channels))
    g = evaluate(in_sigmoids(weights), shape, u)[0].numpy()
    rhs = model.rhs(x, np.zeros(6))
    scale = np.abs(g).max()
    answered = list(fitted(model.channels))
    np.testing.assert_allclose(rhs[..., answered] / model.slope, g, rtol=0, atol=FLOAT32 * max(scale, 1))
    if state.endswith("@start"):
        assert (rhs[..., 1:] == 0).all()
    if state.endswith("velocity"):
        np.testing.assert_array_equal(rhs[..., 0], x[..., 1])


def test_a_driven_network_agrees_too(competing_runs):
    data = competing_runs()
    model = fitted_network(data, clock=True)
    t = np.array([0.0, 7.5, 40.0, 99.0])
    x = np.random.default_rng(0).uniform(0.1, 2.0, (4, 4, 1))
    weights = {k: torch.from_numpy(w.astype(np.float32))[None] for k, w in model.weights.items()}
    u = torch.from_numpy(((x - model.centre) / model.spread).astype(np.float32))[None]
    drive = torch.from_numpy(model.drive(t).astype(np.float32))[None]
    g = evaluate(in_sigmoids(weights), architecture("exchangeable", driven=3), u, drive)[0].numpy()
    np.testing.assert_allclose(model.rhs(x, t) / model.slope, g, rtol=0, atol=FLOAT32)


def test_initial_weights_are_within_pytorchs_default_limits():
    weights = initial_weights(architecture("exchangeable"), [0, 1])
    for name, (inputs, outputs) in architecture("exchangeable").sizes().items():
        assert weights[f"{name}.weight"].shape == (2, inputs, outputs)
        assert weights[f"{name}.weight"].abs().max() <= inputs**-0.5
    assert not torch.equal(weights["g1.weight"][0], weights["g1.weight"][1])


def test_folded_weights_give_with_sigmoids_what_tanh_gives():
    shape = Architecture(coupling="independent", channels=2, features=3, hidden=5)
    weights = {name: w.double() for name, w in initial_weights(shape, [0, 1]).items()}
    u = torch.randn(2, 7, 3, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    h = u.reshape(2, 21, 2)
    for layer in ("g1", "g2"):
        h = torch.tanh(torch.baddbmm(weights[f"{layer}.bias"], h, weights[f"{layer}.weight"]))
    expected = torch.baddbmm(weights["g3.bias"], h, weights["g3.weight"]).reshape(2, 7, 3, 1)
    torch.testing.assert_close(evaluate(in_sigmoids(weights), shape, u), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("states", [1, 3])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("coupling", [*COUPLINGS, "driven"])
def test_gradients_written_out_are_those_of_finite_differences(coupling, channels, states):
    driven = 3 if coupling == "driven" else 0
    shape = architecture("exchangeable" if driven else coupling, channels, driven)
    folded = {name: w.double().requires_grad_() for name, w in in_sigmoids(initial_weights(shape, [0, 1])).items()}
    generator = torch.Generator().manual_seed(0)
    u = torch.randn(2, states, 4, channels, generator=generator, dtype=torch.float64, requires_grad=True)
    drive = torch.randn(2, states, driven, generator=generator, dtype=torch.float64) if driven else None
    names = list(folded)

    def g(u, *weights):
        return evaluate(dict(zip(names, weights, strict=True)), shape, u, drive)

    assert torch.autograd.gradcheck(g, (u, *folded.values()))
