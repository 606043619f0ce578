"""What surrogates keep and what they destroy, exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.comparison.surrogates import SURROGATES, randomise_phases, shuffle_runs, trend_of
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories import Trajectories


def paths(runs=6, steps=12, features=4, seed=0, **more):
    """Runs of nothing in particular, no two numbers alike."""
    values = np.random.default_rng(seed).uniform(1, 2, (runs, steps, features)).cumsum(axis=1)
    return Trajectories(values, np.arange(float(steps)), **more)


def as_multiset(values):
    """Paths (run, step) in an order of their own."""
    return values[np.lexsort(values.T)]


shapes = st.builds(
    paths,
    runs=st.integers(2, 6),
    steps=st.integers(4, 13),
    features=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
generators = st.integers(0, 2**32).map(np.random.default_rng)


@pytest.mark.parametrize("make", SURROGATES.values(), ids=SURROGATES)
def test_surrogates_are_trajectories_like_the_data_and_reproducible(make):
    data = paths(cluster=[0, 0, 1, 1, 2, 2], settings={"dim": [1, 2] * 3}, labels_shared=True)
    one, two = (make(data, np.random.default_rng(5)) for _ in range(2))
    assert one == two
    assert one != make(data, np.random.default_rng(6))
    assert one.shape == data.shape
    for name in ("steps", "features", "runs", "clusters"):
        np.testing.assert_array_equal(getattr(one, name), getattr(data, name))
    assert one.labels_shared
    assert one.settings["dim"].tolist() == data.settings["dim"].tolist()


# --------------------------------------------------------------------------------------------------------- run-shuffled


@given(shapes, generators)
@settings(max_examples=30, deadline=None)
def test_shuffling_keeps_every_path_of_every_slot(data, rng):
    mixed = shuffle_runs(data, rng).values
    for k in range(data.n_features):
        np.testing.assert_array_equal(as_multiset(mixed[..., k]), as_multiset(data.values[..., k]))


@given(shapes, generators)
@settings(max_examples=30, deadline=None)
def test_shuffling_keeps_the_mean_over_runs_at_each_time(data, rng):
    mixed = shuffle_runs(data, rng).values
    np.testing.assert_allclose(mixed.mean(axis=0), data.values.mean(axis=0), rtol=1e-12)


def test_shuffling_takes_every_pairing_of_paths_equally_often():
    data = paths(runs=3, features=2)
    rng = np.random.default_rng(1)
    together = np.zeros((3, 3))
    draws = 1000
    for _ in range(draws):
        mixed = shuffle_runs(data, rng).values[:, 0]
        sources = [np.searchsorted(np.sort(column), column) for column in mixed.T]
        together[sources[0], sources[1]] += 1
    # 0.33 each; five standard errors.
    np.testing.assert_allclose(together / draws, 1 / 3, atol=5 * np.sqrt(2 / 9 / draws))


def test_what_is_measured_of_a_feature_goes_with_it():
    values = paths().values
    data = Trajectories(values, np.arange(12.0), observables={"gradient": -values})
    mixed = shuffle_runs(data, np.random.default_rng(0))
    np.testing.assert_array_equal(mixed.observables["gradient"], -mixed.values)
    assert not np.array_equal(mixed.values, values)


def test_clusters_move_as_wholes():
    data = paths(cluster=["a", "b", "c", "a", "b", "c"])
    mixed = shuffle_runs(data, np.random.default_rng(2)).values[:, 0]
    for k in range(data.n_features):
        source = [int(np.flatnonzero(data.values[:, 0, k] == x)[0]) for x in mixed[:, k]]
        # Runs 0 and 3 share an initialisation, and so do the paths that they are given.
        assert [s % 3 for s in source[:3]] == [s % 3 for s in source[3:]]
        assert all(s < 3 for s in source[:3])


# ----------------------------------------------------------------------------------------------------- phase-randomised


def rest(values):
    return (values - trend_of(values))[:, :-1]


@given(shapes, generators)
@settings(max_examples=30, deadline=None)
def test_phases_keep_spectrum_mean_and_increment_of_every_path(data, rng):
    drawn = randomise_phases(data, rng).values
    trend = trend_of(data.values)
    before, after = rest(data.values), (drawn - trend)[:, :-1]
    spectra = [np.abs(np.fft.rfft(x, axis=1)) for x in (before, after)]
    np.testing.assert_allclose(spectra[1], spectra[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(after.mean(axis=1), before.mean(axis=1), atol=1e-12)
    increments = [x[:, -1] - x[:, 0] for x in (data.values, drawn)]
    np.testing.assert_allclose(increments[1], increments[0], atol=1e-9)


def test_phases_of_paths_are_drawn_apart():
    one = np.sin(np.arange(41.0) * 2 * np.pi / 40)[:, None] * np.array([1.0, -1.0])
    data = Trajectories(np.stack([one, 2 * one, 3 * one]), np.arange(41.0))
    correlation = np.corrcoef(rest(data.values)[0].T)[0, 1]
    assert correlation == pytest.approx(-1)
    rng = np.random.default_rng(0)
    found = [np.corrcoef(rest(randomise_phases(data, rng).values)[0].T)[0, 1] for _ in range(200)]
    # Sines with phases apart correlate by cos(φ − φ'), of mean 0 and variance 1/2.
    assert abs(np.mean(found)) < 5 * np.sqrt(0.5 / 200)
    assert np.std(found) == pytest.approx(np.sqrt(0.5), abs=0.1)


def test_a_pure_trend_has_nothing_to_randomise():
    steps = np.arange(20.0)
    slopes = np.random.default_rng(0).uniform(-1, 1, (3, 1, 4))
    data = Trajectories(10 + np.exp(-steps / 5)[:, None] + slopes * steps[:, None], steps)
    np.testing.assert_allclose(randomise_phases(data, np.random.default_rng(1)).values, data.values, atol=1e-10)


# ------------------------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize("make", SURROGATES.values(), ids=SURROGATES)
@pytest.mark.parametrize(
    "times", [[np.arange(5.0), np.arange(4.0)], [np.arange(5.0), np.arange(5.0) + 1]], ids=["lengths", "times"]
)
def test_runs_of_different_times_are_refused(make, times):
    data = Trajectories([np.random.default_rng(0).random((len(t), 2)) for t in times], times)
    with pytest.raises(UnusableDataError, match="same steps"):
        make(data, np.random.default_rng(0))


def test_uneven_steps_have_no_spectrum():
    data = Trajectories(paths(steps=5).values, [0.0, 1.0, 2.0, 4.0, 8.0])
    with pytest.raises(UnusableDataError, match=r"evenly spaced.*gaps from 1 to 4"):
        randomise_phases(data, np.random.default_rng(0))


@pytest.mark.parametrize("cluster", [[0] * 6, [0, 0, 0, 1, 1, 2]], ids=["one", "unequal"])
def test_clusters_that_cannot_be_exchanged_are_refused(cluster):
    with pytest.raises(UnusableDataError, match="equally many runs"):
        shuffle_runs(paths(cluster=cluster), np.random.default_rng(0))
