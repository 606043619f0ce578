"""Coordinates in which parameters are searched for: without bounds, and of order one in the data's own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array, Bools

__all__ = ["Bounds", "Coordinates", "bounds_of"]

Bounds = tuple[float, float]

INSIDE = 1e-6  # of a parameter's unit, or its range if that is less, that a start keeps from a bound: there the
# coordinate is infinite. Of a range that is given wide it would be far from the bound.
ROUNDING = 1e-15  # of a bound's size, that a start keeps from it in any case: less is lost in the sum


@dataclass(frozen=True)
class Coordinates:
    """θ of φ: the logarithm of a distance where one side is bounded, a logistic curve between two bounds.

    Attributes
    ----------
    bounds : (low, high) of each parameter, infinite where there is none
    units : of each parameter, from the data; what is free is counted in them
    origin : of φ, which is counted from there; 0 where there is none

    Examples
    --------
    >>> import numpy as np
    >>> coordinates = Coordinates(((0.0, np.inf), (-np.inf, np.inf)), (4.0, 0.5))
    >>> coordinates.inward(np.array([4.0, 3.0]))
    array([0., 6.])
    """

    bounds: tuple[Bounds, ...]
    units: tuple[float, ...]
    origin: tuple[float, ...] = ()

    def from_origin(self, origin: Array) -> Coordinates:
        """The same counted from another point, given in these coordinates."""
        return replace(self, origin=tuple((origin + self._origin).tolist()))

    @property
    def _origin(self) -> Array:
        return np.array(self.origin or [0.0] * len(self.units))

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array, Bools, Bools]:
        """Lower and upper bounds with zeros for none, units, and which are bounded below and above."""
        low, high = np.array(self.bounds).T
        below, above = np.isfinite(low), np.isfinite(high)
        return np.where(below, low, 0.0), np.where(above, high, 0.0), np.array(self.units), below, above

    @np.errstate(over="ignore")  # of branches that don't apply, and of trials that are then refused
    def outward(self, coordinates: Array) -> Array:
        """θ (..., parameter) from φ."""
        low, high, units, below, above = self._parts
        coordinates = coordinates + self._origin
        growing = units * np.exp(coordinates)
        both = low + (high - low) * _logistic(coordinates)
        one = np.where(below, low + growing, np.where(above, high - units * np.exp(-coordinates), units * coordinates))
        return np.where(below & above, both, one)

    @np.errstate(over="ignore")
    def slopes(self, coordinates: Array) -> Array:
        """∂θ/∂φ."""
        low, high, units, below, above = self._parts
        coordinates = coordinates + self._origin
        share = _logistic(coordinates)
        both = (high - low) * share * (1 - share)
        one = np.where(below, units * np.exp(coordinates), np.where(above, units * np.exp(-coordinates), units))
        return np.where(below & above, both, one)

    def inward(self, parameters: Array) -> Array:
        """φ from θ; what is at a bound or beyond it is moved just inside."""
        low, high, units, below, above = self._parts
        least = np.where(below & above, np.minimum(high - low, units), units)
        rounded = ROUNDING * np.abs(low), ROUNDING * np.maximum(np.abs(low), np.abs(high))  # shares are from below
        inside = np.where(below, np.maximum(parameters, low + np.maximum(INSIDE * least, rounded[0])), parameters)
        inside = np.where(above, np.minimum(inside, high - np.maximum(INSIDE * least, rounded[1])), inside)
        with np.errstate(all="ignore"):  # of the branches that don't apply
            share = (inside - low) / np.where(below & above, high - low, 1.0)
            both = np.log(share / (1 - share))
            one = np.where(
                below, np.log((inside - low) / units), np.where(above, -np.log((high - inside) / units), inside / units)
            )
        return np.where(below & above, both, one) - self._origin


def _logistic(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def bounds_of(
    parameters: tuple[str, ...], positive: frozenset[str], bounds: Mapping[str, Bounds]
) -> tuple[Bounds, ...]:
    """The bounds of each parameter: those given, of positive ones from 0 on."""

    def of(name: str) -> Bounds:
        low, high = bounds.get(name, (-np.inf, np.inf))
        return (max(low, 0.0), high) if name in positive else (low, high)

    return tuple(of(name) for name in parameters)
