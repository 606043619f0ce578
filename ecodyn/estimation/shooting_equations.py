"""What multiple shooting asks: normal equations, or rollouts alone, of one stage's segments at given parameters.

The answers are ``ecodyn.estimation.shooting_batches``'s.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import FULL, Library
from ecodyn.equations.monomials import last_apart
from ecodyn.equations.taped_law import TapedLaw
from ecodyn.estimation.normal_blocks import Equations, StartBlocks
from ecodyn.estimation.rolled_out import AnyLaw
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.segments import Segments, weights_of_channels

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
        self.compiled = isinstance(library, Library) and TapedLaw.can_hold(library, samples.step)
        # Else sensitivities of small problems are to all coefficients, free or not: trials of any selections are then
        # alike.
        small = not self.compiled and len(segments) * segments.states.shape[2] * mask.size <= SMALL
        self.index(np.ones_like(mask) if small else mask)
        self.inputs = None if samples.inputs is None else samples.inputs.of_runs(segments.run)
        self.n_runs = samples.n_runs
        self.estimate_starts = estimate_starts
        self.substeps = 1
        self.implicit, self.fine = False, False  # steps for stiff laws; explicit ones of high order
        self.step = samples.step
        self.measure(samples)
        self.noise = float(self.segments.weights.sum() * np.sum(self.weight_of * samples.noise))

    def index(self, directions: NDArray[np.bool_]) -> None:
        """Say which coefficients (row, term) the sensitivities are to, the free ones among them."""
        self.directions, self.free = directions, np.flatnonzero(self.mask[directions])
        row_of, self.term_of = np.nonzero(directions)
        groups = self.library.groups(len(self.mask))
        self.equation_of, self.feature_of = np.divmod(row_of, groups)
        self.shared = groups == 1

    def measure(self, samples: Samples) -> None:
        """Say what squares are next to nothing, which rollouts are dead, and what channels weigh."""
        self.exact = EXACT_SQUARES * samples.movement.squares
        self.bound = AMPLITUDE * max(samples.movement.largest, 1e-300)
        self.weight_of = weights_of_channels(samples)

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

    def squares(self, signals: Array | float) -> Array:
        """Weighted squares of how far signals, (segment, point, feature) or alike, are from the data's, so shaped."""
        weights = self.segments.weights[..., None] * self.weight_of[:, 0]
        return np.asarray(weights * (signals - self.segments.states[..., 0]) ** 2)

    def left_and_moved(self, rollouts: Array) -> tuple[float, float]:
        """What rollouts leave of the squares, and those of how far the data go within segments."""
        first = self.segments.states[:, :1, :, 0]
        return float(np.sum(self.squares(rollouts))), float(np.sum(self.squares(first)))

    def root_mean_square(self, cost: float) -> float:
        """Of what rollouts leave of the signals, by their weighted squares: comparable with how far two are `apart`."""
        segments = self.segments
        shares = self.n_runs / (int(segments.run.max()) + 1)  # of objectives in pieces the first run's are there
        return math.sqrt(cost / float(shares * segments.weights.sum() * segments.states.shape[2]))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of what is integrated (segment, feature, column): the channels, and each moving one's sensitivities."""
        segments, _, features, channels = self.segments.states.shape
        return segments, features, channels + len(self.library.moving) * self.columns

    def first_starts(self) -> Array:
        """What a search for starting states begins at, (segment, feature)."""
        return self.segments.starts[..., 0].copy()

    def begin(self, parameters: Array, starts: Array | None) -> Array:
        """States (segment, feature, channel) that rollouts begin at, with these signals or the segments' own."""
        states = self.segments.starts
        if starts is not None:
            states = states.copy()
            states[..., 0] = starts
        return states

    def freed(self, starts: Array) -> Array | None:
        """Starting signals, where these are estimated."""
        return starts if self.estimate_starts else None

    def first_directions(self) -> Array:
        """Sensitivities (segment, moving, feature, direction) that rollouts begin with."""
        segments, features, _ = self.shape
        directions = np.zeros((segments, len(self.library.moving), features, self.columns))
        if self.estimate_starts:
            directions[:, 0, :, self.size :] = np.eye(features)
        return directions

    def start(self, starts: Array, parameters: Array) -> Array:
        """States followed by the sensitivities of each moving channel, (segment, feature, column)."""
        x, channels = self._zeros(), self.segments.states.shape[-1]
        x[..., :channels] = self.begin(parameters, self.freed(starts))
        x[..., channels:] = self.first_directions().transpose(0, 2, 1, 3).reshape(*x.shape[:2], -1)
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
        return (*key, o.substeps, o.implicit, o.fine, o.drive is None, o.step is None, o.inputs is None)

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
    def kind(self) -> Hashable:
        """Probes of one kind can be answered together."""
        o, shape = self.objective, self.objective.segments.states.shape[1:]
        steps = self.substeps, o.implicit, o.fine
        return ("probe", o.library, o.mask.shape, shape, *steps, o.drive is None, o.inputs is None)

    @property
    def elements(self) -> int:
        """Numbers in its state."""
        return int(self.objective.segments.states[:, 0].size)


Question = Trial | Probe
