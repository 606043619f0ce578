"""Equilibria are where nothing changes, all that are known are found, and their names are what trajectories do."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ecodyn import Linear, LotkaVolterra, NeuralODE, SINDy
from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel
from ecodyn.stability.equilibria import find_equilibria, stability
from ecodyn.systems import SYSTEMS

LIBRARIES = {"linear": linear_library, "lotka_volterra": lotka_volterra_library, "sindy": polynomial_library}


def law(family, coupling, coefficients, features=3, *, degree=None, extent=(0.0, 2.0), unit=1.0):
    """A law with these coefficients, as if fitted to data between two values."""
    labels = tuple(range(1, features + 1))
    more = {} if degree is None else {"degree": degree}
    library = LIBRARIES[family](coupling, ("signal",), labels, **more)
    if isinstance(coefficients, dict):
        coefficients = [[coefficients.get(name, 0.0) for name in library.names()]]
    theta = np.atleast_2d(np.asarray(coefficients, dtype=float)) * unit
    low, high = extent
    return Law(
        family=family,
        coupling=coupling,
        channels=("signal",),
        features=labels,
        amplitudes=(max(abs(low), abs(high)),),
        provenance={"range": [low, high]},
        library=library,
        coefficients=theta,
        size=theta.size,
        interaction_matrix=family in ("linear", "lotka_volterra"),
    )


def of_system(name, extent):
    form = SYSTEMS[name].form
    return law(form.family, form.coupling, form.coefficients, len(SYSTEMS[name].features), extent=extent)


def jacobian_by_differences(model, x, h=1e-6):
    out = np.empty((len(x), len(x)))
    for j, e in enumerate(np.eye(len(x))):
        ahead, behind = (model.rhs((x + s * h * e)[None, :, None], np.zeros(1))[0, :, 0] for s in (1, -1))
        out[:, j] = (ahead - behind) / (2 * h)
    return out


def ordered(states):
    return states[np.lexsort(np.round(states, 6).T)]


CUBIC = law("sindy", "exchangeable", {"x": 1.0, "x**3": -1.0, "mean_x": -0.2, "x*mean_x2": 0.1}, 5, extent=(-1.5, 1.5))
CASES = {
    "competition": of_system("competition", (0.0, 3.0)),
    "may_leonard": of_system("may_leonard", (0.0, 1.0)),
    "vano": of_system("vano", (0.0, 1.0)),
    "shared_resource": of_system("shared_resource_5", (0.0, 2.0)),
    "circles": of_system("circles_10", (5.0, 120.0)),
    "logistic": of_system("logistic", (0.0, 2.0)),
    "linear": law(
        "linear", "full", [[0.3, -1.0, 0.2, 0.0], [0.2, 0.1, -0.8, 0.3], [0.1, 0.0, -0.4, -0.5]], extent=(-1.0, 1.0)
    ),
    "cubic": CUBIC,
    "quadratic": law(
        "sindy", "full", [[-1.0, 0.0, 0.0, 1.0, 0.0, 1.0], [0.0, 1.0, -1.0, 0.0, 0.0, 0.0]], 2, extent=(-1.0, 1.0)
    ),
}
every_case = pytest.mark.parametrize("name", CASES)


# ---------------------------------------------------------------------- what holds of all


@every_case
def test_nothing_changes_there(name):
    found = find_equilibria(CASES[name])
    assert len(found)
    x = found.states[..., None]
    slopes = CASES[name].rhs(x, np.zeros(len(x)))[..., 0]
    rate = np.abs(found.eigenvalues).max() * found.high
    np.testing.assert_allclose(slopes, 0, atol=1e-10 * rate)
    np.testing.assert_allclose(found.residuals, np.abs(slopes).max(axis=1), rtol=1e-12)


@every_case
def test_eigenvalues_are_those_of_the_right_hand_side(name):
    found = find_equilibria(CASES[name])
    for x, values in zip(found.states, found.eigenvalues, strict=True):
        expected = np.linalg.eigvals(jacobian_by_differences(CASES[name], x)).astype(complex)
        largest = np.abs(expected).max()
        assert np.abs(np.poly(expected) - np.poly(values)).max() <= 1e-5 * max(1.0, largest ** len(x))
        assert (np.diff(values.real) <= 1e-12).all()


@every_case
def test_states_lie_in_the_range_and_stable_ones_come_first(name):
    found = find_equilibria(CASES[name])
    assert ((found.states >= found.low - 1e-9) & (found.states <= found.high + 1e-9)).all()
    stable = found.stable.tolist()
    assert stable == sorted(stable, reverse=True)
    rest = found.unstable_directions[len(stable) - stable.count(False) :]
    assert (np.diff(rest) >= 0).all()


@every_case
def test_trajectories_return_to_stable_equilibria_and_leave_the_others(name):
    model = CASES[name]
    found = find_equilibria(model)
    rng = np.random.default_rng(0)
    for n, x in enumerate(found.states):
        if found.stability[n] == "non-hyperbolic":
            continue
        away = 1e-3 * found.high * rng.uniform(0.5, 1.0, x.shape)
        rate = np.abs(found.eigenvalues[n].real)
        time = 3 / (rate.min() if found.stable[n] else found.eigenvalues[n].real.max())
        end = solve_ivp(
            lambda t, y: model.rhs(y[None, :, None], np.zeros(1))[0, :, 0], (0, time), x + away, rtol=1e-9, atol=1e-12
        ).y[:, -1]
        grew = np.linalg.norm(end - x) / np.linalg.norm(away)
        assert grew < 1 if found.stable[n] else grew > 1, (found.stability[n], x, grew)


@pytest.mark.parametrize(("signal", "time"), [(1000.0, 1.0), (1e-3, 50.0)])
@every_case
def test_other_units_are_the_same_equilibria(name, signal, time):
    model = CASES[name]
    theta = model.library.rescale(model.coefficients, np.array([signal]), time)
    extent = [signal * v for v in model.provenance["range"]]
    other = dataclasses.replace(
        model, coefficients=theta, provenance={"range": extent}, amplitudes=(signal * model.amplitude,)
    )
    found, expected = find_equilibria(other), find_equilibria(model)
    assert found.stability == expected.stability
    np.testing.assert_allclose(
        ordered(found.states / signal), ordered(expected.states), rtol=1e-6, atol=1e-9 * expected.high
    )


@pytest.mark.parametrize("name", ["may_leonard", "vano", "linear", "quadratic"])
def test_permuting_features_permutes_them(name):
    """The law of relabelled features, x = P y, has the equilibria P⁻¹ x*."""
    model = CASES[name]
    order = np.roll(np.arange(len(model.features)), 1)
    terms = list(model.library.terms)
    environment = [model.library.environment[e] for _, e in terms]
    moved = [tuple(np.array(z)[order]) for z in environment]
    columns = [environment.index(z) for z in moved]
    theta = np.empty_like(model.coefficients)
    theta[:, columns] = model.coefficients[order]
    found = find_equilibria(dataclasses.replace(model, coefficients=theta))
    np.testing.assert_allclose(
        ordered(found.states), ordered(find_equilibria(model).states[:, order]), atol=1e-8 * found.high
    )


# ---------------------------------------------------------------------- what is known


def test_rabbits_and_sheep():
    """Strogatz section 6.4: one excludes the other, and between the two is a saddle at (1, 1)."""
    found = find_equilibria(CASES["competition"])
    named = {tuple(np.round(x, 9)): word for x, word in zip(found.states, found.stability, strict=True)}
    assert named == {(0, 0): "unstable node", (0, 2): "stable node", (3, 0): "stable node", (1, 1): "saddle"}


def test_may_and_leonard_coexist_on_a_saddle():
    alpha, beta = 0.8, 1.3
    found = find_equilibria(CASES["may_leonard"])
    n = int(np.argmin(np.ptp(found.states, axis=1) - found.states.max(axis=1)))
    np.testing.assert_allclose(found.states[n], 1 / (1 + alpha + beta))
    np.testing.assert_allclose(found.eigenvalues[n][-1], -1, atol=1e-12)
    np.testing.assert_allclose(found.eigenvalues[n][:2].real, (alpha + beta - 2) / 2 / (1 + alpha + beta))
    assert found.stability[n] == "saddle"


def test_predator_and_prey_circle():
    s = SYSTEMS["predator_prey"].parameters
    found = find_equilibria(of_system("predator_prey", (5.0, 70.0)))
    np.testing.assert_allclose(found.states[1], [0, 0], atol=1e-12)
    np.testing.assert_allclose(found.states[0], [s["gamma"] / s["delta"], s["alpha"] / s["beta"]])
    assert found.stability == ("non-hyperbolic", "saddle")
    np.testing.assert_allclose(np.abs(found.eigenvalues[0].imag), math.sqrt(s["alpha"] * s["gamma"]))


def test_logistic_growth_ends_at_its_capacity():
    found = find_equilibria(CASES["logistic"])
    np.testing.assert_allclose(found.states, [np.ones(5), np.zeros(5)])
    assert found.stability == ("stable node", "unstable node")


def test_a_linear_law_stands_at_minus_its_inverse_times_its_constant():
    model = CASES["linear"]
    b, A = model.coefficients[:, 0], model.interactions()
    np.testing.assert_allclose(find_equilibria(model).states, [-np.linalg.solve(A, b)])


@pytest.mark.parametrize(("b", "word"), [(0.0, "continuum"), (1.0, "no equilibrium")])
def test_a_singular_matrix_has_none_or_a_continuum(b, word):
    found = find_equilibria(law("linear", "full", [[0, -1, 1], [b, 1, -1]], 2))
    assert len(found) == 0
    assert word in found.notes[0]


@pytest.mark.parametrize(("a", "c", "stable"), [(-1.0, -0.5, [5]), (0.5, -2.0, [])])
def test_survivors_of_exchangeable_competition(a, c, stable):
    """m survivors stand at −r/(a + c m/K), the others dead; they coexist stably only if each limits itself most."""
    r, features = 1.0, 5
    model = law("lotka_volterra", "exchangeable", [r, a, c], features, extent=(0.0, 6.0))
    found = find_equilibria(model)
    values = {m: -r / (a + c * m / features) for m in range(1, features + 1)}
    expected = {(m, round(v, 8)) for m, v in values.items() if 0 < v <= found.high}
    alive = {(int((x > 0).sum()), round(float(x.max()), 8)) for x in found.states if x.any()}
    assert alive == expected
    assert [int((x > 0).sum()) for x in found.states[found.stable]] == stable
    for x, count in zip(found.states, found.arrangements, strict=True):
        assert count == math.comb(features, int((x > 0).sum()))


def test_survivors_of_a_cubic_that_bounds_itself():
    """ẋᵢ = xᵢ − xᵢ³ without interaction, as an exchangeable law: any m features may stand at 1, the rest at −1."""
    model = law("sindy", "exchangeable", {"x": 1.0, "x**3": -1.0}, 6, extent=(-1.0, 1.0))
    found = find_equilibria(model)
    assert found.stable_survivors == (1, 2, 3, 4, 5)
    assert found.stable.sum() == 7
    assert sum(found.arrangements[n] for n in np.flatnonzero(found.stable)) == 2**6


def test_features_with_laws_of_their_own_combine():
    model = law("lotka_volterra", "independent", [[1, -1], [1, -2], [1, -4]], 3, extent=(0.0, 1.0))
    found = find_equilibria(model)
    assert len(found) == 2**3
    np.testing.assert_allclose(found.states[found.stable], [[1, 0.5, 0.25]])
    many = law("lotka_volterra", "independent", [[1, -1 - 0.1 * k] for k in range(12)], 12, extent=(0.0, 1.0))
    assert len(find_equilibria(many)) == 1
    assert "4096 combinations" in find_equilibria(many).notes[0]


def test_many_species_are_searched_from_the_states_given():
    """Beyond twelve species Newton's method finds the coexistence that a state of the data lies near."""
    features, rng = 14, np.random.default_rng(0)
    A = -np.eye(features) - 0.02 * rng.uniform(0, 1, (features, features))
    x = rng.uniform(0.5, 1.0, features)
    model = law("lotka_volterra", "full", np.column_stack([-A @ x, A]), features, extent=(0.1, 1.2))
    found = find_equilibria(model, starts=1.05 * x[None])
    assert np.abs(found.states - x).max(axis=1).min() < 1e-8
    with pytest.raises(ValueError, match=r"starts of shape \(state, 14 features\)"):
        find_equilibria(model, starts=x)


@pytest.mark.parametrize(
    ("eigenvalues", "word"),
    [
        ([-1, -2], "stable node"),
        ([-1 + 2j, -1 - 2j], "stable focus"),
        ([1, 2], "unstable node"),
        ([1 + 1j, 1 - 1j], "unstable focus"),
        ([1, -1], "saddle"),
        ([2j, -2j], "non-hyperbolic"),
        ([-1, 1e-9], "non-hyperbolic"),
        ([0, 0], "non-hyperbolic"),
    ],
)
def test_names(eigenvalues, word):
    assert stability(eigenvalues) == word
    assert stability(1e-9 * np.array(eigenvalues)) == word


# ---------------------------------------------------------------------- fitted models


def test_where_a_law_stands_still_must_not_depend_on_more_than_its_signals(competing_runs):
    data = competing_runs()
    for model in (
        Linear(state="signal,gradient@start").fit_model(data),
        Linear().fit_model(data, clock=True),
    ):
        with pytest.raises(ValueError, match="autonomous law"):
            find_equilibria(model)


@pytest.mark.parametrize("coupling", ["independent", "exchangeable", "full"])
def test_a_network_knows_its_jacobian(competing_runs, coupling):
    model = NeuralODE(coupling, hidden=6, means=2, matching_steps=40, rollout_steps=4, intervals=12).fit_model(
        competing_runs(steps=31)
    )
    rng = np.random.default_rng(0)
    x, directions = rng.uniform(0.1, 2.0, (5, 4, 1)), rng.standard_normal((5, 4, 3))
    exact = model.jacobian_times(x, directions)
    np.testing.assert_allclose(
        exact, FittedModel.jacobian_times(model, x, directions), rtol=1e-5, atol=1e-8 * np.abs(exact).max()
    )
    found = find_equilibria(model)
    assert (found.residuals <= 1e-9 * np.abs(exact).max() * found.high).all()


def test_a_fit_finds_the_equilibria_of_the_truth(competing_runs):
    r, a, c = 0.15, -0.08, -0.05
    for estimator in (LotkaVolterra(), SINDy(thresholds=4)):
        found = find_equilibria(estimator.fit_model(competing_runs(runs=6)))
        np.testing.assert_allclose(found.states[0], -r / (a + c), rtol=1e-2)
        assert found.stability[0] == "stable node"


def test_json_holds_all_of_it():
    found = find_equilibria(CASES["may_leonard"])
    document = found.to_json()
    np.testing.assert_array_equal([e["state"] for e in document["equilibria"]], found.states)
    eigenvalues = np.array([e["eigenvalues"] for e in document["equilibria"]])
    np.testing.assert_array_equal(eigenvalues[..., 0] + 1j * eigenvalues[..., 1], found.eigenvalues)
    assert tuple(e["stability"] for e in document["equilibria"]) == found.stability
