"""A statement's values and derivatives as NumPy functions of (batch, feature) arrays, common parts worked out once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.formulas.statement import Statement
from ecodyn.formulas.symbolic import derivatives_of, own_functions
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Call

if TYPE_CHECKING:
    import sympy

__all__ = ["Evaluation", "Program", "program_of"]

Part = Array | float  # (batch, feature), or of one column or none where it depends on less


@dataclass(frozen=True, eq=False)
class Evaluation:
    """A statement's value and derivatives at one batch; a derivative that vanishes everywhere is None.

    Lists are over environment parts first and the formula last, as in ``Derivatives``; inner lists over channels,
    environment parts and parameters.
    """

    value: Array
    environment: list[Array]  # (batch, 1) each
    by_channel: list[list[Part | None]]
    by_environment: list[list[Part | None]]
    by_parameter: list[list[Part | None]]


@dataclass(frozen=True, eq=False)
class Program:
    """The compiled functions of a statement.

    With ``driven``, means over features are arguments (a clock's curve); else they are worked out from the states.
    """

    statement: Statement
    driven: bool
    columns: tuple[int, ...]
    _value: Callable[..., list[Part]]
    _environment: Callable[..., list[Part]]
    _all: Callable[..., list[Part]]
    _kept: tuple[tuple[str, int, int], ...]

    def value(self, x: Array, parameters: Array, t: Array, seen: Array | None = None) -> Array:
        """f at states (batch, feature, channel), parameters (batch, parameter), times (batch,): (batch, feature).

        ``seen`` (batch, environment) are a clock's means. Of a statement with inputs, t has them behind the times,
        (batch, 1 + input).
        """
        (value,) = self._value(*self._arguments(x, parameters, t, seen))
        return np.broadcast_to(value, x.shape[:2])

    def means(self, x: Array, parameters: Array, t: Array) -> Array:
        """What the formula sees of all features, (batch, environment)."""
        found = self._environment(*self._arguments(x, parameters, t, None))
        return np.stack([np.broadcast_to(z, (len(x), 1))[:, 0] for z in found], axis=1)

    def evaluate(self, x: Array, parameters: Array, t: Array, seen: Array | None = None) -> Evaluation:
        """Values and all derivatives."""
        found = self._all(*self._arguments(x, parameters, t, seen))
        size = len(self.statement.environment)
        counts = len(self.statement.channels), size, len(self.statement.parameters)
        tables: dict[str, list[list[Part | None]]] = {
            sort: [[None] * count for _ in range(size + 1)] for sort, count in zip("czp", counts, strict=True)
        }
        for (sort, row, column), part in zip(self._kept, found[1 + size :], strict=True):
            tables[sort][row][column] = part
        environment = [np.broadcast_to(z, (len(x), 1)) for z in found[1 : 1 + size]]
        return Evaluation(np.broadcast_to(found[0], x.shape[:2]), environment, *(tables[sort] for sort in "czp"))

    def _arguments(self, x: Array, parameters: Array, t: Array, seen: Array | None) -> list[Part]:
        arguments: list[Part] = [x[..., c] for c in range(x.shape[-1])]
        arguments += [parameters[:, i, None] for i in range(parameters.shape[1])]
        arguments += [*(t.reshape(len(t), -1).T[..., None]), float(x.shape[1])]
        if self.driven and seen is not None:
            return arguments + [seen[:, i, None] for i in range(seen.shape[1])]
        return arguments + [x[:, column : column + 1, 0] for column in self.columns]


@lru_cache(maxsize=64)
def program_of(statement: Statement, columns: tuple[int, ...] = (), *, driven: bool = False) -> Program:
    """The program of a statement; ``columns`` are where the features that it names are.

    Raises
    ------
    FormulaError
        The formula can't be evaluated with numbers of 64 bits.
    """
    found = derivatives_of(statement)
    size = len(statement.environment)
    kept: list[tuple[str, int, int]] = []
    parts: list[sympy.Expr] = []
    for sort, table in (("c", found.by_channel), ("z", found.by_environment), ("p", found.by_parameter)):
        for row, entries in enumerate(table):
            for column, entry in enumerate(entries):
                if entry != 0:
                    kept.append((sort, row, column))
                    parts.append(entry)
    seen = list(found.environment)
    arguments = [*found.channels, *found.parameters, found.time, *found.inputs, found.count]
    arguments += seen if driven else seen[: len(statement.features)]
    if not driven:
        seen = _worked_out(statement, found.value, seen)
        parts = [_with(part, found.environment, seen) for part in parts]
    value = found.value[size]
    value = value if driven else _with(value, found.environment, seen)
    program = Program(
        statement=statement,
        driven=driven,
        columns=columns,
        _value=_compiled(arguments, [value]),
        _environment=_compiled(arguments, seen),
        _all=_compiled(arguments, [value, *seen, *parts]),
        _kept=tuple(kept),
    )
    _try(program)
    return program


def _worked_out(
    statement: Statement, values: Sequence[sympy.Expr | None], symbols: Sequence[sympy.Symbol]
) -> list[sympy.Expr]:
    """What stands for each symbol of the environment: itself for a feature, the mean of its expression else."""
    mean = own_functions()["mean_of"]
    found: list[sympy.Expr] = []
    for index, part in enumerate(statement.environment):
        inside = values[index]
        if isinstance(part, Call) and inside is not None:
            found.append(mean(_with(inside, symbols[:index], found)))
        else:
            found.append(symbols[index])
    return found


def _with(expression: sympy.Expr, symbols: Sequence[sympy.Symbol], replacements: Sequence[sympy.Expr]) -> sympy.Expr:
    return expression.xreplace(dict(zip(symbols, replacements, strict=False)))


def _compiled(arguments: Sequence[sympy.Symbol], outputs: Sequence[sympy.Expr]) -> Callable[..., list[Part]]:
    import sympy

    names: dict[str, Callable[..., object]] = {"power_log": _power_log, "mean_of": _mean, "below": _below}
    names |= {"smaller": np.minimum, "larger": np.maximum, "size_of": np.abs, "sign_of": np.sign}
    function: Callable[..., list[Part]] = sympy.lambdify(arguments, list(outputs), modules=[names, "numpy"], cse=True)
    return function


def _mean(values: Part) -> Part:
    """Over features, which are the last axis; of what is the same for all of them, itself."""
    if np.ndim(values) < 2:
        return values
    return np.asarray(np.add.reduce(np.asarray(values), axis=1, keepdims=True) / np.shape(values)[1])


def _below(one: Part, other: Part) -> Part:
    return np.asarray(np.heaviside(np.subtract(other, one), 0.5))


def _power_log(x: Part, n: Part, k: int) -> Part:
    """xⁿ (log x)ᵏ, which is 0 at 0 for n > 0, and no number below 0."""
    power = np.power(x, n)
    if k == 0:
        return np.asarray(power)
    product = power * np.log(x) ** k
    at_zero = (np.asarray(x) == 0) & (np.asarray(n) > 0)
    return np.where(at_zero, 0.0, product) if at_zero.any() else np.asarray(product)


@np.errstate(all="ignore")
def _try(program: Program) -> None:
    """Refuse what compiled code can't do, such as exponents beyond what integers hold."""
    statement = program.statement
    x = np.ones((1, max([1, *(c + 1 for c in program.columns)]), len(statement.channels)))
    seen = np.ones((1, len(statement.environment))) if program.driven else None
    try:
        when = np.array([[0.0, *(1.0 for _ in statement.inputs)]])
        program.evaluate(x, np.ones((1, len(statement.parameters))), when, seen)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise FormulaError(
            f"expected a formula that floating-point numbers can hold, got {statement.text!r}"
        ) from error
