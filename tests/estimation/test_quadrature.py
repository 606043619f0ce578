import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import cumulative_simpson

from ecodyn.estimation.quadrature import span_integrals, span_sums


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(3, 60), span=st.integers(1, 20), even=st.booleans())
def test_spans_are_differences_of_scipys_cumulative_simpson(seed, n, span, even):
    rng = np.random.default_rng(seed)
    times = np.cumsum(np.full(n, 0.3) if even else rng.uniform(0.1, 2.0, n))
    values = rng.standard_normal((n, 2, 3))
    span = min(span, n - 1)
    starts = np.arange(n - span)
    whole = cumulative_simpson(values, x=times, axis=0, initial=0.0)
    found = span_integrals(values, times, starts, span)
    np.testing.assert_allclose(found, whole[starts + span] - whole[starts], rtol=0, atol=1e-12 * np.ptp(times))


@pytest.mark.parametrize("n", [3, 4, 9, 10])
def test_parabolas_are_integrated_exactly_at_uneven_times(n):
    times = np.sort(np.random.default_rng(n).uniform(0, 3, n))
    starts = np.arange(n - 2)
    found = span_integrals(np.stack([times**q for q in range(3)], axis=1), times, starts, 2)
    exact = [(times[starts + 2] ** (q + 1) - times[starts] ** (q + 1)) / (q + 1) for q in range(3)]
    np.testing.assert_allclose(found, np.transpose(exact), rtol=1e-10, atol=1e-12)


def test_of_two_samples_it_is_the_trapezoid():
    found = span_integrals(np.array([[1.0], [4.0]]), np.array([2.0, 4.0]), np.array([0]), 1)
    np.testing.assert_allclose(found, [[5.0]])


def test_a_maps_sums_add_up_to_its_increments():
    x = [0.2]
    for _ in range(30):
        x.append(x[-1] + 0.5 * x[-1] * (1 - x[-1]))
    x = np.array(x)
    starts = np.arange(0, 25, 5)
    found = span_sums((x * (1 - x))[:, None], 0.5, starts, 5)[:, 0]
    np.testing.assert_allclose(found, x[starts + 5] - x[starts], rtol=0, atol=1e-14)
