"""A formula and its exact derivatives as sympy expressions, built node by node under names of their own.

Nothing of the text reaches sympy: symbols are c0, p0, z0, …, and powers, moduli and extrema are functions defined here,
whose derivatives are finite wherever they can be (x**n has the derivative n x**(n−1), not n x**n/x).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ecodyn.formulas.constants import OPERATIONS, constant
from ecodyn.formulas.grammar import POOLS
from ecodyn.formulas.statement import TIME, Statement
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node

if TYPE_CHECKING:
    import sympy

__all__ = ["Derivatives", "derivatives_of", "own_functions"]

MOST_EXACT = 20  # whole exponents up to which a power is a product; any other is that of a real exponent


Slopes = Callable[..., Sequence["sympy.Expr | int"]]  # derivatives by each argument, of the arguments


@lru_cache(maxsize=1)
def own_functions() -> dict[str, Any]:
    """Functions of sympy that know their derivatives, by the name that compiled code calls them by.

    ``power_log(x, n, k)`` is xⁿ (log x)ᵏ for real n and whole k; ``below(u, v)`` is 1 for u < v, 0 for u > v and a half
    at a tie; ``mean_of`` is over features, and never differentiated itself: what stands for it is.
    """
    made: dict[str, Any] = {}

    def power_slopes(x: sympy.Expr, n: sympy.Expr, k: sympy.Expr) -> Sequence[sympy.Expr | int]:
        power = made["power_log"]
        by_base = n * power(x, n - 1, k) + (k * power(x, n - 1, k - 1) if k else 0)
        return by_base, power(x, n, k + 1), 0

    slopes: dict[str, tuple[int, Slopes]] = {
        "power_log": (3, power_slopes),
        "below": (2, lambda u, v: (0, 0)),
        "smaller": (2, lambda u, v: (made["below"](u, v), made["below"](v, u))),
        "larger": (2, lambda u, v: (made["below"](v, u), made["below"](u, v))),
        "sign_of": (1, lambda u: (0,)),
        "size_of": (1, lambda u: (made["sign_of"](u),)),
        "mean_of": (1, lambda u: (0,)),
    }
    made.update({name: _function(name, count, by) for name, (count, by) in slopes.items()})
    return made


def _function(name: str, count: int, slopes: Slopes) -> Any:
    """A real function of so many arguments."""
    import sympy

    def fdiff(self: sympy.Function, argindex: int = 1) -> sympy.Expr:
        slope = slopes(*self.args)[argindex - 1]
        return sympy.Integer(slope) if isinstance(slope, int) else slope

    return type(name, (sympy.Function,), {"nargs": count, "is_extended_real": True, "fdiff": fdiff})


class _Builder:
    """Expressions of one statement's nodes, parts of the environment being symbols z0, z1, …"""

    def __init__(self, statement: Statement, text: str) -> None:
        import sympy

        self.sympy, self.statement, self.text = sympy, statement, text
        self.channels = [sympy.Symbol(f"c{i}", real=True) for i in range(len(statement.channels))]
        self.parameters = [sympy.Symbol(f"p{i}", real=True) for i in range(len(statement.parameters))]
        self.environment = [sympy.Symbol(f"z{i}", real=True) for i in range(len(statement.environment))]
        self.inputs = [sympy.Symbol(f"u{i}", real=True) for i in range(len(statement.inputs))]
        self.time, self.count = sympy.Symbol("t", real=True), sympy.Symbol("count", positive=True)
        self.symbols: dict[str, sympy.Symbol] = {
            TIME: self.time,
            **{name: self.channels[i] for name, i in statement.own.items()},
            **dict(zip(statement.parameters, self.parameters, strict=True)),
            **dict(zip(statement.inputs, self.inputs, strict=True)),
        }

    def expression(self, node: Node) -> sympy.Expr:
        """The expression of a node."""
        known = constant(node, self.text)
        if known is not None:
            return self.sympy.Float(known, 17)
        match node:
            case Name(name=name):
                return self.symbols[name] if name in self.symbols else self._seen(node)
            case Negative(inner=inner):
                return -self.expression(inner)
            case Binary(operation="**", left=left, right=right):
                return self._power(left, right)
            case Binary(operation=operation, left=left, right=right):
                one, other = self.expression(left), self.expression(right)
                found: sympy.Expr = OPERATIONS[operation](one, other)
                return found
            case Call(function=function, arguments=arguments) if function not in POOLS:
                return self._function(function)(*map(self.expression, arguments))
        return self._seen(node)

    def _seen(self, node: Node) -> sympy.Expr:
        symbol: sympy.Expr = self.environment[self.statement.environment.index(node)]
        return symbol

    def _power(self, left: Node, right: Node) -> sympy.Expr:
        exponent = constant(right, self.text)
        if exponent is not None and exponent.is_integer() and abs(exponent) <= MOST_EXACT:
            return self.expression(left) ** self.sympy.Integer(int(exponent))
        return own_functions()["power_log"](self.expression(left), self.expression(right), self.sympy.Integer(0))

    def _function(self, name: str) -> Callable[..., sympy.Expr]:
        own = own_functions()
        if name == "sqrt":
            return lambda x: own["power_log"](x, self.sympy.Float(0.5, 17), self.sympy.Integer(0))
        renamed = {"abs": "size_of", "min": "smaller", "max": "larger"}
        found = own[renamed[name]] if name in renamed else getattr(self.sympy, {"arctan": "atan"}.get(name, name))
        function: Callable[..., sympy.Expr] = found
        return function


@dataclass(frozen=True, eq=False)
class Derivatives:
    """The right-hand side and its derivatives, with symbols for the environment, and each of its means likewise.

    ``value``, ``by_channel``, ``by_environment`` and ``by_parameter`` are of the formula itself at index -1, and of
    what each mean over features is of at its own index; of features by name, None.

    Attributes
    ----------
    channels, environment, parameters, inputs : symbols
    time, count : symbols; the count is of the features
    value, by_channel, by_environment, by_parameter : as above
    linear : positions of parameters that the formula is linear in, together
    """

    channels: list[sympy.Symbol]
    environment: list[sympy.Symbol]
    parameters: list[sympy.Symbol]
    time: sympy.Symbol
    count: sympy.Symbol
    value: list[sympy.Expr | None]
    by_channel: list[list[sympy.Expr]]
    by_environment: list[list[sympy.Expr]]
    by_parameter: list[list[sympy.Expr]]
    linear: tuple[int, ...]
    inputs: list[sympy.Symbol]


@lru_cache(maxsize=64)
def derivatives_of(statement: Statement) -> Derivatives:
    """All first derivatives of a statement.

    Raises
    ------
    FormulaError
        The formula has no value anywhere, as 1/(x - x) has none.

    Examples
    --------
    >>> from ecodyn.formulas.statement import statement_of
    >>> found = derivatives_of(statement_of("b - a*x*mean(x)"))
    >>> found.value[-1], found.by_channel[-1], found.linear
    (-c0*p1*z0 + p0, [-p1*z0], (0, 1))
    """
    builder = _Builder(statement, statement.text)
    parts = [part.arguments[0] if isinstance(part, Call) else None for part in statement.environment]
    value = [None if part is None else builder.expression(part) for part in [*parts, statement.tree]]
    for index, part in enumerate(statement.environment):
        if isinstance(part, Call) and part.function == "sum":
            value[index] = builder.count * value[index]  # the mean of it is the sum
    nowhere = builder.sympy.zoo, builder.sympy.nan, builder.sympy.oo
    if any(v is not None and v.has(*nowhere) for v in value):
        raise FormulaError(f"expected a formula that has values, got {statement.text!r}, a division by zero")

    def by(symbols: list[sympy.Symbol]) -> list[list[sympy.Expr]]:
        return [[builder.sympy.Integer(0) if v is None else v.diff(s) for s in symbols] for v in value]

    by_parameter = by(builder.parameters)
    return Derivatives(
        channels=builder.channels,
        environment=builder.environment,
        parameters=builder.parameters,
        time=builder.time,
        count=builder.count,
        value=value,
        by_channel=by(builder.channels),
        by_environment=by(builder.environment),
        by_parameter=by_parameter,
        linear=_linear(builder.parameters, value, by_parameter[-1]),
        inputs=builder.inputs,
    )


def _linear(
    parameters: list[sympy.Symbol], value: list[sympy.Expr | None], slopes: list[sympy.Expr]
) -> tuple[int, ...]:
    """Positions of parameters whose slopes depend on none of them, and that no mean over features depends on."""
    pooled = {symbol for v in value[:-1] if v is not None for symbol in v.free_symbols}
    chosen: list[int] = []
    for index, parameter in enumerate(parameters):
        together = {parameters[i] for i in chosen} | {parameter}
        if parameter in pooled or any(slopes[i].free_symbols & together for i in [*chosen, index]):
            continue
        chosen.append(index)
    return tuple(chosen)
