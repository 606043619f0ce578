import numpy as np
import pytest

from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.library import FULL
from ecodyn.estimation import MatchedIntegrals, Samples, match, shoot
from ecodyn.estimation.damped_descent import solve
from ecodyn.estimation.multiple_shooting import INTERVALS, STAGES, Problem, shoot_all
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import equations_at
from ecodyn.estimation.shooting_equations import Objective
from ecodyn.trajectories import Trajectories

SIGNAL = ("signal",)
TRUTH = np.array([[0.15, -0.08, -0.05]])  # of competing_runs
DIFFERENCE = 1e-5


def in_scaled_units(library, samples, theta):
    return theta / library.rescale(np.ones_like(theta), samples.scales, samples.time_scale)


def objective(library, samples, mask=None, groups=1, share=0.5, starts=False):
    mask = np.ones((groups, len(library)), dtype=bool) if mask is None else mask
    found = Objective(library, samples, Segments.cut(samples, 20, share), mask=mask, estimate_starts=starts)
    found.substeps = 2
    return found


def near_the_data(library, samples, groups, seed=0):
    """Coefficients whose rollouts stay near the data, a little off on purpose."""
    parts = match(library, samples, per_feature=groups > 1)
    theta = MatchedIntegrals.combine(parts).solve(1e-2)
    return theta * (1 + 0.02 * np.random.default_rng(seed).standard_normal(theta.shape))


CASES = {
    "shared": (lotka_volterra_library, "exchangeable", SIGNAL, 1),
    "shared cubic": (polynomial_library, "exchangeable", SIGNAL, 1),
    "trait": (polynomial_library, "exchangeable", ("signal", "gradient@start"), 1),
    "independent": (lotka_volterra_library, "independent", SIGNAL, 1),
    "per feature": (linear_library, "independent", SIGNAL, 4),
    "full": (linear_library, "full", SIGNAL, 4),
    "full quadratic": (polynomial_library, "full", SIGNAL, 4),
    "gradient": (lotka_volterra_library, "exchangeable", ("signal", "gradient"), 1),
    "full gradient": (linear_library, "full", ("signal", "gradient"), 4),
    "velocity": (linear_library, "exchangeable", ("signal", "velocity"), 1),
    "velocity and gradient": (linear_library, "independent", ("signal", "gradient", "velocity"), 4),
    "full with trait": (lotka_volterra_library, "full", ("signal", "gradient@start"), 4),
}


def difference(f, at):
    """Central differences of a scalar function of an array."""
    slopes = np.zeros(at.size)
    for j in range(at.size):
        shift = np.zeros(at.size)
        shift[j] = DIFFERENCE
        shift = shift.reshape(at.shape)
        slopes[j] = (f(at + shift) - f(at - shift)) / (2 * DIFFERENCE)
    return slopes.reshape(at.shape)


@pytest.mark.parametrize(
    ("case", "driven"),
    [
        *((case, False) for case in CASES),
        *((case, True) for case in ("shared", "shared cubic", "trait", "gradient", "velocity")),
    ],
)
def test_gradient_of_the_cost_is_exact(competing_runs, case, driven):
    make, coupling, channels, groups = CASES[case]
    samples = Samples.of(competing_runs(runs=3, noise=0.02), ",".join(channels))
    library = make(coupling, channels, range(4))
    samples = samples.driven(library) if driven else samples
    theta = near_the_data(library, samples, groups)
    mask = np.random.default_rng(1).random(theta.shape) < 0.8
    cost = objective(library, samples, mask)
    parameters, starts = theta[mask], cost.segments.states[:, 0, :, 0]
    exact = equations_at(cost, parameters, starts)
    assert np.isfinite(exact.cost)
    expected = difference(lambda p: equations_at(cost, p, starts).cost, parameters) / 2
    found = exact.gradients.sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("case", "driven"),
    [
        *((case, False) for case in ("shared", "shared cubic", "per feature", "full", "gradient", "velocity")),
        *((case, True) for case in ("shared", "trait")),
    ],
)
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_gradient_of_a_maps_cost_is_exact(competing_runs, case, driven, share):
    make, coupling, channels, groups = CASES[case]
    samples = Samples.of(competing_runs(runs=2, noise=0.02), ",".join(channels), "map")
    library = make(coupling, channels, range(4))
    samples = samples.driven(library) if driven else samples
    theta = near_the_data(library, samples, groups)
    # 15 intervals of 40 steps: two or three steps each, and not the same number in all segments.
    cost = Objective(
        library,
        samples,
        Segments.cut(samples, 15, share),
        mask=np.ones(theta.shape, dtype=bool),
        estimate_starts=True,
    )
    starts = cost.segments.states[:, 0, :, 0]
    exact = equations_at(cost, theta.ravel(), starts)
    assert np.isfinite(exact.cost)
    expected = difference(lambda p: equations_at(cost, p, starts).cost, theta.ravel()) / 2
    found = exact.gradients.sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())
    by_start = difference(lambda s: equations_at(cost, theta.ravel(), s).cost, starts) / 2
    np.testing.assert_allclose(exact.starts.gradient, by_start, rtol=1e-5, atol=1e-6 * np.abs(by_start).max())


@pytest.mark.parametrize("case", ["shared", "full", "gradient", "velocity"])
def test_gradient_with_respect_to_starting_states_is_exact(competing_runs, case):
    make, coupling, channels, groups = CASES[case]
    samples = Samples.of(competing_runs(runs=2, noise=0.02), ",".join(channels))
    library = make(coupling, channels, range(4))
    theta = near_the_data(library, samples, groups)
    cost = objective(library, samples, np.ones(theta.shape, dtype=bool), starts=True)
    starts = cost.segments.states[:, 0, :, 0] + 0.01
    exact = equations_at(cost, theta.ravel(), starts)
    by_start = difference(lambda s: equations_at(cost, theta.ravel(), s).cost, starts) / 2
    by_parameter = difference(lambda p: equations_at(cost, p, starts).cost, theta.ravel()) / 2
    np.testing.assert_allclose(exact.starts.gradient, by_start, rtol=1e-5, atol=1e-6 * np.abs(by_start).max())
    np.testing.assert_allclose(
        exact.gradients.sum(axis=0), by_parameter, rtol=1e-5, atol=1e-6 * np.abs(by_parameter).max()
    )


def test_normal_equations_are_those_of_the_jacobian(competing_runs):
    """Hessian blocks by parameters and starts, against differences of the gradients where residuals vanish."""
    samples = Samples.of(competing_runs(runs=2))
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    theta = in_scaled_units(library, samples, TRUTH)
    cost = objective(library, samples, starts=True)
    starts = cost.segments.states[:, 0, :, 0]
    at = equations_at(cost, theta.ravel(), starts)
    assert at.cost < 1e-9
    size = theta.size
    hessian = np.zeros((size, size))
    cross = np.zeros_like(at.starts.cross)
    for j in range(size):
        shift = DIFFERENCE * np.eye(size)[j]
        up, down = (equations_at(cost, theta.ravel() + s, starts) for s in (shift, -shift))
        hessian[j] = (up.gradients - down.gradients).sum(axis=0) / (2 * DIFFERENCE)
        cross[:, j] = (up.starts.gradient - down.starts.gradient) / (2 * DIFFERENCE)
    np.testing.assert_allclose(at.hessians.sum(axis=0), hessian, rtol=1e-3, atol=1e-4 * np.abs(hessian).max())
    np.testing.assert_allclose(at.starts.cross, cross, rtol=1e-3, atol=1e-3 * np.abs(cross).max())


@pytest.mark.parametrize("estimate_starts", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_recovers_the_truth_from_perturbed_coefficients(competing_runs, seed, estimate_starts):
    samples = Samples.of(competing_runs(seed=seed))
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    truth = in_scaled_units(library, samples, TRUTH)
    factor = 1 + np.random.default_rng(seed).uniform(-0.5, 0.5, truth.shape)
    found = shoot(library, samples, truth * factor, estimate_starts=estimate_starts)
    assert found.converged
    assert found.status == "converged"
    np.testing.assert_allclose(found.coefficients, truth, rtol=2e-3)


@pytest.mark.parametrize("shift", [0.0, 50.0])
def test_recovers_a_full_matrix(solve, shift):
    A = np.array([[-0.06, 0.2, 0.0], [-0.2, -0.04, 0.08], [0.02, 0.0, -0.1]])
    times = np.arange(41.0)
    starts = np.random.default_rng(0).uniform(-2, 2, (4, 3)) + shift
    values = [solve(lambda t, x: A @ (x - shift), x0, times) for x0 in starts]
    samples = Samples.of(Trajectories(np.array(values), times))
    library = linear_library(FULL, SIGNAL, range(3))
    truth = np.column_stack([-A.sum(axis=1) * shift, A])
    scaled = in_scaled_units(library, samples, truth)
    found = shoot(library, samples, scaled * 0.9)
    recovered = library.rescale(found.coefficients, samples.scales, samples.time_scale)
    np.testing.assert_allclose(recovered[:, 1:], A, atol=2e-3)


def test_estimating_starts_helps_under_noise(competing_runs):
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    clean = competing_runs(runs=3).values[:, 0]
    plain, estimated, measured, found_starts = [], [], [], []
    for seed in range(4):
        noise = 0.15 * np.random.default_rng(seed + 10).standard_normal((3, 41, 4))
        data = Trajectories(competing_runs(runs=3).values + noise, np.arange(41.0))
        samples = Samples.of(data)
        truth = in_scaled_units(library, samples, TRUTH)
        for starts, errors in ((False, plain), (True, estimated)):
            found = shoot(library, samples, truth, estimate_starts=starts)
            errors.append(np.abs(found.coefficients / truth - 1).mean())
        measured.append(np.abs(data.values[:, 0] - clean).mean())
        found_starts.append(np.abs(found.initial_states * samples.scales[0] - clean).mean())
    assert np.mean(estimated) < np.mean(plain)
    assert np.mean(found_starts) < 0.7 * np.mean(measured)


def test_initial_states_are_one_a_run(competing_runs):
    samples = Samples.of(competing_runs(runs=3))
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    truth = in_scaled_units(library, samples, TRUTH)
    for stages in (STAGES, (0.2,)):
        found = shoot(library, samples, truth, estimate_starts=True, stages=stages)
        assert found.initial_states.shape == (3, 4)
        np.testing.assert_allclose(found.initial_states, samples.states[:, 0, :, 0], atol=1e-3)
    assert shoot(library, samples, truth).initial_states is None


@pytest.mark.parametrize("growth", [2.0, 6.0])
def test_a_start_whose_long_rollouts_diverge_goes_by_shorter_ones(competing_runs, growth):
    samples = Samples.of(competing_runs())
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    start = in_scaled_units(library, samples, np.array([[0.15, 0.02 * growth, 0.0]]))
    whole = objective(library, samples, share=1.0)
    with np.errstate(all="ignore"):
        assert equations_at(whole, start.ravel(), None).cost == np.inf
    found = shoot(library, samples, start, stages=(1.0,))
    assert found.converged
    np.testing.assert_allclose(
        library.rescale(found.coefficients, samples.scales, samples.time_scale), TRUTH, rtol=1e-2
    )


def test_a_start_that_diverges_at_once_is_a_status(competing_runs):
    samples = Samples.of(competing_runs())
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    start = np.full((1, 3), 1e6)
    found = shoot(library, samples, start)
    assert not found.converged
    assert "diverge" in found.status
    np.testing.assert_array_equal(found.coefficients, start)
    assert found.iterations == 0


def test_nothing_free_is_a_status(competing_runs):
    samples = Samples.of(competing_runs())
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    found = shoot(library, samples, np.zeros((1, 3)), mask=np.zeros((1, 3), dtype=bool))
    assert (found.converged, found.status) == (False, "no coefficients are free")


def test_what_is_not_free_stays_where_it_was(competing_runs):
    samples = Samples.of(competing_runs())
    library = polynomial_library("exchangeable", SIGNAL, range(4))
    mask = np.zeros((1, 14), dtype=bool)
    names = library.names()
    mask[0, [names.index(n) for n in ("x", "x**2", "x*mean_x")]] = True
    found = shoot(library, samples, np.where(mask, -0.1, 0.0), mask=mask)
    assert (found.coefficients[~mask] == 0).all()
    recovered = library.rescale(found.coefficients, samples.scales, samples.time_scale)[mask]
    np.testing.assert_allclose(np.sort(recovered), np.sort(TRUTH[0]), rtol=2e-3)


def test_ridge_pulls_towards_the_start(competing_runs):
    samples = Samples.of(competing_runs())
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    truth = in_scaled_units(library, samples, TRUTH)
    start = 0.8 * truth
    distances = [
        np.abs(shoot(library, samples, start, ridge=ridge).coefficients - start).max() for ridge in (0, 0.1, 100)
    ]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 0.05 * distances[0]


def test_gradients_of_the_runs_vanish_together_at_the_minimum(competing_runs):
    samples = Samples.of(competing_runs(noise=0.05))
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    found = shoot(library, samples, in_scaled_units(library, samples, TRUTH))
    total = np.abs(found.gradients.sum(axis=0))
    assert (total < 0.05 * np.abs(found.gradients).sum(axis=0)).all()
    assert (np.linalg.eigvalsh(found.hessians) > -1e-9).all()


# ---------------------------------------------------------------------- laws


def test_runs_padded_at_the_end_are_the_runs_alone(competing_runs):
    """Runs of unequal length together have the normal equations that each has alone."""
    full = competing_runs(runs=3, noise=0.02)
    lengths = (41, 25, 33)
    data = Trajectories([full.values[r, :n] for r, n in enumerate(lengths)], [np.arange(float(n)) for n in lengths])
    samples = Samples.of(data)
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    theta = in_scaled_units(library, samples, TRUTH).ravel()
    together = equations_at(objective(library, samples), theta, None)
    costs = 0.0
    for r, n in enumerate(lengths):
        alone = samples.take(np.array([r]))
        alone = Samples(
            states=alone.states[:, :n],
            times=alone.times[:, :n],
            lengths=np.array([n]),
            scales=samples.scales,
            time_scale=samples.time_scale,
        )
        equations = equations_at(objective(library, alone), theta, None)
        np.testing.assert_allclose(together.hessians[r], equations.hessians[0], rtol=1e-10)
        np.testing.assert_allclose(together.gradients[r], equations.gradients[0], rtol=1e-8, atol=1e-14)
        costs += equations.cost
    assert together.cost == pytest.approx(costs, rel=1e-12)


def test_short_runs_beside_long_ones_count_every_sample_once(competing_runs):
    full = competing_runs(runs=2)
    data = Trajectories([full.values[0], full.values[1, :6]], [np.arange(41.0), np.arange(6.0)])
    samples = Samples.of(data)
    segments = Segments.cut(samples, INTERVALS, 1.0)
    np.testing.assert_allclose(segments.weights.sum(axis=1) * samples.time_scale, [40.0, 5.0])
    segments = Segments.cut(samples, INTERVALS, 0.2)
    totals = [segments.weights[segments.run == r].sum() * samples.time_scale for r in range(2)]
    np.testing.assert_allclose(totals, [40.0, 5.0])


@pytest.mark.parametrize(("factor", "tolerance"), [(8.0, 1e-12), (10.0, 1e-4), (1e-3, 1e-4)])
def test_rescaling_time_rescales_coefficients(competing_runs, factor, tolerance):
    data = competing_runs()
    slower = Trajectories(data.values, data.times[0] * factor)
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    theta = []
    for trajectories in (data, slower):
        samples = Samples.of(trajectories)
        start = MatchedIntegrals.combine(match(library, samples, per_feature=False)).solve(1e-6)
        found = shoot(library, samples, start)
        theta.append(library.rescale(found.coefficients, samples.scales, samples.time_scale))
    np.testing.assert_allclose(theta[1] * factor, theta[0], rtol=tolerance)


@pytest.mark.parametrize("driven", [False, True])
@pytest.mark.parametrize(
    ("make", "coupling", "groups"), [(polynomial_library, "exchangeable", 1), (linear_library, "full", 4)]
)
def test_problems_shot_together_are_found_as_each_is_alone(competing_runs, make, coupling, groups, driven):
    """To the last digit, wherever the batches are cut: folds must not depend on how they are spread over processes."""
    if driven and coupling == "full":
        pytest.skip("a full law has no mean to drive")
    everyone = Samples.of(competing_runs(runs=5, noise=0.02))
    library = make(coupling, SIGNAL, range(4))
    problems = []
    for left_out in range(5):
        samples = everyone.take(np.delete(np.arange(5), left_out)[: 4 - left_out % 2])  # of unequal sizes, too
        samples = samples.driven(library) if driven else samples
        problems.append(Problem(library, samples, near_the_data(library, samples, groups, seed=left_out)))
    together, alone = shoot_all(problems), [shoot_all([problem])[0] for problem in problems]
    for a, b in zip(together, alone, strict=True):
        np.testing.assert_array_equal(a.coefficients, b.coefficients)
        assert (a.status, a.iterations) == (b.status, b.iterations)


@pytest.mark.parametrize("offset", [-1e5, 64.0])
def test_an_autonomous_law_does_not_know_the_date(competing_runs, offset):
    data = competing_runs()
    library = lotka_volterra_library("exchangeable", SIGNAL, range(4))
    start = np.array([[1.0, -1.0, -1.0]])
    now, then = (
        shoot(library, Samples.of(Trajectories(data.values, data.times[0] + shift)), start).coefficients
        for shift in (0.0, offset)
    )
    np.testing.assert_allclose(then, now, rtol=1e-6)


def test_a_singular_system_has_the_shortest_solution():
    matrix = np.array([[1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(solve(matrix, np.array([2.0, 2.0])), [1.0, 1.0])
