import numpy as np
import pytest

from ecodyn.comparison.references import REFERENCES
from ecodyn.comparison.references.affine_map import AffineMap
from ecodyn.comparison.references.known_decay import KnownDecay
from ecodyn.comparison.references.mean_curve import MeanCurve
from ecodyn.comparison.references.persistence import Persistence
from ecodyn.comparison.references.time_only import TimeOnly
from ecodyn.families.model_name import CEILING, NULL
from ecodyn.trajectories import Trajectories

TIMES = np.array([0.0, 1.0, 2.5, 4.0, 10.0])
DECAY = {"learning_rate": 0.01, "weight_decay": 5.0}


def decaying(floor=0.3, provenance=DECAY):
    starts = np.random.default_rng(0).uniform(1, 3, (4, 1, 3))
    values = floor + (starts - floor) * np.exp(-0.05 * TIMES)[:, None]
    return Trajectories(values, TIMES, provenance=provenance)


def rolled(reference, data):
    return reference.simulate(data.values[:, 0, :, None], data.times)


@pytest.mark.parametrize("cls", REFERENCES.values())
def test_every_reference_is_a_rollout_from_the_start(cls):
    data = decaying()
    rollout = rolled(cls.fit(data), data)
    assert rollout.values.shape == (*data.shape, 1)
    assert rollout.ok.all()
    assert cls.kind in (NULL, CEILING)
    if cls is not MeanCurve:
        np.testing.assert_allclose(rollout.signal[:, 0], data.values[:, 0], rtol=1e-12)


def test_persistence_stays():
    data = decaying()
    rollout = rolled(Persistence.fit(data), data)
    np.testing.assert_array_equal(rollout.signal, np.repeat(data.values[:, :1], 5, axis=1))


def test_persistence_is_nan_where_time_is():
    values = Persistence().signal(np.ones((1, 2)), np.array([[0.0, 1.0, np.nan]]))
    np.testing.assert_array_equal(np.isnan(values[0, :, 0]), [False, False, True])


def test_mean_curve_is_the_mean_over_runs_and_features():
    data = decaying()
    rollout = rolled(MeanCurve.fit(data), data)
    expected = data.values.mean(axis=(0, 2))
    np.testing.assert_allclose(rollout.signal, np.broadcast_to(expected[:, None], data.shape), rtol=1e-13)


def test_time_only_is_exact_where_features_move_alike():
    starts = np.random.default_rng(2).uniform(-1, 1, (4, 1, 3))
    data = Trajectories(starts + np.cos(TIMES)[:, None], TIMES)
    np.testing.assert_allclose(rolled(TimeOnly.fit(data), data).signal, data.values, atol=1e-13)


def test_no_function_of_time_fits_increments_better_than_time_only():
    data = decaying()
    reference = TimeOnly.fit(data)

    def error(increment):
        return np.sum((rolled(TimeOnly(reference.times, increment), data).signal - data.values) ** 2)

    rng = np.random.default_rng(3)
    for _ in range(20):
        assert error(reference.increment) < error(reference.increment + 0.1 * rng.standard_normal(len(TIMES)))


def test_time_only_counts_time_from_each_runs_start():
    rng = np.random.default_rng(4)
    begins = [0.0, 5.0, 11.0]
    starts = rng.uniform(1, 2, (3, 1, 2))
    data = Trajectories(starts + 0.3 * TIMES[:, None], [b + TIMES for b in begins])
    reference = TimeOnly.fit(data)
    np.testing.assert_allclose(reference.increment, 0.3 * reference.times, atol=1e-12)
    np.testing.assert_allclose(rolled(reference, data).signal, data.values, atol=1e-12)


@pytest.mark.parametrize("floor", [0.0, 0.3, -2.0])
def test_known_decay_recovers_the_floor(floor):
    data = decaying(floor)
    reference = KnownDecay.fit(data)
    assert reference.rate == pytest.approx(0.05)
    assert reference.floor == pytest.approx(floor, abs=1e-12)
    np.testing.assert_allclose(rolled(reference, data).signal, data.values, rtol=1e-12)


@pytest.mark.parametrize("provenance", [None, {"learning_rate": 0.1}, {"learning_rate": 0.1, "weight_decay": 0.0}])
def test_known_decay_needs_a_decay_that_is_known(provenance):
    assert KnownDecay.fit(decaying(provenance=provenance)) is None


def test_affine_map_is_exact_where_signals_are_affine_in_their_start():
    rng = np.random.default_rng(1)
    starts = rng.uniform(-1, 1, (4, 1, 3))
    alpha, beta = rng.standard_normal((2, 5))
    alpha[0], beta[0] = 0.0, 1.0
    data = Trajectories(alpha[:, None] + beta[:, None] * starts, TIMES)
    reference = AffineMap.fit(data)
    np.testing.assert_allclose(reference.slope, beta, atol=1e-12)
    np.testing.assert_allclose(rolled(reference, data).signal, data.values, atol=1e-12)
    assert reference.n_coefficients == 10


def runs_with_times_of_their_own(starts):
    """Straight lines of one slope: whatever is linear between samples is exact, wherever the samples are."""
    times = [np.array([0.0, 1.0, 3.0, 6.0]), np.array([0.0, 2.0, 6.0]), np.array([0.0, 4.5])]
    return Trajectories([s + 0.5 * t[:, None] for s, t in zip(starts, times, strict=True)], times)


def test_mean_curve_of_runs_with_times_of_their_own():
    data = runs_with_times_of_their_own(np.array([[1.0, 3.0], [3.0, 1.0], [-1.0, 5.0]]))
    reference = MeanCurve.fit(data)
    np.testing.assert_allclose(reference.curve, 2 + 0.5 * reference.times, rtol=1e-12)


def test_affine_map_of_runs_with_times_of_their_own():
    data = runs_with_times_of_their_own(np.array([[1.0, 2.0], [3.0, -1.0], [0.0, 0.5]]))
    signal = rolled(AffineMap.fit(data), data).signal
    seen = ~np.isnan(data.values)
    np.testing.assert_allclose(signal[seen], data.values[seen], atol=1e-12)


def test_padding_does_not_count():
    full = decaying()
    lengths = (5, 3, 4, 5)
    values = [full.values[r, :n] for r, n in enumerate(lengths)]
    short = Trajectories(values, [TIMES[:n] for n in lengths], provenance=DECAY)
    assert KnownDecay.fit(short).floor == pytest.approx(0.3, abs=1e-12)
    expected = [np.nanmean(short.values[:, i]) for i in range(5)]
    np.testing.assert_allclose(MeanCurve.fit(short).curve, expected, rtol=1e-12)
    increments = [np.nanmean(short.values[:, i] - short.values[:, 0]) for i in range(5)]
    np.testing.assert_allclose(TimeOnly.fit(short).increment, increments, atol=1e-12)
    np.testing.assert_allclose(AffineMap.fit(short).slope, np.exp(-0.05 * TIMES), rtol=1e-10)


@pytest.mark.usefixtures("quiet")
def test_a_constant_start_has_no_slope():
    data = Trajectories(np.ones((2, 1, 2)) + 0.1 * TIMES[:, None], TIMES)
    np.testing.assert_array_equal(AffineMap.fit(data).slope, 0.0)
