"""How much noise a series has: noise is everywhere, and a signal that is rough in a few places has none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn.statistics.noise import OF_FEW_PLACES, noise_that_shows, noise_variance

SEEDS = st.integers(0, 2**32 - 1)
T = np.linspace(0.0, 20.0, 200)


def spikes(width=0.08, every=4.0):
    """A slow wave with a spike now and then, of which two or three samples are there."""
    return 0.3 * np.sin(0.5 * T) + sum(np.exp(-(((T - t) / width) ** 2)) for t in np.arange(1.3, 20.0, every))


def falling_out(decades=3.0):
    """Over some decades: noise in proportion to it is next to nothing at most times."""
    return 10.0 ** (-decades * T / T[-1])


NOISE = {
    "added": lambda rng, x: 0.02 * rng.standard_normal(x.shape),
    "in proportion": lambda rng, x: 0.02 * x * rng.standard_normal(x.shape),
    "with outliers": lambda rng, x: 0.02 * rng.standard_t(3, x.shape) / np.sqrt(3),
}


@given(seed=SEEDS)
@settings(max_examples=20, deadline=None)
@pytest.mark.parametrize("kind", NOISE)
@pytest.mark.parametrize("signal", [np.sin(T), falling_out(), spikes()], ids=["wave", "falling out", "spikes"])
def test_noise_that_is_everywhere_is_found(kind, signal, seed):
    truth = np.stack([signal] * 4, axis=1)
    noise = NOISE[kind](np.random.default_rng(seed), truth)
    assert noise_variance(truth + noise, T) > 0.4 * np.mean(noise**2)


@pytest.mark.parametrize("width", [0.06, 0.1, 0.15])
@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_spikes_that_few_samples_have_are_no_noise(width, unit):
    series = unit * spikes(width)[:, None]
    assert noise_that_shows(series, T) == 0


def test_jumps_are_no_noise():
    series = np.where(T % 5 < 2.5, np.sin(T), 2.0 + np.cos(T))[:, None]
    assert noise_variance(series, T) < 1e-6


def test_what_stands_still_says_nothing_of_the_noise_elsewhere():
    """Features that died are zero to the end, where noise in proportion to them is none."""
    rng = np.random.default_rng(0)
    series = np.where(T < 8, np.exp(-0.3 * T), 0.0) * (1 + 0.05 * rng.standard_normal(len(T)))
    found, there = noise_variance(series[:, None], T), 0.05**2 * np.mean(np.where(T < 8, np.exp(-0.6 * T), 0.0))
    assert there / 3 < found < 3 * there


def test_made_noise_is_far_from_what_counts_as_few_places():
    rng = np.random.default_rng(0)
    for noise in NOISE.values():
        for signal in (np.sin(T), falling_out()):
            series = np.stack([signal] * 200, axis=1)
            whole = series + noise(rng, series)
            one, other = noise_variance(whole, T), noise_variance(whole[::-1], T)
            assert one == pytest.approx(other, rel=1e-6)
            assert one > np.mean((whole - series) ** 2) / np.sqrt(OF_FEW_PLACES)
