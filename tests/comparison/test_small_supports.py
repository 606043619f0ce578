"""How `best_law` seeks functions: small supports, what noise leaves, and the laws that come of it."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecodyn
from ecodyn.comparison.automatic.columns import Columns
from ecodyn.comparison.automatic.equations import made, tuned
from ecodyn.comparison.automatic.function_groups import with_parameters
from ecodyn.comparison.automatic.functions import asked_for
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.comparison.automatic.preparation import prepared
from ecodyn.comparison.automatic.subsets import small_subsets
from ecodyn.rollouts.integration import integrate
from ecodyn.rollouts.skill import skill_of

TIMES = np.linspace(0.0, 10.0, 201)


def solved(rhs, start):
    rollout = integrate(lambda x, _: np.stack(rhs(*x.T), axis=-1), [start], TIMES, rtol=1e-10, max_evaluations=200_000)
    assert rollout.ok.all()
    return rollout.values[0]


def feeding(prey, hunters):
    eaten = 3.0 * prey * hunters / (1.0 + prey)
    return prey * (1 - prey / 3) - eaten, eaten - hunters


def phases(a, b):
    return 0.3 + 0.8 * np.sin(b - a), 0.6 * np.sin(a - b) - 0.2 * a


def ready(noise=0.0, seed=0):
    x = solved(feeding, [1.5, 0.6])
    x = x + noise * x.std(axis=0) * np.random.default_rng(seed).standard_normal(x.shape)
    data = ecodyn.as_trajectories(x, TIMES)
    return prepared(data, Terms(2, 3), alike=True)


@functools.cache
def exact():
    some = ready()
    return asked_for(some.problem, some.scale)


@given(st.integers(0, 1000), st.integers(1, 4))
def test_a_sum_of_few_columns_is_found(seed, size):
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((2, 30, 12))
    support = rng.choice(12, size, replace=False)
    target = columns[1][:, support] @ rng.uniform(1.0, 2.0, size)
    found = small_subsets(columns, target, np.ones(12, dtype=bool), 4, 24)[size - 1]
    assert set(found.supports[1, 0].tolist()) == set(support.tolist())
    assert found.losses[1, 0] < 1e-20 * float(target @ target) < found.losses[0, 0]


@given(st.integers(0, 1000))
def test_losses_are_those_of_least_squares_and_every_support_begins_as_asked(seed):
    rng = np.random.default_rng(seed)
    columns, target = rng.standard_normal((1, 20, 8)), rng.standard_normal(20)
    first = np.arange(8) < 3
    for subsets in small_subsets(columns, target, first, 3, 10):
        for support, loss in zip(subsets.supports[0], subsets.losses[0], strict=True):
            if np.isfinite(loss):
                rest = target - columns[0][:, support] @ np.linalg.lstsq(columns[0][:, support], target)[0]
                assert loss == pytest.approx(float(rest @ rest), rel=1e-8)
                assert first[support].any()


def test_floors_are_what_noise_leaves_of_a_true_equation():
    found, some = exact(), ready(noise=1e-4)
    columns = Columns(some.problem, 3, 24)
    for feature, equation in enumerate(found.equations):
        assert 0.1 < made(columns, feature, equation.terms).loss / columns.floors[feature] < 10


def test_parameters_are_fitted_from_far():
    found = exact()
    equation = found.equations[1]
    (function,) = equation.functions
    (away,) = with_parameters((function,), [(0, "parameter")], np.array([0.5]))
    terms = tuple(type(t)(t.monomial, tuple(away for _ in t.functions)) for t in equation.terms)
    far = made(found.columns, 1, terms)
    near = tuned(found.columns, 1, far)
    assert near.functions[0].parameter == pytest.approx(function.parameter, rel=1e-5)
    assert near.loss < 1e-8 * far.loss


def test_a_saturation_is_found_in_data_of_four_digits():
    some = ready(1e-4)
    functions = asked_for(some.problem, some.scale).functions
    assert {f.kind for f in functions} == {"reciprocal"}
    assert functions[0].in_units(some.scale)[0].parameter == pytest.approx(1.0, rel=0.05)


@pytest.mark.slow
def test_a_sine_of_a_difference_holds_from_another_start():
    model = ecodyn.best_law(solved(phases, [0.5, -1.0]), TIMES, resamples=5).model
    truth = solved(phases, [-1.0, 1.2])
    rollout = model.simulate([-1.0, 1.2], TIMES).signal[0]
    assert skill_of(truth, rollout, TIMES, truth.std(axis=0)) > 0.9999
    assert {f.kind for f in model.library.functions} == {"sin_of_sum"}


def test_what_one_feature_loses_the_other_gains():
    def dimers(single, double):
        bound = 0.8 * single**2 - 0.3 * double
        return -2 * bound, bound

    model = ecodyn.best_law(solved(dimers, [1.6, 0.1]), TIMES, resamples=5).model
    assert model.lines(3) == ["(x_1)' = 0.6*x_2 - 1.6*x_1**2", "(x_2)' = -0.3*x_2 + 0.8*x_1**2"]


@pytest.mark.slow
def test_of_many_runs_equations_are_sought_on_some():
    runs = [solved(feeding, [0.6 + 0.1 * k, 0.5]) for k in range(8)]
    some = prepared(ecodyn.as_trajectories(runs, TIMES), Terms(2, 3), alike=True)
    found = asked_for(some.problem, some.scale)
    assert len(found.columns.states) < sum(len(run) for run in runs)
    assert {f.kind for f in found.functions} == {"reciprocal"}
