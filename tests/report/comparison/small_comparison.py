"""What tests of the report of a comparison share: data, a law, and a smaller comparison."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import ecodyn
from ecodyn.comparison import Comparison
from ecodyn.families.law import Law
from ecodyn.families.model_name import ModelName

LINEAR = ModelName("linear", "exchangeable")
HOSTILE = "<script>alert(1)</script>"


def decaying(features: int, runs: int = 6, steps: int = 60, seed: int = 0) -> ecodyn.Trajectories:
    """Runs of ẋᵢ = 0.02 − 0.04 xᵢ + 0.01 x̄, with a little unexplained."""
    random = np.random.default_rng(seed)
    x = np.empty((runs, steps, features))
    x[:, 0] = random.uniform(0.5, 3.0, (runs, features))
    for t in range(steps - 1):
        drift = 0.02 - 0.04 * x[:, t] + 0.01 * x[:, t].mean(axis=1, keepdims=True)
        x[:, t + 1] = x[:, t] + drift * (1 + 0.2 * np.sin(x[:, t]))
    labels = [HOSTILE, *range(1, features)]
    return ecodyn.Trajectories(x, np.arange(steps), features=labels)


def bare(comparison: Comparison) -> Comparison:
    """The comparison with one model and nothing to draw but its skill: pages of it are quick."""
    w = comparison.windows[0]
    return replace(comparison, windows=[replace(w, models=w.models[:1], drawn={}, truth={})])


def full_law(comparison: Comparison) -> Law:
    """A full law as a data set with shared labels would have it."""
    shared = next(m.model for m in comparison.models if isinstance(m.model, Law))
    from ecodyn.equations.forms import linear_library

    library = linear_library("full", ("signal",), shared.features)
    size = (len(shared.features), len(library))
    d = shared.diagnostics
    assert d is not None
    ones = np.ones(size)
    d = replace(
        d, low=0 * ones, high=2 * ones, halves=3 * ones, run_spread=ones, identified=ones < 0, variance_inflation=ones
    )
    return replace(shared, coupling="full", library=library, coefficients=ones, diagnostics=d)
