"""Channels that go along with the others whatever the law is: a velocity's signal, and delayed signals.

Of a second-order law ẋ = v. A map is written by its increments, x(t + h) = x(t) + h·f(x(t)): one step later a delayed
signal is what the channel before it was, so that its increment is (what it becomes − what it is)/h. Coefficients have
no say in either.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

import numpy as np

from ecodyn.arrays import Array
from ecodyn.trajectories.state import VELOCITY, fitted, moving, shifts

__all__ = ["Kinematic", "Step", "carry", "carry_directions"]

Step: TypeAlias = "float | Array | None"  # a map's h, one or (batch,); None of a flow


class Kinematic:
    """What a law's channels are to it; a class that has it has their names, ``channels``."""

    channels: tuple[str, ...]

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """Positions of the channels that are no traits."""
        return moving(self.channels)

    @cached_property
    def fitted(self) -> tuple[int, ...]:
        """Positions of the channels whose derivative the law gives, one equation each."""
        return fitted(self.channels)

    @cached_property
    def velocity(self) -> int | None:
        """Position of the channel that is the signal's derivative, if there is one."""
        return self.channels.index(VELOCITY) if VELOCITY in self.channels else None

    @cached_property
    def shifts(self) -> tuple[tuple[int, int], ...]:
        """Positions of each delayed signal, and of the channel that it is one step later."""
        return shifts(self.channels)

    @cached_property
    def observed(self) -> tuple[int, ...]:
        """Positions of the channels whose rollouts are held to the data: a velocity and delays say nothing more."""
        told = {self.velocity, *(channel for channel, _ in self.shifts)}
        return tuple(c for c in self.moving if c not in told)


def carry(law: Kinematic, x: Array, out: Array, step: Step) -> None:
    """Write the derivatives of what goes along, at states (batch, feature, channel), into ``out`` of the same shape."""
    if law.velocity is not None:
        out[..., 0] = x[..., law.velocity]
    if law.shifts:
        h = _length(step, x.ndim - 1)
        for channel, later in law.shifts:
            out[..., channel] = (x[..., later] - x[..., channel]) / h


def carry_directions(law: Kinematic, directions: Array, out: Array, step: Step) -> None:
    """The same of directions (batch, moving, feature, direction)."""
    if law.velocity is not None:
        out[:, 0] = directions[:, law.moving.index(law.velocity)]
    if law.shifts:
        h = _length(step, directions.ndim - 1)
        for channel, later in law.shifts:
            own = law.moving.index(channel)
            out[:, own] = (directions[:, law.moving.index(later)] - directions[:, own]) / h


def _length(step: Step, axes: int) -> Array:
    if step is None:
        raise TypeError("expected a map's step, by which delayed signals are shifted, got none: a flow has no such")
    h = np.asarray(step, dtype=float)
    return h.reshape(-1, *(1,) * (axes - 1)) if h.ndim else h
