"""What each kind of function is: its values, its derivatives, its units and its text.

Values and derivatives are of p, q and variables x and y; text is of p and q as written. ``m`` is NumPy or SymPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["TABLE", "Kind"]

Values = Callable[[Any, Any, Any, Any, Any], Any]
Slopes = Callable[[Any, Any, Any, Any, Any], tuple[Any, ...]]
Units = Callable[[float, float, float, float], tuple[float, float, float]]
Text = Callable[[str, str, str, str], str]


@dataclass(frozen=True)
class Kind:
    """One kind.

    Attributes
    ----------
    variables : how many it is of
    values : (m, p, q, x, y) -> its values
    slopes : (p, q, x, y, its values) -> its derivatives by its variables
    units : (p, q, unit of x, unit of y) -> p and q for variables so many times as large, and its values' factor there
    text : (p, q, x, y) -> it as text
    parameters : whether p, and whether q, is one
    """

    variables: int
    values: Values
    slopes: Slopes
    units: Units
    text: Text
    parameters: tuple[bool, bool] = (True, False)


def _times(factor: str, name: str) -> str:
    return name if factor == "1" else f"{factor}*{name}"


def _plus(first: str, rest: str) -> str:
    """A sum without zeros, and a minus for what is below zero."""
    if first == "0":
        return rest
    return f"{first} - {rest[1:]}" if rest.startswith("-") else f"{first} + {rest}"


def _less(x: str, q: str) -> str:
    """x − q, and what it is where q is zero or below."""
    if q == "0":
        return x
    return f"{x} + {q[1:]}" if q.startswith("-") else f"{x} - {q}"


def _exponent(p: str, q: str, x: str, y: str) -> str:
    inside = x if q == "0" else f"{x}/({_plus('1', _times(q, x))})"
    return f"exp({_times(p.removeprefix('-'), inside)})" if p.startswith("-") else f"exp(-{_times(p, inside)})"


def _sum(p: str, q: str, x: str, y: str) -> str:
    return _plus(_times(p, x), _times(q, y))


def _squares(p: str, q: str, x: str, y: str) -> str:
    return _plus(q, f"{x}**2 + {_times(p, f'{y}**2')}")


def _sign(x: Any) -> Any:
    return np.sign(x)


def _power_of(power: int) -> Kind:
    """1/(p + xⁿ)."""
    return Kind(
        1,
        lambda m, p, q, x, y: 1.0 / (p + x**power),
        lambda p, q, x, y, f: (-power * x ** (power - 1) * f * f,),
        lambda p, q, s, t: (p * s**power, 0.0, s**-power),
        lambda p, q, x, y: f"1/({_plus(p, x if power == 1 else f'{x}**{power}')})",
    )


def _root_of(power: int) -> Kind:
    """(p + x²)^(−n/2)."""
    return Kind(
        1,
        lambda m, p, q, x, y: 1.0 / (m.sqrt(p + x * x) if power == 1 else m.sqrt(p + x * x) ** power),
        lambda p, q, x, y, f: (-power * x * f / (p + x * x),),
        lambda p, q, s, t: (p * s * s, 0.0, s**-power),
        lambda p, q, x, y: f"1/({_plus(p, f'{x}**2')})**{power / 2}",
    )


def _root_of_two(power: int) -> Kind:
    """(q + x² + p·y²)^(−n/2)."""
    return Kind(
        2,
        lambda m, p, q, x, y: m.sqrt(q + x * x + p * y * y) ** -power,
        lambda p, q, x, y, f: (
            -power * f / (q + x * x + p * y * y) * x,
            -power * f / (q + x * x + p * y * y) * p * y,
        ),
        lambda p, q, s, t: (p * (s / t) ** 2, q * s * s, s**-power),
        lambda p, q, x, y: f"1/({_squares(p, q, x, y)})**{power / 2}",
        (True, True),
    )


def _of_sum(name: str, slope: Callable[[Any, Any], Any]) -> Kind:
    """A function f(p·x + q·y), its derivative from its argument and its values."""

    def values(m: Any, p: Any, q: Any, x: Any, y: Any) -> Any:
        return getattr(m, name)(p * x + q * y)

    def slopes(p: Any, q: Any, x: Any, y: Any, f: Any) -> tuple[Any, ...]:
        each = slope(p * x + q * y, f)
        return p * each, q * each

    return Kind(
        2,
        values,
        slopes,
        lambda p, q, s, t: (p / s, q / t, 1.0),
        lambda p, q, x, y: f"{name}({_sum(p, q, x, y)})",
        (True, True),
    )


TABLE: dict[str, Kind] = {
    "sin": Kind(
        1,
        lambda m, p, q, x, y: m.sin(p * x),
        lambda p, q, x, y, f: (p * np.cos(p * x),),
        lambda p, q, s, t: (p / s, 0.0, 1.0),
        lambda p, q, x, y: f"sin({_times(p, x)})",
    ),
    "cos": Kind(
        1,
        lambda m, p, q, x, y: m.cos(p * x),
        lambda p, q, x, y, f: (-p * np.sin(p * x),),
        lambda p, q, s, t: (p / s, 0.0, 1.0),
        lambda p, q, x, y: f"cos({_times(p, x)})",
    ),
    "sin_of_sum": _of_sum("sin", lambda angle, f: np.cos(angle)),
    "cos_of_sum": _of_sum("cos", lambda angle, f: -np.sin(angle)),
    "tanh_of_sum": _of_sum("tanh", lambda angle, f: 1.0 - f * f),
    "tanh": Kind(
        1,
        lambda m, p, q, x, y: m.tanh(p * x + q),
        lambda p, q, x, y, f: (p * (1.0 - f * f),),
        lambda p, q, s, t: (p / s, q, 1.0),
        lambda p, q, x, y: f"tanh({_plus(q, _times(p, x))})",
        (True, True),
    ),
    "exp": Kind(
        1,
        lambda m, p, q, x, y: m.exp(-p * x / (1.0 + q * x)) if q else m.exp(-p * x),
        lambda p, q, x, y, f: (-p * f / (1.0 + q * x) ** 2 if q else -p * f,),
        lambda p, q, s, t: (p / s, q / s, 1.0),
        _exponent,
        (True, True),
    ),
    "gaussian": Kind(
        1,
        lambda m, p, q, x, y: m.exp(-p * (x - q) ** 2),
        lambda p, q, x, y, f: (-2.0 * p * (x - q) * f,),
        lambda p, q, s, t: (p / s / s, q * s, 1.0),
        lambda p, q, x, y: f"exp(-{_times(p, f'{x}**2' if q == '0' else f'({_less(x, q)})**2')})",
        (True, True),
    ),
    "power": Kind(
        1,
        lambda m, p, q, x, y: x**p,
        lambda p, q, x, y, f: (p * f / x,),
        lambda p, q, s, t: (p, 0.0, s**p),
        lambda p, q, x, y: f"{x}**{p}",
    ),
    "powers": Kind(
        2,
        lambda m, p, q, x, y: x**p * y**q,
        lambda p, q, x, y, f: (p * f / x, q * f / y),
        lambda p, q, s, t: (p, q, s**p * t**q),
        lambda p, q, x, y: f"{x}**{p}*{y}**{q}",
        (True, True),
    ),
    "log": Kind(
        1,
        lambda m, p, q, x, y: m.log(p * x),
        lambda p, q, x, y, f: (1.0 / x,),
        lambda p, q, s, t: (p / s, 0.0, 1.0),
        lambda p, q, x, y: f"log({_times(p, x)})",
    ),
    "abs": Kind(
        1,
        lambda m, p, q, x, y: abs(x - q),
        lambda p, q, x, y, f: (_sign(x - q),),
        lambda p, q, s, t: (p, q * s, s),
        lambda p, q, x, y: f"abs({_less(x, q)})",
        (False, True),
    ),
    "abs_of_sum": Kind(
        2,
        lambda m, p, q, x, y: abs(x + q * y),
        lambda p, q, x, y, f: (_sign(x + q * y), q * _sign(x + q * y)),
        lambda p, q, s, t: (p, q * s / t, s),
        lambda p, q, x, y: f"abs({_plus(x, _times(q, y))})",
        (False, True),
    ),
    "reciprocal": _power_of(1),
    "reciprocal_square": Kind(
        1,
        lambda m, p, q, x, y: 1.0 / (p + q * x + x * x),
        lambda p, q, x, y, f: (-(q + 2.0 * x) * f * f,),
        lambda p, q, s, t: (p * s * s, q * s, s**-2),
        lambda p, q, x, y: f"1/({_plus(p, f'{x}**2' if q == '0' else f'{_times(q, x)} + {x}**2')})",
        (True, True),
    ),
    "reciprocal_cube": _power_of(3),
    "reciprocal_fourth": _power_of(4),
    "reciprocal_root": _root_of(1),
    "reciprocal_root_cube": _root_of(3),
    "ratio": Kind(
        2,
        lambda m, p, q, x, y: 1.0 / (q + x + p * y),
        lambda p, q, x, y, f: (-f * f, -p * f * f),
        lambda p, q, s, t: (p * s / t, q * s, 1.0 / s),
        lambda p, q, x, y: f"1/({_plus(q, f'{x} + {_times(p, y)}')})",
        (True, True),
    ),
    "inverse_root": _root_of_two(1),
    "inverse_square": _root_of_two(2),
    "inverse_cube": _root_of_two(3),
}
