"""Copies of runs are found, exact ones and nearly exact ones, and runs that merely look alike are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Trajectories
from ecodyn.trajectories.independence import with_copies_together

SEED = 5


def noisy_runs(runs=6, steps=40, features=3, noise=0.02, seed=SEED):
    """Decays from starts of their own, measured with noise of their own."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(1, 3, (runs, 1, features))
    times = np.arange(steps)[:, None]
    return start * np.exp(-0.1 * times) + 0.5 + noise * rng.standard_normal((runs, steps, features))


def clusters(values, **more):
    runs, said = with_copies_together(Trajectories(values, np.arange(values.shape[1]), **more))
    return runs.clusters.tolist(), said


@given(st.lists(st.integers(0, 3), min_size=2, max_size=7), st.sampled_from([1e-200, 1e-3, 1.0, 1e200]))
@settings(max_examples=40)
def test_runs_are_together_if_and_only_if_they_are_the_same(drawn, scale):
    found, said = clusters(scale * noisy_runs(4)[drawn])
    for i, a in enumerate(drawn):
        for j, b in enumerate(drawn):
            assert (found[i] == found[j]) == (a == b)
    assert bool(said) == (len(set(drawn)) < len(drawn))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.float32).astype(float),
        lambda x: np.round(x, 3),
        lambda x: x * (1 + 1e-6),
        lambda x: x + 1e-9,
        lambda x: x + 1e-4 * np.random.default_rng(1).standard_normal(x.shape),
    ],
    ids=["single precision", "four digits", "another unit nearly", "an offset", "a little noise"],
)
def test_nearly_equal_runs_are_copies(change):
    x = noisy_runs(4)
    found, said = clusters(np.concatenate([x, change(x[:2])]))
    assert found[4:] == found[:2]
    assert len(set(found)) == 4
    assert "2 of 6 runs are copies" in said[0]
    assert "there are 4 independent runs and not 6" in said[0]


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("features", [1, 3])
def test_runs_of_one_law_that_start_differently_are_no_copies(features, noise):
    """Of one decaying feature all increments have the correlation 1: it alone would tell nothing."""
    found, said = clusters(noisy_runs(8, features=features, noise=noise))
    assert len(set(found)) == 8
    assert not said


def test_the_same_training_measured_twice_is_no_copy_where_noise_rules():
    """Two measurements of one signal, each with noise of its own, as large as what happens from step to step."""
    rng, x = np.random.default_rng(SEED), noisy_runs(1, noise=0.0)
    found, _ = clusters(np.concatenate([x + 0.1 * rng.standard_normal(x.shape) for _ in range(2)]))
    assert len(set(found)) == 2


def test_clusters_that_are_given_stay_and_grow():
    x = noisy_runs(4)[[0, 1, 2, 3, 0]]
    found, _ = clusters(x, cluster=["a", "a", "b", "c", "d"])
    assert found == ["a", "a", "b", "c", "a"]


def test_runs_of_other_times_are_no_copies():
    x = noisy_runs(1)[0]
    runs, said = with_copies_together(Trajectories([x, x], [np.arange(40.0), 2 * np.arange(40.0)]))
    assert runs.n_clusters == 2
    assert not said


def test_many_runs_of_one_feature_lie_near_each_other_by_chance():
    found, _ = clusters(noisy_runs(300, features=1, noise=0.0))
    assert len(set(found)) == 300


@pytest.mark.filterwarnings("ignore::ecodyn.DataWarning")
def test_constant_runs():
    found, _ = clusters(np.ones((3, 5, 2)) * np.array([1.0, 1.0, 2.0])[:, None, None])
    assert found[0] == found[1] != found[2]


def test_nothing_else_changes():
    x = noisy_runs(4)[[0, 1, 0]]
    before = Trajectories(x, np.arange(40))
    after, _ = with_copies_together(before)
    np.testing.assert_array_equal(after.values, before.values)
    assert before.n_clusters == 3


@given(st.permutations(range(6)))
@settings(max_examples=20)
def test_who_belongs_together_depends_on_no_order(order):
    """Of three runs of which each is near the next, the first and the last are too far apart by themselves."""
    x = noisy_runs(4)
    step = 0.008 * np.sqrt(x[0].var(axis=0).mean())
    runs = np.concatenate([x, [x[0] + step, x[0] + 2 * step]])
    found, said = clusters(runs[order])
    together = {place for place, r in enumerate(order) if r in (0, 4, 5)}
    assert {place for place in range(6) if found[place] == found[min(together)]} == together
    assert len(set(found)) == 4
    assert "2 of 6 runs are copies" in said[0]


def test_many_runs_that_move_alike_are_told_apart_by_their_levels():
    """All pairs have equal increments; that many pairs are not looked at one by one."""
    starts = np.random.default_rng(SEED).permutation(20_000.0 + np.arange(20_000))
    found, said = clusters(starts[:, None, None] + np.arange(3.0)[None, :, None])
    assert len(set(found)) == 20_000
    assert not said


def test_many_copies_of_one_run():
    x = noisy_runs(1) + 1e-7 * np.random.default_rng(SEED).standard_normal((3000, 40, 3))
    found, said = clusters(x)
    assert len(set(found)) == 1
    assert "2999 of 3000 runs are copies" in said[0]
