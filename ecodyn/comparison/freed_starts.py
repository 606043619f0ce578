"""Rollouts whose starting states are moved, within measurement noise, to where the whole run says that they were.

Of a state x₀ measured with noise of variance σ², and a run measured with it, the most probable start minimises

    Σ (x(t) − rollout(t; x₀ + δ))² / σ² + δ² / σ²,

by damped Gauss-Newton steps, with the rollout's derivatives by δ from differences. No start is moved by more than 3σ:
what a law leaves must not be hidden in where it starts.
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

__all__ = ["NOISELESS", "freed_start", "freed_starts"]

ITERATIONS = 3  # of Gauss-Newton: a start is off by noise, so that the rollout is near to linear in what moves it
LENGTHS = (1.0, 0.5, 0.2, 0.05)  # of a step that are tried, the best taken
MOST_MOVED = 3.0  # of σ: one start in three hundred is measured further off than that
MOST_FREED = 256  # numbers of a start: each costs a rollout and a row of residuals
NOISELESS = 1e-7  # of how far features go, squared: a tenth of the solvers' accuracy, and no noise
DIFFERENCE = 0.3  # of σ, for a derivative: small beside what is to be found, large beside the solver's error
SEARCHED = 1e-6  # of a rollout, a step: noise is hundreds of times as large, and what is found is rolled out as scored
FITTED_STEPS = 120  # of a run, that starts are fitted to: there are few of them, and many steps


def freed_starts(part: HeldOut, data: Trajectories) -> Rollout:
    """The part's rollouts from starting states that were estimated on the whole of each run.

    Rollouts that end early from the measured start stay as they are.
    """
    model = part.fitted.model
    if not isinstance(model, FittedModel):
        raise TypeError(f"expected rollouts of a fitted model, got those of {type(model).__name__}")
    starts = part.starts.copy()
    for i in range(len(part.runs)):
        rows = part.rows(i, data)
        n = rows.stop - rows.start
        if part.rollout.status[i] == "ok":
            starts[i] = freed_start(model, part.state[i, rows], part.times[i, :n])
    moved = model.simulate(starts, part.times)
    status = tuple(b if b == "ok" else a for a, b in zip(part.rollout.status, moved.status, strict=True))
    finished = np.array([s == "ok" for s in moved.status])
    values = np.where(finished[:, None, None, None], moved.values, part.rollout.values)
    return replace(moved, values=values, status=status)


def freed_start(model: FittedModel, state: Array, times: Array) -> Array:
    """The most probable start (feature, channel) of a run whose states are (step, feature, channel), NaN if missing."""
    start, truth = state[0], state[..., 0]
    sigma = _noise(state, times)
    free = np.argwhere(sigma > 0)
    noise = sigma[:, 0]
    measured = noise > 0
    if not 0 < len(free) <= MOST_FREED or not measured.any():
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
        rolled = _quickly(model, starts, times[grid])[:, :, measured]
        left = np.where(present, (target - rolled) * weight, 0.0).reshape(len(moves), -1)
        return np.concatenate([left, -moves], axis=1)

    move = np.zeros(len(free))
    for _ in range(ITERATIONS):
        varied = residuals(np.vstack([move, move + DIFFERENCE * np.eye(len(free))]))
        if not np.isfinite(varied).all():
            break
        jacobian = (varied[1:] - varied[0]).T / DIFFERENCE
        step = -np.linalg.lstsq(jacobian, varied[0], rcond=None)[0]
        tried = np.clip(move + np.outer(LENGTHS, step), -MOST_MOVED, MOST_MOVED)
        costs = np.sum(residuals(tried) ** 2, axis=1)
        costs = np.where(np.isfinite(costs), costs, np.inf)
        if not costs.min() < np.sum(varied[0] ** 2):
            break
        move = tried[int(np.argmin(costs))]
    moved = start.copy()
    moved[place] += move * widths
    return moved


def _quickly(model: FittedModel, starts: Array, times: Array) -> Array:
    """Signals of rollouts as accurate as a search needs; a model of another kind may know of no accuracy."""
    if type(model).simulate is FittedModel.simulate:
        return model.simulate(starts, times, rtol=SEARCHED).signal
    return model.simulate(starts, times).signal


def _noise(state: Array, times: Array) -> Array:
    """Standard deviation of the noise of each number of a state (feature, channel), 0 where there is none."""
    out = np.zeros(state.shape[1:])
    for k, c in np.ndindex(out.shape):
        variance = noise_variance(state[:, [k], c], times)
        moved = float(np.nanmean((state[:, k, c] - state[0, k, c]) ** 2))
        out[k, c] = np.sqrt(variance) if variance > NOISELESS * moved else 0.0
    return out
