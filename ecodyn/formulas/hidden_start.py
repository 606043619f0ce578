"""Where hidden variables stand in runs that a law was not fitted to: from a few steps before, or from the start."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_equations import Probe, Trial, normal_equations, rollouts
from ecodyn.formulas.hidden_driven import driven
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_objective import HiddenObjective, beginnings, with_channels
from ecodyn.rollouts.marching import march
from ecodyn.trajectories import Trajectories

__all__ = ["along", "warmed_up"]

GUESSES = (0.3, 1.0, 3.0)  # of each hidden variable's usual size, where searches begin; and of its negative
ITERATIONS = 30  # of Gauss-Newton: a few starting values, and rollouts of a few steps
SETTLED = 1e-12  # relative decrease of the cost that a search ends at
MOST_DAMPING = 1e8  # of the Hessian's diagonal: a step is then rounding
SUBSTEPS = 4  # Runge-Kutta steps between two stored steps


@np.errstate(all="ignore")  # a guess may diverge: another one then does not
def warmed_up(law: HiddenLaw, parameters: Array, signals: Array, times: Array) -> Array:
    """Hidden variables (run, step, feature, hidden) of runs whose starts are free, from signals (run, step, feature).

    The starting values of each run, of the signals too, minimise the squares that the law's rollout leaves of these
    steps; searches begin at several of them, and the best counts.

    Parameters
    ----------
    law : in scaled units, with coordinates None: parameters are θ
    """
    samples = with_channels(Samples.of(Trajectories(signals, times), smooth=False), np.array(law.scales[1:]))
    own = HiddenLaw(law.statement, law.columns, None, tuple(samples.scales.ravel().tolist()), samples.time_scale)
    segments = beginnings(samples, signals.shape[1] - 1, 1.0, smoothed=False)
    features = signals.shape[2]
    best, least = np.zeros((len(signals), 0)), np.full(len(signals), np.inf)
    for factor in (*GUESSES, *(-g for g in GUESSES)):
        guess = [np.full((len(signals), features if each else 1), factor) for each in own.statement.each]
        begun = np.concatenate([samples.states[:, 0, :, 0], *guess], axis=1)
        objective = HiddenObjective(own, samples, segments, begun, signals=True)
        objective.substeps = SUBSTEPS
        found = _descended(objective, parameters)
        (rolled,) = rollouts([Probe(objective, parameters, SUBSTEPS, found)])
        left = np.mean((rolled - segments.states[..., 0]) ** 2, axis=(1, 2))
        left = np.where((rolled == 0).all(axis=(1, 2)), np.inf, left)
        best = found if not best.shape[1] else np.where((left < least)[:, None], found, best)
        least = np.minimum(left, least)
    objective = HiddenObjective(own, samples, segments, best, signals=True)
    bound = own.bind(parameters[None])
    path = [x for _, x, _ in march(bound.rhs, objective.begin(parameters, best), segments.times, substeps=SUBSTEPS)]
    hidden = np.stack(path, axis=1)[..., 1:] * samples.scales.ravel()[1:]
    return np.where(np.isfinite(least)[:, None, None, None], hidden, np.nan)


def _descended(objective: HiddenObjective, parameters: Array) -> Array:
    """Starting values (run, private) by damped Gauss-Newton, parameters being what they are."""
    starts = objective.first_starts()
    current, damping = _at(objective, parameters, starts), 1e-3
    if not np.isfinite(current.cost):
        return starts
    for _ in range(ITERATIONS):
        blocks = current.starts
        if blocks is None or damping > MOST_DAMPING:
            break
        step = -blocks.solved(damping)[..., -1]
        trial = _at(objective, parameters, starts + step)
        if trial.cost < current.cost:
            gained = current.cost - trial.cost
            starts, current, damping = starts + step, trial, damping / 5
            if gained <= SETTLED * current.cost:
                break
        else:
            damping *= 8
    return starts


def _at(objective: HiddenObjective, parameters: Array, starts: Array) -> Equations:
    return normal_equations([Trial(objective, parameters, starts)])[0]


def along(law: HiddenLaw, parameters: Array, signals: Array, times: Array, hidden: Array) -> Array:
    """Hidden variables (run, step, feature, hidden) along the data, from their values at the first step.

    In the units of the data: the law's scales are 1.
    """
    return driven(law.bind(parameters[None]).rhs, signals, times, hidden)[..., 1:]
