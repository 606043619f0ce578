"""Whether a law of inputs is stiff is asked of each run with its own inputs, also where these are met in pieces."""

import numpy as np
import pytest

import ecodyn
from ecodyn import LotkaVolterra, Trajectories
from ecodyn.estimation import Samples, pieced_objective
from ecodyn.estimation.shooting_search import steps_for_decays


@pytest.mark.parametrize("rates", [(1.0, 400.0, 1.0), (400.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
def test_a_run_that_its_input_makes_stiff_is_found_wherever_it_stands(rates, monkeypatch):
    times = np.linspace(0.0, 4.0, 9)
    values = [np.exp(-np.minimum(rate, 3.0) * times)[:, None] for rate in rates]
    curves = [ecodyn.Input("u", [0.0], [rate], "steps") for rate in rates]
    runs = Trajectories(values, times, inputs={"u": curves}) if len(set(rates)) > 1 else None
    if runs is None:  # an input that never varies has no terms: one run's does, and little
        curves[0] = ecodyn.Input("u", [0.0, 2.0], [1.0, 1.1], "steps")
        runs = Trajectories(values, times, inputs={"u": curves})
    library = LotkaVolterra("independent").library_for(runs)  # x, x² and x u
    samples = Samples.of(runs, inputs=["u"])
    law = np.array([[-1.0 if name == "x*u" else 0.0 for name in library.names()]])
    assert law.any()
    parameters = samples.scaled(library, law).ravel()
    found = []
    for most in (pieced_objective.MOST_TOGETHER, 0):
        monkeypatch.setattr(pieced_objective, "MOST_TOGETHER", most)
        monkeypatch.setattr(pieced_objective, "PIECE_ELEMENTS", 1)
        objective = pieced_objective.objective_of(
            library, samples, 8, 1.0, mask=np.ones(law.shape, dtype=bool), freed=False
        )
        assert isinstance(objective, pieced_objective.PiecedObjective) == (most == 0)
        found.append(steps_for_decays(objective, parameters))
    assert found[0] == found[1]
    assert (found[0] is not None and found[0][1]) == (max(rates) > 1.0)
