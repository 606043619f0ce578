"""Data without noise are fitted as exactly as solvers go, coarse samples of fast changes too."""

import numpy as np
import pytest

from ecodyn import Linear, SINDy, Trajectories
from ecodyn.systems import SYSTEMS, simulate


@pytest.mark.parametrize("rate", [0.02, 0.5, 3.0, 8.0])
def test_a_decay_is_told_to_six_digits(rate):
    """Steps of the solver are a thousandth off, which is more than what is left."""
    x = 3 + 2 * np.exp(-rate * np.arange(30.0) / 10)[:, None] * [1.0, -1.0]
    law = Linear("independent").fit(Trajectories(x[None], np.arange(30.0) / 10)).model_
    np.testing.assert_allclose(law.coefficients, [[3 * rate, -rate]], rtol=1e-6)


@pytest.mark.parametrize("runs", [6, 12])
def test_spikes_between_few_samples_are_told_exactly(runs):
    """Tyson's cell cycle: of each spike two or three samples are there, and integrals of them say little."""
    system = SYSTEMS["cell_cycle"]
    data = simulate(system, runs, seed=5)
    model = SINDy("full", degree=3).fit(data).model_
    terms = {"u: x_v", "u: x_u", "u: x_u**3", "u: x_u**2*x_v", "v: 1", "v: x_u"}
    assert model.selected_terms() == terms
    truth = system.form.coefficients
    np.testing.assert_allclose(model.coefficients[model.coefficients != 0], truth[truth != 0], rtol=1e-3)
