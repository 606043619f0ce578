"""Known systems that tests of several layers fit: solved far tighter than anything that is asserted of them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ecodyn.trajectories import DataWarning, Trajectories


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
