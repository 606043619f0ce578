"""Functions of one or two variables that a library may have beside monomials: sines, saturations, exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.function_kinds import TABLE
from ecodyn.equations.own_functions import OwnFunction

if TYPE_CHECKING:
    import sympy

__all__ = ["KINDS", "POWERS", "Function", "through_functions", "with_functions"]

POWERS = {"reciprocal": 1, "reciprocal_square": 2, "reciprocal_cube": 3, "reciprocal_fourth": 4}  # of x in p + x
KINDS = {name: kind.variables for name, kind in TABLE.items()}  # how many variables each takes


@dataclass(frozen=True)
class Function:
    """One function of variables x (and y), with a parameter p, and with q another one where the kind has one.

    ========================  ==============================
    kind                      value
    ========================  ==============================
    sin, cos                  sin(p·x), cos(p·x)
    sin_of_sum, cos_of_sum    sin(p·x + q·y), cos(p·x + q·y)
    tanh, tanh_of_sum         tanh(p·x + q), tanh(p·x + q·y)
    exp                       exp(−p·x/(1 + q·x))
    gaussian                  exp(−p·(x − q)²)
    power, log                x^p, log(p·x)
    powers                    x^p·y^q
    abs, abs_of_sum           abs(x − q), abs(x + q·y), whatever p
    reciprocal                1/(p + x)
    reciprocal_square         1/(p + q·x + x²)
    reciprocal_cube           1/(p + x³)
    reciprocal_fourth         1/(p + x⁴)
    reciprocal_root           (p + x²)^(−1/2)
    reciprocal_root_cube      (p + x²)^(−3/2)
    ratio                     1/(q + x + p·y)
    inverse_root              (q + x² + p·y²)^(−1/2)
    inverse_square            (q + x² + p·y²)^(−1)
    inverse_cube              (q + x² + p·y²)^(−3/2)
    ========================  ==============================

    Attributes
    ----------
    kind : str
    variables : positions of x (and y)
    parameter : p
    shift : q

    Examples
    --------
    >>> saturation = Function("reciprocal", (0,), 2.0)
    >>> print(saturation.values(np.array([[2.0, 5.0]])), saturation.name(["x", "y"]))
    [0.25] 1/(2 + x)
    """

    kind: str
    variables: tuple[int, ...]
    parameter: float
    shift: float = 0.0

    def _of(self, x: Array) -> tuple[Array, Array]:
        return x[..., self.variables[0]], x[..., self.variables[-1]]

    def values(self, x: Array) -> Array:
        """Of states (..., variable), (...)."""
        return np.asarray(TABLE[self.kind].values(np, self.parameter, self.shift, *self._of(x)))

    def slopes(self, x: Array) -> tuple[Array, ...]:
        """Derivatives by its variables, each (...)."""
        return TABLE[self.kind].slopes(self.parameter, self.shift, *self._of(x), self.values(x))

    def in_units(self, scales: Array) -> tuple[Function, float]:
        """The function of variables in units so many times smaller, and what its values are multiplied by there."""
        units = float(scales[self.variables[0]]), float(scales[self.variables[-1]])
        parameter, shift, factor = TABLE[self.kind].units(self.parameter, self.shift, *units)
        return replace(self, parameter=parameter, shift=shift), factor

    def name(self, names: Sequence[str], digits: int = 4) -> str:
        """As text, ``1/(0.8 + x)``, of variables of these names."""
        p, q = f"{self.parameter:.{digits}g}", f"{self.shift:.{digits}g}"
        return TABLE[self.kind].text(p, q, names[self.variables[0]], names[self.variables[-1]])

    def expression(self, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        """In sympy, of these variables."""
        import sympy

        p, q = (
            sympy.Integer(int(value)) if value.is_integer() else sympy.Float(value, 17)
            for value in (float(self.parameter), float(self.shift))
        )
        return TABLE[self.kind].values(sympy, p, q, symbols[self.variables[0]], symbols[self.variables[-1]])


def with_functions(x: Array, functions: Sequence[OwnFunction]) -> Array:
    """States (..., variable) with the functions' values behind the variables."""
    if not functions:
        return x
    count = x.shape[-1]
    out = np.empty((*x.shape[:-1], count + len(functions)))
    out[..., :count] = x
    for k, function in enumerate(functions):
        out[..., count + k] = function.values(x)
    return out


def through_functions(derivatives: Array, x: Array, functions: Sequence[OwnFunction]) -> Array:
    """Derivatives by the variables alone, (batch, ..., variable), from those by them and by functions of them."""
    count = derivatives.shape[-1] - len(functions)
    out = derivatives[..., :count].copy()
    for k, function in enumerate(functions):
        for variable, slope in zip(function.variables, function.slopes(x), strict=True):
            out[..., variable] += derivatives[..., count + k] * slope.reshape(-1, *(1,) * (out.ndim - 2))
    return out
