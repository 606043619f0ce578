"""Small data, and fits to them that are quick."""

import warnings

import numpy as np

from ecodyn.errors import DataWarning
from ecodyn.families import NeuralODE

COUPLINGS = ("independent", "exchangeable", "full")
T = 30


def network(coupling="exchangeable", **more):
    return NeuralODE(coupling, **{"hidden": 4, "means": 2, "matching_steps": 5, "rollout_steps": 2, **more})


def decay(features=3):
    """Positive series that differ, each a decay towards one level."""
    return 1 + np.exp(-0.1 * np.arange(T))[:, None] * np.arange(1.0, features + 1)


def quietly(fit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return fit()
