"""Rollouts whose starting states are moved, within measurement noise, to where the whole run says that they were.

Of a state x₀ measured with noise of variance σ², and a run measured with it, the most probable start minimises

    Σ (x(t) − rollout(t; x₀ + δ))² / σ² + δ² / σ²,

by damped Gauss-Newton steps, with the rollout's derivatives by δ from differences. No start is moved by more than 3σ:
what a law leaves must not be hidden in where it starts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.comparison.held_out import HeldOut
from ecodyn.families.known import inputs_of_runs
from ecodyn.families.model import FittedModel
from ecodyn.rollouts.integration import Rollout
from ecodyn.statistics.noise import noise_that_shows
from ecodyn.statistics.smoothing import FEWEST, smoothed
from ecodyn.trajectories import Trajectories

__all__ = ["freed_start", "freed_starts"]

ITERATIONS = 3  # of Gauss-Newton, a horizon: a start is off by noise, so that rollouts are near to linear in it
# Shares of a run that a start is fitted to, one after the other: where small differences grow, a rollout over all of it
# is near to linear only in what is left to find after shorter ones.
HORIZONS = (0.1, 0.2, 0.4, 0.7, 1.0)
SETTLED = 0.01  # of the squares: a step that takes off less is a horizon's last
LENGTHS = (1.0, 0.5, 0.2, 0.05)  # of a step that are tried, the best taken
MOST_MOVED = 3.0  # of σ: one start in three hundred is measured further off than that
MOST_FREED = 256  # numbers of a start: each costs a rollout and a row of residuals
DIFFERENCE = 0.03  # of σ, for a derivative: small beside what is to be found, large beside the solver's error
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
            own = model.driven(inputs_of_runs(model.inputs, data, [part.runs[i]], model.step))
            starts[i] = freed_start(own, part.state[i, rows], part.times[i, :n])
    moved = _rolled(model.driven(inputs_of_runs(model.inputs, data, part.runs, model.step)), starts, part.times)
    status = tuple(b if b == "ok" else a for a, b in zip(part.rollout.status, moved.status, strict=True))
    finished = np.array([s == "ok" for s in moved.status])
    values = np.where(finished[:, None, None, None], moved.values, part.rollout.values)
    return replace(moved, values=values, status=status)


def freed_start(model: FittedModel, state: Array, times: Array) -> Array:
    """The most probable start (feature, channel) of a run whose states are (step, feature, channel), NaN if missing."""
    start = state[0]
    sigma = _noise(state, times)
    free = np.argwhere(sigma > 0)
    if not 0 < len(free) <= MOST_FREED or not (sigma[:, 0] > 0).any():
        return start
    place = (free[:, 0], free[:, 1])
    search = _Search(model, state, times, place, sigma)
    lengths = [max(2, round(share * (len(times) - 1)) + 1) for share in HORIZONS]
    moves = [search.over(lengths[0], m) for m in (search.smoothed_move(), np.zeros(len(free)))]
    move = moves[int(np.argmin(search.costs(lengths[0], np.array(moves))))]
    for length in lengths[1:]:
        move = search.over(length, move)
    moved = start.copy()
    moved[place] += move * sigma[place]
    return moved


class _Search:
    """For one run: states (step, feature, channel), the places that may be moved, and by how much σ."""

    def __init__(
        self,
        model: FittedModel,
        state: Array,
        times: Array,
        place: tuple[NDArray[np.intp], NDArray[np.intp]],
        sigma: Array,
    ) -> None:
        self.model, self.state, self.times, self.place, self.sigma = model, state, times, place, sigma
        self.measured = sigma[:, 0] > 0

    def smoothed_move(self) -> Array:
        """To where a smoothing spline begins, where there are samples enough for one."""
        feature, channel = self.place
        series = self.state[:, feature, channel]
        whole = np.asarray(~np.isnan(series).any(axis=1))
        if whole.sum() < FEWEST or not whole[0]:
            return np.zeros(len(feature))
        begin = smoothed(series[whole], self.times[whole])[0]
        return np.clip((begin - series[0]) / self.sigma[self.place], -MOST_MOVED, MOST_MOVED)

    def over(self, steps: int, move: Array) -> Array:
        """A better move, in σ, for the run's first steps; the one given where none is."""
        grid = _grid(steps)
        for _ in range(ITERATIONS):
            varied = self._residuals(np.vstack([move, move + DIFFERENCE * np.eye(len(move))]), grid)
            if not np.isfinite(varied).all():
                break
            jacobian = (varied[1:] - varied[0]).T / DIFFERENCE
            step = -np.linalg.lstsq(jacobian, varied[0], rcond=None)[0]
            tried = np.clip(move + np.outer(LENGTHS, step), -MOST_MOVED, MOST_MOVED)
            costs = self._costs(tried, grid)
            before, after = float(np.sum(varied[0] ** 2)), float(costs.min())
            if after < before:
                move = tried[int(np.argmin(costs))]
            if not after < (1 - SETTLED) * before:
                break
        return move

    def costs(self, steps: int, moves: Array) -> Array:
        """Squares of each move's rollout over the run's first steps, (move,); infinite where it doesn't reach these."""
        return self._costs(moves, _grid(steps))

    def _costs(self, moves: Array, grid: NDArray[np.intp]) -> Array:
        costs = np.sum(self._residuals(moves, grid) ** 2, axis=1)
        return np.where(np.isfinite(costs), costs, np.inf)

    def _residuals(self, moves: Array, grid: NDArray[np.intp]) -> Array:
        """Weighted residuals (move, step · feature) of rollouts from moved starts, with those of the moves."""
        starts = np.repeat(self.state[:1], len(moves), axis=0)
        starts[:, self.place[0], self.place[1]] += moves * self.sigma[self.place]
        rolled = _quickly(self.model, starts, self.times[grid])[:, :, self.measured]
        left = (self.state[grid][:, self.measured, 0] - rolled) / self.sigma[self.measured, 0]
        left = np.where(np.isnan(self.state[grid][:, self.measured, 0]), 0.0, left).reshape(len(moves), -1)
        return np.concatenate([left, -moves], axis=1)


def _grid(steps: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, steps - 1, FITTED_STEPS).astype(int))


def _quickly(model: FittedModel, starts: Array, times: Array) -> Array:
    """Signals of rollouts as accurate as a search needs; a model of another kind may know of no accuracy."""
    if type(model).simulate is FittedModel.simulate:
        return _rolled(model, starts, times, rtol=SEARCHED).signal
    return _rolled(model, starts, times).signal


def _rolled(model: FittedModel, starts: Array, times: Array, **options: Any) -> Rollout:
    """With the inputs that it was given, where it depends on any."""
    if model.known is not None:
        options["inputs"] = model.known
    return model.simulate(starts, times, **options)


def _noise(state: Array, times: Array) -> Array:
    """Standard deviation of the noise of each number of a state (feature, channel), 0 where there is none."""
    return np.sqrt(noise_that_shows(state.reshape(len(state), -1), times)).reshape(state.shape[1:])
