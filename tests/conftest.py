"""Known systems that tests of several layers fit: solved far tighter than anything that is asserted of them."""

from __future__ import annotations

import os
import sys
import warnings

import numpy as np
import pytest
from hypothesis import settings
from scipy.integrate import solve_ivp

from ecodyn.errors import DataWarning
from ecodyn.runtime.threads import ONE_THREAD
from ecodyn.trajectories import Trajectories

# Speed is measured in benchmarks: machines are shared, and a first call may import SciPy.
# The same examples in every run: what fails for one machine fails for all.
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.load_profile("same")


def pytest_configure():
    """Processes of tests, and those that they begin, have one thread each: more only wait for each other."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")


@pytest.fixture(autouse=True)
def one_torch_thread():
    """Whatever a test before this one left, in an order that differs from run to run."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture
def quiet():
    """Odd data that are beside the point of a test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


def _solve(f, x0, times):
    """Solutions (step, ...) of ẋ = f(t, x) by SciPy's eighth-order solver, to eleven digits."""
    solution = solve_ivp(
        f, (times[0], times[-1]), x0, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13 * np.abs(x0).max()
    )
    assert solution.success, solution.message
    return solution.y.T


@pytest.fixture(scope="session")
def solve():
    return _solve


@pytest.fixture(scope="session")
def linear_runs():
    """Runs of ẋᵢ = b + a xᵢ + c x̄, a few numbers decide everything: factory of Trajectories."""

    def make(theta=(0.02, -0.06, 0.02), *, runs=5, steps=41, features=4, seed=0, noise=0.0, offset=0.0, **more):
        b, a, c = theta
        rng = np.random.default_rng(seed)
        times = np.arange(float(steps))
        values = []
        for _ in range(runs):
            start = rng.uniform(0.5, 2.0, features)
            solution = _solve(lambda t, x: b + a * x + c * x.mean(), start, times)
            values.append(offset + solution + noise * rng.standard_normal(solution.shape))
        return Trajectories(np.array(values), times, **more)

    return make


@pytest.fixture(scope="session")
def competing_runs():
    """Runs of exchangeable Lotka-Volterra competition ẋᵢ = xᵢ(r + a xᵢ + c x̄): factory of Trajectories."""

    def make(theta=(0.15, -0.08, -0.05), *, runs=5, steps=41, features=4, seed=0, noise=0.0, permute=None, **more):
        r, a, c = theta
        rng = np.random.default_rng(seed)
        times = np.arange(float(steps))
        values = []
        for _ in range(runs):
            start = rng.uniform(0.1, 2.0, features)
            solution = _solve(lambda t, x: x * (r + a * x + c * x.mean()), start, times)
            values.append(solution + noise * rng.standard_normal(solution.shape))
        signal = np.array(values)
        gradient = rng.uniform(0.5, 1.5, (runs, 1, features)) * np.exp(-0.1 * times)[:, None]
        if permute is not None:
            signal, gradient = signal[..., permute], gradient[..., permute]
        return Trajectories(signal, times, observables={"gradient": gradient}, **more)

    return make


# ---------------------------------------------------------------- runs whose fates are known because they were made so

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
