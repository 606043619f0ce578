"""The selection against PySINDy's, whose definition it follows."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.estimation import ThresholdedRegression, sequential_thresholding
from ecodyn.estimation.least_squares import MANY_COLUMNS


def pysindy_finds(columns, targets, threshold, ridge):
    from pysindy.optimizers import STLSQ

    optimizer = STLSQ(threshold=threshold, alpha=ridge, unbias=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of empty supports
        return optimizer.fit(columns, targets).coef_


def problem(seed, rows, terms, targets):
    rng = np.random.default_rng(seed)
    columns = rng.standard_normal((rows, terms))
    truth = rng.standard_normal((targets, terms)) * (rng.random((targets, terms)) < 0.4)
    return columns, columns @ truth.T + 0.05 * rng.standard_normal((rows, targets))


@given(
    seed=st.integers(0, 2**32 - 1),
    terms=st.integers(1, 14),
    targets=st.integers(1, 3),
    threshold=st.floats(1e-3, 3.0),
    ridge=st.sampled_from([1e-6, 1e-3, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_it_finds_what_pysindy_does(seed, terms, targets, threshold, ridge):
    columns, y = problem(seed, 40, terms, targets)
    expected = pysindy_finds(columns, y, threshold, ridge)
    found = sequential_thresholding(columns, y, threshold, ridge)
    assert np.array_equal(found != 0, np.abs(expected) > 0)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.5, 100.0])
def test_large_libraries_go_by_products_and_find_the_same(threshold):
    columns, y = problem(3, 200, MANY_COLUMNS + 20, 3)
    expected = pysindy_finds(columns, y, threshold, 1e-3)
    found = sequential_thresholding(columns, y, threshold, 1e-3)
    assert np.array_equal(found != 0, np.abs(expected) > 0)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-10)


@pytest.mark.parametrize("threshold", [0.0, 0.02, 0.5])
def test_with_fewer_rows_than_terms_it_finds_what_pysindy_does(threshold):
    columns, y = problem(4, 50, MANY_COLUMNS + 20, 3)
    expected = pysindy_finds(columns, y, threshold, 1e-3)
    found = sequential_thresholding(columns, y, threshold, 1e-3)
    assert np.array_equal(found != 0, np.abs(expected) > 0)
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9)


def test_the_triangular_factor_does_for_the_rows():
    columns, y = problem(5, 300, 9, 2)
    q, r = np.linalg.qr(columns)
    whole, compressed = (sequential_thresholding(a, b, 0.3, 1e-6) for a, b in ((columns, y), (r, q.T @ y)))
    assert np.array_equal(whole != 0, compressed != 0)
    assert compressed == pytest.approx(whole, rel=1e-9)


def test_what_is_dropped_stays_dropped():
    """A term below the threshold at first is gone, even if it would be large without the others that go with it."""
    columns = np.array([[1.0, 0.9], [0.0, np.sqrt(1 - 0.81)]])
    y = np.array([[0.95], [0.1]])
    found = sequential_thresholding(columns, y, 0.5, 0.0)
    once = np.linalg.lstsq(columns, y, rcond=None)[0][:, 0]
    assert np.array_equal(found[0] != 0, np.abs(once) >= 0.5)


@pytest.mark.parametrize("terms", [9, MANY_COLUMNS + 20])
def test_a_path_finds_at_each_threshold_what_it_finds_alone(terms):
    columns, y = problem(7, 3 * terms, terms, 3)
    path = np.geomspace(1e-3, 2.0, 12)
    together = sequential_thresholding(columns, y, path, 1e-3)
    alone = np.stack([sequential_thresholding(columns, y, t, 1e-3) for t in path])
    assert together.shape == (12, 3, terms)
    assert np.array_equal(together, alone)


def test_no_support_is_solved_for_twice():
    """Counted work, where a time can't be asserted: one solve for all terms, then one a support that is new."""
    columns, y = problem(11, 200, 12, 2)
    regression = ThresholdedRegression(columns, y, 1e-6)
    path = np.geomspace(1e-3, 2.0, 30).tolist()
    supports = {(t, k.tobytes()) for x in path for t, k in enumerate(regression.at(x) != 0)}
    once = regression.solves
    assert once <= 1 + 12 * 2 + len(supports)  # a path drops every term of a target once, in some order
    for threshold in path:
        regression.at(threshold)
    assert regression.solves == once


def test_a_ridge_that_rounding_swallows_still_gives_the_shortest_solution():
    """Equal columns and next to no ridge: no Cholesky factor, and each column takes half."""
    rng = np.random.default_rng(13)
    half = rng.standard_normal((300, MANY_COLUMNS))
    columns, truth = np.hstack([half, half]), rng.standard_normal(MANY_COLUMNS) + 3.0
    found = sequential_thresholding(columns, (half @ truth)[:, None], 0.0, 1e-30)
    assert found[0] == pytest.approx(np.tile(truth / 2, 2), rel=1e-6)
