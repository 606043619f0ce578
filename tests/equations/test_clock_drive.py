import numpy as np
import pytest

from ecodyn.equations.clock_drive import Drive


def test_mean_over_runs_at_equal_times():
    times = np.tile(np.arange(5.0), (3, 1))
    variables = np.random.default_rng(0).standard_normal((3, 5, 2))
    drive = Drive.mean_over_runs(times, variables, np.array([5, 5, 5]))
    np.testing.assert_array_equal(drive.times, times[0])
    np.testing.assert_allclose(drive.values, variables.mean(axis=0), rtol=0, atol=1e-15)
    np.testing.assert_allclose(drive(times[0]), variables.mean(axis=0), rtol=0, atol=1e-14)


def test_mean_over_runs_at_different_times_and_lengths():
    # A straight line seen at different times is that line; beyond the short run, the long one's alone counts.
    times = np.array([[0.0, 2.0, 4.0, 6.0], [1.0, 3.0, 3.0, 3.0]])
    variables = np.stack([2 * times[0] + 1, 2 * times[1] + 3])[..., None]
    drive = Drive.mean_over_runs(times, variables, np.array([4, 2]))
    np.testing.assert_array_equal(drive.times, [0, 1, 2, 3, 4, 6])
    np.testing.assert_allclose(drive.values[:, 0], [1, 4, 6, 8, 9, 13], atol=1e-14)


def test_padding_does_not_count():
    times = np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 1.0]])
    variables = np.array([[1.0, 1.0, 1.0], [3.0, 3.0, 99.0]])[..., None]
    drive = Drive.mean_over_runs(times, variables, np.array([3, 2]))
    np.testing.assert_array_equal(drive.values[:, 0], [2.0, 2.0, 1.0])


def test_outside_its_range_it_stands_still():
    drive = Drive(np.arange(4.0), np.array([[0.0], [1.0], [4.0], [9.0]]))
    np.testing.assert_allclose(drive(np.array([-5.0, 0.0, 3.0, 1e9]))[:, 0], [0, 0, 9, 9], atol=1e-14)


def test_between_points_a_cubic_is_exact():
    t = np.array([0.0, 0.5, 1.5, 2.0, 3.0])
    drive = Drive(t, (t**3 - t)[:, None])
    between = np.linspace(0, 3, 31)
    np.testing.assert_allclose(drive(between)[:, 0], between**3 - between, atol=1e-12)


@pytest.mark.parametrize("time_scale", [0.25, 7.0])
def test_rescaled_is_the_same_curve_in_other_units(time_scale):
    rng = np.random.default_rng(1)
    drive = Drive(np.arange(6.0), rng.standard_normal((6, 2)))
    scales = np.array([10.0, 1e-3])
    t = np.linspace(-1, 7, 40)
    rescaled = drive.rescaled(scales, time_scale)
    np.testing.assert_allclose(rescaled(t / time_scale) * scales, drive(t), rtol=1e-10, atol=1e-10)
    back = rescaled.rescaled(1 / scales, 1 / time_scale)
    np.testing.assert_allclose(back(t), drive(t), rtol=1e-10, atol=1e-12)
