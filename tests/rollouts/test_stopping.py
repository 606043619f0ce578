"""Rollouts of equations that jump at known times."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.rollouts.integration import integrate
from ecodyn.rollouts.marching import march
from ecodyn.rollouts.stopping import integrate_with_stops

TIMES = np.array([0.0, 0.4, 1.1, 3.0])
NEVER = np.full((1, 1), np.inf)


def switched(at, before=1.0, after=-2.0):
    """ẋ = u(t) x, with a jump of u."""
    return lambda x, t: np.where(t < at, before, after)[:, None] * x


@settings(max_examples=12)
@given(st.floats(0.001, 2.999))
def test_a_jump_is_met_exactly(at):
    rollout = integrate_with_stops(switched(at), [[1.0]], TIMES, np.array([[at]]))
    exact = np.exp(np.minimum(TIMES, at) - 2.0 * np.maximum(TIMES - at, 0.0))
    assert rollout.ok.all()
    np.testing.assert_allclose(rollout.values[0, :, 0], exact, rtol=1e-7)


@settings(max_examples=8)
@given(st.lists(st.floats(0.01, 2.9), min_size=1, max_size=5))
def test_members_stop_where_they_have_to(jumps):
    stops = np.full((2, 5), np.inf)
    stops[0, : len(jumps)] = sorted(jumps)

    def rhs(x, t):
        count = (stops <= t[:, None]).sum(axis=1)
        return (1.0 - count)[:, None] * x

    together = integrate_with_stops(rhs, [[1.0], [2.0]], TIMES, stops)
    edges = [0.0, *sorted(jumps), 3.0]
    growth = sum((1.0 - k) * (b - a) for k, (a, b) in enumerate(itertools.pairwise(edges)))
    np.testing.assert_allclose(together.values[:, -1, 0], [np.exp(growth), 2 * np.exp(3.0)], rtol=1e-6)


def test_without_a_stop_it_is_the_plain_solver():
    plain = integrate(lambda x, t: -x, [[1.0]], TIMES)
    stopping = integrate_with_stops(lambda x, t: -x, [[1.0]], TIMES, NEVER)
    np.testing.assert_array_equal(plain.values, stopping.values)
    assert plain.evaluations == stopping.evaluations


def test_what_ends_early_is_told():
    grown = integrate_with_stops(switched(1.0, 1.0, 50.0), [[1.0]], TIMES, np.array([[1.0]]), bound=1e3)
    assert grown.status[0].startswith("diverged at t=1.")
    few = integrate_with_stops(switched(1.0), [[1.0]], TIMES, np.array([[1.0]]), max_evaluations=7)
    assert few.status[0].startswith("budget exhausted")
    broken = integrate_with_stops(
        lambda x, t: np.where(t < 1, 1.0, np.nan)[:, None] * x, [[1.0]], TIMES, np.array([[1.0]])
    )
    assert broken.status[0].startswith(("not finite", "diverged"))
    assert np.isfinite(broken.values[0, :2]).all()


def test_fixed_steps_end_at_jumps_too():
    """A step over the jump would be off by its length; those that end there are of the fourth order."""
    times = np.linspace(0, 3, 13)[None]
    edges = [None] * 12
    edges[4] = np.array([[1.0, 1.234, 1.25]])
    rhs = lambda x, t: np.where(t < 1.234, 1.0, -0.5)[:, None, None] * x  # noqa: E731
    (*_, (_, last, _)) = march(rhs, np.ones((1, 1, 1)), times, cuts=edges)
    exact = np.exp(1.234 - 0.5 * (3 - 1.234))
    np.testing.assert_allclose(last[0, 0, 0], exact, rtol=1e-4)
    (*_, (_, blind, _)) = march(rhs, np.ones((1, 1, 1)), times)
    assert abs(blind[0, 0, 0] - exact) > 10 * abs(last[0, 0, 0] - exact)


def test_a_jump_at_the_end_of_an_interval_is_not_seen_before():
    times = np.array([[0.0, 1.0, 2.0]])
    rhs = lambda x, t: np.where(t < 1.0, 0.0, 1.0)[:, None, None] + 0 * x  # noqa: E731
    states = [x.copy() for _, x, _ in march(rhs, np.zeros((1, 1, 1)), times, cuts=[None, None])]
    assert [float(x[0, 0, 0]) for x in states] == [0.0, 0.0, 1.0]
