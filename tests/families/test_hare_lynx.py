"""A hundred years of fur: the classical predator-prey law from twenty-one noisy samples."""

from pathlib import Path

import numpy as np
import pytest

import ecodyn
from ecodyn.families import Shooting

HARE_LYNX = Path(__file__).parents[2] / "data" / "hare_lynx.csv"
# Prey growth, predation, predator gain and loss, as commonly estimated from these data (per year and 1000 pelts).
CLASSICAL = {"growth": 0.52, "predation": -0.026, "gain": 0.026, "loss": -0.84}
WITHIN = 0.15


@pytest.mark.parametrize("estimate_starts", [True, False])
def test_hare_and_lynx_obey_the_classical_law(estimate_starts):
    data = ecodyn.load(HARE_LYNX)
    law = ecodyn.LotkaVolterra(
        "full", self_interaction=False, shooting=Shooting(refine=True, estimate_starts=estimate_starts)
    ).fit(data)
    hare, lynx = law.model_.coefficients
    assert (hare[1], lynx[2]) == (0, 0)
    found = {"growth": hare[0], "predation": hare[2], "gain": lynx[1], "loss": lynx[0]}
    for name, value in CLASSICAL.items():
        assert found[name] == pytest.approx(value, rel=WITHIN), name
    assert law.model_.diagnostics.converged


def test_hare_and_lynx_keep_cycling():
    data = ecodyn.load(HARE_LYNX)
    law = ecodyn.LotkaVolterra(
        "full", self_interaction=False, shooting=Shooting(refine=True, estimate_starts=True)
    ).fit(data)
    rollout = law.simulate(data.values[0, 0], np.arange(1900, 1990, 0.25))
    assert rollout.ok.all()
    assert (rollout.values > 0).all()
    hare = rollout.signal[0, :, 0]
    peaks = np.flatnonzero((hare[1:-1] > hare[:-2]) & (hare[1:-1] > hare[2:])) / 4
    assert np.diff(peaks).mean() == pytest.approx(10, abs=1.5)  # years: the ten-year cycle
