"""Which of several laws that follow the data alike is to be trusted from other starts: one that does not run away.

One trajectory rarely tells similar laws apart, but from other starts around the data some diverge that others don't.
The best law is passed over where more of its rollouts from there die than of the plausible laws on average, each of
these by its weight.
"""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.automatic.problem import Problem
from ecodyn.comparison.automatic.refinement import Refined, march_laws

__all__ = ["steadiest"]

WITHIN = 16.0  # of the criterion: laws further from the best have weights under a fiftieth
TEMPERATURE = 4.0  # of the weights, twice that of a posterior, which takes the laws for all there are
MOST = 16  # laws
STARTS = 12
BEYOND = 0.25  # of a feature's range that starts may lie outside of it, where its sign allows
POINTS = 100  # of a rollout


def steadiest(problem: Problem, laws: list[Refined], substeps: int) -> int:
    """Position of the law among laws sorted by the criterion, the best first."""
    values = np.array([problem.value(law) for law in laws[:MOST]])
    near = [law for law, value in zip(laws, values, strict=False) if value - values[0] <= WITHIN]
    if len(near) < 2:
        return 0
    weights = np.exp(-(values[: len(near)] - values[0]) / TEMPERATURE)
    died = np.isnan(_rolled(problem, near, substeps)).any(axis=(2, 3)).mean(axis=1)
    average = float(died @ weights / weights.sum())
    return int(np.flatnonzero(died <= average + 1e-9)[0])


def _rolled(problem: Problem, laws: list[Refined], substeps: int) -> Array:
    """Rollouts (law, start, point, feature) over the longest run's duration; NaN from where one ended."""
    data = np.concatenate([smooth for _, smooth, _ in problem.runs])
    low, high = data.min(axis=0), data.max(axis=0)
    extent = high - low
    bottom = np.where(low >= 0, np.maximum(low - BEYOND * extent, 0.0), low - BEYOND * extent)
    starts = np.random.default_rng(0).uniform(bottom, high + BEYOND * extent, (STARTS, len(low)))
    duration = max(float(t[-1]) for _, _, t in problem.runs)
    longest = max(len(t) for _, _, t in problem.runs)
    times = np.linspace(0.0, duration, POINTS + 1)
    fine = max(1, round(substeps * longest / POINTS))
    coefficients = np.repeat(np.stack([law.coefficients for law in laws]), STARTS, axis=0)
    grid = np.tile(times, (len(coefficients), 1))
    with np.errstate(all="ignore"):
        _, out = march_laws(problem.terms, coefficients, np.tile(starts, (len(laws), 1)), grid, fine, problem.bound)
    return np.asarray(out.reshape(POINTS + 1, len(laws), STARTS, -1).transpose(1, 2, 0, 3))
