"""Shooting of stiff laws: when steps become implicit, and that what they report is the descent's true direction."""

import numpy as np
import pytest

from ecodyn.equations.forms import linear_library, polynomial_library
from ecodyn.estimation import Samples, shoot
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import equations_at
from ecodyn.estimation.shooting_equations import MOST_SUBSTEPS, Objective
from ecodyn.estimation.shooting_search import steps_for_decays
from ecodyn.trajectories import Trajectories

FAST = 400.0
T = np.r_[0.0, np.geomspace(0.1 / FAST, 10.0, 60)]


@pytest.fixture(scope="module")
def samples():
    """x′ = −x and y′ = 400 (x² − y), which the fast feature has caught up with at once."""
    starts = np.random.default_rng(0).uniform(0.5, 2.0, (4, 2))
    x = starts[:, :1] * np.exp(-T)
    # With x known, y = (y₀ − x₀² k/(k − 2)) exp(−k t) + x² k/(k − 2).
    share = FAST / (FAST - 2)
    y = (starts[:, 1:] - share * starts[:, :1] ** 2) * np.exp(-FAST * T) + share * x**2
    return Samples.of(
        Trajectories(np.stack([x, y], axis=-1), T, ["x", "y"], labels_shared=True), "signal", own_units=True
    )


LIBRARY = polynomial_library("full", ["signal"], ["x", "y"], 2)


def true_coefficients(samples):
    """In the samples' units, of 1, x, y, x², xy, y²."""
    order = {name: k for k, name in enumerate(LIBRARY.names())}
    given = np.zeros((2, len(LIBRARY)))
    given[0, order["x_x"]] = -1.0
    given[1, order["x_y"]], given[1, order["x_x**2"]] = -FAST, FAST
    return given / LIBRARY.rescale(np.ones_like(given), samples.scales, samples.time_scale)


def objective_of(samples, *, implicit, mask):
    objective = Objective(LIBRARY, samples, Segments.cut(samples, 24, 0.6), mask=mask, estimate_starts=False)
    objective.implicit, objective.substeps = implicit, 4
    return objective


def test_explicit_steps_die_and_implicit_ones_follow(samples):
    truth = true_coefficients(samples)
    parameters, mask = truth[truth != 0], truth != 0
    explicit, implicit = (objective_of(samples, implicit=i, mask=mask) for i in (False, True))
    explicit.substeps = MOST_SUBSTEPS
    starts = explicit.segments.states[:, 0, :, 0]
    assert steps_for_decays(explicit, parameters) == (1, True)
    assert not np.isfinite(equations_at(explicit, parameters, starts).cost)
    assert equations_at(implicit, parameters, starts).cost < 1e-6 * float(np.sum(samples.states**2))


def test_gradients_are_those_of_the_cost(samples):
    truth = true_coefficients(samples)
    mask = truth != 0
    parameters = truth[mask] * [1.1, 1.05, 0.9]
    objective = objective_of(samples, implicit=True, mask=mask)
    starts = objective.segments.states[:, 0, :, 0]
    gradient = equations_at(objective, parameters, starts).gradients.sum(axis=0)
    direction = np.array([1.0, -2.0, 0.5]) * parameters
    up, down = (equations_at(objective, parameters + s * direction, starts).cost for s in (1e-5, -1e-5))
    np.testing.assert_allclose(gradient @ direction, (up - down) / 4e-5, rtol=2e-2)  # of half the cost


@pytest.mark.slow
def test_shooting_begins_anew_with_implicit_steps(samples):
    truth = true_coefficients(samples)
    found = shoot(LIBRARY, samples, truth * np.where(truth != 0, 1.02, 0.0), mask=truth != 0)
    assert found.converged
    slow, decay, drive = found.coefficients[truth != 0]
    _, true_decay, true_drive = truth[truth != 0]
    np.testing.assert_allclose(slow, truth[0].sum(), rtol=1e-3)
    np.testing.assert_allclose(drive / decay, true_drive / true_decay, rtol=1e-3)  # where the fast feature goes
    np.testing.assert_allclose(decay, true_decay, rtol=1e-2)  # seen in the first few of the steps only


def test_laws_that_explicit_steps_can_follow_keep_them():
    x = np.exp(-0.3 * np.arange(20.0))[:, None] * [1.0, 2.0]
    mild = Samples.of(Trajectories([x], np.arange(20.0), ["x", "y"]), "signal")
    library = linear_library("independent", ["signal"], ["x", "y"])
    objective = Objective(
        library, mild, Segments.cut(mild, 24, 1.0), mask=np.ones((1, 2), dtype=bool), estimate_starts=False
    )
    assert steps_for_decays(objective, np.array([0.0, -0.3])) is None


@pytest.mark.parametrize("rate", [2.0, 20.0, 40.0])  # an interval: single steps are stable up to 2.78
def test_fast_decays_are_shot_by_as_many_explicit_steps_as_they_need(rate):
    t = np.arange(25.0)
    x = np.column_stack([np.exp(-0.1 * t), 0.5 * np.exp(-0.1 * t) + 0.5 * np.exp(-rate * t)])[None]
    data = Samples.of(Trajectories(x, t, ["x", "y"], labels_shared=True), "signal")
    library = linear_library("full", ["signal"], ["x", "y"])
    rows = [[0.0, -0.1, 0.0], [0.0, 0.5 * (rate - 0.1), -rate]]
    truth = np.array(rows) / library.rescale(np.ones((2, 3)), data.scales, data.time_scale)
    found = shoot(library, data, truth * 1.01, mask=truth != 0)
    assert found.converged
    assert found.squares < 1e-6
