"""Where rollouts of a law start in runs: at the first step, or after those that it has to see first."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.families.model import FittedModel
from ecodyn.trajectories import Trajectories

__all__ = ["started"]


def started(law: FittedModel, runs: Trajectories) -> tuple[Array, Trajectories]:
    """States (run, feature, channel) that rollouts start from, and the runs from there on.

    Runs begin at complete steps. A law whose hidden variables have starting values of each run's own sees the first few
    steps of it.
    """
    first = np.full(runs.n_runs, law.warm_up, dtype=np.intp)
    states = law.with_hidden(runs.state(law.state), runs.times, first)
    return states[:, law.warm_up], runs.after(law.warm_up) if law.warm_up else runs
