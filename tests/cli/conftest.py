"""Data that several commands are given."""

import numpy as np
import pytest

import ecodyn

pytest.register_assert_rewrite("command_line")  # a failure there says what differs, as in a test


@pytest.fixture(scope="session")
def circles(tmp_path_factory):
    """Six runs of one exchangeable linear law, as a file."""
    rng = np.random.default_rng(3)
    steps = np.arange(0, 61)

    def law(x, t):
        return 0.4 - 0.05 * x - 0.03 * x.mean(axis=1, keepdims=True)

    signal = ecodyn.integrate(law, rng.uniform(1, 30, (6, 4, 1)), steps).signal
    path = tmp_path_factory.mktemp("data") / "circles.nc"
    ecodyn.Trajectories(signal, steps, settings={"dim": [8, 8, 8, 8, 8, 16]}).save(path)
    return path
