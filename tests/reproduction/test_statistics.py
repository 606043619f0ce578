import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.reproduction.statistics import in_words, slope
from ecodyn.survival import Estimate
from ecodyn.survival.predictors import auc_per_run


@given(st.integers(0, 1000), st.floats(-5, 5), st.floats(-100, 100))
def test_slope_of_lines_is_theirs_whatever_each_cluster_adds(seed, steep, shift):
    rng = np.random.default_rng(seed)
    x, clusters = np.tile(np.arange(5.0), 3), np.repeat([0, 1, 2], 5)
    y = steep * x + shift * rng.normal(size=3)[clusters]
    assert slope(x, y, clusters).mean == pytest.approx(steep, abs=1e-9)


def test_points_of_one_cluster_do_not_narrow_the_interval():
    rng = np.random.default_rng(3)
    x, clusters = np.tile(np.arange(6.0), 4), np.repeat(np.arange(4), 6)
    y = rng.normal(size=4)[clusters] * x
    once, twice = slope(x, y, clusters), slope(np.tile(x, 2), np.tile(y, 2), np.tile(clusters, 2))
    assert (twice.mean, twice.low, twice.high) == pytest.approx((once.mean, once.low, once.high))
    assert once.n == 4


def test_clusters_in_which_nothing_varies_are_left_out():
    x, y = np.array([1.0, 2.0, 1.0, 2.0, 7.0, 7.0]), np.array([0.0, 1.0, 5.0, 6.5, 3.0, 9.0])
    assert slope(x, y, [0, 0, 1, 1, 2, 2]).n == 2


def test_aucs_are_of_each_run():
    alive = np.array([[True, False, False], [False, True, True]])
    found = auc_per_run(np.array([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), alive)
    np.testing.assert_allclose(found, [1.0, 0.0])


def test_in_words():
    assert in_words(Estimate(4.8, 4.43, 5.17, 3), 1) == "4.8 (4.4 to 5.2)"
