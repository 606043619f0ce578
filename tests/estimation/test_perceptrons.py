"""The perceptrons' derivatives, and that training and evaluation are one function."""

import numpy as np
import pytest

from ecodyn.estimation.perceptrons import Architecture, Evaluation
from ecodyn.families import NeuralODE

COUPLINGS = ("independent", "exchangeable", "full")
STEP, EXACT = 1e-6, 1e-8  # of central differences, and what is left of them


def architecture(coupling, channels=1, driven=0):
    return Architecture(
        coupling=coupling, channels=channels, features=4, hidden=5, mean_hidden=3, means=2, driven=driven,
        moving=tuple(range(channels)), fitted=tuple(range(channels)),
    )  # fmt: skip


@pytest.mark.parametrize("state", ["signal", "signal,gradient@start", "signal,gradient", "signal,velocity"])
@pytest.mark.parametrize("coupling", COUPLINGS)
def test_training_and_evaluation_are_one_function(competing_runs, coupling, state):
    """The perceptrons of the fit, and the right-hand side of the model that it gives."""
    options = {"hidden": 5, "means": 2, "starts": 1, "matching_steps": 2, "rollout_steps": 1, "intervals": 3}
    family = NeuralODE(coupling, state, **options)
    data = competing_runs(runs=2, steps=11)
    model = family.fit_model(data)
    shape = family._architecture(family._samples(data, clock=False))
    x = np.random.default_rng(0).uniform(0.1, 2.0, (6, 4, len(model.channels)))
    u = ((x - model.centre) / model.spread).transpose(2, 0, 1)
    g = Evaluation(shape, model.weights, u).value
    rhs = model.rhs(x, np.zeros(6))
    for e, channel in enumerate(shape.fitted):
        np.testing.assert_allclose(rhs[..., channel], model.slope[..., e] * g[e], rtol=1e-10, atol=1e-12)
    if state.endswith("@start"):
        assert (rhs[..., 1:] == 0).all()
    if state.endswith("velocity"):
        np.testing.assert_array_equal(rhs[..., 0], x[..., 1])


def test_initial_weights_are_within_their_limits():
    shape = architecture("exchangeable")
    first, second = (shape.layers(shape.initial(np.random.default_rng(seed))) for seed in (0, 1))
    assert shape.size == sum(w.size for w in first.values())
    for name, (inputs, outputs) in shape.sizes().items():
        assert first[f"{name}.weight"].shape == (inputs, outputs)
        assert np.abs(first[f"{name}.weight"]).max() <= inputs**-0.5
    assert not np.array_equal(first["g1.weight"], second["g1.weight"])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("coupling", [*COUPLINGS, "driven"])
def test_derivatives_by_parameters_are_those_of_finite_differences(coupling, channels):
    driven = 3 if coupling == "driven" else 0
    shape = architecture("exchangeable" if driven else coupling, channels, driven)
    rng = np.random.default_rng(0)
    parameters, direction = shape.initial(rng), rng.standard_normal(shape.size)
    u = rng.standard_normal((channels, 3, 4))
    seen = rng.standard_normal((driven, 3)) if driven else None

    def value(parameters):
        return Evaluation(shape, shape.layers(parameters), u, seen).value

    numerical = (value(parameters + STEP * direction) - value(parameters - STEP * direction)) / (2 * STEP)
    evaluation = Evaluation(shape, shape.layers(parameters), u, seen)
    for e in range(channels):
        out = np.full((shape.size, 3, 4), np.nan)
        evaluation.backward(e, 1.0)
        evaluation.by_parameters(evaluation.by_inputs()[1], out)
        np.testing.assert_allclose(np.tensordot(direction, out, axes=1), numerical[e], rtol=0, atol=EXACT)
