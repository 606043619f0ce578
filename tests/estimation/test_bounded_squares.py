"""Least squares under inequalities: the conditions of an optimum hold, and what can't be fulfilled is told."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.estimation.bounded_squares import bounded_squares
from ecodyn.estimation.linear_constraints import Elimination, LinearConstraints


@given(
    seed=st.integers(0, 10**6), size=st.integers(1, 6), count=st.integers(0, 9), scale=st.sampled_from([1e-6, 1, 1e6])
)
@settings(max_examples=30, deadline=None)
def test_an_optimum_is_one(seed, size, count, scale):
    """Feasible, and the gradient a combination of active rows with the right signs (Karush, Kuhn and Tucker)."""
    rng = np.random.default_rng(seed)
    root, target = rng.normal(size=(size + 2, size)), scale * rng.normal(size=size + 2)
    rows = rng.normal(size=(count, size))
    limits = rows @ (scale * rng.normal(size=size)) + scale * rng.exponential(size=count)  # something fulfils them
    found = bounded_squares(root, target, rows, limits)
    assert (rows @ found.point <= limits + 1e-11 * scale * np.maximum(np.abs(rows).sum(axis=1), 1)).all()
    gradient = root.T @ (root @ found.point - target)
    active = rows[found.active]
    multipliers = np.linalg.lstsq(active.T, -gradient, rcond=None)[0] if len(active) else np.zeros(0)
    assert (multipliers >= -1e-8 * scale).all()
    np.testing.assert_allclose(active.T @ multipliers, -gradient, atol=1e-8 * scale)
    np.testing.assert_allclose(active @ found.point, limits[found.active], atol=1e-10 * scale)


@given(seed=st.integers(0, 10**6), size=st.integers(1, 5), gap=st.sampled_from([1e-3, 1.0, 1e3]))
@settings(max_examples=10, deadline=None)
def test_what_nothing_fulfils_has_no_minimum(seed, size, gap):
    rng = np.random.default_rng(seed)
    row = rng.normal(size=size)
    rows, limits = np.stack([row, -row]), np.array([0.0, -gap])  # at most 0 and at least the gap
    assert bounded_squares(np.eye(size), rng.normal(size=size), rows, limits) is None


def test_contradictions_are_as_few_as_contradict():
    rows = np.array([[1.0, 0, 0], [0, 1.0, 0], [-1.0, -1.0, 0], [0, 0, 1.0]])
    limits = np.array([1.0, 1.0, -3.0, 5.0])  # x <= 1, y <= 1, x + y >= 3, z <= 5
    constraints = LinearConstraints(rows, limits, np.zeros(4, dtype=bool), tuple("abcd"), np.arange(4))
    assert constraints.contradictory() == (0, 1, 2)
    assert constraints.of_statements([0, 1, 3]).contradictory() == ()


@given(seed=st.integers(0, 10**6), size=st.integers(2, 6), count=st.integers(1, 4))
@settings(max_examples=10, deadline=None)
def test_elimination_fulfils_equations_whatever_is_left(seed, size, count):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(min(count, size), size))
    matrix = np.concatenate([matrix, matrix[:1]]) / 2  # one of them twice
    limits = matrix @ rng.normal(size=size)
    found = Elimination.of(matrix, limits)
    z = rng.normal(size=found.basis.shape[1])
    np.testing.assert_allclose(matrix @ (found.origin + found.basis @ z), limits, atol=1e-10)
    assert Elimination.of(matrix, limits + np.append(np.zeros(len(limits) - 1), 1.0)) is None
