import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ecodyn.survival
from ecodyn import Trajectories, load
from ecodyn.comparison.judge import start_of as compared_start
from ecodyn.errors import UnusableDataError
from ecodyn.survival import RULES, survivors
from ecodyn.survivors.rules import RunState, chance_of_largest
from ecodyn.survivors.survivors import DEFAULT_RULE, alive_at_end

SPLITTING = ("largest_gap", "two_component", "noise_floor")
K = 29
CIRCLES = Path(__file__).parents[2] / "data" / "circles_p59_d128.nc"


def trainings(last, first=None, dc=None):
    """Runs (run, feature) at their end, from starts that differ by a few percent."""
    last = np.asarray(last, dtype=float)
    start = 88 * np.exp(np.random.default_rng(0).normal(0, 0.04, last.shape)) if first is None else first
    return Trajectories(np.stack([start, last], axis=1), [0, 1000], dc=dc)


def scattered(levels, counts, seed=0, spread=0.05):
    rng = np.random.default_rng(seed)
    return np.concatenate([level * np.exp(rng.normal(0, spread, n)) for level, n in zip(levels, counts, strict=True)])


def test_it_says_how_many_live_and_by_which_rule():
    found = survivors(trainings([[88.0, 87.0, 9.0, 10.0], [71.0, 9.0, 10.0, 11.0]]), "largest_gap")
    assert repr(found) == "Survivors([2, 1] of 4 features in 2 runs, at step 1000, rule 'largest_gap')"


def test_the_first_rule_is_above_twice_the_mean_of_all_frequencies():
    last = np.array([[1.0, 1.0, 1.0, 9.0]])
    assert survivors(trainings(last), "twice_mean").alive.tolist() == [[False, False, False, True]]
    # Over all 2·4 + 1 frequencies: twice (9 + 2·12)/9 = 7.33, then twice (18 + 2·12)/9 = 9.33.
    for dc, alive in ((9.0, 1), (18.0, 0)):
        assert survivors(trainings(last, dc=[[0.0, dc]]), "twice_mean").counts.tolist() == [alive]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("first", [0, 60])
def test_there_is_one_definition_of_survivors(rule, first):
    """What a comparison takes for the survivors of a run is what an analysis of survival does."""
    runs = load(CIRCLES)
    alone = [alive_at_end(runs.window(first, 1000), r, rule) for r in range(runs.n_runs)]
    np.testing.assert_array_equal(alone, survivors(runs, rule).alive)


def test_a_comparison_counts_the_survivors_of_an_analysis():
    runs = load(CIRCLES)
    assert compared_start(runs.window(60, 1000), DEFAULT_RULE).survivors == survivors(runs).counts.mean()


def test_a_rule_of_ones_own_is_asked_like_the_others(monkeypatch):
    monkeypatch.setattr(RULES, "_loaded", dict(RULES))
    monkeypatch.setattr(RULES, "_registered", [])
    RULES.register("strongest", lambda run: run.signal == run.signal.max())
    runs = trainings(scattered((70, 10), (5, 24))[None])
    assert survivors(runs, "strongest").counts.tolist() == [1]
    assert ecodyn.survival.sensitivity(runs).rules == (*RULES,) == (*list(RULES)[:-1], "strongest")
    with pytest.raises(TypeError, match=r"a function of a RunState, got 10\.0"):
        RULES.register("ten", 10.0)


def test_of_too_few_features_nobody_can_tell():
    few = Trajectories([[[2.0, 3.0], [1.0, 4.0]]], [0, 1])
    assert alive_at_end(few, 0) is None
    assert alive_at_end(few, 0, "above_10").tolist() == [False, False]
    assert np.isnan(compared_start(few, DEFAULT_RULE).survivors)
    with pytest.raises(ValueError, match="unknown survivor rule 'best'"):
        alive_at_end(few, 0, "best")


@pytest.mark.parametrize("rule", SPLITTING)
@pytest.mark.parametrize("alive", [1, 2, 5, 14, 20, 27])
def test_two_groups_are_told_apart_whatever_their_sizes(rule, alive):
    last = scattered((70, 10), (alive, K - alive))
    assert survivors(trainings(last[None]), rule).alive[0].tolist() == [True] * alive + [False] * (K - alive)


@pytest.mark.parametrize("rule", SPLITTING)
@pytest.mark.parametrize(("level", "expected"), [(80, K), (45, K), (10, 0), (1, 0)])
def test_one_group_shares_one_fate(rule, level, expected):
    last = np.array([scattered((level,), (K,), seed) for seed in range(20)])
    assert survivors(trainings(last), rule).counts.tolist() == [expected] * 20


@pytest.mark.parametrize("rule", SPLITTING)
def test_nothing_left_is_nobody_alive(rule):
    assert not RULES[rule](RunState(np.zeros(K), np.full(K, 88.0))).any()


@pytest.mark.parametrize("rule", SPLITTING)
@pytest.mark.parametrize("absent", [1, 10, 20])
def test_features_that_never_were_are_dead_and_no_group(rule, absent):
    last = scattered((70, 10), (4, K - absent - 4))
    start = np.concatenate([np.full(K - absent, 88.0), np.zeros(absent)])
    judged = RULES[rule](RunState(np.concatenate([last, np.zeros(absent)]), start))
    assert judged.tolist() == [True] * 4 + [False] * (K - 4)


@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 1000), alive=st.integers(0, K))
def test_rules_keep_order_and_ignore_labels(rule, seed, alive):
    rng = np.random.default_rng(seed)
    last = scattered((60, 12), (alive, K - alive), seed, 0.4)
    order = rng.permutation(K)
    judged = RULES[rule](RunState(last, np.full(K, 88.0), 50.0))
    np.testing.assert_array_equal(RULES[rule](RunState(last[order], np.full(K, 88.0), 50.0)), judged[order])
    assert not judged.any() or judged.all() or last[judged].min() > last[~judged].max()


@pytest.mark.parametrize("rule", [r for r in RULES if r != "above_10"])
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 100))
def test_rules_are_free_of_units_but_one(rule, scale, seed):
    last = scattered((60, 12), (6, K - 6), seed, 0.3)
    judge = RULES[rule]
    units = judge(RunState(scale * last, scale * np.full(K, 88.0), scale * 40))
    np.testing.assert_array_equal(units, judge(RunState(last, np.full(K, 88.0), 40.0)))


@pytest.mark.parametrize("n", [6, 28, 200, 1000])
def test_chance_of_a_gap_bounds_that_of_exponential_spacings(n):
    draws = np.random.default_rng(2).exponential(size=(20_000, n))
    share = draws.max(axis=1) / draws.sum(axis=1)
    for x in np.quantile(share, [0.0, 0.1, 0.5, 0.9, 0.99, 0.999]):
        chance = np.mean(share >= x)
        error = 4 * math.sqrt(chance * (1 - chance) / len(share)) + 4 / len(share)
        assert chance_of_largest(x, n) >= chance - error
        if chance <= 0.01:
            assert chance_of_largest(x, n) <= 1.02 * chance + error
    assert chance_of_largest(1 / n, n) == 1
    assert chance_of_largest(1.0, n) == 0


@pytest.mark.parametrize("rule", ["largest_gap", "two_component"])
@pytest.mark.parametrize("K", [K, 200])
@pytest.mark.slow
def test_one_group_is_seldom_split(rule, K):
    last = np.array([scattered((80,), (K,), seed) for seed in range(400)])
    assert np.mean(survivors(trainings(last), rule).counts < K) <= 0.02


def test_the_step_is_a_stored_one():
    runs = trainings(scattered((70, 10), (5, 24))[None])
    assert survivors(runs, "largest_gap").steps.tolist() == [1000]
    assert survivors(runs, "largest_gap", 0).counts.tolist() == [K]
    with pytest.raises(UnusableDataError, match=r"no step 7: its 2 steps go from 0 to 1000, the nearest is 0"):
        survivors(runs, "largest_gap", 7)


def test_each_run_ends_where_it_does():
    last = scattered((70, 10), (5, 24))
    path = np.stack([np.full(K, 88.0), last, last])
    found = survivors(Trajectories([path, path[:2]], [[0, 10, 20], [0, 10]]), "largest_gap")
    assert found.steps.tolist() == [20, 10]
    assert found.counts.tolist() == [5, 5]


def test_bad_requests_are_sentences():
    with pytest.raises(ValueError, match=r"unknown survivor rule 'best'; there are twice_mean"):
        survivors(trainings(np.ones((1, K))), "best")
    few = Trajectories([[[2.0, 3.0], [1.0, 4.0]]], [0, 1])
    for rule in ("largest_gap", "two_component"):
        with pytest.raises(UnusableDataError, match="at least 4 features"):
            survivors(few, rule)


def test_survivors_are_public():
    assert ecodyn.survival.survivors is survivors
