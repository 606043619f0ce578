"""Variance inflation is what elementary statistics says, whatever the units, and shows which terms are dependent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Linear, LotkaVolterra
from ecodyn.families import Matching, Shooting
from ecodyn.families.conditioning import condition_number, variance_inflation
from ecodyn.trajectories import Trajectories

designs = st.builds(
    lambda seed, rows, terms: np.random.default_rng(seed).standard_normal((rows + terms, terms)) + 0.5,
    st.integers(0, 10**6),
    st.integers(1, 30),
    st.integers(1, 6),
)


@settings(max_examples=30, deadline=None)
@given(designs)
def test_it_is_one_over_what_the_other_terms_leave(columns):
    """VIFⱼ = 1/(1 − Rⱼ²), Rⱼ² from regressing each term on the others, about zero."""
    for j, found in enumerate(variance_inflation(columns)):
        others = np.delete(columns, j, axis=1)
        left = columns[:, j] - others @ np.linalg.lstsq(others, columns[:, j], rcond=None)[0]
        assert found == pytest.approx(columns[:, j] @ columns[:, j] / (left @ left), rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(designs, st.integers(0, 10**6))
def test_units_and_the_triangular_factor_change_nothing(columns, seed):
    expected = variance_inflation(columns)
    units = 10 ** np.random.default_rng(seed).uniform(-8, 8, columns.shape[1])
    np.testing.assert_allclose(variance_inflation(columns * units), expected, rtol=1e-6)
    np.testing.assert_allclose(variance_inflation(np.linalg.qr(columns, mode="r")), expected, rtol=1e-6)


@settings(max_examples=30, deadline=None)
@given(designs)
def test_the_condition_number_bounds_the_largest(columns):
    normalised = columns / np.linalg.norm(columns, axis=0)
    kappa = condition_number(np.linalg.svd(normalised, compute_uv=False))
    largest, terms = variance_inflation(columns).max(), columns.shape[1]
    assert (kappa / terms) ** 2 * (1 - 1e-6) <= largest <= kappa**2 * (1 + 1e-6)


@settings(max_examples=30, deadline=None)
@given(designs)
def test_only_terms_of_a_dependence_are_infinite(columns):
    """A term twice over, beside others: those two can't be told apart, the others as well as before."""
    twice = np.column_stack([columns, 3 * columns[:, 0]])
    found = variance_inflation(twice)
    assert np.isinf(found[[0, -1]]).all()
    np.testing.assert_allclose(found[1:-1], variance_inflation(columns)[1:], rtol=1e-6)


def test_terms_that_vanish_and_too_few_rows_are_infinite():
    vanishing = np.column_stack([np.ones(5), np.zeros(5)])
    np.testing.assert_array_equal(variance_inflation(vanishing), [1.0, np.inf])
    assert np.isinf(variance_inflation(np.random.default_rng(0).standard_normal((2, 4)))).all()


def test_orthogonal_terms_are_not_inflated():
    np.testing.assert_allclose(variance_inflation(np.linalg.qr(np.random.default_rng(0).normal(size=(9, 4)))[0]), 1)


def test_it_inflates_the_variance(linear_runs):
    """Over many noisy fits a coefficient varies √VIF times as much as it would with an orthogonal library."""
    rng, columns = (
        np.random.default_rng(0),
        np.random.default_rng(1).standard_normal((40, 3))
        @ np.array([[1.0, 0.9, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 1.0]]),
    )
    fits = np.linalg.lstsq(columns, rng.standard_normal((40, 20_000)), rcond=None)[0]
    inflated = fits.var(axis=1) * (columns**2).sum(axis=0)
    np.testing.assert_allclose(inflated, variance_inflation(columns), rtol=0.05)


def test_only_free_coefficients_have_one(competing_runs):
    data = competing_runs()
    law = LotkaVolterra("full", self_interaction=False, shooting=Shooting(refine=False)).fit_model(data)
    inflation = law.diagnostics.variance_inflation
    free = law.coefficients != 0
    assert np.isfinite(inflation[free]).all()
    assert np.isnan(inflation[~free]).all()


def test_features_that_are_alike_show(linear_runs):
    data = linear_runs(runs=6)
    alike = Trajectories(data.values[:, :, :1] + 1e-9 * np.arange(4), data.times[0])
    inflation = Linear(matching=Matching(ridge=1e-6)).fit_model(alike).diagnostics.variance_inflation[0]
    clean = Linear().fit_model(data).diagnostics.variance_inflation[0]
    assert (inflation[1:] > 1e12 * clean[1:]).all()  # x and its mean
    assert inflation[0] < 10 * clean[0]
