import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecodyn.errors import UnusableDataError
from ecodyn.rollouts.iteration import iterate, parse_dynamics, stored_step
from ecodyn.rollouts.marching import march

STARTS = np.array([[[0.2], [0.7]], [[0.5], [0.1]], [[0.9], [0.4]]])


def logistic(x, t):
    return x * (0.3 - 0.2 * x - 0.1 * x.mean(axis=1, keepdims=True))


def by_hand(rhs, x, step, count):
    states = [x]
    for n in range(count):
        states.append(states[-1] + step * rhs(states[-1], np.full(len(x), n * step)))
    return np.stack(states, axis=1)


@given(
    step=st.sampled_from([0.1, 1.0, 7.0]),
    first=st.sampled_from([-3.0, 0.0, 60.0]),
    multiples=st.sets(st.integers(1, 30), min_size=1, max_size=10),
)
def test_states_are_the_iterates(step, first, multiples):
    counts = np.array([0, *sorted(multiples)])
    rollout = iterate(logistic, STARTS, first + counts * step, step=step)
    np.testing.assert_allclose(rollout.values, by_hand(logistic, STARTS, step, 30)[:, counts], rtol=1e-12)
    assert rollout.status == ("ok",) * 3
    assert rollout.evaluations == counts[-1]


def test_a_map_may_depend_on_time():
    times = np.arange(5.0, 12.0)
    rollout = iterate(lambda x, t: np.broadcast_to(t[:, None, None], x.shape), STARTS, times, step=1.0)
    moved = (np.cumsum(times) - times)[:, None, None]
    np.testing.assert_allclose(rollout.values, STARTS[:, None] + moved)


def test_members_end_where_their_own_times_do():
    times = np.array([[0.0, 2.0, 4.0], [1.0, 2.0, np.nan], [0.0, np.nan, np.nan]])
    rollout = iterate(logistic, STARTS, times, step=1.0)
    expected = by_hand(logistic, STARTS, 1.0, 4)
    np.testing.assert_allclose(rollout.values[0], expected[0, ::2])
    np.testing.assert_allclose(rollout.values[1, :2], expected[1, :2])
    np.testing.assert_array_equal(np.isnan(rollout.values[..., 0, 0]), np.isnan(times))
    assert rollout.ok.all()


@pytest.mark.parametrize(
    ("rhs", "status"),
    [
        (lambda x, t: x**2, "diverged at t=2"),
        (lambda x, t: np.where(x > 3.0, np.nan, 0.6 * x), "not finite at t=2"),
        (lambda x, t: np.where(x > 3.0, np.inf, 0.6 * x), "not finite at t=2"),
    ],
)
def test_a_rollout_that_ends_early_says_where_and_leaves_the_others_alone(rhs, status):
    start = np.array([[[2.0]], [[0.1]]])
    times = np.arange(4.0)
    rollout = iterate(rhs, start, times, step=1.0, bound=[40.0, 40.0])
    assert rollout.status == (status, "ok")
    last = int(status[-1])
    assert np.isfinite(rollout.values[0, :last]).all()
    assert np.isnan(rollout.values[0, last:]).all()
    np.testing.assert_array_equal(rollout.values[1], iterate(rhs, start[1:], times, step=1.0, bound=40.0).values[0])


def test_a_sparse_grid_is_bounded_by_the_budget_and_a_dense_one_is_not():
    sparse = iterate(logistic, STARTS, [0.0, 1e9], step=1.0, max_evaluations=50)
    assert sparse.status == ("budget exhausted at t=50",) * 3
    assert sparse.evaluations == 50
    assert iterate(logistic, STARTS, np.arange(101.0), step=1.0, max_evaluations=50).ok.all()


@pytest.mark.parametrize("times", [[0.0, 1.5], [0.0, 2.0, 2.2], [0.0, 2.0, 1.0], [0.0, 0.0], [np.nan, 1.0]])
def test_times_off_the_grid_are_refused(times):
    with pytest.raises(ValueError, match=r"grid|increase"):
        iterate(logistic, STARTS, times, step=1.0)


@pytest.mark.parametrize("step", [1.0, 0.25])
def test_marching_a_map_gives_its_iterates(step):
    """Outputs need not be equally many steps apart, nor alike in all members; a repeated time is no step."""
    counts = np.array([[0, 3, 5, 12], [0, 4, 5, 5], [0, 1, 2, 20]])
    for i, x, alive in march(logistic, STARTS, counts * step, step=step):
        expected = by_hand(logistic, STARTS, step, 20)[np.arange(3), counts[:, i]]
        np.testing.assert_allclose(x, expected, rtol=1e-12)
        assert alive.all()


@given(step=st.floats(1e-3, 1e3), first=st.floats(-1e3, 1e3), count=st.integers(2, 200))
def test_the_spacing_of_even_steps_is_found(step, first, count):
    times = np.stack([first + step * np.arange(count), first + 1.0 + step * np.arange(count)])
    assert stored_step(times, np.array([count, count])) == pytest.approx(step, rel=1e-6)


@pytest.mark.parametrize(
    "times", [[[0.0, 1.0, 2.0, 4.0]] * 2, [[0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 4.0, 6.0]], [[0.0, 1.0, 2.0, 3.001]] * 2]
)
def test_uneven_steps_are_refused_with_a_way_out(times):
    with pytest.raises(UnusableDataError, match=r"evenly spaced.*got spacings.*fit flows"):
        stored_step(np.array(times), np.array([4, 4]))


def test_padding_has_no_spacing():
    assert stored_step(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, np.nan]]), np.array([3, 2])) == 2.0


@pytest.mark.parametrize("text", ["", "maps", "flow,", "flow;map"])
def test_other_words_for_time_are_refused(text):
    with pytest.raises(ValueError, match="flow, map"):
        parse_dynamics(text)


def test_times_are_named_once():
    assert parse_dynamics("map, flow,map") == ("map", "flow")
