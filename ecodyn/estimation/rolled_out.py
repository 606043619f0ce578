"""What multiple shooting asks of a law: a library with coefficients, or any other with exact derivatives."""

from __future__ import annotations

from typing import Protocol

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.library import Library
from ecodyn.equations.right_hand_side import BoundLibrary

__all__ = ["AnyLaw", "Bound", "Linearised", "RolledOut", "bound"]


class Linearised(Protocol):
    """f and its derivatives at one batch of states: see ``equations.right_hand_side.Sensitivity``."""

    @property
    def value(self) -> Array:
        """ẋ of all channels, (batch, feature, channel)."""

    def jacobian_times(self, directions: Array, out: Array | None = None) -> Array:
        """(∂f/∂x)·S for directions S (batch, moving, feature, direction) of the moving channels."""

    def terms(self) -> Array:
        """∂f/∂θ, (batch, feature, parameter)."""


class Bound(Protocol):
    """A law at given parameters."""

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ at states (batch, feature, channel) and times (batch,)."""

    def sensitivity(self, x: Array, t: Array) -> Linearised:
        """f and its derivatives there."""

    def jacobian(self, x: Array, t: Array) -> Array:
        """∂f/∂x of the only channel, (batch, feature, feature), at states (batch, feature)."""


class RolledOut(Protocol):
    """A law as a function of its parameters (row, parameter); laws that are equal are rolled out together."""

    @property
    def coupling(self) -> str:
        """What a feature sees of the others."""

    @property
    def moving(self) -> tuple[int, ...]:
        """Positions of the channels that are no traits."""

    @property
    def fitted(self) -> tuple[int, ...]:
        """Positions of the channels that have an equation."""

    @property
    def observed(self) -> tuple[int, ...]:
        """Positions of the channels whose rollouts are held to the data."""

    def groups(self, rows: int) -> int:
        """1 where features share parameters."""

    def bind(self, coefficients: Array, drive: Drives | None = None, inputs: KnownInputs | None = None) -> Bound:
        """The law at parameters (row, parameter), or (batch, row, parameter)."""


AnyLaw = Library | RolledOut


def bound(
    law: AnyLaw,
    coefficients: Array,
    drive: Drives | None = None,
    inputs: KnownInputs | None = None,
    step: Array | None = None,
) -> Bound:
    """A law at given parameters; of a library, they are its coefficients. ``inputs`` and ``step`` are the batch's."""
    if isinstance(law, Library):
        return BoundLibrary(law, coefficients, drive, inputs, step)
    return law.bind(coefficients, drive, inputs)
