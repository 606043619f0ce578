"""Families as maps, x(t + h) = x(t) + h·f(x(t)), beside their flows."""

import json
from dataclasses import replace

import numpy as np
import pytest
import sympy

from ecodyn import Linear, LotkaVolterra, SINDy, load_model
from ecodyn.errors import UnusableDataError
from ecodyn.families import Matching, Shooting
from ecodyn.families.side_by_side import simulate_all
from ecodyn.stability.equilibria import find_equilibria
from ecodyn.trajectories import Trajectories

FAMILIES = {"linear": Linear, "lotka_volterra": LotkaVolterra}
COUPLINGS = ("independent", "exchangeable", "full")
THETA = {"linear": (0.3, -0.2, 0.05), "lotka_volterra": (0.15, -0.08, -0.05)}  # 1, x, x̄ and x times these
every_map = pytest.mark.parametrize(("name", "coupling"), [(n, c) for n in FAMILIES for c in COUPLINGS])


def right_hand_side(name, coupling, features=3):
    """f of states (…, feature): of each family and coupling one law with a stable interior."""
    b, a, c = THETA[name]
    matrix = a * np.eye(features)
    if coupling == "exchangeable":
        matrix = matrix + c / features
    if coupling == "full":
        matrix = matrix + c * np.array([[0.0, 1.0, 0.5], [-0.5, 0.0, 1.0], [0.2, -0.3, 0.0]])
    return lambda x: (b + x @ matrix.T) * (x if name == "lotka_volterra" else 1.0)


def iterates(f, h=1.0, runs=5, count=25, seed=0, permute=None):
    x = np.random.default_rng(seed).uniform(0.3, 2.5, (runs, 3))
    states = [x]
    for _ in range(count):
        states.append(states[-1] + h * f(states[-1]))
    values = np.stack(states, axis=1)
    return Trajectories(values if permute is None else values[..., permute], 60 + h * np.arange(count + 1.0))


def slopes(law, x):
    return law.rhs(x[..., None], np.zeros(len(x)))[..., 0]


@every_map
@pytest.mark.parametrize("h", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("estimation", ["integral", "derivative"])
def test_exact_iterates_give_the_map_back(name, coupling, h, estimation):
    """In closed form: increments over spans and over single steps are exact for a map, whatever h."""
    f = right_hand_side(name, coupling)
    data = iterates(f, h)
    law = FAMILIES[name](
        coupling, dynamics="map", matching=Matching(method=estimation, ridge=0.0), shooting=Shooting(refine=False)
    ).fit_model(data)
    x = np.random.default_rng(1).uniform(0.3, 2.5, (20, 3))
    np.testing.assert_allclose(slopes(law, x), f(x), rtol=1e-8, atol=1e-9)
    assert law.step == h
    assert law.dynamics == "map"


@every_map
def test_shooting_goes_to_the_iterates_of_the_map(name, coupling):
    data = iterates(right_hand_side(name, coupling))
    law = FAMILIES[name](coupling, dynamics="map", shooting=Shooting(refine=True)).fit_model(data)
    assert law.diagnostics.converged
    rollout = law.simulate(data.values[:, 0], data.times)
    np.testing.assert_allclose(rollout.signal, data.values, atol=1e-4)


def test_sindy_finds_the_terms_of_a_map():
    data = iterates(right_hand_side("lotka_volterra", "exchangeable"), runs=8)
    law = SINDy("exchangeable", dynamics="map").fit_model(data)
    rollout = law.simulate(data.values[:, 0], data.times)
    np.testing.assert_allclose(rollout.signal, data.values, atol=1e-3)
    assert {"x", "x**2", "x*mean_x"} <= law.selected_terms()


@pytest.mark.parametrize("name", FAMILIES)
def test_map_and_flow_agree_as_h_goes_to_zero(linear_runs, competing_runs, name):
    """To first order: the difference of their coefficients halves with h."""
    data = (linear_runs if name == "linear" else competing_runs)(steps=65)
    apart = []
    for every in (8, 4, 2, 1):
        part = data.every(every)
        laws = [FAMILIES[name]("exchangeable", dynamics=t).fit_model(part) for t in ("flow", "map")]
        apart.append(np.abs(laws[1].coefficients - laws[0].coefficients).max())
    ratios = np.array(apart[:-1]) / apart[1:]
    assert (ratios > 1.6).all()
    assert (ratios < 2.6).all()


@every_map
def test_permuting_features_permutes_rollouts(name, coupling):
    order = [2, 0, 1]
    f = right_hand_side(name, coupling)
    data, permuted = iterates(f), iterates(f, permute=order)
    laws = [FAMILIES[name](coupling, dynamics="map").fit_model(d) for d in (data, permuted)]
    rollouts = [law.simulate(d.values[:, 0], d.times) for law, d in zip(laws, (data, permuted), strict=True)]
    np.testing.assert_allclose(rollouts[0].signal[..., order], rollouts[1].signal, atol=1e-6)


@every_map
def test_a_saved_map_loads_as_itself(tmp_path, name, coupling):
    data = iterates(right_hand_side(name, coupling), h=2.0)
    law = FAMILIES[name](coupling, dynamics="map").fit_model(data)
    law.save(tmp_path / "law.json")
    loaded = load_model(tmp_path / "law.json")
    assert loaded.step == 2.0
    assert loaded.equations() == law.equations()
    mine, theirs = (m.simulate(data.values[:, 0], data.times) for m in (law, loaded))
    np.testing.assert_array_equal(mine.values, theirs.values)


def test_a_file_from_before_there_were_maps_is_of_a_flow(tmp_path, linear_runs):
    path = tmp_path / "law.json"
    law = Linear().fit_model(linear_runs())
    law.save(path)
    document = json.loads(path.read_text())
    assert document["dynamics"] == "flow"
    del document["dynamics"], document["step"]
    path.write_text(json.dumps(document))
    assert load_model(path).dynamics == "flow"


CHANGES = ({"step": None}, {"step": -1.0}, {"step": "1"}, {"dynamics": "tides"}, {"dynamics": "flow"})


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_whose_step_does_not_fit_is_refused(tmp_path, change):
    path = tmp_path / "law.json"
    Linear(dynamics="map").fit_model(iterates(right_hand_side("linear", "exchangeable"))).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UnusableDataError, match=r"dynamics .* with the step"):
        load_model(path)


@pytest.mark.parametrize("h", [1.0, 0.5, 20.0])
def test_what_is_printed_is_what_is_iterated(h):
    data = iterates(right_hand_side("lotka_volterra", "exchangeable"))
    law = LotkaVolterra("exchangeable", dynamics="map").fit_model(data)
    law = replace(law, step=h, coefficients=law.coefficients / h)
    (equation,) = law.equations()
    x = np.array([0.4, 1.0, 1.9])
    step = law.simulate(x, [0.0, h]).signal[0, 1]
    f = sympy.lambdify(law.library.symbols()[0] + law.library.symbols()[1], equation.rhs)
    np.testing.assert_allclose((step - x) / h, f(x, x.mean()), rtol=1e-12)
    symbol, t = sympy.Function("x"), sympy.Symbol("t")
    quotient = (symbol(t + sympy.nsimplify(h)) - symbol(t)) / sympy.nsimplify(h)
    assert sympy.nsimplify(sympy.expand(equation.lhs - quotient)) == 0


@pytest.mark.parametrize(("h", "left"), [(1.0, "x(t + 1) - x(t) = "), (20.0, r"\frac{x(t + 20) - x(t)}{20} = ")])
def test_latex_has_the_difference_quotient(h, left):
    law = replace(Linear(dynamics="map").fit_model(iterates(right_hand_side("linear", "exchangeable"))), step=h)
    assert law.to_latex().startswith(left)


@pytest.mark.parametrize("state", ["signal,gradient@start", "signal,gradient", "signal,velocity"])
@pytest.mark.parametrize("clock", [False, True])
def test_states_and_clocks_iterate_by_their_own_right_hand_side(competing_runs, state, clock):
    data = competing_runs().window(5.0, 40.0)
    law = Linear("exchangeable", state, dynamics="map").fit_model(data, clock=clock)
    start, times = data.state(state)[:, 0], data.times[:, :4]
    rollout = law.simulate(start, times)
    assert rollout.ok.all()
    for n in range(3):
        x = rollout.values[:, n]
        np.testing.assert_allclose(rollout.values[:, n + 1], x + law.rhs(x, times[:, n]), rtol=1e-12, atol=1e-14)


def test_maps_and_flows_are_rolled_out_together_as_alone():
    data = iterates(right_hand_side("linear", "exchangeable"))
    laws = [Linear(dynamics=dynamics, coupling="exchangeable").fit_model(data) for dynamics in ("map", "flow", "map")]
    laws[2] = replace(laws[2], step=5.0)
    start, times = data.values[:, 0, :, None], data.times[:, ::5]
    together = simulate_all(laws, [start] * 3, [times] * 3)
    for law, rollout in zip(laws, together, strict=True):
        np.testing.assert_array_equal(rollout.values, simulate_all([law], [start], [times])[0].values)
        np.testing.assert_allclose(rollout.values, law.simulate(start, times).values, rtol=1e-12)


@pytest.mark.parametrize(("rate", "word"), [(0.5, "stable node"), (1.5, "stable focus"), (2.5, "unstable focus")])
def test_stability_is_that_of_the_iterates(rate, word):
    """The logistic map turns deviations from x* = 1 over beyond rh = 1 and loses its stability at rh = 2."""
    data = iterates(right_hand_side("lotka_volterra", "independent"))
    law = LotkaVolterra("independent", dynamics="map").fit_model(data)
    law = replace(law, coefficients=np.array([[rate, -rate]]))
    found = find_equilibria(law)
    assert dict(zip(map(tuple, found.states.round(9).tolist()), found.stability, strict=True))[(1.0,) * 3] == word
    near = law.simulate(np.full(3, 1.0 + 1e-6), [0.0, 10.0]).signal[0, -1] - 1.0
    assert (np.abs(near).max() < 1e-6) == word.startswith("stable")


def test_times_off_the_grid_are_refused():
    law = Linear(dynamics="map").fit_model(iterates(right_hand_side("linear", "exchangeable")))
    with pytest.raises(ValueError, match=r"whole multiples of h = 1 .*got 2.5 after 0"):
        law.simulate(np.ones(3), [0.0, 1.0, 2.5])


def test_unevenly_stored_steps_are_refused_for_maps_alone(linear_runs):
    data, kept = linear_runs(), [0, 1, 2, 4, 8, 12, 16, 20, 24, 28, 32]
    uneven = Trajectories(data.values[:, kept], data.steps[kept])
    Linear().fit(uneven)
    with pytest.raises(UnusableDataError, match="evenly spaced"):
        Linear(dynamics="map").fit(uneven)


def test_other_dynamics_are_refused(linear_runs):
    with pytest.raises(ValueError, match="dynamics is 'flow' or 'map', got 'maps'"):
        Linear(dynamics="maps").fit(linear_runs())
