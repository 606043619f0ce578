"""A law with hidden variables in the units of a training set, as a function of states and of its parameters.

A hidden variable is a channel beside the signal. One that all features share is carried by each of them: its equation
knows features by their means only, so that the copies stay equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.formulas.hidden_statement import HiddenStatement
from ecodyn.formulas.law import BoundFormula, FormulaLaw, Sensitivity
from ecodyn.formulas.transforms import Coordinates

__all__ = ["BoundHidden", "HiddenLaw", "HiddenSensitivity"]


@dataclass(frozen=True)
class _EquationLaw(FormulaLaw):
    """One equation of several: ``place`` is that of the channel whose derivative it is."""

    place: int = 0

    @cached_property
    def fitted(self) -> tuple[int, ...]:
        """Position of that channel."""
        return (self.place,)


@dataclass(frozen=True)
class HiddenLaw:
    """All equations of a statement, of scaled states: see ``FormulaLaw``.

    Attributes
    ----------
    statement : HiddenStatement
    columns : where the features that the formula names are, in the order of ``statement.features``
    coordinates : of the parameters that are estimated; None where φ is θ
    scales : of each channel
    time_scale : float
    """

    statement: HiddenStatement
    columns: tuple[int, ...]
    coordinates: Coordinates | None
    scales: tuple[float, ...]
    time_scale: float = 1.0

    @property
    def coupling(self) -> str:
        """What a feature sees of the others."""
        return self.statement.coupling

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """All channels."""
        return tuple(range(len(self.statement.channels)))

    @property
    def fitted(self) -> tuple[int, ...]:
        """All channels."""
        return self.moving

    @property
    def observed(self) -> tuple[int, ...]:
        """All channels; those that are hidden have no weight."""
        return self.moving

    def groups(self, rows: int) -> int:
        """Features share all parameters: one group."""
        return 1

    @cached_property
    def parts(self) -> tuple[_EquationLaw, ...]:
        """A law for each equation, in the units of the data."""
        where = dict(zip(self.statement.features, self.columns, strict=True))
        return tuple(
            _EquationLaw(
                statement=equation,
                columns=tuple(where[name] for name in equation.features),
                scales=self.scales,
                time_scale=self.time_scale,
                place=place,
            )
            for place, equation in enumerate(self.statement.equations)
        )

    @cached_property
    def places(self) -> tuple[list[int], ...]:
        """Of each equation, where its parameters are among all of them."""
        names = self.statement.every_parameter
        return tuple([names.index(name) for name in part.statement.parameters] for part in self.parts)

    @cached_property
    def estimated(self) -> list[int]:
        """Where the parameters that are estimated are among all of them."""
        names = self.statement.every_parameter
        return [names.index(name) for name in self.statement.parameters]

    @cached_property
    def directions(self) -> tuple[tuple[list[int], list[int]], ...]:
        """Of each equation, which of its parameters are estimated, and where they are among those."""
        among = {place: i for i, place in enumerate(self.estimated)}
        kept = [[(i, among[place]) for i, place in enumerate(own) if place in among] for own in self.places]
        return tuple(([i for i, _ in pairs], [j for _, j in pairs]) for pairs in kept)

    def every(self, parameters: Array) -> Array:
        """All parameters (batch, parameter), of those that are estimated."""
        held, names = dict(self.statement.held), self.statement.every_parameter
        full = np.tile([held.get(name, 0.0) for name in names], (len(parameters), 1))
        full[:, self.estimated] = parameters
        return full

    def bind(self, coefficients: Array, drive: Drives | None = None, inputs: KnownInputs | None = None) -> BoundHidden:
        """The law with coordinates (row, parameter), or (batch, row, parameter), of one row."""
        if drive is not None or inputs is not None:
            raise TypeError("expected neither clock nor inputs: a law with hidden variables has none")
        coordinates = coefficients.reshape(-1, coefficients.shape[-1])
        if self.coordinates is None:
            return BoundHidden(self, coordinates, np.ones_like(coordinates))
        return BoundHidden(self, self.coordinates.outward(coordinates), self.coordinates.slopes(coordinates))


@dataclass(frozen=True, eq=False)
class BoundHidden:
    """f, its Jacobian and its forcing ∂f/∂φ at given parameters, batched.

    Attributes
    ----------
    law : HiddenLaw
    parameters : θ that are estimated, (batch or 1, parameter)
    slopes : ∂θ/∂φ
    """

    law: HiddenLaw
    parameters: Array
    slopes: Array

    @cached_property
    def every(self) -> Array:
        """All parameters, (batch or 1, parameter)."""
        return self.law.every(self.parameters)

    @cached_property
    def parts(self) -> tuple[BoundFormula, ...]:
        """Each equation at its parameters, with derivatives by φ."""
        slopes = np.zeros_like(self.every)
        slopes[:, self.law.estimated] = self.slopes
        pairs = zip(self.law.parts, self.law.places, strict=True)
        return tuple(BoundFormula(part, self.every[:, p], slopes[:, p]) for part, p in pairs)

    def starts(self) -> tuple[Array, list[int | None]]:
        """Starting values (batch, hidden) that are parameters, scaled, and where each is among those estimated."""
        statement, scales = self.law.statement, np.array(self.law.scales[1:])
        places = [statement.every_parameter.index(name) for name in statement.begun]
        among = {place: i for i, place in enumerate(self.law.estimated)}
        return self.every[:, places] / scales[: len(places)], [among.get(place) for place in places]

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ of every channel at scaled states (batch, feature, channel) and times (batch,)."""
        out = np.empty_like(x)
        for place, part in enumerate(self.parts):
            out[..., place] = part.rhs(x, t)[..., place]
        return out

    def sensitivity(self, x: Array, t: Array) -> HiddenSensitivity:
        """f and all its derivatives."""
        return HiddenSensitivity(self, tuple(part.sensitivity(x, t) for part in self.parts))

    def jacobian(self, x: Array, t: Array) -> Array:
        """Of laws of one channel only."""
        raise TypeError("expected a law of the signal alone, got one with hidden variables")


@dataclass(frozen=True, eq=False)
class HiddenSensitivity:
    """What the linearisation does to directions, at one batch of states."""

    bound: BoundHidden
    parts: tuple[Sensitivity, ...]

    @cached_property
    def value(self) -> Array:
        """ẋ of all channels, (batch, feature, channel)."""
        return np.stack([part.value[..., place] for place, part in enumerate(self.parts)], axis=-1)

    def jacobian_times(self, directions: Array, out: Array | None = None) -> Array:
        """(∂f/∂x)·S for directions S (batch, channel, feature, direction)."""
        result = np.zeros_like(directions) if out is None else out
        for part in self.parts:  # each writes its own channel's
            part.jacobian_times(directions, out=result)
        return result

    def terms(self) -> Array:
        """∂f/∂φ, (batch, channel, feature, parameter)."""
        law = self.bound.law
        batch, features, channels = self.value.shape
        out = np.zeros((batch, channels, features, len(law.estimated)))
        for place, (part, (those, among)) in enumerate(zip(self.parts, law.directions, strict=True)):
            out[:, place][..., among] = part.terms()[..., those]
        return out
