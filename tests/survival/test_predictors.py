import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.survival import PREDICTORS, Survivors, fitness, survivors
from ecodyn.survival.predictors import SLOPE_STEPS, early_steps, predictor, score, spread_steps
from ecodyn.trajectories import Trajectories

TIMES = np.arange(0.0, 41.0)


def test_predictors_of_exponentials_are_their_formulas(races):
    runs = races([[80.0, 40.0]], [[20.0, 60.0]])
    growth = np.array([20 / 80, 60 / 40]) ** (1 / 40)
    x = np.array([80.0, 40.0]) * growth**10
    np.testing.assert_allclose(predictor(runs, "signal", 10), [x])
    np.testing.assert_allclose(predictor(runs, "relative_gradient", 10), [growth - 1])
    np.testing.assert_allclose(predictor(runs, "slope", 10), [x * (1 - growth**-SLOPE_STEPS) / SLOPE_STEPS])


def test_rates_are_per_step_where_steps_are_apart(races):
    runs = races([[80.0, 40.0]], [[20.0, 60.0]], times=np.arange(0.0, 41.0, 5))
    growth = np.array([20 / 80, 60 / 40]) ** (5 / 40)
    np.testing.assert_allclose(predictor(runs, "relative_gradient", 10), [(growth - 1) / 5])
    np.testing.assert_allclose(predictor(runs, "slope", 5), [np.array([80.0, 40.0]) * (growth - 1) / 5])


def test_a_change_needs_a_step_before(races):
    runs = races([[80.0, 40.0]], [[20.0, 60.0]])
    for name in ("relative_gradient", "slope"):
        assert np.isnan(predictor(runs, name, 0)).all()


def test_what_stays_zero_does_not_grow_and_what_comes_from_zero_has_no_rate(quietly):
    runs = quietly([[[0.0, 0, 2, 4], [0, 3, 1, 4]]], [0, 1])
    np.testing.assert_array_equal(predictor(runs, "relative_gradient", 1), [[0, np.nan, -0.5, 0]])


@pytest.mark.parametrize("name", [*PREDICTORS, "gradient"])
@given(step=st.integers(1, 30), seed=st.integers(0, 100))
def test_nothing_later_is_known(name, step, seed):
    rng = np.random.default_rng(seed)
    values, gradient = rng.uniform(1, 90, (2, 3, 41, 5))
    changed = values.copy(), gradient.copy()
    for array in changed:
        array[:, step + 1 :] = rng.uniform(1, 90, array[:, step + 1 :].shape)
    before = Trajectories(values, TIMES, observables={"gradient": gradient})
    after = Trajectories(changed[0], TIMES, observables={"gradient": changed[1]})
    np.testing.assert_array_equal(predictor(before, name, step), predictor(after, name, step))


def test_an_observable_that_looks_ahead_is_not_taken_from_the_file(fated):
    runs = fated(observables={"relative_gradient": np.ones((8, 41, 29)), "circularity": np.ones((8, 41, 29))})
    assert {s.predictor for s in fitness(runs, survivors(runs))} == {*PREDICTORS, "circularity"}
    assert not (predictor(runs, "relative_gradient", 5) == 1).any()


def test_an_observable_that_is_not_there_is_a_sentence(fated):
    with pytest.raises(UnusableDataError, match=r"that the data have, signal.*got gradient; .*keep the observable"):
        predictor(fated(observables={}), "gradient", 0)


@given(seed=st.integers(0, 1000))
def test_scores_see_the_order_alone_and_turn_over_with_it(seed):
    rng = np.random.default_rng(seed)
    values, alive = rng.normal(size=(4, 7)), rng.random((4, 7)) < 0.4
    found = Survivors(alive, "told", np.full(4, 40.0))
    clusters = np.arange(4)
    own = score(values, found, clusters, "x", 0)
    np.testing.assert_allclose(score(np.exp(values), found, clusters, "x", 0).auc_per_run, own.auc_per_run)
    np.testing.assert_allclose(score(-values, found, clusters, "x", 0).auc_per_run, 1 - own.auc_per_run)
    np.testing.assert_array_equal(np.isnan(own.auc_per_run), found.one_fate)
    np.testing.assert_array_equal(np.isnan(own.hit_rate_per_run), found.one_fate)


def test_who_survives_is_the_best_predictor_of_it(fated):
    runs = fated()
    found = survivors(runs)
    best = score(runs.values[:, -1], found, runs.clusters, "end", 40)
    assert best.auc.mean == best.hit_rate.mean == 1
    start = next(s for s in fitness(runs, found) if (s.predictor, s.step) == ("signal", 0))
    assert 0.7 < start.auc.mean < 1
    blind = next(s for s in fitness(runs, found) if (s.predictor, s.step) == ("gradient", 0))
    assert blind.auc.low < 0.5 < blind.auc.high


@pytest.mark.parametrize(
    ("end", "words"),
    [(80, "all survive in all 3 runs"), (5, "nobody survives in all 3 runs")],
)
def test_one_fate_for_all_is_a_sentence(races, end, words):
    runs = races(np.full((3, 6), 80.0), np.full((3, 6), float(end)))
    with pytest.raises(UnusableDataError, match=f"under two_component {words}; judge at another step"):
        fitness(runs, survivors(runs))


def test_the_usual_steps_are_those_that_all_runs_have(races, fated):
    runs = fated()
    assert early_steps(runs, survivors(runs)) == [0, 1, 2, 3, 4, 20]
    late = races([[80.0] * 5], [[80, 5, 5, 5, 5]], times=np.arange(100.0, 141.0, 20))
    assert early_steps(late, survivors(late)) == [100, 120]
    sparse = races([[80.0] * 5], [[80, 5, 5, 5, 5]], times=np.arange(0.0, 4100.0, 100))
    steps = early_steps(sparse, survivors(sparse))
    assert steps[0] == 0
    assert len(steps) <= 10
    assert max(steps) < 4000


def test_runs_without_a_common_step_are_a_sentence(quietly):
    runs = quietly([np.ones((3, 5)), np.ones((3, 5))], [[0, 2, 4], [1, 3, 5]])
    with pytest.raises(UnusableDataError, match="a step before 4 that every run has stored"):
        early_steps(runs, survivors(runs, "above_10"))


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60, unique=True).map(sorted), st.integers(1, 12))
def test_spread_steps_are_some_of_the_steps_from_the_first(steps, most):
    chosen = spread_steps([float(s) for s in steps], most)
    assert chosen[0] == steps[0]
    assert set(chosen) <= set(steps)
    assert len(chosen) <= most
    assert chosen == sorted(set(chosen))
