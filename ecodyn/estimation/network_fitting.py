"""Fitting right-hand sides that are neural networks: matched integrals, then rollouts, by Gauss-Newton.

The recipe is that of the laws linear in their coefficients, in NumPy and float64: from several random starts increments
of the data are matched, which needs no solver; the best then follows the data over segments that grow to the whole
window. A prior takes the place of early stopping, so that all training runs are fitted to: a priori weights have unit
variance, and what a fit leaves unexplained is its noise, so that the strength of the prior is that noise's variance,
estimated together with the weights. Exact data are then fitted exactly, and little is read into what is only noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation.multiple_shooting import SHORTEST, STEP_TOLERANCE
from ecodyn.estimation.network_data import Units
from ecodyn.estimation.network_descent import Descent, Prior, descend
from ecodyn.estimation.network_equations import Rollouts
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.estimation.network_matching import Increments
from ecodyn.estimation.network_status import LIMIT_OF_MATCHING, LIMIT_OF_ROLLOUTS
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments, weights_of_channels
from ecodyn.estimation.shooting_equations import AMPLITUDE, MOST_SUBSTEPS

__all__ = ["FittedNetwork", "Schedule", "fit_network"]

STAGES = (0.12,)  # shares of the window before the whole of it
# Independent numbers that a run's misfit is worth, alike as it is from step to step and feature to feature: of 5, 20
# and 60 the best on six fresh trainings in three windows.
OBSERVATIONS = 20.0
PRESUMED = 0.04  # share that will be left unexplained, where nothing is known of it yet
WEAKEST = 1e-10  # exact data want no prior, and rounding wants a little
SETTLED = 1.5  # factor by which the strength may still be off
MOVES = 3  # of the strength at the whole length, at most
STEP_SHARE = 0.05  # of a rollout's misfit, that the solver's error may be
EARLY_TOLERANCE, LAST_TOLERANCE = 1e-2, 3e-3  # relative decrease of the total at which a stage is done


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long to train.

    Attributes
    ----------
    matching_steps, rollout_steps : most Gauss-Newton steps of matching, and of each stage of rollouts; none if 0
    rollout_share : length of the longest rollouts, as a share of the window
    intervals : outputs of a rollout over the window that are compared with the data
    starts : random starts that are matched; the best goes on
    prior : strength, None to have it chosen
    """

    matching_steps: int = 30
    rollout_steps: int = 30
    rollout_share: float = 1.0
    intervals: int = 12
    starts: int = 2
    prior: float | None = None


@dataclass(frozen=True, kw_only=True)
class FittedNetwork:
    """One network's weights with the units that it works in (those of the samples), and how the fit went.

    ẋ = slope · g((x − centre)/spread), beside a base law if there is one. ``unexplained`` is the share of the training
    rollouts' (or, without rollouts, the increments') squares that is left; ``gradient`` the largest element of the
    total's gradient at the end; ``converged`` whether the last stage converged on rollouts of the whole length that was
    asked for (or, without rollouts, the matching of increments did).
    """

    weights: dict[str, Array]
    units: Units
    prior: float
    unexplained: float
    gradient: float
    iterations: int
    converged: bool
    status: str


@np.errstate(all="ignore")  # a trial's rollouts may overflow: that is what makes its cost infinite
def fit_network(
    samples: Samples, architecture: Architecture, schedule: Schedule, *, seed: int, base: BoundLibrary | None = None
) -> FittedNetwork:
    """Fit a network to the runs, or what a base law leaves of them."""
    law = NetworkLaw(architecture, Units.of(samples, architecture), base, samples.drive)
    search = _Search(law, samples, schedule)
    search.match(np.random.default_rng(seed))
    if schedule.rollout_steps:
        search.follow()
    return search.result()


class _Search:
    """One network's search, stage by stage."""

    def __init__(self, law: NetworkLaw, samples: Samples, schedule: Schedule) -> None:
        self.law, self.samples, self.schedule = law, samples, schedule
        self.weights = weights_of_channels(samples)
        self.bound = AMPLITUDE * max(float(np.abs(samples.states[..., 0]).max()), 1e-300)
        strength = self._strength(PRESUMED) if schedule.prior is None else schedule.prior
        self.prior = Prior(strength, np.zeros(law.shape.size))
        self.iterations = 0
        self.status, self.whole = "", True
        self.best: Descent

    def _strength(self, unexplained: float) -> float:
        """Of the prior, when so much is left: the variance of noise that is as many numbers as there are."""
        return max(unexplained / (OBSERVATIONS * self.samples.n_runs), WEAKEST)

    def match(self, rng: np.random.Generator) -> None:
        """The best of several random starts on increments; beside a base law the network begins at nothing."""
        increments = Increments.of(self.law, self.samples)
        shape = self.law.shape
        found = []
        for _ in range(self.schedule.starts):
            start = shape.initial(rng)
            prior = self.prior
            if self.law.base is not None:
                # The network begins at nothing, and the prior pulls it there; were its inner weights pulled to zero
                # as well, it could never leave.
                start[shape.slices["g3.weight"]], start[shape.slices["g3.bias"]] = 0.0, 0.0
                prior = Prior(prior.strength, start)
            done = descend(
                increments,
                start,
                prior=prior,
                tolerance=EARLY_TOLERANCE,
                max_iterations=self.schedule.matching_steps,
            )
            if done is not None:
                found.append(done)
        self.best = min(found, key=lambda d: d.total)
        self.prior = self.best.prior
        self.iterations = sum(d.iterations for d in found)
        self.status = "increments matched" if self.best.converged else LIMIT_OF_MATCHING

    def follow(self) -> None:
        """Rollouts over growing segments; where they diverge, stages are inserted, or the end has come."""
        share = self.schedule.rollout_share
        done, ahead = 0.0, [*(s for s in STAGES if s < share), share]
        while ahead:
            if self._stage(ahead[0], LAST_TOLERANCE if len(ahead) == 1 else EARLY_TOLERANCE):
                done = ahead.pop(0)
            elif (ahead[0] - done) / 2 >= SHORTEST:
                ahead.insert(0, (done + ahead[0]) / 2)
            else:
                self.whole = False
                self.status = f"rollouts over more than {done:.0%} of the window diverge"
                return
        self._settle(share)

    def _stage(self, share: float, tolerance: float) -> bool:
        """Descend on rollouts over segments of this share; false where they die from here."""
        rollouts = self._rollouts(share)
        rollouts = replace(rollouts, substeps=self._substeps(rollouts))
        found = descend(
            rollouts,
            self.best.parameters,
            prior=self.prior,
            tolerance=tolerance,
            max_iterations=self.schedule.rollout_steps,
        )
        if found is None:
            return False
        self.best, self.iterations = found, self.iterations + found.iterations
        if self.schedule.prior is None:
            self.prior = Prior(self._strength(found.equations.cost), self.prior.anchor)
        self.status = "converged" if found.converged else LIMIT_OF_ROLLOUTS
        return True

    def _settle(self, share: float) -> None:
        """Go on at the whole length while what is left unexplained asks for another strength of the prior."""
        for _ in range(MOVES):
            if 1 / SETTLED < self.prior.strength / self.best.prior.strength < SETTLED:
                return
            self._stage(share, LAST_TOLERANCE)

    def _rollouts(self, share: float) -> Rollouts:
        segments = Segments.cut(self.samples, self.schedule.intervals, share)
        inputs = None if self.samples.inputs is None else self.samples.inputs.of_runs(segments.run)
        return Rollouts(self.law, segments, self.weights, self.bound, inputs=inputs)

    def _substeps(self, rollouts: Rollouts) -> int:
        """Steps an interval: halved until that moves the rollouts by next to nothing, or little beside their misfit."""
        substeps, coarse = 1, rollouts.signals(self.best.parameters, 1)
        truth = rollouts.segments.states[..., 0].swapaxes(0, 1)
        while substeps < MOST_SUBSTEPS:
            fine = rollouts.signals(self.best.parameters, 2 * substeps)
            if self._apart(fine, coarse) <= max(STEP_TOLERANCE, STEP_SHARE * self._apart(fine, truth)):
                break
            substeps, coarse = 2 * substeps, fine
        return substeps

    def _apart(self, one: Array, other: Array) -> float:
        """How far signals (..., feature) are apart, as a root mean square, features in the scales they count in."""
        return float(np.sqrt(np.mean(self.weights[:, 0] * (one - other) ** 2)))

    def result(self) -> FittedNetwork:
        """What was found."""
        best = self.best
        gradient = float(np.abs(best.gradient).max())
        return FittedNetwork(
            weights={name: w.copy() for name, w in self.law.shape.layers(best.parameters).items()},
            units=self.law.units,
            prior=best.prior.strength,
            unexplained=best.equations.cost,
            gradient=gradient,
            iterations=self.iterations,
            converged=self.whole and best.converged,
            status=self.status,
        )
