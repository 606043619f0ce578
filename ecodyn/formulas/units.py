"""The unit that each parameter has, from the formula's own dimensions: starts and searches then follow the data's.

Both sides of a sum, and of the equation itself, have one dimension; what exponents and functions are given is a pure
number. These are linear equations in the exponents of the data's units (of each channel, and of time).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.formulas.constants import constant
from ecodyn.formulas.grammar import POOLS
from ecodyn.formulas.statement import FEATURE, OWN, TIME, Statement
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node, Number
from ecodyn.trajectories.state import VELOCITY, lag_of

__all__ = ["MOST_EXPONENT", "Dimension", "Dimensions", "units_of"]

KEEPING = ("abs", "min", "max", *POOLS)  # functions whose value has the dimension of their arguments
MOST_EXPONENT = 60  # of two in a unit: a formula that no dimensions fit must not give an infinite one


@dataclass(frozen=True)
class Dimension:
    """Σ ofᵢ·(dimension of parameter i) + known, the latter over the units of channels, inputs and time."""

    of: Array
    known: Array

    def __add__(self, other: Dimension) -> Dimension:
        return Dimension(self.of + other.of, self.known + other.known)

    def times(self, factor: float) -> Dimension:
        """Of a power."""
        return Dimension(factor * self.of, factor * self.known)


class Dimensions:
    """The dimensions of a statement's parts, and the equations that they make."""

    def __init__(self, statement: Statement, values: dict[str, float]) -> None:
        self.statement, self.values = statement, values
        self.rows: list[Dimension] = []  # each is to vanish

    def base(self, index: int) -> Dimension:
        """That of a channel, of an input behind these, or of time: the last one."""
        size = len(self.statement.channels) + len(self.statement.inputs) + 1
        return Dimension(np.zeros(len(self.statement.parameters)), np.eye(size)[index])

    def pure(self) -> Dimension:
        """Of a number."""
        return self.base(0).times(0.0)

    def alike(self, one: Dimension, other: Dimension) -> Dimension:
        """Two parts that have to be of one dimension."""
        self.rows.append(one + other.times(-1.0))
        return one

    def number(self, node: Node) -> Dimension:
        """A part that has to be a pure number."""
        self.rows.append(self.of(node))
        return self.pure()

    def of(self, node: Node) -> Dimension:
        """The dimension of a node."""
        match node:
            case Number():
                return self.pure()
            case Name(name=name):
                return self._name(name)
            case Negative(inner=inner):
                return self.of(inner)
            case Binary(operation="**", left=left, right=right):
                self.number(right)
                return self.of(left).times(self._exponent(right))
            case Binary(operation=operation, left=left, right=right):
                one, other = self.of(left), self.of(right)
                if operation in "+-":
                    return self.alike(one, other)
                return one + other.times(1.0 if operation == "*" else -1.0)
            case Call(function="sqrt", arguments=(argument,)):
                return self.of(argument).times(0.5)
            case Call(function=function, arguments=arguments) if function in KEEPING:
                dimensions = [self.of(argument) for argument in arguments]
                return dimensions[0] if len(dimensions) == 1 else self.alike(*dimensions)
            case Call(arguments=(argument,)):
                return self.number(argument)
        raise TypeError(f"no node of a formula: {node!r}")

    def _name(self, name: str) -> Dimension:
        if name == TIME:
            return self.base(-1)
        if name == VELOCITY:
            return self.base(0) + self.base(-1).times(-1.0)
        if name in self.statement.inputs:
            return self.base(len(self.statement.channels) + self.statement.inputs.index(name))
        if name in self.statement.own or name.startswith(FEATURE):
            channel = self.statement.own.get(name, self.statement.own[OWN])
            return self.base(self.statement.own[OWN] if lag_of(self.statement.channels[channel]) else channel)
        of = np.zeros(len(self.statement.parameters))
        of[self.statement.parameters.index(name)] = 1.0
        return Dimension(of, self.pure().known)

    def _exponent(self, node: Node) -> float:
        """An exponent's value: what it is, or that of a parameter; of anything more, 1."""
        known = constant(node, self.statement.text)
        if known is not None:
            return known
        return self.values.get(node.name, 1.0) if isinstance(node, Name) else 1.0


def units_of(
    statement: Statement,
    scales: Array,
    time_scale: float,
    exponents: dict[str, float],
    input_scales: Sequence[float] = (),
) -> Array:
    """The unit of each parameter, a power of two, where channels have scales (channel,) and time has its own.

    Parameters
    ----------
    exponents : values of parameters that are exponents; 1 where there is none
    input_scales : of the statement's inputs

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.formulas.statement import statement_of
    >>> statement = statement_of("b - a*x + g*x**n/(h + x**n)")  # parameters b, a, g, n, h
    >>> units_of(statement, np.array([8.0]), 16.0, {"n": 2.0}).tolist()
    [0.5, 0.0625, 0.5, 1.0, 64.0]
    """
    found = Dimensions(statement, exponents)
    left = found.base(0) + found.base(-1).times(-1.0)
    if VELOCITY in statement.own:
        left = left + found.base(-1).times(-1.0)
    found.alike(left, found.of(statement.tree))
    matrix = np.array([row.of for row in found.rows])
    known = np.array([row.known for row in found.rows])
    dimensions = np.linalg.lstsq(matrix, -known, rcond=None)[0]
    logarithms = np.rint(dimensions @ np.log2([*scales, *input_scales, time_scale]))
    return np.asarray(np.exp2(np.clip(logarithms, -MOST_EXPONENT, MOST_EXPONENT)))
