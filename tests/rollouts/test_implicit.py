"""Implicit steps follow stiff equations within the guard of explicit ones."""

import numpy as np
import pytest

from ecodyn import Linear, Trajectories
from ecodyn.families import Shooting
from ecodyn.rollouts.implicit import integrate_stiff
from ecodyn.rollouts.integration import integrate

OPTIONS = {"bound": 1e3, "rtol": 1e-8, "budget": 5_000}


@pytest.mark.parametrize("rate", [1.0, 1e3, 1e6])
def test_a_stiff_relaxation_is_solved(rate):
    """x₂ follows x₁ at once: x₂ − x₁·k/(k − 1) decays at rate k."""
    times = np.linspace(0.0, 5.0, 11)
    values, calls = integrate_stiff(
        lambda x, t: np.array([-x[0], rate * (0.5 - x[1])]), np.array([2.0, 1.5]), times, **OPTIONS
    )
    np.testing.assert_allclose(values[:, 0], 2 * np.exp(-times), atol=1e-6)
    np.testing.assert_allclose(values[:, 1], 0.5 + np.exp(-rate * times), atol=1e-6)
    assert calls <= OPTIONS["budget"]


@pytest.mark.parametrize(
    "slope",
    [
        lambda x, t: np.full_like(x, np.nan),
        lambda x, t: np.where(t < 1.0, -x, np.inf),
        lambda x, t: x**2,
        lambda x, t: 20.0 * x,
        lambda x, t: 1e6 * np.array([x[1], -x[0]]),
    ],
    ids=["nan", "infinite later", "blow-up", "beyond the bound", "out of budget"],
)
def test_what_misbehaves_has_no_solution(slope):
    assert integrate_stiff(slope, np.array([1.0, 2.0]), np.array([0.0, 5.0]), **OPTIONS) is None


def test_a_law_too_stiff_for_explicit_steps_is_rolled_out():
    t = np.r_[0.0, np.geomspace(1e-4, 20.0, 60)]
    runs = [np.c_[a * np.exp(-t), b * np.exp(-2e3 * t) + 0.5] for a, b in ((1.0, 2.0), (2.0, 1.0), (3.0, 0.5))]
    data = Trajectories(runs, [t] * 3, ["slow", "fast"], labels_shared=True)
    law = Linear("independent", shooting=Shooting(refine=False)).fit(data).model_
    explicit = integrate(law.rhs, data.values[:, 0, :, None], t)
    assert all(status.startswith("budget exhausted") for status in explicit.status)
    rollout = law.simulate(data.values[:, 0], t)
    assert rollout.ok.all()
    np.testing.assert_allclose(rollout.signal, data.values, atol=2e-3)
