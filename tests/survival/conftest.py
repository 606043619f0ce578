"""Runs whose fates are known because they were made so."""

import warnings

import numpy as np
import pytest

from ecodyn.trajectories import DataWarning, Trajectories

TIMES = np.arange(0.0, 41.0)


def _quietly(values, steps, **more):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return Trajectories(values, steps, **more)


@pytest.fixture(scope="session")
def quietly():
    """Trajectories of which some feature may stay as it is, or be another's copy."""
    return _quietly


@pytest.fixture(scope="session")
def races():
    """Runs (run, feature) that go from their starts to their ends at a constant rate each: factory of Trajectories."""

    def make(start, end, times=TIMES, **more):
        first, last = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
        share = (np.asarray(times) - times[0]) / (times[-1] - times[0])
        values = first[:, None] * (last / first)[:, None] ** share[:, None]
        return _quietly(values, times, **more)

    return make


@pytest.fixture(scope="session")
def fated(races):
    """Eight runs of 29: the five strongest starts of each survive, but for chance; a gradient that knows no more."""

    def make(runs=8, features=29, alive=5, chance=0.5, seed=0, **more):
        rng = np.random.default_rng(seed)
        start = 88 * np.exp(rng.normal(0, 0.04, (runs, features)))
        ranked = np.argsort(-(start + chance * 4 * rng.normal(size=start.shape)), axis=1)
        end = 10 * np.exp(rng.normal(0, 0.05, start.shape))
        for row, order in enumerate(ranked):
            end[row, order[:alive]] = 75 * np.exp(rng.normal(0, 0.05, alive))
        gradient = np.exp(rng.normal(0, 0.3, (runs, 1, features))) * np.ones((1, len(TIMES), 1))
        return races(start, end, **({"observables": {"gradient": gradient}} | more))

    return make


@pytest.fixture(scope="session")
def traits(solve):
    """Runs of ẋᵢ = 0.3 − 0.06xᵢ − 0.02x̄ + 0.5gᵢ; three to five of the features have the trait gᵢ, which stays."""

    def make(runs=6, features=12, seed=3):
        rng = np.random.default_rng(seed)
        values, gradient = [], []
        for n in range(runs):
            having = 3 + n % 3
            x, g = rng.uniform(1, 3, features), rng.permutation(np.repeat([0.0, 0.8], [features - having, having]))
            values.append(solve(lambda t, x, g=g: 0.3 - 0.06 * x - 0.02 * x.mean() + 0.5 * g, x, TIMES))
            gradient.append(np.tile(g, (len(TIMES), 1)))
        return Trajectories(np.array(values), TIMES, observables={"gradient": np.array(gradient)})

    return make
