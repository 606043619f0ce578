"""The decay that a weight decay alone would cause is known in a cell of a grid, whose runs share it."""

import numpy as np
import pytest

from ecodyn import Trajectories
from ecodyn.comparison.references.known_decay import decay_rate


def runs(**provenance):
    return Trajectories(
        np.random.default_rng(0).random((4, 5, 2)),
        range(5),
        settings={"weight_decay": [0.5, 0.5, 2.0, 2.0]},
        provenance={"learning_rate": 0.01, **provenance},
    )


def test_runs_that_share_a_setting_know_it():
    assert decay_rate(runs()) is None  # two rates
    assert decay_rate(runs().select(weight_decay=0.5)) == pytest.approx(0.005)
    assert decay_rate(runs().select(weight_decay=2.0)) == pytest.approx(0.02)


def test_under_adam_it_is_another_quantity():
    assert decay_rate(runs(optimiser="adam").select(weight_decay=0.5)) is None
