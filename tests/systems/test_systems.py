import itertools
import json

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from ecodyn.equations.library import COUPLINGS, EXCHANGEABLE
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.rollouts.integration import integrate
from ecodyn.systems import (
    ADDITIVE,
    GROUPS,
    LINEAR,
    LOTKA_VOLTERRA,
    MULTIPLICATIVE,
    NOT_POLYNOMIAL,
    SINDY,
    SYSTEMS,
    TUNED_ON,
    Form,
    distance,
    scale,
    simulate,
    starts,
)

ROUNDING = 1e-12
SOLVER = 1e-7  # of a solution's size; it is asked for 1e-9 a step
FAMILIES = (LINEAR, LOTKA_VOLTERRA, SINDY, NOT_POLYNOMIAL)
# The first ones, written by hand; test_written_systems.py and test_random_systems.py have the others.
FIRST = {name: SYSTEMS[name] for name in SYSTEMS if name in TUNED_ON}
every_system = pytest.mark.parametrize("system", FIRST.values(), ids=FIRST)
in_a_family = [s for s in FIRST.values() if s.form is not None]
every_law = pytest.mark.parametrize("system", in_a_family, ids=lambda s: s.name)
chaotic = [s for s in FIRST.values() if s.lyapunov_time is not None]
pairs = [s for s in FIRST.values() if s.rival is not None]


def first(group):
    """The first systems of a group."""
    return [FIRST[name] for name in GROUPS[group] if name in FIRST]


def close(actual, expected, tolerance):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def states(system, runs=8, seed=0):
    """States (batch, feature) that the system visits."""
    return simulate(system, runs, seed).values[:, ::14].reshape(-1, len(system.features))


def by_terms(form, system, x):
    """ẋ of a form, in the library that fitted models use."""
    return BoundLibrary(form.library(system.features), form.coefficients)(x[..., None])[..., 0]


# ------------------------------------------------------------------------------------------ what they claim


def test_the_registry_knows_each_by_its_name():
    for name in SYSTEMS:
        if not name.startswith("random_"):  # those are drawn first: test_random_systems.py
            assert SYSTEMS[name].name == name
    assert len(SYSTEMS) == sum(len(group) for group in GROUPS.values())
    for group, family in zip(list(GROUPS)[:4], FAMILIES, strict=True):
        assert {s.family for s in first(group)} == {family}
        assert not any(s.indistinguishable for s in first(group))
    assert all(s.indistinguishable for s in GROUPS["indistinguishable"].values())


@every_system
def test_says_what_it_is(system):
    assert system.family in FAMILIES
    assert system.coupling in COUPLINGS
    assert system.equation
    assert system.source
    assert (system.form is None) == (system.family == NOT_POLYNOMIAL)
    if system.form is not None:
        assert (system.form.family, system.form.coupling) == (system.family, system.coupling)
    assert system.labels_shared or system.coupling != "full"


@every_law
def test_true_coefficients_give_the_right_hand_side(system):
    x = np.concatenate([states(system), states(system) * 1.3])
    for form in (system.form, *system.also):
        close(by_terms(form, system, x), system(x), ROUNDING)


@pytest.mark.parametrize("system", first("polynomial"), ids=lambda s: s.name)
def test_polynomials_are_in_no_simpler_family(system):
    """On states that the system visits, no linear or Lotka-Volterra law comes near."""
    x = states(system)
    for family in (LINEAR, LOTKA_VOLTERRA):
        for coupling in {system.coupling, EXCHANGEABLE}:
            terms = Form(family, coupling, np.zeros((1, 0))).library(system.features).values(x[..., None])
            terms = np.broadcast_to(terms, (*x.shape, terms.shape[-1]))
            unexplained = 0.0
            if system.labels_shared:  # a law for each feature
                for k in range(x.shape[1]):
                    unexplained = max(unexplained, residual(terms[:, k], system(x)[:, k]))
            else:
                unexplained = residual(terms.reshape(-1, terms.shape[-1]), system(x).ravel())
            assert unexplained > 1e-3


def residual(terms, target):
    fitted = terms @ np.linalg.lstsq(terms, target, rcond=None)[0]
    return np.mean((target - fitted) ** 2) / np.mean(target**2)


@every_system
def test_symmetry_is_what_the_coupling_says(system):
    """Without names, permuting features permutes derivatives; independent ones don't see each other."""
    x = states(system)
    if not system.labels_shared:
        order = np.random.default_rng(0).permutation(x.shape[1])
        close(system(x[:, order]), system(x)[:, order], ROUNDING)
    if system.coupling == "independent":
        other = x.copy()
        other[:, 1:] *= 1.1
        np.testing.assert_array_equal(system(other)[:, 0], system(x)[:, 0])


# -------------------------------------------------------------------------------------------- simulation


@every_system
def test_simulates_without_oddities(system):
    for seed, kind in itertools.product(range(2), (MULTIPLICATIVE, ADDITIVE)):
        data = simulate(system, runs=8, seed=seed, noise=0.05, kind=kind)  # warnings are errors here
        assert data.shape == (8, 201, len(system.features))
        assert not data.warnings
        assert data.labels_shared == system.labels_shared
        assert data.features.tolist() == list(system.features)


@every_system
def test_derivatives_of_the_data_are_the_right_hand_side(system):
    """Central differences of order h⁴ on a fine grid."""
    x0 = simulate(system, runs=8, seed=1).values[:3, 0]
    h = system.duration / 4000
    times = np.arange(9) * h
    x = system.solve(x0, times)
    slopes = (x[:, :-4] - 8 * x[:, 1:-3] + 8 * x[:, 3:-1] - x[:, 4:]) / (12 * h)
    close(slopes, system(x[:, 2:-2].reshape(-1, x.shape[2])).reshape(slopes.shape), 1e-5)


@every_system
def test_every_run_moves(system):
    x = simulate(system, runs=8, seed=0).values
    moves = np.sqrt(np.mean((x - x[:, :1]) ** 2, axis=(1, 2)))
    assert moves.min() > 0.1 * np.median(moves)


@pytest.mark.parametrize("name", ["logistic", "lorenz", "linear_full_29"])
def test_seeds(name):
    system = SYSTEMS[name]
    one = simulate(system, runs=4, seed=7, noise=0.01)
    assert one == simulate(system, runs=4, seed=7, noise=0.01)
    more = simulate(system, runs=6, seed=7, noise=0.01)
    close(more.values[:4], one.values, SOLVER)  # the first runs are the same
    assert not np.allclose(simulate(system, runs=4, seed=8, noise=0.01).values, one.values)
    assert len(np.unique(more.values[:, 0, 0])) == 6
    clean = simulate(system, runs=4, seed=7).values
    assert np.abs(one.values / clean - 1).max() < 0.06  # noise apart, the same solutions


@pytest.mark.parametrize("name", ["circles_29", "lorenz", "exponential", "coexistence"])
def test_noise_has_the_size_it_says(name):
    system, sigma = SYSTEMS[name], 0.05
    clean = simulate(system, runs=8, seed=1).values
    times = (simulate(system, runs=8, seed=1, noise=sigma).values - clean) / clean
    plus = (simulate(system, runs=8, seed=1, noise=sigma, kind=ADDITIVE).values - clean) / scale(system)
    for error in (times, plus):
        assert np.std(error) == pytest.approx(sigma, rel=0.05)
        assert abs(np.mean(error)) < 4 * sigma / np.sqrt(error.size)
        assert np.std(error[:, 0]) > sigma / 2  # the start is measured too
        lagged = np.corrcoef(error[:, 1:].ravel(), error[:, :-1].ravel())[0, 1]
        assert abs(lagged) < 4 / np.sqrt(error.size)


def test_additive_noise_leaves_its_square_unexplained():
    system = SYSTEMS["shared_resource_5"]
    clean = simulate(system, runs=64, seed=4).values
    noisy = simulate(system, runs=64, seed=4, noise=0.02, kind=ADDITIVE).values
    share = np.mean((noisy - clean) ** 2) / np.mean((clean - clean[:, :1]) ** 2)
    assert share == pytest.approx(0.02**2, rel=0.2)


@every_system
def test_provenance_is_json_and_complete(system):
    told = simulate(system, runs=8, seed=1, noise=0.01).provenance
    assert json.loads(json.dumps(told)) == told
    assert (told["system"], told["seed"], told["noise"], told["noise_kind"]) == (
        system.name,
        1,
        0.01,
        "multiplicative",
    )
    assert set(told["parameters"]) == set(system.parameters)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "pink"}, "multiplicative or additive"),
        ({"runs": 0}, "runs"),
        ({"samples": 1}, "samples"),
        ({"noise": -0.1}, "noise"),
    ],
)
def test_refuses_what_makes_no_sense(wrong, message):
    with pytest.raises(ValueError, match=message):
        simulate(SYSTEMS["logistic"], **wrong)


def test_a_solution_that_ends_early_is_an_error():
    growth = SYSTEMS["quadratic_growth"]
    with pytest.raises(RuntimeError, match=r"quadratic_growth has no solution up to t=3.*shorter"):
        growth.solve(np.array([[0.5, 0.1, 0.1, 0.1, 0.1]]), np.linspace(0, 3, 5))


def test_unknown_terms_are_refused():
    with pytest.raises(ValueError, match=r"x\*\*3, got x\*\*4"):
        Form.of("independent", (1, 2), [{"x**4": 1.0}])


# ---------------------------------------------------------------------------------- laws that theory knows


def conserved(system, quantity, tolerance=1e-7):
    values = quantity(np.moveaxis(simulate(system, runs=8, seed=0).values, -1, 0), **system.parameters)
    np.testing.assert_allclose(values, np.broadcast_to(values[:, :1], values.shape), rtol=tolerance)


def test_predator_prey_keeps_its_constant_of_motion():
    def volterra(x, alpha, beta, gamma, delta):
        return delta * x[0] - gamma * np.log(x[0]) + beta * x[1] - alpha * np.log(x[1])

    conserved(SYSTEMS["predator_prey"], volterra)


def test_pendulum_keeps_its_energy():
    conserved(SYSTEMS["pendulum"], lambda x, frequency: 3 + x[1] ** 2 / 2 - frequency**2 * np.cos(x[0]))


@pytest.mark.parametrize("name", ["replicator", "autocatalysis"])
def test_replicators_stay_on_the_simplex(name):
    x = simulate(SYSTEMS[name], runs=8, seed=0).values
    np.testing.assert_allclose(x.sum(axis=2), 1.0, atol=1e-9)
    assert x.min() > 0


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("may_leonard", np.full(3, 1 / 3.1)),  # 1/(1 + α + β)
        ("competition", [1.0, 1.0]),
        ("predator_prey", [0.80 / 0.024, 0.55 / 0.028]),
        ("vano", [0.3013, 0.4586, 0.1307, 0.3557]),  # as the paper rounds it
        ("brusselator", [1.0, 2.5]),  # A, B/A
        ("lorenz", [np.sqrt(72), np.sqrt(72), 27.0]),
        ("replicator", np.full(3, 1 / 3)),
        ("holling_ii", [0.5, 5 / 12]),
        ("gompertz", np.ones(5)),
        ("linear_full_29", np.linspace(1, 2, 29)),
    ],
)
def test_equilibria(name, state):
    system = SYSTEMS[name]
    typical = np.sqrt(np.mean(system(states(system)) ** 2))
    assert np.abs(system(np.array([state]))).max() < 5e-3 * typical


def test_closed_forms():
    times = np.linspace(0, 2.0, 9)

    def check(name, solution, **factor):
        system = SYSTEMS[name]
        x0 = starts(system, 4, 13)
        t = times * system.duration / 2.0
        close(system.solve(x0, t), solution(x0[:, None], t[:, None]), SOLVER)

    check("logistic", lambda x, t: x * np.exp(t) / (1 + x * (np.exp(t) - 1)))
    check("quadratic_growth", lambda x, t: x / (1 - x * t))
    check("gompertz", lambda x, t: x ** np.exp(-t))
    check("linear_independent_5", lambda x, t: 0.6 + (x - 0.6) * np.exp(-t))
    check("exponential", lambda x, t: x * np.exp(-0.8 * t))
    check("pitchfork", lambda x, t: x * np.exp(t) / np.sqrt(1 + x**2 * (np.exp(2 * t) - 1)))


@pytest.mark.parametrize("system", first("linear"), ids=lambda s: s.name)
def test_linear_systems_are_stable(system):
    size = len(system.features)
    jacobian = (system(np.eye(size)) - system(np.zeros((1, size)))).T
    assert np.linalg.eigvals(jacobian).real.max() < 0


@pytest.mark.parametrize("system", chaotic, ids=lambda s: s.name)
def test_lyapunov_times(system):
    """Nearby states run apart at the stated rate, averaged along the attractor (Benettin et al. 1980)."""
    assert system.duration <= 2 * system.lyapunov_time * (1 + ROUNDING)
    runs, size, laps = 40, 1e-5, 12
    rng = np.random.default_rng(0)
    x = starts(system, runs, 21)
    apart = rng.standard_normal(x.shape)
    times = np.array([0.0, 0.5 * system.lyapunov_time])
    growth = []
    for _ in range(laps):
        apart *= size * np.abs(x).max() / np.linalg.norm(apart, axis=1, keepdims=True)
        both = integrate(lambda y, t: system(y), np.concatenate([x, x + apart]), times, rtol=1e-8)
        x, apart = both.values[:runs, -1], both.values[runs:, -1] - both.values[:runs, -1]
        growth.append(np.log(np.linalg.norm(apart, axis=1) / (size * np.abs(both.values[:runs, 0]).max())))
    rate = np.mean(growth[2:]) / times[1]
    assert rate * system.lyapunov_time == pytest.approx(1.0, rel=0.25)


# ------------------------------------------------------------------------------------------ hard to tell


@pytest.mark.parametrize("system", pairs, ids=lambda s: s.name)
def test_pairs_are_as_close_as_they_say(system):
    rival = SYSTEMS[system.rival]
    assert rival.rival == system.name
    assert {system.family, rival.family} == {LINEAR, LOTKA_VOLTERRA}
    assert system.parameters != rival.parameters
    assert 1e-4 < distance(system, rival) < 0.03
    assert distance(system, system) == 0.0


def test_indistinguishable_ones_are_four_at_least():
    truths = GROUPS["indistinguishable"].values()
    exact = [s for s in truths if s.also]
    assert len(exact) >= 2
    assert len(pairs) >= 4


def test_circles_look_like_the_circles(quiet):
    import ecodyn

    trained = ecodyn.load("data/circles_p59_d128.nc").window(60, 1000)
    made = simulate(SYSTEMS["circles_29"], runs=16, samples=941)
    for data in (trained, made):
        x = data.values
        assert x[:, 0].mean() == pytest.approx(78.7, abs=1.0)
        assert x[:, 0].mean(axis=1).std() < 1.5
        assert x[:, -1].mean() == pytest.approx(24, abs=2)
        assert 8 < x[:, -1].min() < 13
        mean = x.mean(axis=2)
        assert np.mean(mean.std(axis=0)) < 0.1 * mean.std()
        centred = x[0] - x[0].mean(axis=0)
        share = np.linalg.svd(centred, compute_uv=False) ** 2
        assert share[0] / share.sum() > 0.94


@pytest.mark.parametrize("name", ["logistic", "lorenz", "hutchinson"])
def test_uneven_times_are_those_of_the_same_solutions(name):
    system = SYSTEMS[name]
    uneven = simulate(system, runs=2, seed=7, uneven=True)
    even = simulate(system, runs=2, seed=7, samples=2001)
    times = uneven.times[0]
    assert (uneven.times == times).all()
    assert (np.diff(times) > 0).all()
    assert [times[0], times[-1], len(times)] == [0.0, system.duration, 201]
    gaps = np.diff(times) / system.duration * 200
    assert gaps.max() > 3 > 0.1 > gaps.min()
    between = CubicSpline(even.times[0], even.values, axis=1)(times)
    np.testing.assert_allclose(uneven.values, between, atol=2e-3 * np.abs(even.values).max())


def test_uneven_times_depend_on_the_seed_and_not_on_the_number_of_runs():
    system = SYSTEMS["competition"]
    few, more = (simulate(system, runs=n, seed=7, noise=0.01, uneven=True) for n in (2, 4))
    np.testing.assert_allclose(few.values, more.values[:2], rtol=SOLVER)
    np.testing.assert_array_equal(few.times, more.times[:2])
    assert not np.array_equal(few.times, simulate(system, runs=2, seed=8, uneven=True).times)
