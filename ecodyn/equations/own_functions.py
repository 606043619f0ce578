"""Functions of a feature's own channels and of what it sees of the others, as further variables of a library.

Under ``full`` these are functions of the environment variables and stand beside them. Under the other couplings they
are further own variables uⱼ = gⱼ(xᵢ, z), and what means over features are taken of may be functions of the own channels
too, m = mean(h(x)): ``inner`` ones. All chain rules for both are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from ecodyn.arrays import Array

if TYPE_CHECKING:
    import sympy

__all__ = ["BEYOND", "OwnFunction", "Slopes", "local_slopes", "or_beyond", "slopes_through", "units_in", "with_values"]

# In place of a value that is none, such as log(-1): a law that has the term ends its rollout there, and one whose
# coefficient of it is zero goes on, as it would not with NaN.
BEYOND = 1e200

Slopes = list[tuple[int, Array]]  # derivatives of one function, (batch, feature), by the position of a variable


class OwnFunction(Protocol):
    """A function of some of the variables; ``ecodyn.equations.functions.Function`` is one."""

    @property
    def variables(self) -> tuple[int, ...]:
        """Positions of what it is a function of."""

    def values(self, x: Array) -> Array:
        """Of states (..., variable), (...)."""

    def slopes(self, x: Array) -> tuple[Array, ...]:
        """Derivatives by its variables, each (...)."""

    def in_units(self, scales: Array) -> tuple[Self, float]:
        """The function of variables in units so many times smaller, and what its values are multiplied by there."""

    def name(self, names: Sequence[str], digits: int = 4) -> str:
        """As text, of variables of these names."""

    def expression(self, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        """In sympy, of these variables."""


def or_beyond(values: Array) -> Array:
    """The values, and ``BEYOND`` where there is none."""
    finite = np.isfinite(values)
    return values if finite.all() else np.where(finite, values, BEYOND)


def units_in(units: tuple[float, ...], variables: Sequence[int], scales: Array) -> tuple[float, ...]:
    """Units of a function's variables once all variables are in ones so many times smaller; () where all are 1."""
    there = tuple(float(u / scales[v]) for u, v in zip(units or (1.0,) * len(variables), variables, strict=True))
    return () if all(u == 1.0 for u in there) else there


def seen(x: Array, z: Array) -> Array:
    """The channels of states (..., feature, channel) with what all features see, (..., variable), behind them."""
    if not z.shape[-1]:
        return x
    return np.concatenate([x, np.broadcast_to(z[..., None, :], (*x.shape[:-1], z.shape[-1]))], axis=-1)


def with_values(x: Array, z: Array, functions: Sequence[OwnFunction]) -> Array:
    """The channels of states (..., feature, channel) with functions of them and of z (..., variable) behind them."""
    if not functions:
        return x
    arguments = seen(x, z)
    return np.concatenate([x, np.stack([f.values(arguments) for f in functions], axis=-1)], axis=-1)


def local_slopes(x: Array, z: Array, functions: Sequence[OwnFunction]) -> list[Slopes]:
    """Derivatives of each function, by the position of each of its variables among channels, then z."""
    if not functions:
        return []
    arguments = seen(x, z)
    return [list(zip(f.variables, f.slopes(arguments), strict=True)) for f in functions]


def slopes_through(weights: Sequence[Array], slopes: Sequence[Slopes], variable: int) -> Array | float:
    """Σⱼ weightⱼ ∂gⱼ/∂v, (batch, equation, feature), of weights of that shape; 0 where none depends on v."""
    total: Array | float = 0.0
    for weight, of_function in zip(weights, slopes, strict=True):
        for position, slope in of_function:
            if position == variable:
                total = total + weight * slope[:, None]
    return total
