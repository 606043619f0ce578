"""Normal equations of multiple shooting: rollouts of segments with their exact sensitivities, many problems at once.

Ṡ = ∂f/∂θ + (∂f/∂x) S is integrated beside the states, JᵀWJ and JᵀWr are accumulated output by output, and the Jacobian
itself is never stored. Explicit steps of monomials are compiled (`ecodyn.equations.taped_law`). A map takes both along
by its own steps, S → S + h(∂f/∂θ + (∂f/∂x) S); that, stiff steps, and laws that are no monomials go by calls of NumPy,
which on a few species or features take as long for eight problems as for one: trials of problems that are alike (folds
of one family, mostly) are therefore answered in one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import Library
from ecodyn.equations.steps import Steps
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.estimation.normal_blocks import Equations
from ecodyn.estimation.rolled_out import Bound, bound
from ecodyn.estimation.shooting_equations import Objective, Probe, Trial
from ecodyn.rollouts.integration import RightHandSide
from ecodyn.rollouts.marching import march
from ecodyn.rollouts.stiff_marching import march_stiff

__all__ = ["equations_at", "normal_equations", "rollouts"]


class _Batch:
    """The segments of several questions of one kind, end to end."""

    def __init__(self, questions: Sequence[Trial] | Sequence[Probe]) -> None:
        self.objectives = [q.objective for q in questions]
        self.parameters = [q.parameters for q in questions]
        self.first = self.objectives[0]
        self.library = self.first.library
        self.counts = [len(o.segments) for o in self.objectives]
        self.times = np.concatenate([o.segments.times for o in self.objectives])
        self.bound = np.repeat([o.bound for o in self.objectives], self.counts)
        steps = [o.step for o in self.objectives if o.step is not None]
        self.step = np.repeat(steps, self.counts) if steps else None
        self.inputs = KnownInputs.concat([o.inputs for o in self.objectives])

    @cached_property
    def coefficients(self) -> Array:
        """Each segment's own (segment, row, term)."""
        pairs = zip(self.objectives, self.parameters, strict=True)
        return np.repeat([o.coefficients(p) for o, p in pairs], self.counts, axis=0)

    @cached_property
    def drive(self) -> Drives | None:
        drives = [o.drive for o in self.objectives if o.drive is not None]
        return Drives(tuple(drives), tuple(self.counts)) if drives else None

    @cached_property
    def law(self) -> Bound:
        """The law with each segment's own coefficients."""
        return bound(self.library, self.coefficients, self.drive, self.inputs, self.step)

    def taped(self) -> TapedLaw | None:
        """The same for compiled loops; None where these can't take its steps."""
        first, library = self.first, self.library
        if not first.compiled or first.implicit or first.fine or not isinstance(library, Library):
            return None
        features = first.segments.states.shape[2]
        return TapedLaw(library, self.coefficients, features, self.drive, self.inputs, first.directions)

    def steps(self, substeps: int) -> Steps:
        """Of compiled loops."""
        return Steps.along(self.times, substeps, self._cuts)

    @property
    def _cuts(self) -> list[Array | None] | None:
        return None if self.inputs is None else self.inputs.cuts(self.times)

    def each(self) -> Iterator[tuple[Objective, slice]]:
        """Every question's objective, and where its segments are."""
        ends = np.cumsum(self.counts)
        for objective, count, end in zip(self.objectives, self.counts, ends, strict=True):
            yield objective, slice(int(end) - count, int(end))

    def march(self, rhs: RightHandSide, start: Array, substeps: int) -> Iterator[tuple[int, Array, NDArray[np.bool_]]]:
        """States, and what is beside them, output by output: see `march`."""
        cuts, fine = self._cuts, self.first.fine
        times, bound, step = self.times, self.bound, self.step
        if self.first.implicit:
            return march_stiff(rhs, self.law.jacobian, start, times, substeps=substeps, bound=bound, cuts=cuts)
        return march(rhs, start, times, substeps=substeps, bound=bound, step=step, cuts=cuts, fine=fine)

    def augmented(self) -> RightHandSide:
        """The derivative of states followed by sensitivities."""
        law, channels, moving = self.law, self.first.segments.states.shape[-1], len(self.library.moving)

        def rhs(x: Array, t: Array) -> Array:
            f = law.sensitivity(x[..., :channels], t)
            directions = x[..., channels:].reshape(*x.shape[:2], moving, -1).transpose(0, 2, 1, 3)
            out = np.empty_like(x)
            out[..., :channels] = f.value
            slopes = out[..., channels:].reshape(*x.shape[:2], moving, -1).transpose(0, 2, 1, 3)
            f.jacobian_times(directions, out=slopes)
            self.first.force(slopes, f.terms())
            return out

        return rhs


def rollouts(probes: Sequence[Probe]) -> list[Array]:
    """The answers to probes of one kind."""
    batch = _Batch(probes)
    start = np.concatenate([p.objective.begin(p.parameters, p.starts) for p in probes])
    taped = batch.taped()
    if taped is not None:
        signals = taped.path(start, batch.steps(probes[0].substeps), batch.bound)[0][..., 0]
        return [signals[where] for _, where in batch.each()]
    signals = np.stack([x[..., 0] for _, x, _ in batch.march(batch.law.rhs, start, probes[0].substeps)], axis=1)
    return [signals[where] for _, where in batch.each()]


def equations_at(objective: Objective, parameters: Array, starts: Array) -> Equations:
    """The normal equations at these parameters and starting signals, alone."""
    return normal_equations([Trial(objective, parameters, starts)])[0]


def normal_equations(trials: Sequence[Trial]) -> list[Equations]:
    """The answers to trials of one kind; a cost is infinite where one of its rollouts died."""
    batch = _Batch(trials)
    data = np.concatenate([o.segments.states for o in batch.objectives])
    weights = np.concatenate([o.segments.weights[..., None, None] * o.weight_of for o in batch.objectives])
    taped = batch.taped()
    if taped is not None:
        starts = np.concatenate([t.objective.begin(t.parameters, t.objective.freed(t.starts)) for t in trials])
        directions = np.concatenate([t.objective.first_directions() for t in trials])
        steps = batch.steps(batch.first.substeps)
        hessian, gradient, cost = taped.normal_equations(starts, directions, steps, batch.bound, data, weights)
    else:
        hessian, gradient, cost = _by_numpy(batch, trials, data, weights)
    return [o.by_run(float(cost[where].sum()), hessian[where], gradient[where]) for o, where in batch.each()]


def _by_numpy(batch: _Batch, trials: Sequence[Trial], data: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Σ w JᵀJ, Σ w Jᵀr and Σ w r² of each segment."""
    library, columns = batch.library, batch.first.columns
    hessian = np.zeros((len(data), columns, columns))
    gradient, cost = np.zeros((len(data), columns)), np.zeros(len(data))
    start = np.concatenate([t.objective.start(t.starts, t.parameters) for t in trials])
    observed = [(c, data.shape[-1] + library.moving.index(c) * columns) for c in library.observed]
    for i, x, alive in batch.march(batch.augmented(), start, batch.first.substeps):
        for channel, first in observed:
            residual = x[..., channel] - data[:, i, :, channel]
            weight = weights[:, i, :, channel]
            jacobian = x[..., first : first + columns]
            transposed = jacobian.swapaxes(1, 2)
            hessian += np.matmul(weight[:, None] * transposed, jacobian)
            gradient += np.matmul(transposed, (weight * residual)[..., None])[..., 0]
            cost += np.where(alive, (weight * residual**2).sum(axis=-1), np.inf)
        if not np.isfinite(cost).any():
            break
    return hessian, gradient, cost
