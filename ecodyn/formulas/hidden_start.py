"""Where hidden variables stand in runs that a law was not fitted to: from a few steps before, or from the start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.shooting_batches import normal_equations
from ecodyn.estimation.shooting_equations import Trial
from ecodyn.formulas.hidden_driven import driven
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_objective import HiddenObjective, beginnings, with_channels
from ecodyn.rollouts.marching import march
from ecodyn.trajectories import Trajectories

__all__ = ["along", "warmed_up"]

GUESSES = (0.3, 1.0, 3.0, -0.3, -1.0, -3.0)  # of each hidden variable's usual size, where searches begin
ITERATIONS = 30  # of Gauss-Newton: a few starting values, and rollouts of a few steps
SETTLED = 1e-10  # relative decrease of the cost that a search ends at
EXACT = 1e-24  # of the squares of the data, which is rounding
MOST_DAMPING = 1e8  # of the Hessian's diagonal: a step is then rounding


@dataclass(eq=False)
class _Descent:
    """A search for one run's starting values, from one guess: see ``_descended``."""

    objective: HiddenObjective
    starts: Array
    current: Equations | None = None
    damping: float = 1e-3
    going: bool = True

    @property
    def cost(self) -> float:
        return np.inf if self.current is None else self.current.cost

    def tried(self) -> Array:
        """The starting values that are tried next."""
        if self.current is None or self.current.starts is None:
            return self.starts
        return self.starts - self.current.starts.solved(self.damping)[..., -1]

    def take(self, starts: Array, found: Equations) -> None:
        """Go on from what was found there, if that is better."""
        first = self.current is None
        if first or found.cost < self.cost:
            gained = np.inf if first else self.cost - found.cost
            self.starts, self.current = starts, found
            self.damping /= 1 if first else 5
            exact = EXACT * float(np.sum(self.objective.segments.states[..., 0] ** 2))
            self.going = np.isfinite(found.cost) and found.cost > exact and gained > SETTLED * found.cost
        else:
            self.damping *= 8
            self.going = self.damping < MOST_DAMPING


@np.errstate(all="ignore")  # a guess may diverge: another one then does not
def warmed_up(law: HiddenLaw, parameters: Array, signals: Array, times: Array) -> Array:
    """Hidden variables (run, step, feature, hidden) of runs whose starts are free, from signals (run, step, feature).

    The starting values of each run, of the signals too, minimise the squares that the law's rollout leaves of these
    steps; searches begin at several of them, and the best counts. NaN where all diverge.

    Parameters
    ----------
    law : in scaled units, with coordinates None: parameters are θ
    """
    samples = with_channels(Samples.of(Trajectories(signals, times), smooth=False), np.array(law.scales[1:]))
    own = HiddenLaw(law.statement, law.columns, None, tuple(samples.scales.ravel().tolist()), samples.time_scale)
    found = [_searches_of_run(own, samples.take(np.array([run]))) for run in range(len(signals))]
    descents = [descent for of_run in found for descent in of_run]
    _descended(descents, parameters)
    best = [min(of_run, key=lambda one: one.cost) for of_run in found]
    bound, scales = own.bind(parameters[None]), samples.scales.ravel()[1:]
    start = np.concatenate([one.objective.begin(parameters, one.starts) for one in best])
    grid = np.concatenate([one.objective.segments.times for one in best])
    hidden = np.stack([x[..., 1:] for _, x, _ in march(bound.rhs, start, grid, fine=True)], axis=1) * scales
    finite = np.array([np.isfinite(one.cost) for one in best])
    return np.where(finite[:, None, None, None], hidden, np.nan)


def _searches_of_run(law: HiddenLaw, samples: Samples) -> list[_Descent]:
    """A search from each guess."""
    features = samples.states.shape[2]
    segments = beginnings(samples, samples.states.shape[1] - 1, 1.0, smoothed=False)
    searches = []
    for factor in GUESSES:
        guess = [np.full((1, features if each else 1), factor) for each in law.statement.each]
        begun = np.concatenate([samples.states[:, 0, :, 0], *guess], axis=1)
        objective = HiddenObjective(law, samples, segments, begun, signals=True)
        objective.fine = True
        searches.append(_Descent(objective, begun))
    return searches


def _descended(descents: list[_Descent], parameters: Array) -> None:
    """Damped Gauss-Newton of all, each with steps of its own, whose rollouts are one batch; parameters stay."""
    for _ in range(ITERATIONS):
        going = [one for one in descents if one.going]
        if not going:
            break
        tried = [one.tried() for one in going]
        trials = [Trial(one.objective, parameters, starts) for one, starts in zip(going, tried, strict=True)]
        for one, starts, found in zip(going, tried, normal_equations(trials), strict=True):
            one.take(starts, found)


def along(law: HiddenLaw, parameters: Array, signals: Array, times: Array, hidden: Array) -> Array:
    """Hidden variables (run, step, feature, hidden) along the data, from their values at the first step.

    In the units of the data: the law's scales are 1.
    """
    return driven(law.bind(parameters[None]).rhs, signals, times, hidden)[..., 1:]
