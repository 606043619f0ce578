"""The figure of a perturbation: what is drawn is what was found, beside what a law predicts."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ecodyn import Linear, Trajectories
from ecodyn.report import plot_perturbation
from ecodyn.survival import law_response, perturbation


def test_the_perturbation_drawn_is_the_one_found():
    rng = np.random.default_rng(0)
    times, factors = np.arange(0.0, 31.0), (0.5, 1.0, 2.0)
    start = np.repeat(rng.uniform(1, 2, (1, 5, 4)), 3, axis=0)
    start[:, :, 1] *= np.array(factors)[:, None]
    mean, t = start.mean(axis=2)[..., None, None], times[:, None]
    values = (start[:, :, None] - mean) * np.exp(-0.05 * t) + mean * np.exp(-0.09 * t)
    runs = Trajectories(
        values.reshape(15, len(times), 4),
        times,
        cluster=[*range(5)] * 3,
        settings={"scale_frequency_factor": np.repeat(factors, 5)},
    )
    found = perturbation(runs, runs.values[:, -1] > 0.3, 1)
    law = Linear().fit(runs.select(scale_frequency_factor=1.0)).model_
    response = law_response(runs, law, 1, steps=[0, 5, 30])
    given = Figure().add_subplot()
    assert plot_perturbation(found, response, given) is given
    left, right = given.child_axes
    observed = {tuple(line.get_ydata()) for line in left.get_lines()}
    for place in (5, 30):
        assert tuple(found.others_change.mean[:, place]) in observed
    for place in (1, 2):
        assert tuple(response.predicted.mean[:, place]) in observed
    shares = {tuple(line.get_ydata()) for line in right.get_lines()}
    assert {tuple(found.own_survival.mean), tuple(found.others_survival.mean)} <= shares
    given.figure.canvas.draw()
    plot_perturbation(found).figure.canvas.draw()
