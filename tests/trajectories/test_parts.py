"""Windows, thinning and selections of trajectories: laws of how they compose, and what is not there is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trajectory_examples import open_inputs, rich, waves

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories


@open_inputs
@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_window_of_a_window_is_the_smaller_window(a, b, c, d):
    low, lower_high, upper_high = sorted((a, b, c))
    first, inner = (low, upper_high + 5), (max(low, min(d, lower_high)), lower_high + 5)
    trajectories = waves(T=22)
    assert trajectories.window(*first).window(*inner) == trajectories.window(*inner)


def test_window_names_step_values_with_both_ends():
    inside = waves().window(10, 50)
    assert inside.steps.tolist() == list(range(10, 51, 5))
    assert Trajectories(waves(T=1001).values, np.arange(1001)).window(60, 1000).n_steps == 941


def test_window_cuts_each_run_by_its_own_times():
    cut = rich().window(2, 7.5)
    assert cut.lengths.tolist() == [2, 3, 3]
    assert cut.times[1].tolist() == [2.5, 5.0, 7.5]
    assert np.array_equal(cut.observables["gradient"], cut.values**2, equal_nan=True)
    assert np.array_equal(cut.dc, cut.values[:, :, 0], equal_nan=True)
    assert np.array_equal(cut.curves["train_loss"], cut.values[:, :, 1], equal_nan=True)


@pytest.mark.parametrize(
    "part",
    [
        lambda whole: whole.window(1, 5),
        lambda whole: whole.every(2),
        lambda whole: whole.head([2, 3, 1]),
        lambda whole: whole.select(runs=["c", "a"]),
        lambda whole: whole.select(dim=64),
    ],
    ids=["window", "every", "head", "runs", "setting"],
)
def test_curves_follow_the_signal_and_embeddings_their_run(part):
    whole, some = rich(), part(rich())
    assert list(some.curves) == ["train_loss", "test_accuracy"]
    assert np.array_equal(some.curves["train_loss"], some.values[:, :, 1], equal_nan=True)
    assert np.array_equal(some.curves["test_accuracy"], some.dc / 2, equal_nan=True)
    width = {"a": 2, "b": 4, "c": 3}
    assert some.embedding.shape == (some.n_runs, 5, max(width[run] for run in some.runs))  # padding of others is gone
    for run, embedding in zip(some.runs, some.embedding, strict=True):
        before = whole.embedding[whole.runs.tolist().index(run)]
        assert np.array_equal(embedding[:, : width[run]], before[:, : width[run]])
        assert np.isnan(embedding[:, width[run] :]).all()


def test_selecting_features_leaves_curves_and_embedding():
    some = rich().select(features=[7])
    assert np.array_equal(some.embedding, rich().embedding, equal_nan=True)
    assert np.array_equal(some.curves["train_loss"], rich().curves["train_loss"], equal_nan=True)


def test_empty_window_states_the_range():
    with pytest.raises(UnusableDataError, match=r"window 200:300.*0 to 100"):
        waves().window(200, 300)
    with pytest.raises(UnusableDataError, match="run a has no step"):
        rich().window(4, 20)


@pytest.mark.parametrize(("a", "b"), [(1, 3), (2, 3), (4, 2), (5, 50)])
def test_every_composes(a, b):
    assert waves().every(a).every(b) == waves().every(a * b)
    assert rich().every(a).every(b) == rich().every(a * b)


@given(st.integers(2, 60))
def test_thinned_keeps_both_ends_and_at_most_so_many(most):
    for whole in (waves(), rich()):
        thin = whole.thinned(most)
        for run in range(whole.n_runs):
            kept, all_of_them = (x.times[run, : x.lengths[run]] for x in (thin, whole))
            assert (kept[0], kept[-1]) == (all_of_them[0], all_of_them[-1])
            assert len(kept) == min(most, len(all_of_them))
            assert set(kept) <= set(all_of_them)
    assert waves().thinned(10**6) == waves()
    with pytest.raises(ValueError, match="at least 2"):
        waves().thinned(1)


def test_every_keeps_the_first_and_refuses_zero():
    assert waves().every(10).steps.tolist() == [0, 50, 100]
    with pytest.raises(ValueError, match="at least 1"):
        waves().every(0)


def test_select_keeps_the_order_asked_for():
    chosen = waves(runs=[5, 6, 9]).select(runs=[9, 5], features=[4, 1, 2])
    assert chosen.runs.tolist() == [9, 5]
    assert chosen.features.tolist() == [4, 1, 2]
    assert np.array_equal(chosen.values, waves().values[[2, 0]][:, :, [3, 0, 1]])
    assert chosen.select(runs=[5, 9], features=[1, 2, 4]) == waves(runs=[5, 6, 9]).select([5, 9], [1, 2, 4])


def test_select_commutes_with_window_and_every():
    one = rich().select(runs=["a", "c"]).window(1, 4).every(2)
    other = rich().every(1).window(1, 4).every(2).select(runs=["a", "c"])
    assert one == other
    assert one.clusters.tolist() == [0, 1]


def test_select_by_range_and_setting():
    assert waves(runs=[0, 1, 20]).select(runs=range(16)).runs.tolist() == [0, 1]
    assert rich().select(dim=64).runs.tolist() == ["b", "c"]
    assert rich().select(dim=[32, 64], kind="x").runs.tolist() == ["a", "c"]
    assert rich().select(runs="a").n_steps == 4  # padding that only others needed is gone


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"runs": [7]}, "runs labelled 7, only a, b, c"),
        ({"runs": range(3)}, "runs labelled"),
        ({"runs": []}, "labelled nothing"),
        ({"features": [3, 4]}, "features labelled 4, only 3, 7"),
        ({"dim": 128}, "dim = 128, only 32, 64"),
        ({"depth": 2}, "the settings are dim, lr, kind"),
        ({"runs": ["a", "a"]}, "asked for twice"),
    ],
)
def test_selecting_what_is_not_there_states_what_is(choice, sentence):
    with pytest.raises(ValueError, match=sentence):
        rich().select(**choice)


def test_features_are_aligned_by_label():
    runs = rich().window(1, 5)
    assert runs.aligned([7, 3]) == runs.select(features=[7, 3])
    assert runs.aligned([3, 7]) == runs
    assert runs.aligned(["a", "b"], any_labels=True) is runs
    for labels, any_labels, wrong in (
        ([3, 8], False, "without 8 and with 7"),
        ([3], False, "with 7"),
        ([3], True, "with 7"),
        ([3, 7, 8], True, "without 8;"),
    ):
        with pytest.raises(UnusableDataError, match=wrong):
            runs.aligned(labels, any_labels=any_labels)


def test_a_setting_that_some_runs_do_not_have_is_found_by_its_value():
    values = np.arange(24.0).reshape(3, 4, 2) ** 1.5
    runs = Trajectories(values, np.arange(4), settings={"factor": ["none", "0.9", "1.1"]})
    assert runs.select(factor=0.9).runs.tolist() == [1]
    assert runs.select(factor=[0.9, "none"]).runs.tolist() == [0, 1]
