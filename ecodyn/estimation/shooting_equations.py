"""Normal equations of multiple shooting: rollouts of segments with their exact sensitivities, many problems at once.

Ṡ = ∂f/∂θ + (∂f/∂x) S is integrated beside the states, JᵀWJ and JᵀWr are accumulated output by output, and the Jacobian
itself is never stored. A map takes both along by its own steps, S → S + h(∂f/∂θ + (∂f/∂x) S). On a few species or
features an evaluation takes as long for eight problems as for one: trials of problems that are alike (folds of one
family, mostly) are therefore answered in one batch.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import FULL
from ecodyn.equations.monomials import last_apart
from ecodyn.estimation.normal_blocks import Equations, StartBlocks
from ecodyn.estimation.rolled_out import AnyLaw, Bound, bound
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments, weights_of_channels
from ecodyn.rollouts.integration import RightHandSide
from ecodyn.rollouts.marching import march
from ecodyn.rollouts.stiff_marching import march_stiff

MOST_SUBSTEPS = 16  # of an interval: a law that needs shorter ones is too stiff for explicit steps
EXACT_SQUARES = 1e-16  # of the data's: residuals under a 10⁻⁸th of them are the solver's
AMPLITUDE = 10.0  # a rollout is dead beyond this many times the data's largest value
BATCH_ELEMENTS = 100_000  # numbers in a batch's state, about what a core's cache holds: larger ones are no faster
SMALL = 10_000  # numbers in a trial's state below which its time is that of Python's calls, however many directions


class Objective:
    """One stage's segments, and how coefficients enter their rollouts.

    Parameters
    ----------
    library, samples, segments
        What is rolled out, from where.
    mask : bool array (row, term)
        Which coefficients are free; parameters are these, in order.
    estimate_starts : bool
        Whether the segments' starting signals are parameters too.
    """

    def __init__(
        self, library: AnyLaw, samples: Samples, segments: Segments, *, mask: NDArray[np.bool_], estimate_starts: bool
    ) -> None:
        self.library, self.drive, self.segments, self.mask = library, samples.drive, segments, mask
        # Sensitivities of small problems are to all coefficients, free or not: trials of any selections are then alike.
        small = len(segments) * segments.states.shape[2] * mask.size <= SMALL
        self.directions = np.ones_like(mask) if small else mask
        self.free = np.flatnonzero(mask[self.directions])
        self.inputs = None if samples.inputs is None else samples.inputs.of_runs(segments.run)
        row_of, self.term_of = np.nonzero(self.directions)
        groups = library.groups(len(mask))
        self.equation_of, self.feature_of = np.divmod(row_of, groups)
        self.shared = groups == 1
        self.n_runs = samples.n_runs
        self.estimate_starts = estimate_starts
        self.exact = EXACT_SQUARES * float(np.sum(samples.states[..., 0] ** 2))
        self.bound = AMPLITUDE * max(float(np.abs(samples.states[..., 0]).max()), 1e-300)
        self.substeps, self.implicit = 1, False  # implicit steps are for stiff laws
        self.step = samples.step
        self.weight_of = weights_of_channels(samples)
        self.noise = float(self.segments.weights.sum() * np.sum(self.weight_of * samples.noise))

    @property
    def size(self) -> int:
        """Number of coefficients that the sensitivities are to."""
        return len(self.term_of)

    @property
    def columns(self) -> int:
        """Number of directions of the sensitivities: coefficients, and the starts' features if these are estimated."""
        return self.size + (self.segments.states.shape[2] if self.estimate_starts else 0)

    def coefficients(self, parameters: Array) -> Array:
        """(row, term), zero where none is free."""
        full = np.zeros(self.mask.shape)
        full[self.mask] = parameters
        return full

    def apart(self, one: Array, other: Array) -> float:
        """How far signals (..., feature) are apart, as a root mean square, features in the scales they count in."""
        return float(np.sqrt(np.mean(self.weight_of[:, 0] * (one - other) ** 2)))

    def equations(self, parameters: Array, starts: Array) -> Equations:
        """The normal equations at these parameters and starting signals, alone."""
        return normal_equations([Trial(self, parameters, starts)])[0]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of what is integrated (segment, feature, column): the channels, and each moving one's sensitivities."""
        segments, _, features, channels = self.segments.states.shape
        return segments, features, channels + len(self.library.moving) * self.columns

    def start(self, starts: Array) -> Array:
        """States followed by the sensitivities of each moving channel, (segment, feature, column)."""
        x = self._zeros()
        _, _, features, channels = self.segments.states.shape
        x[..., :channels] = self.segments.starts
        if self.estimate_starts:
            x[..., 0] = starts
            x[..., channels + self.size : channels + self.columns] = np.eye(features)
        return x

    def _zeros(self) -> Array:
        """Of ``shape``; unless a matrix product goes over many directions, those lie apart and states together.

        Loops over a few directions of each feature would be short ones.
        """
        if self.library.coupling == FULL:
            return np.zeros(self.shape)
        states = last_apart(self.shape)
        states[:] = 0
        return states

    def force(self, slopes: Array, terms: Array) -> None:
        """Add ∂f/∂θ to slopes (segment, moving, feature, direction): each coefficient moves its own equation."""
        for channel, mine, terms_of_mine in self._forced:
            block = slopes[:, channel]
            if self.shared and len(mine) == self.size == terms.shape[-1]:  # all terms, in their order
                block[..., : self.size] += terms
                continue
            if self.shared:
                for direction, term in zip(mine.tolist(), terms_of_mine.tolist(), strict=True):
                    block[..., direction] += terms[..., term]
                continue
            feature = self.feature_of[mine]
            row = feature if terms.shape[1] > 1 else np.zeros_like(feature)
            block[:, feature, mine] += terms[:, row, terms_of_mine]

    @cached_property
    def _forced(self) -> list[tuple[int, NDArray[np.intp], NDArray[np.intp]]]:
        """Of each equation: where its channel is among the moving ones, its directions, and their terms."""
        of_equations = [np.flatnonzero(self.equation_of == e) for e in range(len(self.library.fitted))]
        places = [self.library.moving.index(channel) for channel in self.library.fitted]
        return [(place, mine, self.term_of[mine]) for place, mine in zip(places, of_equations, strict=True)]

    def by_run(self, cost: float, hessian: Array, gradient: Array) -> Equations:
        """The normal equations (segment, direction, direction) summed over each run's segments."""
        free, starts = self.free, np.arange(self.size, self.columns)
        shape = (self.n_runs, -1, len(free))
        by_run = hessian[:, free[:, None], free].reshape(*shape, len(free)).sum(axis=1)
        gradients = gradient[:, free].reshape(shape).sum(axis=1)
        blocks = None
        if self.estimate_starts:
            cross, own = hessian[:, free[:, None], starts], hessian[:, starts[:, None], starts]
            blocks = StartBlocks(cross, own, gradient[:, starts])
        return Equations(cost, by_run, gradients, blocks)


@dataclass(frozen=True, eq=False)
class Trial:
    """A question: the normal equations at these parameters and starting signals (segment, feature)."""

    objective: Objective
    parameters: Array
    starts: Array

    @property
    def kind(self) -> Hashable:
        """Trials of one kind can be answered together."""
        o, shape = self.objective, self.objective.segments.states.shape[1:]
        key = ("trial", o.library, o.directions.tobytes(), o.directions.shape, shape, o.columns)
        return (*key, o.substeps, o.implicit, o.drive is None, o.step is None, o.inputs is None)

    @property
    def elements(self) -> int:
        """Numbers in its state."""
        return math.prod(self.objective.shape)


@dataclass(frozen=True, eq=False)
class Probe:
    """A question: the rollouts alone, (segment, point, feature), at these parameters and number of substeps.

    ``starts`` are signals (segment, feature) to begin at, None for the segments' own.
    """

    objective: Objective
    parameters: Array
    substeps: int
    starts: Array | None = None

    @property
    def start(self) -> Array:
        """States (segment, feature, channel) to begin at."""
        states = self.objective.segments.starts
        if self.starts is not None:
            states = states.copy()
            states[..., 0] = self.starts
        return states

    @property
    def kind(self) -> Hashable:
        """Probes of one kind can be answered together."""
        o, shape = self.objective, self.objective.segments.states.shape[1:]
        return ("probe", o.library, o.mask.shape, shape, self.substeps, o.implicit, o.drive is None, o.inputs is None)

    @property
    def elements(self) -> int:
        """Numbers in its state."""
        return int(self.objective.segments.states[:, 0].size)


Question = Trial | Probe


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
    def law(self) -> Bound:
        """The law with each segment's own coefficients."""
        pairs = zip(self.objectives, self.parameters, strict=True)
        coefficients = np.repeat([o.coefficients(p) for o, p in pairs], self.counts, axis=0)
        drives = [o.drive for o in self.objectives if o.drive is not None]
        driven = Drives(tuple(drives), tuple(self.counts)) if drives else None
        return bound(self.library, coefficients, driven, self.inputs)

    def each(self) -> Iterator[tuple[Objective, slice]]:
        """Every question's objective, and where its segments are."""
        ends = np.cumsum(self.counts)
        for objective, count, end in zip(self.objectives, self.counts, ends, strict=True):
            yield objective, slice(int(end) - count, int(end))

    def march(self, rhs: RightHandSide, start: Array, substeps: int) -> Iterator[tuple[int, Array, NDArray[np.bool_]]]:
        """States, and what is beside them, output by output: see `march`."""
        if self.first.implicit:
            return march_stiff(rhs, self.law.jacobian, start, self.times, substeps=substeps, bound=self.bound)
        cuts = None if self.inputs is None else self.inputs.cuts(self.times)
        return march(rhs, start, self.times, substeps=substeps, bound=self.bound, step=self.step, cuts=cuts)

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
    start = np.concatenate([p.start for p in probes])
    signals = np.stack([x[..., 0] for _, x, _ in batch.march(batch.law.rhs, start, probes[0].substeps)], axis=1)
    return [signals[where] for _, where in batch.each()]


def normal_equations(trials: Sequence[Trial]) -> list[Equations]:
    """The answers to trials of one kind; a cost is infinite where one of its rollouts died."""
    batch = _Batch(trials)
    library, columns = batch.library, batch.first.columns
    data = np.concatenate([o.segments.states for o in batch.objectives])
    weights = np.concatenate([o.segments.weights[..., None, None] * o.weight_of for o in batch.objectives])
    hessian = np.zeros((len(data), columns, columns))
    gradient, cost = np.zeros((len(data), columns)), np.zeros(len(data))
    start = np.concatenate([t.objective.start(t.starts) for t in trials])
    observed = [(c, data.shape[-1] + m * columns) for m, c in enumerate(library.moving) if c != library.velocity]
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
    return [o.by_run(float(cost[where].sum()), hessian[where], gradient[where]) for o, where in batch.each()]
