"""Runs of unequal lengths are cut alike whether they are rolled out in pieces or together."""

import numpy as np
import pytest

from ecodyn import Linear, Trajectories
from ecodyn.estimation import pieced_objective


@pytest.mark.parametrize("dynamics", ["flow", "map"])
def test_a_fit_in_pieces_of_short_and_long_runs_is_that_of_all_together(dynamics, monkeypatch):
    rng = np.random.default_rng(0)
    values = []
    for steps in (9, 30, 14, 22):
        x = np.cumsum(rng.normal(size=(steps, 2)), axis=0) * 0.1 + np.exp(-0.3 * np.arange(steps))[:, None]
        values.append(x)
    runs = Trajectories(values, [np.arange(len(x)) * 0.5 for x in values])
    family = Linear("exchangeable", dynamics=dynamics)
    whole = family.fit_model(runs)
    monkeypatch.setattr(pieced_objective, "MOST_TOGETHER", 0)
    monkeypatch.setattr(pieced_objective, "PIECE_ELEMENTS", 1)
    pieced = family.fit_model(runs)
    np.testing.assert_allclose(pieced.coefficients, whole.coefficients, rtol=1e-9)
