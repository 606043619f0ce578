"""Laws on random halves of the runs: of exact data the truth, of noisy ones with the spread of the estimate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecodyn import Linear, Shooting, SINDy, Trajectories, fit_ensemble, integrate
from ecodyn.errors import UnusableDataError
from ecodyn.families.ensemble import random_halves

open_inputs = settings(max_examples=30, deadline=None, derandomize=True, database=None)
MATCHED = Shooting(refine=False)


@given(labels=st.lists(st.integers(0, 9), min_size=4, max_size=30), pairs=st.integers(1, 4), seed=st.integers(0, 99))
@open_inputs
def test_halves_come_in_pairs_that_share_the_clusters_out(labels, pairs, seed):
    if len(set(labels)) < 2:
        return
    halves = random_halves(labels, 2 * pairs, seed)
    assert len(halves) == 2 * pairs
    for one, other in zip(halves[::2], halves[1::2], strict=True):
        assert sorted(one + other) == list(range(len(labels)))
        seen = [{labels[r] for r in half} for half in (one, other)]
        assert not seen[0] & seen[1]
        assert abs(len(seen[0]) - len(seen[1])) <= 1
    assert random_halves(labels, 2 * pairs, seed) == halves


def relaxing(rng, runs=12, noise=0.0, rate=0.15):
    """Runs of ẋ = 1 − 0.15 x, one feature."""
    times = np.arange(0.0, 20.0)
    starts = rng.uniform(0, 5, (runs, 1, 1))
    exact = 1 / rate + (starts - 1 / rate) * np.exp(-rate * times)[:, None]
    return Trajectories(exact + noise * rng.standard_normal(exact.shape), times)


def test_of_exact_data_every_half_has_the_law():
    def slopes(x, t):
        return x * (0.15 - 0.08 * x - 0.05 * x.mean(axis=-1, keepdims=True))

    starts, times = np.random.default_rng(0).uniform(0.1, 2.0, (6, 4)), np.arange(41.0)
    data = Trajectories(integrate(slopes, starts, times, rtol=1e-11).values, times)
    laws = fit_ensemble(SINDy("exchangeable"), data, resamples=6)
    assert laws.inclusion == {"x": 1.0, "x**2": 1.0, "x*mean_x": 1.0}
    for model in laws.models:
        found = dict(zip(model.library.names(), model.coefficients[0], strict=True))
        assert [found[t] for t in ("x", "x**2", "x*mean_x")] == pytest.approx([0.15, -0.08, -0.05], rel=1e-3)


def test_halves_scatter_as_the_law_of_all_runs_does():
    """Over 40 populations the spread of 20 halves is that of laws of all runs between populations."""
    family, found, spreads = Linear("independent", shooting=MATCHED), [], []
    for seed in range(40):
        data = relaxing(np.random.default_rng(seed), noise=0.1)
        found.append(family.fit_model(data).coefficients.ravel())
        halves = fit_ensemble(family, data, resamples=20, seed=seed).models
        spreads.append(np.var([m.coefficients.ravel() for m in halves], axis=0, ddof=1))
    ratio = np.sqrt(np.mean(spreads, axis=0)) / np.std(found, axis=0, ddof=1)
    assert ratio.min() > 0.7
    assert ratio.max() < 1.4


def test_bands_are_nested_and_hold_the_mean():
    laws = fit_ensemble(
        Linear("independent", shooting=MATCHED), relaxing(np.random.default_rng(0), noise=0.2), resamples=20
    )
    narrow, wide = (laws.simulate([[0.5], [4.0]], np.arange(30.0), level=level) for level in (0.5, 0.95))
    assert narrow.mean.shape == (2, 30, 1)
    lines = [wide.low, narrow.low, narrow.high, wide.high]
    assert (np.diff(lines, axis=0) >= 0).all()
    assert (np.diff([wide.low, wide.mean, wide.high], axis=0) >= 0).all()
    assert wide.laws.tolist() == [20, 20]
    assert np.ptp([wide.low[:, 0], wide.high[:, 0], wide.mean[:, 0]], axis=0).max() < 1e-12
    assert (wide.high - wide.low)[:, -1].min() > 1e-3


def test_laws_that_diverge_are_counted_and_left_out():
    laws = fit_ensemble(
        Linear("independent", shooting=MATCHED), relaxing(np.random.default_rng(0), noise=0.2), resamples=12
    )
    growing = Linear("independent", shooting=MATCHED).fit(np.exp(0.5 * np.arange(12.0))[:, None]).model_
    mixed = type(laws)(models=(*laws.models[:10], growing), halves=laws.halves[:11])
    found = mixed.simulate([1.0], [0.0, 400.0])
    assert found.laws.tolist() == [10]
    assert np.allclose(found.mean, type(laws)(models=laws.models[:10], halves=()).simulate([1.0], [0.0, 400.0]).mean)
    alone = type(laws)(models=(growing,), halves=()).simulate([1.0], [0.0, 400.0])
    assert alone.laws.tolist() == [0]
    assert np.isnan([alone.mean, alone.low, alone.high]).all()


@pytest.mark.parametrize(
    ("family", "more", "error", "says"),
    [
        (Linear("independent"), {"resamples": 0}, ValueError, "at least 1; got 0"),
        (Linear("full"), {}, UnusableDataError, "a law for each run"),
    ],
)
def test_what_can_not_be_halved_is_refused(competing_runs, family, more, error, says):
    with pytest.raises(error, match=says):
        fit_ensemble(family, competing_runs(), **more)
    with pytest.raises(UnusableDataError, match="at least 4 independent runs to draw halves of, got 3"):
        fit_ensemble(Linear("independent"), competing_runs(runs=3))


def test_a_level_is_a_share(competing_runs):
    laws = fit_ensemble(Linear("independent", shooting=MATCHED), competing_runs(runs=4), resamples=2)
    with pytest.raises(ValueError, match="between 0 and 1; got 90"):
        laws.simulate(np.ones(4), [0.0, 1.0], level=90)


def test_it_takes_what_fits_take():
    """A list of arrays with their times, as ``fit`` does."""
    times = np.linspace(0.0, 6.0, 40)
    runs = [np.exp(-0.3 * times)[:, None] * [1.0 + r, 2.0 + r] for r in range(6)]
    laws = fit_ensemble(Linear("independent"), runs, t=times, resamples=4)
    assert [law.coefficients[0, 1] for law in laws.models] == pytest.approx([-0.3] * 4, abs=1e-6)
