"""A formula in the units of a training set, as a function of states and of the coordinates of its parameters.

It stands where multiple shooting has a library with coefficients. A Jacobian is a feature's own part and one rank-one
part a mean over features, so that what it costs is linear in the features.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive, Drives
from ecodyn.equations.kinematics import Kinematic, carry, carry_directions
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.formulas.common_means import CommonMeans
from ecodyn.formulas.compiled import Evaluation, Part, Program, program_of
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.transforms import Coordinates
from ecodyn.formulas.tree import Name

__all__ = ["BoundFormula", "FormulaLaw", "Sensitivity"]


@dataclass(frozen=True)
class FormulaLaw(Kinematic):
    """ẋ = f(x, θ(φ), t)·τ/s of scaled states: f in the data's own units, s and τ the samples' scales.

    Attributes
    ----------
    statement : Statement
    columns : where the features that the formula names are
    coordinates : of the parameters; None where φ is θ
    scales : of each channel
    time_scale : float
    input_scales : of each of the statement's inputs; none where these are in the data's units
    step : h of a map, over τ; None of a flow
    """

    statement: Statement
    columns: tuple[int, ...] = ()
    coordinates: Coordinates | None = None
    scales: tuple[float, ...] = (1.0,)
    time_scale: float = 1.0
    input_scales: tuple[float, ...] = ()
    step: float | None = None

    @property
    def channels(self) -> tuple[str, ...]:  # type: ignore[override]  # read only
        """Names of the state's channels."""
        return self.statement.channels

    @property
    def coupling(self) -> str:
        """What a feature sees of the others."""
        return self.statement.coupling

    def groups(self, rows: int) -> int:
        """Features share all parameters: one group."""
        return 1

    def bind(self, coefficients: Array, drive: Drives | None = None, inputs: KnownInputs | None = None) -> BoundFormula:
        """The law with coordinates (row, parameter), or (batch, row, parameter), of one row.

        ``drive`` holds the data whose means take the place of a clock's, and which members of the batch have which.
        """
        coordinates = coefficients.reshape(-1, coefficients.shape[-1])
        if self.coordinates is None:
            parameters, slopes = coordinates, np.ones_like(coordinates)
        else:
            parameters, slopes = self.coordinates.outward(coordinates), self.coordinates.slopes(coordinates)
        curves = None if drive is None else self._curves(drive, parameters)
        return BoundFormula(self, parameters, slopes, curves, inputs)

    def _curves(self, drive: Drives, parameters: Array, *, slopes: bool = True) -> Drives:
        firsts = np.cumsum([0, *drive.counts[:-1]])
        return Drives(
            tuple(
                self.curve(data, parameters[None, first] if len(parameters) > 1 else parameters, slopes=slopes)
                if isinstance(data, CommonMeans)
                else data
                for data, first in zip(drive.drives, firsts, strict=True)
            ),
            drive.counts,
        )

    def at(self, parameters: Array, drive: Drives | None = None, inputs: KnownInputs | None = None) -> BoundFormula:
        """The law with parameters θ (1, parameter) themselves, whose derivatives are by θ, a clock's means held."""
        curves = None if drive is None else self._curves(drive, parameters, slopes=False)
        return BoundFormula(self, parameters, np.ones_like(parameters), curves, inputs)

    def curve(self, data: CommonMeans, parameters: Array, *, slopes: bool = True) -> Drive:
        """The means over features and runs, and their ∂/∂θ, (time, environment × (1 + parameter)), at θ (1, parameter).

        Spline curves, in the samples' times; without the derivatives if there are to be no ``slopes``.
        """
        _, _, features, channels = data.states.shape
        flat, times = data.states.reshape(-1, features, channels), np.tile(data.times, len(data.states))
        bound = self.at(parameters, inputs=KnownInputs.ones(self.statement.inputs))  # no mean depends on them
        if not slopes:
            return data.averaged(self.program(driven=False).means(flat * self.factors, parameters, bound._when(times)))
        found = bound.sensitivity(flat, times)
        columns = [*found.found.environment, *(entry for row in found.means_by_parameter() for entry in row)]
        none = np.zeros((len(flat), 1))
        every = [none if c is None else np.broadcast_to(c, none.shape) for c in columns]
        return data.averaged(np.concatenate(every, axis=1))

    @cached_property
    def factors(self) -> Array:
        """s of each channel."""
        return np.array(self.scales)

    @property
    def rate(self) -> float:
        """τ/s of the channel whose derivative the formula is."""
        return self.time_scale / self.scales[self.fitted[0]]

    def program(self, *, driven: bool) -> Program:
        """The compiled statement."""
        return program_of(self.statement, () if driven else self.columns, driven=driven)


@dataclass(frozen=True, eq=False)
class BoundFormula:
    """f, its Jacobian and its forcing ∂f/∂φ at given parameters, batched.

    Attributes
    ----------
    law : FormulaLaw
    parameters : θ (batch or 1, parameter)
    slopes : ∂θ/∂φ
    curves : a clock's means and their ∂/∂θ as curves of time, (batch, environment × (1 + parameter))
    """

    law: FormulaLaw
    parameters: Array
    slopes: Array
    curves: Drives | Drive | None = None
    inputs: KnownInputs | None = None

    @cached_property
    def _program(self) -> Program:
        return self.law.program(driven=self.curves is not None)

    def _when(self, t: Array) -> Array:
        """Times in the data's unit, (batch,), with inputs in theirs behind them, (batch, 1 + input), if any."""
        times, scales = t * self.law.time_scale, self.law.input_scales or 1.0
        return times if self.inputs is None else np.column_stack([times, self.inputs(t) * scales])

    def _seen(self, t: Array) -> tuple[Array | None, Array | None]:
        """A clock's means (batch, environment), and their derivatives by θ (batch, environment, parameter)."""
        if self.curves is None:
            return None, None
        size, found = len(self.law.statement.environment), self.curves(t)
        means = found[:, :size]
        by = found[:, size:].reshape(len(found), size, -1)
        return means, by if by.size else np.zeros((len(found), size, self.parameters.shape[1]))

    def rhs(self, x: Array, t: Array) -> Array:
        """ẋ of every channel at scaled states (batch, feature, channel) and times (batch,): traits stand still."""
        law = self.law
        slope = self._program.value(x * law.factors, self.parameters, self._when(t), self._seen(t)[0])
        return self._whole(x, slope)

    def _whole(self, x: Array, slope: Array) -> Array:
        law, out = self.law, np.zeros_like(x)
        np.multiply(slope, law.rate, out=out[..., law.fitted[0]])
        carry(law, x, out, law.step)
        return out

    def sensitivity(self, x: Array, t: Array) -> Sensitivity:
        """f and all its derivatives."""
        law = self.law
        means, by_parameter = self._seen(t)
        found = self._program.evaluate(x * law.factors, self.parameters, self._when(t), means)
        return Sensitivity(self, found, self._whole(x, found.value), by_parameter)

    def jacobian(self, x: Array, t: Array) -> Array:
        """∂ẋ/∂x of the only channel, (batch, feature, feature), at scaled states (batch, feature)."""
        batch, features = x.shape
        directions = np.broadcast_to(np.eye(features), (batch, 1, features, features))
        return self.sensitivity(x[..., None], t).jacobian_times(directions)[:, 0]


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """What a law's linearisation does to directions, at one batch of states."""

    bound: BoundFormula
    found: Evaluation
    value: Array
    driven_by: Array | None  # a clock's ∂means/∂θ

    @property
    def _shape(self) -> tuple[int, int]:
        return self.found.value.shape

    def _wide(self, part: Part) -> Array:
        if isinstance(part, np.ndarray) and part.shape == self._shape:  # most are, and broadcasting takes longer
            return part
        return np.broadcast_to(part, self._shape)

    def _average(self, part: Part) -> Array:
        """Over features, (batch, 1); of what has one column for all, that."""
        if np.ndim(part) == 2 and np.shape(part)[1] == self._shape[1]:
            return np.asarray(np.add.reduce(part, axis=1, keepdims=True) / self._shape[1])
        return np.broadcast_to(part, (self._shape[0], 1))

    def jacobian_times(self, directions: Array, out: Array | None = None) -> Array:
        """(∂f/∂x)·S for directions S (batch, moving, feature, direction) of the moving channels, of the same shape."""
        law, found = self.bound.law, self.found
        result = np.zeros_like(directions) if out is None else out
        row = result[:, law.moving.index(law.fitted[0])]
        row[...] = 0.0
        for m, channel in enumerate(law.moving):
            part = found.by_channel[-1][channel]
            if part is not None:
                row += (self._wide(part) * (law.rate * law.scales[channel]))[..., None] * directions[:, m]
        if self.driven_by is None:
            moved = self._environment_moved(directions)
            for part, change in zip(found.by_environment[-1], moved, strict=True):
                if part is not None and change is not None:
                    row += (self._wide(part) * law.rate)[..., None] * change[:, None]
        carry_directions(law, directions, result, law.step)
        return result

    def _environment_moved(self, directions: Array) -> list[Array | None]:
        """What the directions do to each part of the environment, (batch, direction)."""
        law, found = self.bound.law, self.found
        moved: list[Array | None] = []
        for index, part in enumerate(law.statement.environment):
            if isinstance(part, Name):
                moved.append(directions[:, 0, law.columns[index]] * law.scales[0])
                continue
            total: Array | None = None
            for m, channel in enumerate(law.moving):
                slope = found.by_channel[index][channel]
                if slope is not None:
                    weights = self._wide(slope) * (law.scales[channel] / self._shape[1])
                    change = np.matmul(weights[:, None], directions[:, m])[:, 0]
                    total = change if total is None else total + change
            moved.append(self._through_inner(index, moved, total))
        return moved

    def _through_inner(self, index: int, moved: list[Array | None], total: Array | None) -> Array | None:
        """With what a mean's argument answers to features and means inside it."""
        for slope, change in zip(self.found.by_environment[index], moved, strict=False):
            if slope is not None and change is not None:
                through = self._average(slope) * change
                total = through if total is None else total + through
        return total

    def terms(self) -> Array:
        """∂f/∂φ, (batch, feature, parameter), what goes through the means included."""
        law, found = self.bound.law, self.found
        size = len(law.statement.parameters)
        out = np.zeros((*self._shape, size))
        means = self.means_by_parameter()
        slopes = np.broadcast_to(self.bound.slopes, (self._shape[0], size)) * law.rate
        for p in range(size):
            own = found.by_parameter[-1][p]
            total: Array | float = 0.0 if own is None else self._wide(own)
            for part, by in zip(found.by_environment[-1], means, strict=True):
                if part is not None and (change := by[p]) is not None:
                    total = total + self._wide(part) * change
            out[..., p] = total * slopes[:, p, None]
        return out

    def means_by_parameter(self) -> list[list[Array | None]]:
        """∂/∂θ of each part of the environment at fixed states, (batch, 1) each."""
        law, found = self.bound.law, self.found
        size = len(law.statement.parameters)
        if self.driven_by is not None:
            return [[by[:, p, None] for p in range(size)] for by in self.driven_by.swapaxes(0, 1)]
        means: list[list[Array | None]] = []
        for index in range(len(law.statement.environment)):
            row: list[Array | None] = []
            for p in range(size):
                slope = found.by_parameter[index][p]
                total = None if slope is None else self._average(slope)
                row.append(self._through_inner(index, [before[p] for before in means], total))
            means.append(row)
        return means
