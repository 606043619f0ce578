"""Normal equations of a network's rollouts and of its matched increments.

Exact sensitivities are integrated beside the states by the same Runge-Kutta steps, JᵀWJ and JᵀWr are accumulated
output by output, and the Jacobian itself is never stored. Costs are shares: squared error over that of persistence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.estimation.segments import Segments
from ecodyn.rollouts.marching import steps_in_pieces

__all__ = ["NormalEquations", "Rollouts"]

BATCH_ELEMENTS = 300_000  # numbers in a batch's sensitivities: what a core's cache holds


@dataclass
class NormalEquations:
    """Cost, JᵀWJ and JᵀWr; the cost is infinite where a rollout died."""

    cost: float
    hessian: Array
    gradient: Array

    @classmethod
    def zero(cls, size: int) -> NormalEquations:
        """To be added to."""
        return cls(0.0, np.zeros((size, size)), np.zeros(size))

    def add(self, weight: Array | float, residual: Array, jacobian: Array) -> None:
        """What residuals (n,) of some weights, with derivatives (parameter, n), have to say."""
        weighted = weight * jacobian
        self.hessian += weighted @ jacobian.T
        self.gradient += weighted @ residual
        self.cost += float(np.sum(weight * residual**2))


@dataclass(frozen=True, eq=False)
class Rollouts:
    """Segments of runs, and how a network's rollouts over them are compared with the data.

    Attributes
    ----------
    law : NetworkLaw
    segments : Segments
    weights : (1 or feature, channel), of each channel's squares
    bound : signal beyond which a rollout is dead
    substeps : Runge-Kutta steps an interval
    inputs : those of the segments
    """

    law: NetworkLaw
    segments: Segments
    weights: Array
    bound: float
    substeps: int = field(default=1)
    inputs: KnownInputs | None = None
    _parts: dict[tuple[int | None, int | None], KnownInputs] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def _states(self) -> Array:
        """(point, channel, segment, feature)."""
        return np.ascontiguousarray(self.segments.states.transpose(1, 3, 0, 2))

    @cached_property
    def _weights(self) -> Array:
        """Of squared residuals, (point, channel, segment, feature), so that persistence's cost is one."""
        weights = self.segments.weights.T[:, None, :, None] * self.weights.T[:, None, :]
        weights = np.broadcast_to(weights, self._states.shape)
        observed = [channel for _, channel in self.observed]
        still = float(np.sum((weights * (self._states - self._states[:1]) ** 2)[:, observed]))
        return np.asarray(weights / (still if still > 0 else 1.0))

    @cached_property
    def observed(self) -> list[tuple[int, int]]:
        """Position among the moving channels, and among all, of those compared with the data: a velocity is not."""
        shape = self.law.shape
        return [(m, c) for m, c in enumerate(shape.moving) if c != shape.velocity]

    def signals(self, parameters: Array, substeps: int) -> Array:
        """Rollouts alone, (point, segment, feature); zero from where one died."""
        return np.stack([x[0] for _, x, _, _ in self._alone(parameters, substeps)])

    def _alone(self, parameters: Array, substeps: int) -> Iterator[tuple[int, Array, Array, Bools]]:
        segments, _, features, _ = self.segments.states.shape
        none = np.zeros((len(self.law.shape.moving), 0, segments, features))
        return self._march(parameters, slice(None), none, substeps)

    def cost(self, parameters: Array) -> float:
        """Squared error over that of persistence; infinite where a rollout dies."""
        total = 0.0
        for i, x, _, alive in self._alone(parameters, self.substeps):
            if not alive.all():
                return np.inf
            for m, channel in self.observed:
                total += float(np.vdot(self._weights[i, channel], (x[m] - self._states[i, channel]) ** 2))
        return total

    def equations(self, parameters: Array) -> NormalEquations:
        """The normal equations at these parameters, a few segments at a time."""
        total = NormalEquations.zero(self.law.shape.size)
        moving, features = len(self.law.shape.moving), self.segments.states.shape[2]
        count = max(1, BATCH_ELEMENTS // (moving * self.law.shape.size * features))
        for begin in range(0, len(self.segments), count):
            self._accumulate(parameters, slice(begin, begin + count), total)
            if not np.isfinite(total.cost):
                break
        return total

    def _accumulate(self, parameters: Array, members: slice, total: NormalEquations) -> None:
        """Add what some segments, rolled out together, have to say."""
        size, (segments, features) = self.law.shape.size, self._states[0, 0, members].shape
        start = np.zeros((len(self.law.shape.moving), size, segments, features))
        for i, x, s, alive in self._march(parameters, members, start, self.substeps):
            if not alive.all():
                total.cost = np.inf
                return
            for m, channel in self.observed if i else []:
                residual = x[m] - self._states[i, channel, members]
                total.add(self._weights[i, channel, members].ravel(), residual.ravel(), s[m].reshape(size, -1))

    def _inputs_of(self, members: slice) -> KnownInputs | None:
        """Those of some segments, kept with where they cut intervals."""
        if self.inputs is None:
            return None
        key = members.start, members.stop
        if key not in self._parts:
            self._parts[key] = self.inputs.take(np.arange(len(self.segments))[members])
        return self._parts[key]

    def _march(
        self, parameters: Array, members: slice, sensitivities: Array, substeps: int
    ) -> Iterator[tuple[int, Array, Array, Bools]]:
        """Classical Runge-Kutta steps of the moving channels (moving, segment, feature) and their sensitivities.

        What is yielded is overwritten by the next step.
        """
        times, inputs = self.segments.times[members], self._inputs_of(members)
        law = self.law.driven(inputs)
        cuts = [None] * times.shape[1] if inputs is None else inputs.cuts(times)
        stepper = _RungeKutta(law, parameters, self._states[0][:, members].copy(), sensitivities)
        alive: Bools = np.isfinite(stepper.x.sum(axis=(0, 2)))
        yield 0, stepper.x, stepper.s, alive
        for i in range(times.shape[1] - 1):
            if inputs is None:
                h = (times[:, i + 1] - times[:, i]) / substeps
                for j in range(substeps):
                    stepper.step(times[:, i] + j * h, h)
            else:
                edges = cuts[i]
                for step in steps_in_pieces(times[:, i : i + 2] if edges is None else edges, substeps):
                    stepper.step(*step)
            x = stepper.x
            alive = alive & (np.abs(x[0]).max(axis=1) <= self.bound) & np.isfinite(x.sum(axis=(0, 2)))
            if not alive.all():
                x[:, ~alive] = 0.0
            yield i + 1, x, stepper.s, alive


class _RungeKutta:
    """The classical steps of states and sensitivities, in memory of its own."""

    def __init__(self, law: NetworkLaw, parameters: Array, state: Array, sensitivities: Array) -> None:
        self.law, self.layers, self.state, self.s = law, law.shape.layers(parameters), state, sensitivities
        self.moving = list(law.shape.moving)
        self.x = state[self.moving]
        self.stage, self.slope, self.total = (np.empty_like(sensitivities) for _ in range(3))
        self.work = np.empty(sensitivities.shape[1:])

    def _slopes(self, x: Array, s: Array, t: Array) -> Array:
        """ẋ, and Ṡ into ``slope``."""
        self.state[self.moving] = x
        if not s.size:
            return self.law.slopes(self.layers, self.state, t)
        return self.law.sensitivities(self.layers, self.state, s, t, self.slope, self.work)

    def step(self, t: Array, h: Array, end: Array | None = None) -> None:
        """One step of lengths h (segment,) from times t (segment,); its last slope is of ``end``, if that is given."""
        width = self.x.shape[2]
        step = np.repeat(h[:, None], width, axis=1)  # written out, so that products go along whole rows
        total = first = self._slopes(self.x, self.s, t)
        slope = first
        np.copyto(self.total, self.slope)
        for share, weight in ((0.5, 2.0), (0.5, 2.0), (1.0, 1.0)):
            part = share * step
            np.multiply(self.slope, part, out=self.stage)
            self.stage += self.s
            at = t + share * h if end is None or share < 1 else end
            slope = self._slopes(self.x + part * slope, self.stage, at)
            total = total + weight * slope
            self.total += self.slope
            if weight > 1:
                self.total += self.slope
        self.total *= step / 6
        self.s += self.total
        self.x = self.x + step / 6 * total
