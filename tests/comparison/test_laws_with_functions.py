"""Laws that no polynomial is: sines and saturations that `best_law` finds in one trajectory, and what they can do."""

import functools

import numpy as np
import pytest

import ecodyn
from ecodyn.rollouts.integration import integrate
from ecodyn.rollouts.skill import skill_of

TIMES = np.linspace(0.0, 12.0, 121)


def solved(rhs, start, times=TIMES):
    rollout = integrate(lambda x, _: np.stack(rhs(*x.T), axis=-1), [start], times, rtol=1e-10, max_evaluations=200_000)
    assert rollout.ok.all()
    return rollout.values[0]


def pendulum(angle, speed):
    return speed, -np.sin(angle)


def feeding(prey, hunters):
    eaten = 3.0 * prey * hunters / (1.0 + prey)
    return prey * (1 - prey / 3) - eaten, eaten - hunters


CASES = {"pendulum": (pendulum, [1.8, 0.0], [2.6, 0.1]), "feeding": (feeding, [1.5, 0.6], [0.5, 0.8])}


@functools.cache
def law_of(name, unit=1.0):
    rhs, start, _ = CASES[name]
    return ecodyn.best_law(unit * solved(rhs, start), TIMES, resamples=5).model


CASES_IN_TIME = ["pendulum", pytest.param("feeding", marks=pytest.mark.slow)]


@pytest.mark.parametrize("name", CASES_IN_TIME)
def test_a_law_with_functions_holds_from_a_start_outside_the_trajectory(name):
    rhs, _, other = CASES[name]
    truth = solved(rhs, other)
    rollout = law_of(name).simulate(other, TIMES).signal[0]
    assert skill_of(truth, rollout, TIMES, truth.std(axis=0)) > 0.9999


def test_a_pendulum_is_a_sine():
    model = law_of("pendulum")
    (sine,) = model.library.functions
    assert sine.kind == "sin"
    assert sine.parameter == pytest.approx(1.0, rel=1e-4)
    assert model.lines(3) == ["(x_1)' = 1*x_2", "(x_2)' = -1*sin(x_1)"]
    assert (model.family, model.coupling, model.n_coefficients) == ("sindy", "full", 2)


@pytest.mark.slow
def test_a_saturation_has_its_constant():
    (saturation,) = law_of("feeding").library.functions
    assert saturation.kind == "reciprocal"
    assert saturation.parameter == pytest.approx(1.0, rel=1e-3)


@pytest.mark.slow
def test_an_angle_may_have_any_unit():
    unit = 180 / np.pi
    (sine,) = law_of("pendulum", unit).library.functions
    assert sine.parameter * unit == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize("name", CASES_IN_TIME)
def test_files_equations_and_jacobians_are_those_of_the_law(name, tmp_path):
    import sympy

    model = law_of(name)
    model.save(tmp_path / "law.json")
    again = ecodyn.load_model(tmp_path / "law.json")
    x = np.random.default_rng(0).uniform(0.2, 2.0, (5, 2, 1))
    slopes = model.rhs(x, np.zeros(5))
    assert np.array_equal(again.rhs(x, np.zeros(5)), slopes)
    assert again.lines(4) == model.lines(4)
    written = [sympy.lambdify(sympy.symbols("x_1 x_2"), equation.rhs)(*x[..., 0].T) for equation in model.equations()]
    assert np.allclose(np.stack(written, axis=-1), slopes[..., 0], rtol=1e-12)
    directions = np.random.default_rng(1).normal(size=(5, 2, 3))
    step = 1e-6
    moved = [
        (model.rhs(x + step * d, np.zeros(5)) - model.rhs(x - step * d, np.zeros(5))) / (2 * step)
        for d in np.moveaxis(directions, -1, 0)[..., None]
    ]
    expected = np.concatenate(moved, axis=-1)
    assert np.allclose(model.jacobian_times(x, directions), expected, atol=1e-7)


def test_a_polynomial_library_refuses_functions():
    with pytest.raises(ValueError, match=r"a law of monomials, got one with sin\(x_1\)"):
        law_of("pendulum").to_pysindy()


@pytest.mark.parametrize(
    ("change", "said"),
    [({"kind": "gamma"}, "kinds are"), ({"variables": [5]}, "of 2 variables"), ({"parameter": np.inf}, "Infinity")],
)
def test_a_file_with_functions_that_are_none_is_refused(change, said, tmp_path):
    import json

    document = law_of("pendulum").to_json()
    document["library"]["functions"][0].update(change)
    (tmp_path / "law.json").write_text(json.dumps(document))
    with pytest.raises(ecodyn.UnusableDataError, match=said):
        ecodyn.load_model(tmp_path / "law.json")


def test_arrays_in_a_list_are_runs_of_the_same_features():
    runs = [solved(pendulum, start, TIMES[:61]) for start in ([0.3, 0.0], [-0.2, 0.4])]
    listed = ecodyn.best_law(runs, TIMES[:61], degree=1, resamples=2).model
    named = ecodyn.Trajectories(runs, TIMES[:61], ["x", "v"], labels_shared=True)
    alike = ecodyn.best_law(named, degree=1, resamples=2).model
    assert np.array_equal(listed.coefficients, alike.coefficients)
