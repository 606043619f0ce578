"""How far rollouts over the whole window are from the data, without their sensitivities."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.multiple_shooting import INTERVALS
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments
from ecodyn.estimation.shooting_batches import rollouts
from ecodyn.estimation.shooting_equations import Objective, Probe
from ecodyn.formulas.law import FormulaLaw

__all__ = ["rollout_cost"]

SUBSTEPS = 1  # Runge-Kutta steps an interval: enough to tell starts apart


def rollout_cost(law: FormulaLaw, samples: Samples, coordinates: Array) -> float:
    """Mean square of what rollouts leave, from first states that are smoothed if noisy; infinite where one dies."""
    segments = Segments.cut(samples, INTERVALS, 1.0, smoothed=True)
    free = np.ones((1, len(coordinates)), dtype=bool)
    objective = Objective(law, samples, segments, mask=free, estimate_starts=False)
    (signals,) = rollouts([Probe(objective, coordinates, SUBSTEPS)])
    truth = segments.states[..., 0]
    dead = (signals == 0).all(axis=2) & (truth != 0).any(axis=2)
    return np.inf if dead.any() else objective.apart(signals, truth) ** 2
