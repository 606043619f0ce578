"""Smoothing splines: what they keep, what they take away, and that no unit decides it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import make_smoothing_spline

from ecodyn.statistics import smoothing
from ecodyn.statistics.noise import noise_that_shows, noise_variance, noise_variances
from ecodyn.statistics.smoothing import FEWEST, smoothed

SEEDS = st.integers(0, 2**32 - 1)


def noisy_waves(seed, samples=120, size=0.1):
    """Irregular times, three sines of them, and the same with noise."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.0, 10.0, samples))
    truth = np.stack([np.sin(k * times + rng.uniform(0, 6)) for k in (0.5, 1.0, 2.0)], axis=1)
    return times, truth, truth + size * rng.standard_normal(truth.shape)


@given(SEEDS, st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
@settings(max_examples=25, deadline=None)
def test_straight_lines_stay(seed, level, slope):
    times = np.sort(np.random.default_rng(seed).uniform(0.0, 3.0, 40))
    line = (level + slope * times)[:, None]
    np.testing.assert_allclose(smoothed(line, times), line, atol=1e-9 * (1 + abs(level) + abs(slope)))


@given(SEEDS, st.floats(1e-3, 1e3), st.floats(-9, 9), st.floats(1e-3, 1e3), st.floats(-9, 9))
@settings(max_examples=8, deadline=None)
def test_units_and_zeros_don_t_matter(seed, unit, zero, time_unit, origin):
    times, _, values = noisy_waves(seed)
    moved = smoothed(unit * (values + zero), time_unit * (times + origin))
    np.testing.assert_allclose(moved / unit - zero, smoothed(values, times), atol=1e-5)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_noise_goes(seed):
    times, truth, values = noisy_waves(seed)
    assert np.std(smoothed(values, times) - truth) < 0.6 * np.std(values - truth)


@pytest.mark.parametrize("level", [0.0, 1e-3, 1.0, 1e3])
def test_values_are_those_of_scipy_at_the_same_level(level):
    _, _, values = noisy_waves(0)
    times = np.cumsum(np.random.default_rng(1).uniform(0.5, 1.5, len(values)))
    roughness, waves = smoothing._basis(times.tobytes())
    mine = waves @ ((waves.T @ values) / (1 + level * roughness[:, None]))
    theirs = np.column_stack([make_smoothing_spline(times, column, lam=level)(times) for column in values.T])
    np.testing.assert_allclose(mine, theirs, atol=1e-7)


def test_a_long_series_in_pieces_is_much_like_one_in_whole(monkeypatch):
    times, truth, values = noisy_waves(3, samples=600)
    whole = smoothed(values, times)
    monkeypatch.setattr(smoothing, "LONGEST", 300)
    monkeypatch.setattr(smoothing, "SHARED", 60)
    pieces = smoothed(values, times)
    assert pieces.shape == values.shape
    assert np.isfinite(pieces).all()
    assert np.std(pieces - truth) < 1.5 * np.std(whole - truth)


def test_few_samples_are_refused():
    with pytest.raises(ValueError, match=f"at least {FEWEST} samples"):
        smoothed(np.zeros((FEWEST - 1, 1)), np.arange(FEWEST - 1.0))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_noise_of_all_features_is_the_mean_of_each_one_s(seed):
    times, _, values = noisy_waves(seed)
    each = noise_variances(values, times)
    assert each == pytest.approx([noise_variance(values[:, [k]], times) for k in range(3)])
    assert noise_variance(values, times) >= each.mean() * (1 - 1e-12)  # the least order of each is no more than of all


@pytest.mark.parametrize("times", ["uniform", "log", "one close to another"])
def test_irregular_times_hide_no_noise(times):
    rng = np.random.default_rng(2)
    t = {
        "uniform": np.sort(rng.uniform(0, 1000, 400)),
        "log": np.geomspace(1e-2, 1e3, 200),
        "one close to another": np.sort(np.append(np.linspace(0, 1000, 199), 500 + 1e-6)),
    }[times]
    truth = np.sin(2 * np.pi * t / 700)[:, None] * np.ones(4)
    noise = 0.1 * rng.standard_normal(truth.shape)
    assert np.std(smoothed(truth + noise, t) - truth) < 0.4 * np.std(noise)


def test_constants_and_missing_values_have_no_noise():
    rng = np.random.default_rng(0)
    t = np.linspace(0.0, 10.0, 150)
    noisy = np.sin(t) + 0.05 * rng.standard_normal(150)
    gaps = noisy.copy()
    gaps[::7] = np.nan
    series = np.stack(
        [np.full(150, 0.3), np.cos(t) ** 2 + np.sin(t) ** 2, np.sin(t), np.zeros(150), noisy, gaps], axis=1
    )
    found = noise_that_shows(series, t)
    assert (found[:4] == 0).all()
    assert found[4:] == pytest.approx(0.05**2, rel=0.5)
