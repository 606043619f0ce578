"""Functions of one or two variables that a library may have beside monomials: sines, saturations, exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array

if TYPE_CHECKING:
    import sympy

__all__ = ["KINDS", "POWERS", "Function", "through_functions", "with_functions"]

POWERS = {"reciprocal": 1, "reciprocal_square": 2, "reciprocal_cube": 3, "reciprocal_fourth": 4}  # of x in p + x
# How many variables each takes.
KINDS = {"sin": 1, "cos": 1, "exp": 1, "abs": 1, **dict.fromkeys(POWERS, 1), "ratio": 2, "inverse_cube": 2}


@dataclass(frozen=True)
class Function:
    """One function of variables x (and y), with a parameter p.

    =================  ========================
    kind               value
    =================  ========================
    sin, cos           sin(p·x), cos(p·x)
    exp                exp(−p·x)
    abs                abs(x), whatever p
    reciprocal         1/(p + x)
    reciprocal_square  1/(p + x²)
    reciprocal_cube    1/(p + x³)
    reciprocal_fourth  1/(p + x⁴)
    ratio              1/(x + p·y)
    inverse_cube       (x² + p·y²)^(−3/2)
    =================  ========================

    Attributes
    ----------
    kind : str
    variables : positions of x (and y)
    parameter : p

    Examples
    --------
    >>> saturation = Function("reciprocal", (0,), 2.0)
    >>> print(saturation.values(np.array([[2.0, 5.0]])), saturation.name(["x", "y"]))
    [0.25] 1/(2 + x)
    """

    kind: str
    variables: tuple[int, ...]
    parameter: float

    def values(self, x: Array) -> Array:
        """Of states (..., variable), (...)."""
        first, p = x[..., self.variables[0]], self.parameter
        if self.kind == "sin":
            return np.sin(p * first)
        if self.kind == "cos":
            return np.cos(p * first)
        if self.kind == "exp":
            return np.exp(-p * first)
        if self.kind == "abs":
            return np.abs(first)
        if self.kind in POWERS:
            return np.asarray(1.0 / (p + first ** POWERS[self.kind]))
        second = x[..., self.variables[1]]
        if self.kind == "ratio":
            return np.asarray(1.0 / (first + p * second))
        return np.asarray((first * first + p * second * second) ** -1.5)

    def slopes(self, x: Array) -> tuple[Array, ...]:
        """Derivatives by its variables, each (...)."""
        first, p = x[..., self.variables[0]], self.parameter
        if self.kind == "sin":
            return (p * np.cos(p * first),)
        if self.kind == "cos":
            return (-p * np.sin(p * first),)
        if self.kind == "exp":
            return (-p * np.exp(-p * first),)
        if self.kind == "abs":
            return (np.sign(first),)
        value = self.values(x)
        if self.kind in POWERS:
            return (-POWERS[self.kind] * first ** (POWERS[self.kind] - 1) * value * value,)
        second = x[..., self.variables[1]]
        if self.kind == "ratio":
            return -value * value, -p * value * value
        around = -3 * value / (first * first + p * second * second)
        return around * first, around * p * second

    def in_units(self, scales: Array) -> tuple[Function, float]:
        """The function of variables in units so many times smaller, and what its values are multiplied by there."""
        first, p = float(scales[self.variables[0]]), self.parameter
        if self.kind in ("sin", "cos", "exp"):
            return replace(self, parameter=p / first), 1.0
        if self.kind == "abs":
            return self, first
        if self.kind in POWERS:
            size = first ** POWERS[self.kind]
            return replace(self, parameter=p * size), 1 / size
        second = float(scales[self.variables[1]])
        if self.kind == "ratio":
            return replace(self, parameter=p * first / second), 1 / first
        return replace(self, parameter=p * (first / second) ** 2), first**-3

    def name(self, names: Sequence[str], digits: int = 4) -> str:
        """As text, ``1/(0.8 + x)``, of variables of these names."""
        x, p = names[self.variables[0]], f"{self.parameter:.{digits}g}"
        times = "" if p == "1" else f"{p}*"
        if self.kind in ("sin", "cos"):
            return f"{self.kind}({times}{x})"
        if self.kind == "exp":
            return f"exp(-{times}{x})" if self.parameter >= 0 else f"exp({times.removeprefix('-')}{x})"
        if self.kind == "abs":
            return f"abs({x})"
        before = "" if self.parameter == 0 else f"{p} + "
        if self.kind in POWERS:
            power = POWERS[self.kind]
            return f"1/({before}{x}{'' if power == 1 else f'**{power}'})"
        y = names[self.variables[1]]
        return f"1/({x} + {times}{y})" if self.kind == "ratio" else f"1/({x}**2 + {times}{y}**2)**1.5"

    def expression(self, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        """In sympy, of these variables."""
        import sympy

        x, p = symbols[self.variables[0]], sympy.Float(self.parameter, 17)
        p = sympy.Integer(int(self.parameter)) if self.parameter.is_integer() else p
        if self.kind in ("sin", "cos", "exp"):
            return getattr(sympy, self.kind)(-p * x if self.kind == "exp" else p * x)
        if self.kind == "abs":
            return sympy.Abs(x)
        if self.kind in POWERS:
            return 1 / (p + x ** POWERS[self.kind])
        y = symbols[self.variables[1]]
        return 1 / (x + p * y) if self.kind == "ratio" else (x**2 + p * y**2) ** sympy.Rational(-3, 2)


def with_functions(x: Array, functions: Sequence[Function]) -> Array:
    """States (..., variable) with the functions' values behind the variables."""
    if not functions:
        return x
    count = x.shape[-1]
    out = np.empty((*x.shape[:-1], count + len(functions)))
    out[..., :count] = x
    for k, function in enumerate(functions):
        out[..., count + k] = function.values(x)
    return out


def through_functions(derivatives: Array, x: Array, functions: Sequence[Function]) -> Array:
    """Derivatives by the variables alone, (batch, ..., variable), from those by them and by functions of them."""
    count = derivatives.shape[-1] - len(functions)
    out = derivatives[..., :count].copy()
    for k, function in enumerate(functions):
        for variable, slope in zip(function.variables, function.slopes(x), strict=True):
            out[..., variable] += derivatives[..., count + k] * slope.reshape(-1, *(1,) * (out.ndim - 2))
    return out
