"""Centred and scaled coordinates: the same laws, the same least squares, the same normal equations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation import Centred, MatchedIntegrals, Problem, Samples, match, shoot
from ecodyn.estimation.centred import solve
from ecodyn.trajectories import Trajectories

NAMES, CHANNELS = ["a", "b"], ["signal"]
LIBRARIES = {
    "linear, full": linear_library("full", CHANNELS, NAMES),
    "linear, independent": linear_library("independent", CHANNELS, NAMES),
    "quadratic, full": polynomial_library("full", CHANNELS, NAMES, 2),
    "cubic, independent": polynomial_library("independent", CHANNELS, NAMES, 3),
}
every_library = pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)


@pytest.fixture(scope="module")
def samples():
    """Growth to a level, about a zero far off, and noise."""
    rng, t = np.random.default_rng(0), np.linspace(0.0, 5.0, 40)
    x = [20.0, -3.0] + rng.uniform(0.2, 2.0, (5, 1, 2)) * (1 - np.exp(-np.array([0.4, 1.0]) * t[:, None]))
    x = x + 0.01 * rng.standard_normal(x.shape)
    return Samples.of(Trajectories(x, t, NAMES, labels_shared=True), own_units=True)


def all_free(library):
    return np.ones((2, len(library)), dtype=bool)


@every_library
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_coefficients_there_are_those_of_the_same_law(samples, library, seed):
    theta = np.random.default_rng(seed).standard_normal((2, len(library)))
    centred = Centred.of(samples, library, 2)
    inside = centred.coefficients(theta)
    np.testing.assert_allclose(centred.original(inside), theta, atol=1e-7 * np.abs(theta).max())
    here, there = samples.states[:, ::10].reshape(-1, 2, 1), centred.inside.states[:, ::10].reshape(-1, 2, 1)
    slopes = BoundLibrary(library, theta)(here) / centred.spread
    np.testing.assert_allclose(BoundLibrary(library, inside)(there), slopes, rtol=1e-8, atol=1e-8)


@every_library
def test_least_squares_are_the_same_and_a_ridge_is_not(samples, library):
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=True))
    mask, centred = all_free(library), Centred.of(samples, library, 2)
    raw = matched.solve(None, mask)
    np.testing.assert_allclose(solve(matched, None, mask, centred), raw, atol=1e-5 * np.abs(raw).max())
    direct = MatchedIntegrals.combine(match(library, centred.inside, per_feature=True)).solve(1e-2, mask)
    np.testing.assert_allclose(centred.coefficients(solve(matched, 1e-2, mask, centred)), direct, atol=1e-6)
    assert np.abs(centred.coefficients(matched.solve(1e-2, mask)) - direct).max() > 1e-3


def test_optimum_and_hessians_come_back_as_they_would_be(samples):
    """Found there and brought back, optimum and Hessians are those of a descent in the samples' own coordinates."""
    library = LIBRARIES["linear, full"]
    matched = MatchedIntegrals.combine(match(library, samples, per_feature=True))
    mask, centred = all_free(library), Centred.of(samples, library, 2)
    problem = Problem(library, samples, matched.solve(None, mask), mask)
    inside = centred.problem(problem)
    found = shoot(library, inside.samples, inside.coefficients, mask=mask, stages=(1.0,))
    back = centred.result(found, mask)
    own = shoot(library, samples, back.coefficients, mask=mask, stages=(1.0,))
    np.testing.assert_allclose(back.coefficients, own.coefficients, rtol=1e-4)
    scale = np.abs(own.hessians).max()
    np.testing.assert_allclose(back.hessians, own.hessians, atol=1e-4 * scale)


def test_a_law_with_a_zero_of_its_own_has_none(samples):
    for coupling in ("independent", "full"):
        assert Centred.of(samples, lotka_volterra_library(coupling, CHANNELS, NAMES), 2) is None
    assert Centred.of(samples, linear_library("exchangeable", CHANNELS, NAMES), 1) is None


def test_only_what_keeps_the_divisors_of_its_terms_is_closed(samples):
    library = LIBRARIES["quadratic, full"]  # 1, a, b, a², ab, b²
    centred, mask = Centred.of(samples, library, 2), all_free(library)
    assert library.names() == ["1", "x_a", "x_b", "x_a**2", "x_a*x_b", "x_b**2"]
    mask[0, 3:] = False
    assert centred.holds(mask)
    mask[1, 2] = False  # and a·b is left
    assert not centred.holds(mask)
    assert not centred.holds(np.zeros_like(mask))


def test_a_feature_that_stands_still_has_no_terms(samples):
    values = np.concatenate([samples.states[..., 0], np.full((*samples.states.shape[:2], 1), 2.5)], axis=2)
    with pytest.warns(UserWarning, match="constant"):
        still = Samples.of(Trajectories(values, samples.times[0], ["a", "b", "c"], labels_shared=True), own_units=True)
    library = linear_library("full", CHANNELS, ["a", "b", "c"])
    matched = MatchedIntegrals.combine(match(library, still, per_feature=True))
    centred = Centred.of(still, library, 3)
    assert (centred.matched(matched).matrix[0, :, 3] == 0.0).all()
    assert (centred.inside.states[:, :, 2] == 0.0).all()
