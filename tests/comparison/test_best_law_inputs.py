"""What `best_law` does about data that are unusual in size, unit, number or shape."""

import numpy as np
import pytest

import ecodyn
from ecodyn.comparison.automatic.preparation import smoothed
from ecodyn.rollouts.integration import integrate

LORENZ_TERMS = {(0, "x_1"), (0, "x_2"), (1, "x_1"), (1, "x_2"), (1, "x_1*x_3"), (2, "x_1*x_2"), (2, "x_3")}


def lorenz():
    def slopes(x, _):
        a, b, c = x.T
        return np.stack([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c], axis=-1)

    times = np.linspace(0.0, 5.0, 501)
    return integrate(slopes, [[-8.0, 7.0, 27.0]], times, rtol=1e-10, max_evaluations=200_000).values[0], times


def test_smoothing_is_the_same_in_any_unit_of_time():
    times = np.linspace(0.0, 6.0, 61)
    x = np.column_stack([np.sin(times), np.cos(2 * times)]) + 0.05 * np.random.default_rng(0).standard_normal((61, 2))
    expected = smoothed(x, times)
    for unit in (1e-4, 1 / 6, 3600.0):
        np.testing.assert_allclose(smoothed(x, unit * times + 7 * unit), expected, atol=1e-6)


def test_smoothing_leaves_fast_clean_data_as_they_are():
    x, times = lorenz()
    apart = np.sqrt(np.mean((smoothed(x, times) - x) ** 2, axis=0) / np.mean((x - x[0]) ** 2, axis=0))
    assert apart.max() < 1e-3


@pytest.mark.slow
def test_a_long_clean_chaotic_trajectory_gives_its_law():
    law = ecodyn.best_law(*lorenz(), resamples=5).model
    found = {(f, law.library.monomial(t, f)) for f, row in enumerate(law.coefficients) for t in np.flatnonzero(row)}
    assert found == LORENZ_TERMS
