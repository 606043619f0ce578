import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ecodyn.rollouts.integration import OK, integrate
from ecodyn.rollouts.marching import march

TOLERANCE = 1e-6  # of a solution's largest value; the solvers are asked for a hundredth of it or less
open_inputs = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def lotka_volterra(x):
    prey, predator = x[..., 0], x[..., 1]
    return np.stack([prey * (1.1 - 0.4 * predator), predator * (0.1 * prey - 0.4)], axis=-1)


def van_der_pol(x):
    return np.stack([x[..., 1], 3.0 * (1 - x[..., 0] ** 2) * x[..., 1] - x[..., 0]], axis=-1)


MATRIX = np.array([[-0.3, 1.0, 0.0], [-1.0, -0.3, 0.2], [0.0, 0.0, -0.05]])


def linear(x):
    return x @ MATRIX.T + np.array([0.1, 0.0, -0.02])


def rotation(x):
    return np.stack([x[..., 1], -x[..., 0]], axis=-1)


SYSTEMS = {
    "lotka_volterra": (lotka_volterra, [10.0, 5.0], 30.0),
    "van_der_pol": (van_der_pol, [2.0, 0.0], 20.0),
    "linear": (linear, [1.0, -2.0, 3.0], 40.0),
    "rotation": (rotation, [0.0, 1.0], 60.0),
}


def single(f):
    """A system (feature,) as a right-hand side of states (batch, feature, channel)."""
    return lambda x, t: f(x[..., 0])[..., None]


def close(actual, expected, tolerance=TOLERANCE):
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("start", "scale"), [(0.0, 1.0), (-1000.0, 100.0), (-5.0, 1.0), (5.0, 1e-3)])
@pytest.mark.parametrize("name", SYSTEMS)
def test_agrees_with_scipy(name, start, scale):
    f, x0, duration = SYSTEMS[name]
    times = start + np.linspace(0, duration, 57)
    expected = solve_ivp(
        lambda t, x: scale * f(x / scale),
        (times[0], times[-1]),
        scale * np.array(x0),
        t_eval=times,
        rtol=1e-11,
        atol=1e-12 * scale,
        method="DOP853",
    ).y.T
    rollout = integrate(single(lambda x: scale * f(x / scale)), scale * np.array(x0)[None, :, None], times)
    assert rollout.status == (OK,)
    assert rollout.ok.all()
    close(rollout.signal[0], expected)


def test_explicit_time_is_the_members_own():
    times = np.stack([np.linspace(0, 6, 13), np.linspace(-3, 9, 13)])
    rollout = integrate(lambda x, t: np.cos(t)[:, None, None] + 0 * x, np.ones((2, 1, 1)), times)
    close(rollout.signal[..., 0], 1 + np.sin(times) - np.sin(times[:, :1]))


@pytest.mark.parametrize("start", [1.0, 1e-3, 100.0])
def test_finite_time_blow_up_ends_with_a_status(start):
    times = np.linspace(0, 3 / start, 301)
    rollout = integrate(lambda x, t: x**2, np.full((1, 1, 1), start), times)
    assert rollout.status[0].startswith("diverged at t=")
    assert float(rollout.status[0].split("=")[1]) == pytest.approx(1 / start, rel=1e-3)
    assert not rollout.ok.any()
    before = times * start < 0.99
    np.testing.assert_allclose(rollout.signal[0, before, 0], start / (1 - start * times[before]), rtol=TOLERANCE)
    assert np.isnan(rollout.values[0, times * start > 1.01]).all()


def test_exponential_growth_is_stopped_at_the_bound():
    times = np.linspace(0, 100, 101)
    rollout = integrate(lambda x, t: x, np.ones((1, 1, 1)), times, bound=1e3)
    assert rollout.status[0].startswith("diverged")
    assert np.isnan(rollout.values[0, 9:]).all()
    close(rollout.signal[0, :6, 0], np.exp(times[:6]))


def test_nan_from_the_start_is_not_finite():
    rollout = integrate(lambda x, t: np.full_like(x, np.nan), np.ones((2, 3, 1)), np.arange(5.0))
    assert rollout.status == ("not finite at t=0",) * 2
    np.testing.assert_array_equal(rollout.values[:, 0], 1.0)
    assert np.isnan(rollout.values[:, 1:]).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_right_hand_side_that_stops_being_finite(wrong):
    def rhs(x, t):
        return np.where(t[:, None, None] > 3, wrong, -x)

    times = np.arange(11.0)
    rollout = integrate(rhs, np.ones((1, 1, 1)), times)
    assert rollout.status[0].startswith("not finite at t=")
    assert float(rollout.status[0].split("=")[1]) == pytest.approx(3, abs=1e-6)
    close(rollout.signal[0, :3, 0], np.exp(-times[:3]))
    assert np.isnan(rollout.values[0, 4:]).all()


def test_stiffness_exhausts_the_budget():
    times = np.linspace(0, 100, 11)
    rollout = integrate(
        lambda x, t: -1e6 * (x - np.cos(t)[:, None, None]), np.ones((1, 1, 1)), times, max_evaluations=2000
    )
    assert rollout.status[0].startswith("budget exhausted at t=")
    assert rollout.evaluations <= 2000
    assert np.isnan(rollout.values[0, -1]).all()


def test_infinite_starting_state_is_not_finite_and_harms_nobody():
    x0 = np.array([1.0, np.inf, np.nan, 2.0])[:, None, None]
    rollout = integrate(lambda x, t: -x, x0, np.arange(4.0))
    assert rollout.status == (OK, "not finite at t=0", "not finite at t=0", OK)
    close(rollout.signal[[0, 3], :, 0], np.array([[1.0], [2.0]]) * np.exp(-np.arange(4.0)))
    assert np.isnan(rollout.values[1:3, 1:]).all()


def test_members_do_not_depend_on_one_another():
    rng = np.random.default_rng(0)
    starts = rng.uniform(1, 12, (5, 2, 1))
    starts[2] = 1e8  # as different as can be, and one that diverges
    starts[3] = -1e3
    times = np.sort(rng.uniform(-4, 4, (5, 23)), axis=1)
    together = integrate(single(lotka_volterra), starts, times, max_evaluations=3000)
    for b in range(5):
        alone = integrate(single(lotka_volterra), starts[b : b + 1], times[b], max_evaluations=3000)
        assert alone.status[0].split(" at ")[0] == together.status[b].split(" at ")[0]
        if alone.ok[0]:
            close(together.values[b], alone.values[0], 1e-9)


def test_default_bound_is_each_members_own():
    # Alone, the small member grows 10⁸-fold and has diverged; in company it must not be excused.
    rollout = integrate(lambda x, t: x, np.array([1.0, 1e9])[:, None, None], np.linspace(0, 18.5, 5))
    assert [s.split()[0] for s in rollout.status] == ["diverged", "diverged"]


@pytest.mark.parametrize("offset", [0.0, -7.5, 1e5])
def test_irregular_times_of_each_member_padded_by_nan(offset):
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 10, (3, 9)), axis=1)
    times[1, 4:] = np.nan
    times[2, 1:] = np.nan  # one time only: nothing to solve
    starts = rng.uniform(1, 2, (3, 2, 1))
    rollout = integrate(single(rotation), starts, times + offset)
    assert rollout.status == (OK,) * 3
    elapsed = times - times[:, :1]
    expected = starts[:, None, 0, 0] * np.cos(elapsed) + starts[:, None, 1, 0] * np.sin(elapsed)
    seen = ~np.isnan(times)
    close(rollout.values[..., 0, 0][seen], expected[seen])
    assert np.isnan(rollout.values[~seen]).all()


@open_inputs
@given(
    st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=8, unique=True),
    st.floats(-1.0, 1.0),
    st.sampled_from([-1e4, -1.0, 0.0, 3.0, 1e7]),
)
def test_every_time_asked_for_is_answered(times, rate, offset):
    times = np.unique(np.sort(np.array(times)) + offset)
    rate *= 10 / max(np.ptp(times), 1e-6)
    rollout = integrate(lambda x, t: rate * x, np.array([[[3.0]]]), times)
    assert rollout.status == (OK,)
    np.testing.assert_allclose(rollout.signal[0, :, 0], 3 * np.exp(rate * (times - times[0])), rtol=1e-5)


def test_constant_and_zero_states_stay():
    rollout = integrate(lambda x, t: 0 * x, np.array([0.0, 5.0, -1e12])[:, None, None], np.arange(4.0))
    assert rollout.ok.all()
    np.testing.assert_array_equal(rollout.values, np.repeat(rollout.values[:, :1], 4, axis=1))


def test_leaving_zero_is_no_divergence():
    times = np.linspace(0, 10, 11)
    rollout = integrate(lambda x, t: 1 - x, np.zeros((1, 1, 1)), times)
    assert rollout.status == (OK,)
    close(rollout.signal[0, :, 0], 1 - np.exp(-times))


def test_decay_to_nothing_does_not_shrink_the_step():
    rollout = integrate(lambda x, t: -x, np.ones((1, 1, 1)), np.array([0.0, 1000.0]))
    assert rollout.ok.all()
    assert abs(rollout.values[0, 1, 0, 0]) < 1e-8


@pytest.mark.parametrize("times", [[0.0, 2.0, 1.0], [3.0, 2.0, 1.0], [0.0, 0.0, 1.0], [np.nan, 1.0, 2.0]])
def test_times_that_do_not_increase_are_refused(times):
    with pytest.raises(ValueError, match=r"times must increase"):
        integrate(lambda x, t: -x, np.ones((1, 1, 1)), np.array(times))


def test_one_time_needs_no_solving():
    rollout = integrate(lambda x, t: 1 / x, np.zeros((1, 2, 1)), np.array([4.0]))
    np.testing.assert_array_equal(rollout.values, 0.0)


def test_integers_are_taken_as_numbers():
    rollout = integrate(lambda x, t: -0.5 * x, np.array([[[2]]]), [0, 1, 2])
    close(rollout.signal[0, :, 0], 2 * np.exp(-0.5 * np.arange(3)))


# ---------------------------------------------------------------------- fixed steps


def marched(rhs, x0, times, **options):
    outputs = [(x.copy(), alive.copy()) for _, x, alive in march(rhs, x0, times, **options)]
    return np.stack([x for x, _ in outputs], axis=1), outputs[-1][1]


def test_fixed_steps_converge_with_order_four():
    times = np.linspace(0, 10, 21)[None]
    x0 = np.array([[[10.0], [5.0]]])
    exact = integrate(single(lotka_volterra), x0, times, rtol=1e-12).values
    errors = [np.abs(marched(single(lotka_volterra), x0, times, substeps=n)[0] - exact).max() for n in (4, 8, 16)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, 4.0, atol=0.3)


def test_dead_members_are_zero_and_harm_nobody():
    times = np.tile(np.linspace(0, 4, 41), (3, 1))
    x0 = np.array([1.0, 0.1, np.inf])[:, None, None]
    with np.errstate(all="ignore"):
        values, alive = marched(lambda x, t: x**2, x0, times, bound=100.0)
        alone, _ = marched(lambda x, t: x**2, x0[1:2], times[1:2], bound=100.0)
    np.testing.assert_array_equal(alive, [False, True, False])
    np.testing.assert_array_equal(values[1:2], alone)
    np.testing.assert_array_equal(values[[0, 2], -1], 0.0)


def test_intervals_of_no_length_change_nothing():
    x0 = np.array([[[10.0], [5.0]]])
    times = np.linspace(0, 3, 16)
    repeated = np.repeat(times, 2)[None]
    plain, _ = marched(single(lotka_volterra), x0, times[None])
    padded, alive = marched(single(lotka_volterra), x0, repeated)
    np.testing.assert_array_equal(padded[:, ::2], plain)
    np.testing.assert_array_equal(padded[:, 1::2], plain)
    assert alive.all()


def test_only_the_first_column_is_held_to_the_bound():
    x0 = np.array([[[1.0, 1e9]]])
    _, alive = marched(lambda x, t: 0 * x, x0, np.arange(3.0)[None], bound=10.0)
    assert alive.all()


def test_one_number_is_no_times():
    with pytest.raises(ValueError, match=r"expected the times of the rollout, .* got the number 1.0"):
        integrate(lambda x, _: -x, [[1.0]], 1.0)
