import numpy as np
import pytest

from ecodyn.systems import SYSTEMS, simulate
from ecodyn.systems.delays import integrate_delayed

TIMES = np.linspace(0.0, 2.0, 21)


def solved(a, b, start=1.5, times=TIMES):
    """ẋ = −a x(t − 1) − b x(t) with a constant past."""
    return integrate_delayed(lambda x, t, past: -a * past(1.0) - b * x, np.full((1, 1), start), times, [1.0])[0, :, 0]


def test_the_linear_equation_with_a_delay_is_solved_exactly_on_two_intervals():
    a, c, t = 1.3, 1.5, TIMES
    exact = c * (1 - a * t + a**2 * np.maximum(t - 1, 0) ** 2 / 2)
    np.testing.assert_allclose(solved(a, 0.0), exact, atol=1e-12)


def test_with_decay_too():
    """On the first interval x = (1 + a/b) e^−bt − a/b, on the second by variation of constants."""
    a, b, t = 0.9, 0.6, TIMES
    first = (1 + a / b) * np.exp(-b * t) - a / b
    s = t - 1
    at_one = (1 + a / b) * np.exp(-b) - a / b
    second = at_one * np.exp(-b * s) - a * ((1 + a / b) * s * np.exp(-b * s) - a / b**2 * (1 - np.exp(-b * s)))
    np.testing.assert_allclose(solved(a, b, start=1.0), np.where(t <= 1, first, second), atol=1e-11)


def test_two_delays_and_members_that_do_not_see_one_another():
    x0 = np.array([[1.0, 2.0], [0.5, -1.0]])

    def rhs(x, t, past):
        return past(0.5)[..., ::-1] - past(1.0) + np.cos(t)

    both = integrate_delayed(rhs, x0, TIMES, [0.5, 1.0])
    alone = integrate_delayed(rhs, x0[1:], TIMES, [0.5, 1.0])
    np.testing.assert_array_equal(both[1:], alone)
    early = TIMES[TIMES <= 0.5]
    exact = x0[0] + (x0[0, ::-1] - x0[0]) * early[:, None] + np.sin(early)[:, None]
    np.testing.assert_allclose(both[0, : len(early)], exact, atol=1e-12)


def test_delays_that_no_step_divides_are_refused():
    with pytest.raises(ValueError, match="multiples of the smallest"):
        integrate_delayed(lambda x, t, past: -past(1.5), np.ones((1, 1)), TIMES, [1.0, 1.5])


def test_a_delayed_system_is_its_equation():
    system = SYSTEMS["delayed_linear"]
    x = simulate(system, runs=2, samples=11)
    t, start = x.times[0, :2], x.values[:, :1]
    np.testing.assert_allclose(x.values[:, :2], start * (1 - 1.3 * t)[:, None], atol=1e-12)
    with pytest.raises(ValueError, match="depends on its past"):
        system(np.ones((1, 3)))
