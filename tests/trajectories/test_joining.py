"""Putting trajectories together: every run comes back as it was, and what can't be kept is said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn import DataWarning, Trajectories, UnusableDataError

LABELS = ["hare", "lynx", "owl"]


def some_runs(seed, lengths=(5, 4), features=LABELS, **more):
    rng = np.random.default_rng(seed)
    values = [rng.random((n, len(features))) + 1 for n in lengths]
    steps = [np.cumsum(rng.random(n) + 0.1) for n in lengths]
    return Trajectories(values, steps, features=features, **{"labels_shared": True, **more})


@given(st.lists(st.lists(st.integers(2, 6), min_size=1, max_size=3), min_size=1, max_size=4), st.randoms())
@pytest.mark.filterwarnings("ignore:.*numbered anew:ecodyn.DataWarning")
def test_every_run_is_there_as_it_was_whatever_the_order_of_its_features(sizes, random):
    parts, orders = [], []
    for seed, lengths in enumerate(sizes):
        order = LABELS.copy()
        random.shuffle(order)
        parts.append(some_runs(seed, lengths, order))
        orders.append(order)
    together = Trajectories.concat(parts)
    assert together.n_runs == sum(map(len, sizes))
    first = orders[0]
    assert together.features.tolist() == first
    place = 0
    for part in parts:
        matched = part.select(features=first)
        for r, n in enumerate(part.lengths):
            assert np.array_equal(together.values[place, :n], matched.values[r, :n])
            assert np.array_equal(together.times[place, :n], part.times[r, :n])
            place += 1


def test_one_part_alone_is_unchanged():
    part = some_runs(0, cluster=["a", "a"], settings={"dim": [8, 16]}, provenance={"p": 23, "note": "x"})
    whole = Trajectories.concat([part])
    assert np.array_equal(whole.values, part.values, equal_nan=True)
    assert (whole.runs.tolist(), whole.provenance) == (part.runs.tolist(), part.provenance)
    assert whole.settings["dim"].tolist() == [8, 16]
    assert whole.n_clusters == 1


def test_clusters_of_different_parts_stay_apart():
    with pytest.warns(DataWarning, match="numbered anew"):
        together = Trajectories.concat([some_runs(s, cluster=[0, 0]) for s in range(3)])
    assert together.n_clusters == 3
    assert together.clusters.tolist() == [0, 0, 1, 1, 2, 2]


def test_labels_that_repeat_are_numbered_anew_and_kept_as_a_setting():
    with pytest.warns(DataWarning, match="run labels repeat among the parts"):
        together = Trajectories.concat([some_runs(0), some_runs(1)])
    assert together.runs.tolist() == [0, 1, 2, 3]
    assert together.settings["source_run"].tolist() == [0, 1, 0, 1]
    assert Trajectories.concat([some_runs(0), some_runs(1, runs=["a", "b"])]).runs.tolist() == ["0", "1", "a", "b"]


def test_numbered_features_of_several_parts_are_not_known_to_be_the_same():
    parts = [some_runs(s, features=[1, 2], runs=[10 * s, 10 * s + 1]) for s in range(2)]
    with pytest.warns(DataWarning, match="labels are not shared now"):
        assert not Trajectories.concat(parts).labels_shared
    assert Trajectories.concat(parts[:1]).labels_shared


def test_what_not_all_parts_have_is_left_out_and_said():
    first = some_runs(0, observables={"gradient": [np.ones((5, 3)), np.ones((4, 3))]}, settings={"dim": [1, 2]})
    with pytest.warns(DataWarning, match="not all parts have gradient, dim, left out"):
        together = Trajectories.concat([first, some_runs(1, runs=[7, 8])])
    assert list(together.observables) == ["signal"]


def test_velocities_from_before_a_window_are_kept():
    parts = [some_runs(s, (9, 9), runs=[2 * s, 2 * s + 1]) for s in range(2)]
    cut = [part.window(float(part.times[:, 4].max()), np.inf) for part in parts]
    together = Trajectories.concat(cut)
    expected = np.concatenate([part.observable("velocity")[:, 0] for part in cut])
    assert np.array_equal(together.observable("velocity")[:, 0], expected)


@pytest.mark.filterwarnings("ignore:.*are missing:ecodyn.DataWarning")
def test_masks_are_kept():
    mask = [np.arange(15).reshape(5, 3) == 4, np.zeros((4, 3), dtype=bool)]
    together = Trajectories.concat([some_runs(0, missing=mask), some_runs(1, runs=[5, 6])])
    assert np.argwhere(together.missing).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (some_runs(1, features=["hare", "lynx", "fox"]), "same features"),
        (some_runs(1, provenance={"p": 29}), "one p"),
    ],
)
def test_what_does_not_belong_together_is_refused(other, sentence):
    with pytest.raises(UnusableDataError, match=sentence):
        Trajectories.concat([some_runs(0, provenance={"p": 23}), other])


def test_keys_name_the_runs_and_have_to_be_one_a_part():
    parts = [some_runs(0), some_runs(1, (3,))]
    assert Trajectories.concat(parts, keys=["a", "b"]).runs.tolist() == ["a/0", "a/1", "b"]
    with pytest.raises(ValueError, match="a key for each of the 2 parts, got 1"):
        Trajectories.concat(parts, keys=["a"])
    with pytest.raises(ValueError, match="one or more"):
        Trajectories.concat([])


def test_sel_is_select_and_window():
    runs = some_runs(0, (6, 6))
    first, last = float(runs.times[:, 1].max()), float(runs.times[:, 5].min())
    assert runs.sel(run=1, feature=["owl", "hare"], step=slice(first, last)) == runs.select(
        runs=1, features=["owl", "hare"]
    ).window(first, last)
    assert runs.sel(step=slice(None, last)) == runs.window(-np.inf, last)
    with pytest.raises(ValueError, match=r"slice\(FIRST, LAST\)"):
        runs.sel(step=3)
