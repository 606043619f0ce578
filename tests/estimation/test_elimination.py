"""What a quadratic objective can do without."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.estimation.elimination import FEWEST_CLUSTERS, reduced

CLUSTERS, ROWS = 12, 40


def problem(truth, seed, *, sigma=0.1, clusters=CLUSTERS, mixing=0.2):
    """Least squares of correlated columns on several clusters of rows: coefficients, Hessians, gradients, rows."""
    rng = np.random.default_rng(seed)
    size = len(truth)
    columns = rng.normal(size=(clusters, ROWS, size)) @ (np.eye(size) + mixing * rng.normal(size=(size, size)))
    target = columns @ truth + sigma * rng.normal(size=(clusters, ROWS))
    theta = np.linalg.lstsq(columns.reshape(-1, size), target.ravel(), rcond=None)[0]
    hessians = np.einsum("cri,crj->cij", columns, columns)
    gradients = np.einsum("cri,cr->ci", columns, columns @ theta - target)
    return theta, hessians, gradients, (columns.reshape(-1, size), target.ravel())


TRUTH = np.array([1.0, 0.0, -2.0, 0.0, 0.0, 0.5, 0.0, 0.0])


def test_what_means_something_stays_and_the_rest_goes():
    right = 0
    for seed in range(20):
        theta, hessians, gradients, _ = problem(TRUTH, seed)
        found = reduced(theta, hessians, gradients, len(theta))
        assert found is not None
        assert found.kept[TRUTH != 0].all()
        right += np.array_equal(found.kept, TRUTH != 0)
    assert right >= 15  # at a price of 2 log 8, each of the five others stays in 4 % of cases


def test_what_is_left_is_the_least_squares_of_it():
    theta, hessians, gradients, (columns, target) = problem(TRUTH, 1)
    found = reduced(theta, hessians, gradients, len(theta))
    fitted, squares, *_ = np.linalg.lstsq(columns[:, found.kept], target, rcond=None)
    np.testing.assert_allclose(found.parameters[found.kept], fitted, rtol=1e-8)
    assert not found.parameters[~found.kept].any()
    before = np.sum((columns @ theta - target) ** 2)
    assert found.growth == pytest.approx(float(squares[0]) - before, rel=1e-6)
    assert 0 < found.growth <= found.allowed


@given(seed=st.integers(0, 10**6), log_units=st.lists(st.floats(-4, 4), min_size=8, max_size=8))
def test_units_change_nothing(seed, log_units):
    theta, hessians, gradients, _ = problem(TRUTH, seed)
    units = 10.0 ** np.array(log_units)
    found = reduced(theta, hessians, gradients, 8)
    other = reduced(theta / units, hessians * np.outer(units, units), gradients * units, 8)
    assert found is not None
    assert other is not None
    assert np.array_equal(found.kept, other.kept)
    np.testing.assert_allclose(other.parameters * units, found.parameters, rtol=1e-6, atol=1e-9)


@given(seed=st.integers(0, 10**6))
def test_order_of_clusters_changes_nothing(seed):
    theta, hessians, gradients, _ = problem(TRUTH, seed)
    order = np.random.default_rng(seed).permutation(CLUSTERS)
    one, other = (reduced(theta, hessians[o], gradients[o], 8) for o in (np.arange(CLUSTERS), order))
    assert np.array_equal(one.kept, other.kept)


def test_residuals_that_neighbours_share_make_it_no_bolder():
    """Each row ten times: squares, Hessians and gradients are ten times as large, and nothing more is known."""
    theta, hessians, gradients, _ = problem(TRUTH, 3, sigma=1.5)
    one, ten = reduced(theta, hessians, gradients, 8), reduced(theta, 10 * hessians, 10 * gradients, 8)
    assert np.array_equal(one.kept, ten.kept)


def test_all_that_means_something_stays():
    theta, hessians, gradients, _ = problem(np.array([1.0, -2.0, 0.5]), 0)
    assert reduced(theta, hessians, gradients, 3) is None


def test_of_equal_columns_one_goes():
    theta, hessians, gradients, _ = problem(np.array([1.0, -2.0]), 0)
    twice = np.array([0, 1, 1])
    shared = np.array([theta[0], 0.5 * theta[1], 0.5 * theta[1]])
    found = reduced(shared, hessians[:, twice[:, None], twice], gradients[:, twice], 3)
    assert found.kept.sum() == 2
    assert found.parameters.sum() == pytest.approx(theta.sum(), rel=1e-6)


def test_few_clusters_say_nothing():
    assert reduced(*problem(TRUTH, 0, clusters=FEWEST_CLUSTERS - 1)[:3], 8) is None
    assert reduced(*problem(np.array([0.0]), 0)[:3], 8) is None  # a law has a term


@pytest.mark.parametrize("share", [1e-6, 1e-2, 1e6])
def test_no_term_stays_for_less_than_what_is_negligible(share):
    """Of exact data nothing is left that a price could be told by: rounding would keep every term."""
    truth = TRUTH + np.where(TRUTH == 0, 1e-7, 0.0)
    theta, hessians, gradients, (columns, target) = problem(truth, 4, sigma=1e-9)
    assert reduced(theta, hessians, gradients, 8) is None
    cost = np.sum(target**2) * share
    found = reduced(theta, hessians, gradients, 8, cost)
    assert found.growth <= found.allowed == pytest.approx(cost * np.sum(~found.kept))
    assert np.array_equal(found.kept, TRUTH != 0) or share > 1e-6
    fitted = np.linalg.lstsq(columns[:, found.kept], target, rcond=None)[0]
    np.testing.assert_allclose(found.parameters[found.kept], fitted, rtol=1e-6)
