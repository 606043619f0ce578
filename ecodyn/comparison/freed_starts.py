"""Rollouts whose starting states are moved, within measurement noise, to where the whole run says that they were.

Of a state x₀ measured with noise of variance σ², and a run measured with it, the most probable start minimises

    Σ (x(t) − rollout(t; x₀ + δ))² / σ² + δ² / σ²,

by damped Gauss-Newton steps, with the rollout's derivatives by δ from differences.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.comparison.held_out import HeldOut
from ecodyn.comparison.scores import noise_variance
from ecodyn.families.model import FittedModel
from ecodyn.rollouts.integration import Rollout
from ecodyn.trajectories import Trajectories

__all__ = ["freed_starts"]

ITERATIONS = 3  # of Gauss-Newton: a start is off by noise, so that the rollout is near to linear in what moves it
LENGTHS = (1.0, 0.5, 0.2, 0.05)  # of a step that are tried, the best taken
DIFFERENCE = 0.3  # of σ, for a derivative: small beside what is to be found, large beside the solver's error
FITTED_STEPS = 120  # of a run, that starts are fitted to: there are few of them, and many steps


def freed_starts(part: HeldOut, data: Trajectories) -> Rollout:
    """The part's rollouts from starting states that were estimated on the whole of each run.

    Rollouts that end early from the measured start stay as they are; references are left alone.
    """
    model = part.fitted.model
    if not isinstance(model, FittedModel):
        return part.rollout
    starts = part.starts.copy()
    for i, run in enumerate(part.runs):
        rows = part.rows(i, data)
        n = rows.stop - rows.start
        if part.rollout.status[i] == "ok":
            starts[i] = _freed(model, part.starts[i], part.state[i, rows], data.values[run, rows], part.times[i, :n])
    moved = model.simulate(starts, part.times)
    status = tuple(b if b == "ok" else a for a, b in zip(part.rollout.status, moved.status, strict=True))
    finished = np.array([s == "ok" for s in moved.status])
    values = np.where(finished[:, None, None, None], moved.values, part.rollout.values)
    return replace(moved, values=values, status=status)


def _freed(model: FittedModel, start: Array, state: Array, truth: Array, times: Array) -> Array:
    """The most probable start (feature, channel) of a run whose data are ``truth`` (step, feature)."""
    sigma = np.sqrt(
        [[noise_variance(state[:, [k], c], times) for c in range(state.shape[2])] for k in range(len(start))]
    )
    free = np.argwhere(sigma > 0)
    noise = sigma[:, 0]
    measured = noise > 0
    if not len(free) or not measured.any():
        return start
    grid = np.unique(np.linspace(0, len(times) - 1, FITTED_STEPS).astype(int))
    target, weight = truth[grid][:, measured], 1.0 / noise[measured]
    present = ~np.isnan(target)
    place = (free[:, 0], free[:, 1])
    widths = sigma[place]

    def residuals(moves: Array) -> Array:
        """Weighted residuals (move, step · feature) of rollouts from moved starts, with those of the moves."""
        starts = np.repeat(start[None], len(moves), axis=0)
        starts[:, place[0], place[1]] += moves * widths
        rolled = model.simulate(starts, times[grid]).signal[:, :, measured]
        left = np.where(present, (target - rolled) * weight, 0.0).reshape(len(moves), -1)
        return np.concatenate([left, -moves], axis=1)

    move = np.zeros(len(free))
    for _ in range(ITERATIONS):
        varied = residuals(np.vstack([move, move + DIFFERENCE * np.eye(len(free))]))
        if not np.isfinite(varied).all():
            break
        jacobian = (varied[1:] - varied[0]).T / DIFFERENCE
        step = -np.linalg.lstsq(jacobian, varied[0], rcond=None)[0]
        tried = move + np.outer(LENGTHS, step)
        costs = np.sum(residuals(tried) ** 2, axis=1)
        costs = np.where(np.isfinite(costs), costs, np.inf)
        if not costs.min() < np.sum(varied[0] ** 2):
            break
        move = tried[int(np.argmin(costs))]
    moved = start.copy()
    moved[place] += move * widths
    return moved
