"""Trajectories as a sequence of runs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.utils import _safe_indexing

from ecodyn import Trajectories


def trajectories(count=4):
    rng = np.random.default_rng(0)
    values = [rng.random((n, 2)) for n in range(5, 5 + count)]
    return Trajectories(values, np.arange(4 + count), observables={"gradient": [v + 1 for v in values]})


RUNS = trajectories()


@given(positions=st.lists(st.integers(-4, 3), min_size=1, max_size=4, unique_by=lambda i: i % 4))
def test_positions_choose_as_labels_do(positions):
    expected = RUNS.select(runs=[i % 4 for i in positions])
    assert RUNS[positions] == expected
    assert RUNS[np.array(positions)] == expected
    assert RUNS[np.array(positions), ...] == expected
    assert RUNS.select(runs=[0, 1, 2, 3]) == RUNS


@given(cut=st.slices(4))
def test_slices_and_masks_choose_what_they_choose_of_a_list(cut):
    labels = list(range(4))[cut]
    if not labels:
        with pytest.raises(IndexError, match="at least one of 4 runs"):
            RUNS[cut]
        return
    assert RUNS[cut].runs.tolist() == labels
    mask = np.isin(np.arange(4), labels)
    assert RUNS[mask].runs.tolist() == sorted(labels)


def test_one_run_is_trajectories_too():
    assert len(RUNS) == RUNS.n_runs == 4
    assert [run.n_runs for run in RUNS] == [1, 1, 1, 1]
    assert list(RUNS) == [RUNS.select(runs=[r]) for r in range(4)]
    assert RUNS[-1] == RUNS.select(runs=3)
    assert list(RUNS[1].observables) == ["signal", "gradient"]


def test_an_array_of_them_is_their_values():
    np.testing.assert_array_equal(np.asarray(RUNS), RUNS.values)
    assert np.ndim(RUNS) == 3
    assert np.asarray(RUNS, dtype=np.float32).dtype == np.float32
    copied = np.array(RUNS)
    copied[0] = 0.0
    assert (RUNS.values[0, 0] > 0).any()  # what is inside stays as it was


def test_scikit_learn_indexes_them():
    for index in ([2, 0], np.array([2, 0]), slice(1, 3), [True, False, False, True]):
        assert _safe_indexing(RUNS, index) == RUNS[index]


@pytest.mark.parametrize(
    ("index", "kind", "match"),
    [
        (4, IndexError, "position of one of 4 runs, got 4"),
        (-5, IndexError, "position of one of 4 runs"),
        ([0, 9], IndexError, "out of bounds"),
        ([1, 1], IndexError, "asked for twice"),
        ([1, -3], IndexError, "asked for twice"),
        ([], IndexError, "at least one of 4 runs"),
        ("1", TypeError, r"select\(runs=...\) takes labels"),
        ([0.0], TypeError, "expected positions of runs"),
        ((0, 1), TypeError, "got 2 indices; steps are chosen by window"),
    ],
)
def test_what_is_no_position_is_refused(index, kind, match):
    with pytest.raises(kind, match=match):
        RUNS[index]


def test_features_can_be_named():
    named = RUNS.with_features(["hare", "lynx"])
    assert named.features.tolist() == ["hare", "lynx"]
    assert named.labels_shared
    assert not RUNS.with_features([7, 3]).labels_shared
    np.testing.assert_array_equal(named.values, RUNS.values)
    assert named.with_features([1, 2]).labels_shared  # what is shared stays so
