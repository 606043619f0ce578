"""Normal equations of networks' rollouts and matched increments, against finite differences of their costs."""

import numpy as np
import pytest

from ecodyn.equations.forms import polynomial_library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation import Samples
from ecodyn.estimation.network_data import Units
from ecodyn.estimation.network_equations import Rollouts
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.estimation.network_matching import Increments, simpson
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.estimation.segments import Segments, weights_of_channels
from ecodyn.trajectories.state import VELOCITY, fitted, moving, parse_state

STATES = ("signal", "signal,gradient@start", "signal,gradient", "signal,velocity")
STEP, CLOSE = 1e-5, 1e-6  # of central differences, and what they may be off by, relative to the largest


def network(samples, coupling, state, rng, base):
    """A small network's law, alone or beside one of the library with random coefficients."""
    names, features = parse_state(state), samples.states.shape[2]
    shape = Architecture(
        coupling=coupling,
        channels=len(names),
        features=features,
        hidden=3,
        mean_hidden=2,
        means=2,
        driven=0 if samples.drive is None else samples.drive.values.shape[1],
        moving=moving(names),
        fitted=fitted(names),
        velocity=names.index(VELOCITY) if VELOCITY in names else None,
    )
    bound = None
    if base:
        library = polynomial_library(coupling, names, list(range(features)), 2)
        rows = len(fitted(names)) * (features if coupling == "full" else 1)
        bound = BoundLibrary(library, 0.1 * rng.standard_normal((rows, len(library))), samples.drive)
    return NetworkLaw(shape, Units.of(samples, shape), bound, samples.drive)


def samples_of(data, state, clock):
    samples = Samples.of(data, state)
    return samples.driven(polynomial_library("exchangeable", parse_state(state), [0, 1, 2, 3], 2)) if clock else samples


def agrees(objective, parameters, rng):
    """Whether the gradient is that of the cost, and the Hessian that of its squares where the data are the model's."""
    direction = rng.standard_normal(len(parameters))
    equations = objective.equations(parameters)
    ahead, behind = (objective.cost(parameters + s * STEP * direction) for s in (1, -1))
    assert equations.cost == pytest.approx(objective.cost(parameters), rel=1e-12)
    assert 2 * equations.gradient @ direction == pytest.approx((ahead - behind) / (2 * STEP), rel=CLOSE, abs=CLOSE)
    np.testing.assert_allclose(equations.hessian, equations.hessian.T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("base", [False, True], ids=["alone", "beside a law"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full", "clock"])
def test_the_normal_equations_are_the_costs_derivatives(competing_runs, coupling, state, base):
    rng, clock = np.random.default_rng(0), coupling == "clock"
    samples = samples_of(competing_runs(runs=2, steps=21), state, clock)
    law = network(samples, "exchangeable" if clock else coupling, state, rng, base)
    parameters = law.shape.initial(rng)
    segments = Segments.cut(samples, 4, 0.5)
    agrees(Rollouts(law, segments, weights_of_channels(samples), 1e6, substeps=2), parameters, rng)
    agrees(Increments.of(law, samples), parameters, rng)


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_the_hessian_is_that_of_residuals_that_vanish(competing_runs, coupling):
    """Data that are the network's own rollouts: the cost's second derivative along a direction is 2 dᵀHd exactly."""
    rng = np.random.default_rng(1)
    samples = samples_of(competing_runs(runs=2, steps=21), "signal", clock=False)
    law = network(samples, coupling, "signal", rng, base=False)
    parameters, direction = law.shape.initial(rng), rng.standard_normal(law.shape.size)
    segments, weights = Segments.cut(samples, 5, 1.0), weights_of_channels(samples)
    own = Rollouts(law, segments, weights, 1e6).signals(parameters, 1)
    exact = Segments(own.swapaxes(0, 1)[..., None], segments.times, segments.weights, segments.run)
    objective = Rollouts(law, exact, weights, 1e6)
    assert objective.cost(parameters) < 1e-25
    curvature = sum(objective.cost(parameters + s * 1e-4 * direction) for s in (1, -1)) / 1e-8
    assert 2 * direction @ objective.equations(parameters).hessian @ direction == pytest.approx(curvature, rel=1e-4)


def test_a_few_segments_at_a_time_are_all_of_them(monkeypatch, competing_runs):
    rng = np.random.default_rng(0)
    samples = samples_of(competing_runs(runs=5, steps=21), "signal", clock=False)
    law = network(samples, "exchangeable", "signal", rng, base=False)
    parameters = law.shape.initial(rng)
    objective = Rollouts(law, Segments.cut(samples, 4, 0.5), weights_of_channels(samples), 1e6)
    whole = objective.equations(parameters)
    monkeypatch.setattr("ecodyn.estimation.network_equations.BATCH_ELEMENTS", 1)
    parts = objective.equations(parameters)
    np.testing.assert_allclose(parts.hessian, whole.hessian, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.gradient, whole.gradient, rtol=1e-9, atol=1e-12)


def test_a_rollout_that_dies_costs_infinitely_much(competing_runs):
    rng = np.random.default_rng(0)
    samples = samples_of(competing_runs(runs=2, steps=21), "signal", clock=False)
    law = network(samples, "exchangeable", "signal", rng, base=False)
    objective = Rollouts(law, Segments.cut(samples, 4, 1.0), weights_of_channels(samples), 1.0)
    with np.errstate(all="ignore"):
        assert objective.cost(1e3 * law.shape.initial(rng)) == np.inf
        assert objective.equations(1e3 * law.shape.initial(rng)).cost == np.inf


def test_simpsons_rule_is_exact_for_parabolas_at_uneven_nodes():
    times = np.sort(np.random.default_rng(0).uniform(0, 3, (6, 5)), axis=1)
    weights = simpson(times)
    for q in range(3):
        exact = (times[:, -1] ** (q + 1) - times[:, 0] ** (q + 1)) / (q + 1)
        np.testing.assert_allclose((weights * times**q).sum(axis=1), exact, rtol=1e-10, atol=1e-12)


def test_simpsons_rule_with_intervals_of_no_length():
    times = np.array([[0.0, 1.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(simpson(times).sum(axis=1), [2.0, 1.0])
