"""Stability as a constraint: its derivatives are those of the eigenvalues, and its minimum is a stable law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.estimation.constraints import Constraints
from ecodyn.estimation.linear_constraints import LinearConstraints
from ecodyn.estimation.stability_constraint import Stability

MARGIN = 0.05


def block(size, *, proportional=False, step=None):
    """Stability of a full law whose coefficients are r, if it has one, and A, row by row."""
    free = size * size + size * proportional
    matrix = np.eye(free)[free - size * size :].reshape(size, size, free)
    rates = np.eye(free)[:size] if proportional else None
    return Stability(matrix, rates, np.ones(size), MARGIN, 2.0, step, "stable", 0)


def under(stability, size):
    return Constraints(("stable",), LinearConstraints.none(size), (stability,)).within(np.eye(size))


def nearly_normal(rng, size, *, proportional=False):
    """Coefficients whose eigenvalues are apart, with an equilibrium above 0."""
    matrix = np.diag(-1.0 - 2.0 * np.arange(size)) + 0.2 * rng.normal(size=(size, size))
    return np.concatenate([-matrix @ rng.uniform(0.8, 1.2, size), matrix.ravel()]) if proportional else matrix.ravel()


@given(
    seed=st.integers(0, 10**6), size=st.integers(1, 4), proportional=st.booleans(), step=st.sampled_from([None, 0.1])
)
@settings(max_examples=12, deadline=None)
def test_derivatives_are_those_of_the_eigenvalues(seed, size, proportional, step):
    rng = np.random.default_rng(seed)
    stability = block(size, proportional=proportional, step=step)
    point, direction = nearly_normal(rng, size, proportional=proportional), 1e-6
    excess, slopes = stability.slopes(point)
    np.testing.assert_allclose(np.sort(excess), np.sort(stability.excess(point)), rtol=1e-6, atol=1e-9)
    along = rng.normal(size=len(point))
    moved = [stability.slopes(point + sign * direction * along)[0] for sign in (1, -1)]
    np.testing.assert_allclose(slopes @ along, (moved[0] - moved[1]) / (2 * direction), rtol=1e-4, atol=1e-4)


def test_eigenvalues_that_meet_are_told_by_their_mean_and_product():
    """At (λ + δ)(λ − δ) the eigenvalues have no bounded derivatives; what is linearised there has."""
    for gap in (1e-4, 1e-8):
        point = np.array([[-MARGIN, 1.0], [gap**2, -MARGIN]]).ravel()
        _, slopes = block(2).slopes(point)
        assert np.abs(slopes).max() < 10


@given(seed=st.integers(0, 10**6), size=st.integers(1, 3), proportional=st.booleans())
@settings(max_examples=4, deadline=None)
def test_the_minimum_is_stable_and_no_farther_than_a_plain_shift(seed, size, proportional):
    """Of an unstable matrix A, A − s·1 with s large enough is stable; the minimum is no farther from A than that."""
    rng = np.random.default_rng(seed)
    stability = block(size, proportional=proportional)
    matrix = rng.normal(size=(size, size))
    wanted = np.concatenate([-matrix @ np.ones(size), matrix.ravel()]) if proportional else matrix.ravel()
    found = under(stability, len(wanted)).minimum(np.eye(len(wanted)), wanted)
    assert (stability.excess(found) <= 0).all()
    if not proportional:
        shift = max(0.0, np.linalg.eigvals(matrix).real.max() + MARGIN)
        assert np.sum((found - wanted) ** 2) <= size * shift**2 * 1.001 + 1e-12


def test_a_symmetric_matrix_has_its_eigenvalues_cut():
    """The nearest symmetric stable matrix is known: the eigenvalues that are too large are put at −margin."""
    rng = np.random.default_rng(3)
    given_ = rng.normal(size=(4, 4))
    given_ = given_ + given_.T
    rows = [np.eye(16)[4 * i + j] - np.eye(16)[4 * j + i] for i in range(4) for j in range(i)]
    equal = LinearConstraints(
        np.array(rows), np.zeros(6), np.ones(6, dtype=bool), ("equal",) * 6, np.zeros(6, dtype=int)
    )
    restriction = Constraints(("symmetric", "stable"), equal, (block(4),)).within(np.eye(16))
    values, vectors = np.linalg.eigh(given_)
    nearest = (vectors * np.minimum(values, -MARGIN)) @ vectors.T
    found = restriction.minimum(np.eye(16), given_.ravel()).reshape(4, 4)
    np.testing.assert_allclose(found, nearest, atol=1e-5)


def test_where_nothing_is_stable_that_is_said():
    """A matrix whose rows sum to zero has the eigenvalue 0."""
    rows = np.kron(np.eye(3), np.ones(3))
    equal = LinearConstraints(rows, np.zeros(3), np.ones(3, dtype=bool), ("sum",) * 3, np.zeros(3, dtype=int))
    restriction = Constraints(("rows(A) = 0", "stable"), equal, (block(3),)).within(np.eye(9))
    with pytest.raises(UnusableDataError, match=r"no law for which 'stable' holds that holds 'rows\(A\) = 0' too"):
        restriction.minimum(np.eye(9), np.arange(9.0))


@given(seed=st.integers(0, 10**6))
@settings(max_examples=4, deadline=None)
def test_steps_from_stable_laws_end_at_stable_laws(seed):
    rng = np.random.default_rng(seed)
    size = 9
    restriction = under(block(3), size)
    point = restriction.minimum(np.eye(size), rng.normal(size=size))
    hessian = np.eye(size) + 0.1 * np.ones((size, size))
    target = hessian @ rng.normal(size=size)
    step = restriction.step(hessian, target, point, np.linalg.solve(hessian, target))
    assert restriction.holds(point + step)
    gain = target @ step - step @ hessian @ step / 2
    assert gain >= -1e-9  # and never uphill, by the model that the step is of
