"""Terms selected from noisy data, and shooting with starting states estimated: known laws come back."""

import numpy as np
import pytest

import ecodyn
from ecodyn.equations.forms import polynomial_library
from ecodyn.estimation import Samples
from ecodyn.estimation.damped_descent import DampedDescent
from ecodyn.estimation.noisy_selection import may_select, selected
from ecodyn.estimation.normal_blocks import Equations, StartBlocks
from ecodyn.families import Shooting
from ecodyn.systems import SYSTEMS, simulate

LAWS = {
    "brusselator": [{"1": 1.0, "x_x": -3.5, "x_x**2*x_y": 1.0}, {"x_x": 2.5, "x_x**2*x_y": -1.0}],
    "may_leonard": [
        {"x_1": 1.0, "x_1**2": -1.0, "x_1*x_2": -0.8, "x_1*x_3": -1.3},
        {"x_2": 1.0, "x_1*x_2": -1.3, "x_2**2": -1.0, "x_2*x_3": -0.8},
        {"x_3": 1.0, "x_1*x_3": -0.8, "x_2*x_3": -1.3, "x_3**2": -1.0},
    ],
}


def noisy(name, noise=0.05, runs=12, seed=5):
    return simulate(SYSTEMS[name], runs=runs, seed=seed, noise=noise)


def full_library(data, degree=3):
    return polynomial_library("full", ("signal",), list(data.features), degree)


@pytest.mark.parametrize("name", ["may_leonard", "lorenz"])
def test_selection_finds_a_small_law_near_the_truth(name):
    data = noisy(name)
    library = full_library(data)
    found = selected(library, Samples.of(data, own_units=True))
    names = np.array(library.names())
    for i, row in enumerate(found.support):
        if name in LAWS:
            assert set(LAWS[name][i]) <= set(names[row])
    assert found.support.sum() <= 20  # of 60
    assert (found.coefficients[~found.support] == 0).all()


def test_clean_shared_and_large_libraries_are_selected_otherwise():
    clean, data = simulate(SYSTEMS["brusselator"], runs=4), noisy("brusselator", runs=4)
    samples = Samples.of(data)
    assert may_select(full_library(data), samples)
    assert not may_select(full_library(clean), Samples.of(clean))
    assert not may_select(polynomial_library("exchangeable", ("signal",), list(data.features), None), samples)
    assert not may_select(polynomial_library("full", ("signal",), list(range(12)), 3), samples)


@pytest.mark.parametrize("name", list(LAWS))
def test_a_noisy_law_comes_back_term_by_term(name):
    law = ecodyn.SINDy("full", degree=3).fit(noisy(name)).model_
    for mine, truth in zip(law.coefficients, LAWS[name], strict=True):
        found = {n: c for n, c in zip(law.library.names(), mine, strict=True) if c}
        assert found == pytest.approx(truth, rel=0.15)


def test_where_small_differences_grow_long_rollouts_don_t_spoil_what_short_ones_found():
    """Lorenz's system: sums of squares over two Lyapunov times have optima far from the law."""
    law = ecodyn.SINDy("full", degree=2).fit(noisy("lorenz")).model_
    mine = {(i, n): c for i in range(3) for n, c in zip(law.library.names(), law.coefficients[i], strict=True)}
    assert mine[0, "x_x"] == pytest.approx(-10.0, rel=0.1)
    assert mine[0, "x_y"] == pytest.approx(10.0, rel=0.1)
    assert mine[2, "x_z"] == pytest.approx(-8 / 3, rel=0.1)
    assert mine[2, "x_x*x_y"] == pytest.approx(1.0, rel=0.1)


def test_starts_are_estimated_where_noise_shows():
    data = noisy("brusselator", runs=5)
    laws = [
        ecodyn.Linear("full", shooting=Shooting(estimate_starts=choice, intervals=intervals)).fit(data).model_
        for choice, intervals in (("auto", "auto"), (True, 96), (False, 24))
    ]
    np.testing.assert_array_equal(laws[0].coefficients, laws[1].coefficients)
    assert not np.allclose(laws[0].coefficients, laws[2].coefficients, rtol=1e-6)
    clean = simulate(SYSTEMS["brusselator"], runs=5)
    laws = [
        ecodyn.Linear("full", shooting=Shooting(estimate_starts=choice)).fit(clean).model_ for choice in ("auto", False)
    ]
    np.testing.assert_array_equal(laws[0].coefficients, laws[1].coefficients)


@pytest.mark.parametrize("seed", range(3))
def test_reduced_equations_are_those_with_starts_at_their_optimum(seed):
    rng = np.random.default_rng(seed)
    runs, pieces, parameters, features = 2, 3, 4, 2
    jacobian = rng.standard_normal((runs * pieces, 20, parameters + features))
    residual = rng.standard_normal((runs * pieces, 20))
    hessian, gradient = np.einsum("sia,sib->sab", jacobian, jacobian), np.einsum("sia,si->sa", jacobian, residual)
    p = slice(parameters)
    blocks = StartBlocks(hessian[:, p, parameters:], hessian[:, parameters:, parameters:], gradient[:, parameters:])
    by_run = hessian[:, p, p].reshape(runs, pieces, parameters, parameters).sum(axis=1)
    found = Equations(1.0, by_run, gradient[:, p].reshape(runs, pieces, parameters).sum(axis=1), blocks).reduced()
    expected_hessian, expected_gradient = np.zeros_like(by_run), np.zeros((runs, parameters))
    for s in range(runs * pieces):
        basis = np.linalg.qr(jacobian[s, :, parameters:])[0]
        rest = jacobian[s, :, p] - basis @ (basis.T @ jacobian[s, :, p])
        expected_hessian[s // pieces] += rest.T @ rest
        expected_gradient[s // pieces] += rest.T @ residual[s]
    np.testing.assert_allclose(found.hessians, expected_hessian, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.gradients, expected_gradient, rtol=1e-9, atol=1e-9)
    assert found.starts is None


def predator_and_prey(constant, noise, lengths=(150,), seed=0):
    """ẋ₁ = x₁(1 − x₂), ẋ₂ = 0.8 x₂(x₁ − 1) beside a feature that stays what it is."""
    from scipy.integrate import solve_ivp

    rng = np.random.default_rng(seed)
    runs = []
    for n in lengths:
        t = 0.1 * np.arange(n)
        x = solve_ivp(
            lambda _, x: [x[0] * (1 - x[1]), 0.8 * x[1] * (x[0] - 1)],
            (0, t[-1]),
            rng.uniform(0.4, 1.6, 2),
            t_eval=t,
            rtol=1e-9,
            atol=1e-10,
        ).y.T
        runs.append(np.column_stack([x + noise * rng.standard_normal(x.shape), np.full(n, constant)]))
    return ecodyn.Trajectories(runs, [0.1 * np.arange(n) for n in lengths], ["a", "b", "c"], labels_shared=True)


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
@pytest.mark.parametrize("noise", [0.0, 0.03])
@pytest.mark.parametrize("constant", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("family", [ecodyn.Linear, ecodyn.LotkaVolterra, ecodyn.SINDy])
def test_a_feature_that_stays_what_it_is_breaks_no_fit(family, constant, noise):
    data = predator_and_prey(constant, noise)
    assert np.isfinite(family("full").fit(data).model_.coefficients).all()
    if not noise:
        assert Samples.of(data, own_units=True).smooth is None


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
@pytest.mark.parametrize("stages", [(0.2,), (0.2, 0.6, 1.0)])
def testshort_runs_beside_long_ones_have_segments_of_no_length(stages):
    data = predator_and_prey(0.0, 0.03, lengths=(200, 40, 25)).select(features=["a", "b"])
    law = ecodyn.LotkaVolterra("full", shooting=Shooting(refine=True, stages=stages)).fit(data).model_
    assert np.isfinite(law.coefficients).all()


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_rollouts_of_all_runs_go_over_a_third_of_each():
    from ecodyn.estimation.noisy_selection import short_runs

    samples = Samples.of(predator_and_prey(0.0, 0.03, lengths=(200, 40)), own_units=True)
    _, _, times = short_runs(samples)
    duration = samples.times[np.arange(2), samples.lengths - 1] - samples.times[:, 0]
    share = (times[:, -1] - times[:, 0]).reshape(2, -1) / duration[:, None]
    np.testing.assert_allclose(share, 1 / 3, atol=0.03)


@pytest.mark.parametrize("estimate_starts", [True, False])
def test_that_long_rollouts_diverge_is_said(monkeypatch, estimate_starts):
    """Whether starts are estimated or not: a stage before is kept, and the fit has not converged."""
    whole = DampedDescent.run

    def run(self, objective, tolerance, max_iterations):
        if len(objective.segments) == objective.n_runs:
            return False
        return (yield from whole(self, objective, tolerance, max_iterations))

    monkeypatch.setattr(DampedDescent, "run", run)
    shooting = Shooting(estimate_starts=estimate_starts)
    with pytest.warns(ecodyn.DataWarning, match="diverge"):
        law = ecodyn.Linear("full", shooting=shooting).fit(noisy("brusselator", runs=4)).model_
    assert not law.diagnostics.converged
