"""Reference models: always scored beside the families, never called a family.

A family that does not beat the *nulls* has explained nothing; the *ceiling* shows what any one-dimensional linear
description of the starting value could reach; *clocks* are the exchangeable families with the means over features
replaced by a function of time (``Family.fit_model(..., clock=True)``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.rollouts.integration import OK, Rollout
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import share_times

NULL, CEILING = "null", "ceiling"


class Reference(ABC):
    """A description of a signal from its start and the time; not a law."""

    name: ClassVar[str]
    kind: ClassVar[str]
    extrapolates: ClassVar[bool] = True
    n_coefficients: int = 0

    @classmethod
    @abstractmethod
    def fit(cls, training: Trajectories) -> Self | None:
        """The reference fitted to training runs; None where the file doesn't say what it needs."""

    @abstractmethod
    def signal(self, start: Array, times: Array) -> Array:
        """Signals (batch, step, feature) from starts (batch, feature) at times (batch, step)."""

    def simulate(self, start: Array, times: Array) -> Rollout:
        """The same as a rollout, from states (batch, feature, channel)."""
        values = self.signal(start[..., 0], times)
        return Rollout(values[..., None], times, (OK,) * len(values), 0)


class Persistence(Reference):
    """x(t) = x(t₀)."""

    name = "persistence"
    kind = NULL

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Nothing to fit."""
        return cls()

    def signal(self, start: Array, times: Array) -> Array:
        """The start, for ever."""
        return np.broadcast_to(start[:, None], (*times.shape, start.shape[-1])) + 0 * times[..., None]


@dataclass(frozen=True)
class MeanCurve(Reference):
    """The mean over training runs and features at each time."""

    times: Array
    curve: Array
    name: ClassVar[str] = "mean_curve"
    kind: ClassVar[str] = NULL
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Average what runs there are at each time."""
        grid, values = _on_common_times(training.times, training.values, training.lengths)
        return cls(grid, np.nanmean(values, axis=(0, 2)))

    def signal(self, start: Array, times: Array) -> Array:
        """The curve, for every feature."""
        curve = np.interp(times, self.times, self.curve)
        return np.repeat(curve[..., None], start.shape[-1], axis=-1)


@dataclass(frozen=True)
class TimeOnly(Reference):
    """ẋᵢ = g(t), hence x̂ᵢ(t) = xᵢ(t₀) + G(t − t₀): every feature moves alike, whatever it and the others are.

    G, the ``increment`` (step,) at ``times`` (step,) since the start, is the mean of x(t₀ + τ) − x(t₀) over training
    runs and features: least squares among all functions of time. Smooth data give it an in-sample one-step R² of 0.99;
    a law that does not beat it has not shown that the state matters. Econometrics calls its assumption parallel trends.
    """

    times: Array
    increment: Array
    name: ClassVar[str] = "time_only"
    kind: ClassVar[str] = NULL
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Average what increments there are at each time since the start."""
        since = training.times - training.times[:, :1]
        grid, increments = _on_common_times(since, training.values - training.values[:, :1], training.lengths)
        return cls(grid, np.nanmean(increments, axis=(0, 2)))

    def signal(self, start: Array, times: Array) -> Array:
        """Each start, moved by the same increment."""
        increment = np.interp(times - times[:, :1], self.times, self.increment)
        return np.asarray(start[:, None] + increment[..., None])


@dataclass(frozen=True)
class KnownDecay(Reference):
    """ẋᵢ = −ηλ(xᵢ − floor), the decay that decoupled weight decay alone would cause; only the floor is fitted."""

    rate: float
    floor: float
    name: ClassVar[str] = "known_decay"
    kind: ClassVar[str] = NULL
    n_coefficients: int = 1

    @classmethod
    def fit(cls, training: Trajectories) -> Self | None:
        """The floor by least squares, where the provenance states learning rate and weight decay."""
        rate = decay_rate(training)
        if not rate:
            return None
        t = training.times
        fallen = 1.0 - np.exp(-rate * (t - t[:, :1]))[..., None]
        missing = training.values - training.values[:, :1] * (1.0 - fallen)
        squares = np.nansum(fallen**2 * np.ones_like(missing))
        return cls(rate, float(np.nansum(fallen * missing) / squares) if squares > 0 else 0.0)

    def signal(self, start: Array, times: Array) -> Array:
        """The exponential approach to the floor."""
        kept = np.exp(-self.rate * (times - times[:, :1]))[..., None]
        return np.asarray(self.floor + (start[:, None] - self.floor) * kept)


@dataclass(frozen=True)
class AffineMap(Reference):
    """x(t) = α(t) + β(t) x(t₀), the best at each time over training runs and features: a function of time, no law."""

    times: Array
    intercept: Array
    slope: Array
    name: ClassVar[str] = "affine_map"
    kind: ClassVar[str] = CEILING
    extrapolates: ClassVar[bool] = False

    @classmethod
    def fit(cls, training: Trajectories) -> Self:
        """Least squares at each time."""
        grid, values = _on_common_times(training.times, training.values, training.lengths)
        start = np.broadcast_to(training.values[:, :1], values.shape)  # each run's own
        seen = np.where(np.isnan(values), np.nan, start)
        mean_x, mean_y = np.nanmean(seen, axis=(0, 2)), np.nanmean(values, axis=(0, 2))
        dx, dy = seen - mean_x[None, :, None], values - mean_y[None, :, None]
        variance = np.nansum(dx**2, axis=(0, 2))
        slope = np.nansum(dx * dy, axis=(0, 2)) / np.where(variance > 0, variance, 1.0)
        return cls(grid, mean_y - slope * mean_x, slope)

    @property
    def n_coefficients(self) -> int:  # type: ignore[override]
        """Two for every time."""
        return 2 * len(self.times)

    def signal(self, start: Array, times: Array) -> Array:
        """The maps of each time, applied to the start."""
        intercept = np.interp(times, self.times, self.intercept)
        slope = np.interp(times, self.times, self.slope)
        return np.asarray(intercept[..., None] + slope[..., None] * start[:, None])


REFERENCES: tuple[type[Reference], ...] = (Persistence, MeanCurve, TimeOnly, KnownDecay, AffineMap)


def decay_rate(trajectories: Trajectories) -> float | None:
    """ηλ, if the provenance states learning rate and weight decay, and no optimiser under which they mean another."""
    provenance = trajectories.provenance
    if str(provenance.get("optimiser", "")).lower() == "adam":  # there the decay goes through the adaptive step
        return None
    rate, decay = provenance.get("learning_rate"), provenance.get("weight_decay")
    known = all(isinstance(v, int | float) for v in (rate, decay))
    return float(rate) * float(decay) if known else None  # type: ignore[arg-type]


def _on_common_times(times: Array, values: Array, lengths: NDArray[np.intp]) -> tuple[Array, Array]:
    """Values (run, step, feature) at times (run, step), on times that all runs share; NaN where a run has ended."""
    if share_times(times, lengths):
        return times[int(np.argmax(lengths))], values
    grid = np.unique(times[np.isfinite(times)])
    common = np.full((len(times), len(grid), values.shape[-1]), np.nan)
    for r, n in enumerate(lengths):
        t = times[r, :n]
        inside = (grid >= t[0]) & (grid <= t[-1])
        for k in range(values.shape[-1]):
            common[r, inside, k] = np.interp(grid[inside], t, values[r, :n, k])
    return grid, common
