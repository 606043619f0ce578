"""Trajectories out of arrays, lists of them and tables; anything else is refused with a sentence."""

import numpy as np
import pytest

from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories, as_trajectories


def test_as_trajectories_accepts_arrays_lists_and_tables():
    import pandas as pd

    X = np.random.default_rng(0).random((6, 2))
    assert as_trajectories(X) == Trajectories(X[None], np.arange(6))
    assert as_trajectories(X.tolist()) == as_trajectories(X)
    assert as_trajectories([X, X[:4]], [np.arange(6), np.arange(4)]) == as_trajectories([X, X[:4]])
    assert as_trajectories([X, X + 1], np.arange(6) * 2).steps.tolist() == [0, 2, 4, 6, 8, 10]
    assert as_trajectories(np.stack([X, X + 1])) == as_trajectories([X, X + 1])
    table = as_trajectories(pd.DataFrame(X, columns=["hare", "lynx"]))
    assert table.features.tolist() == ["hare", "lynx"]
    assert table.labels_shared
    assert as_trajectories(table) is table
    with pytest.raises(ValueError, match="leave t out"):
        as_trajectories(table, np.arange(6))
    first, second = (pd.DataFrame(X, columns=list(names)) for names in ("ab", "ba"))
    assert np.array_equal(as_trajectories([first, second]).values, [X, X[:, ::-1]])
    with pytest.raises(UnusableDataError, match="same features in all parts"):
        as_trajectories([first, pd.DataFrame(X, columns=list("ac"))])


@pytest.mark.parametrize("X", [np.ones(3), [[1, 2], [3]], None, 3.0, []])
def test_as_trajectories_refuses_the_rest_with_a_sentence(X):
    with pytest.raises(UnusableDataError, match=r"values\[0\]"):
        as_trajectories(X)


def test_as_trajectories_refuses_sparse_arrays():
    from scipy.sparse import csr_matrix

    with pytest.raises(UnusableDataError, match="sparse"):
        as_trajectories(csr_matrix(np.eye(3)))


def test_runs_of_different_lengths_have_times_each():
    long, short = np.random.default_rng(0).random((5, 2)), np.random.default_rng(1).random((3, 2))
    for times in (np.arange(5.0), [0.0, 1.0, 2.0, 3.0, 4.0]):
        with pytest.raises(UnusableDataError, match=r"they differ in length \(3 to 5 steps\), got one array for all"):
            as_trajectories([long, short], times)
        assert as_trajectories([long, long], times).n_steps == 5
    assert as_trajectories([long, short], [np.arange(5.0), np.arange(3.0)]).lengths.tolist() == [5, 3]
    assert as_trajectories([long, short], 0.5).lengths.tolist() == [5, 3]
