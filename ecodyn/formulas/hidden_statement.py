"""Laws of several equations: the signal's own, and one for each variable that nobody measures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from ecodyn.formulas.constants import constant
from ecodyn.formulas.grammar import CONSTANTS, FUNCTIONS, POOLS, parse
from ecodyn.formulas.statement import (
    FEATURE,
    MOST_PARAMETERS,
    OWN,
    TIME,
    Environment,
    Statement,
    check_names,
)
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Call, Name, Node, nodes_of, parts_of, text_of
from ecodyn.rollouts.labelled import SIGNAL
from ecodyn.trajectories.state import VELOCITY

__all__ = ["BEGUN", "HiddenStatement", "equations_of", "hidden_statement_of", "is_system", "system_text"]

BEGUN = "_start"  # after a hidden variable's name: its value where runs start, as a parameter
MOST_HIDDEN = 4  # variables: what one signal a feature tells is less than that
EXAMPLE = "\"x' = x*(c*r - m); r' = s - d*r - q*r*sum(x)\" with the hidden variable r"

_EQUATION = re.compile(r"\s*([A-Za-z_]\w*)\s*'\s*=(.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class HiddenStatement(Statement):
    """Equations of the signal (``tree``) and of hidden variables, whose names are resolved together.

    ``channels`` are the signal's and the hidden variables'.

    Attributes
    ----------
    more : trees of the hidden variables' equations
    each : of each, whether there is one a feature, or one that all features share
    free : whether each run has starting values of its own; else they are parameters, ``NAME_start``
    held : parameters that are held, and at what, since the data can't tell the unit of a hidden variable

    Examples
    --------
    >>> statement = hidden_statement_of("x' = x*(c*r - m); r' = s - d*r - q*r*sum(x)", ("r",))
    >>> statement.parameters
    ('c', 'm', 's', 'd', 'q', 'r_start')
    >>> statement.coupling, statement.text
    ('exchangeable', "x' = x*(c*r - m); r' = s - d*r - q*r*sum(x)")
    """

    more: tuple[Node, ...] = ()
    each: tuple[bool, ...] = ()
    free: bool = False
    held: tuple[tuple[str, float], ...] = ()

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the hidden variables."""
        return self.channels[1:]

    @cached_property
    def equations(self) -> tuple[Statement, ...]:
        """A statement for each equation, the signal's first."""
        return tuple(Statement(tree, self.channels) for tree in (self.tree, *self.more))

    @cached_property
    def text(self) -> str:
        """All equations, with no more parentheses than they need."""
        lefts = (OWN, *self.hidden)
        return "; ".join(f"{left}' = {each.text}" for left, each in zip(lefts, self.equations, strict=True))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the text, and the starting values that are parameters."""
        found = [name for each in self.equations for name in each.names]
        return tuple(dict.fromkeys([*found, *self.begun]))

    @property
    def begun(self) -> tuple[str, ...]:
        """Names of the starting values that are parameters."""
        return () if self.free else tuple(f"{name}{BEGUN}" for name in self.hidden)

    @cached_property
    def every_parameter(self) -> tuple[str, ...]:
        """Names of the parameters, those too that are held."""
        return tuple(n for n in self.names if n not in self.own and n != TIME and not n.startswith(FEATURE))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters that are estimated."""
        held = dict(self.held)
        return tuple(name for name in self.every_parameter if name not in held)

    @cached_property
    def environment(self) -> tuple[Environment, ...]:
        """Of all equations: see ``Statement.environment``."""
        return tuple(dict.fromkeys(part for each in self.equations for part in each.environment))

    @cached_property
    def exponents(self) -> frozenset[str]:
        """Parameters that exponents are: see ``Statement.exponents``."""
        return frozenset(name for each in self.equations for name in each.exponents)

    def holding(self, held: Mapping[str, float]) -> HiddenStatement:
        """The same with parameters held at these values."""
        return replace(self, held=tuple(held.items()))


def is_system(formula: object) -> bool:
    """Whether it has equations by name, rather than being the signal's right-hand side.

    Examples
    --------
    >>> is_system("x' = x*(r - m); r' = -r"), is_system({"x": "x*(r - m)", "r": "-r"}), is_system("b - a*x")
    (True, True, False)
    """
    return isinstance(formula, Mapping) or (isinstance(formula, str) and ("'" in formula or ";" in formula))


def system_text(equations: Mapping[str, str]) -> str:
    """Right-hand sides by variable, as one text.

    Examples
    --------
    >>> system_text({"x": "x*(c*r - m)", "r": "s - d*r"})
    "x' = x*(c*r - m); r' = s - d*r"
    """
    if not all(isinstance(part, str) for pair in equations.items() for part in pair):
        raise FormulaError(
            f"expected formulas as text by variable, such as {{'x': 'r - a*x', 'r': '-d*r'}}, got {equations!r}"
        )
    return "; ".join(f"{name}' = {text}" for name, text in equations.items())


def equations_of(text: str) -> dict[str, str]:
    """Right-hand sides by variable, of one text.

    Raises
    ------
    FormulaError
        A part is no equation, or a variable has two.

    Examples
    --------
    >>> equations_of("x' = r - a*x; r' = -d*r")
    {'x': 'r - a*x', 'r': '-d*r'}
    """
    found: dict[str, str] = {}
    for part in text.split(";"):
        equation = _EQUATION.fullmatch(part)
        if equation is None:
            raise FormulaError(f"expected equations with ; between them, {EXAMPLE}, got the part {part.strip()!r}")
        name, right = equation.group(1), equation.group(2).strip()
        if name in found:
            raise FormulaError(f"expected one equation a variable, got two of {name!r}")
        found[name] = right
    return found


@lru_cache(maxsize=256)
def hidden_statement_of(
    formula: str, shared: tuple[str, ...] = (), each: tuple[str, ...] = (), *, free: bool = False
) -> HiddenStatement:
    """The statement of a text with several equations.

    Parameters
    ----------
    formula : the signal's equation, ``x' = ...``, and one for each hidden variable, with ; between them
    shared : hidden variables that all features share
    each : hidden variables of which each feature has its own
    free : whether each run has starting values of its own

    Raises
    ------
    FormulaError
        A ValueError: it is no system, or its names can't be meant so.
    """
    equations = equations_of(formula)
    if OWN not in equations:
        raise FormulaError(f"expected an equation of the signal, x' = ..., as in {EXAMPLE}, got {', '.join(equations)}")
    _check_hidden([name for name in equations if name != OWN], shared, each)
    names = [name for name in equations if name != OWN]
    trees = {name: parse(text) for name, text in equations.items()}
    statement = HiddenStatement(
        tree=trees[OWN],
        channels=(SIGNAL, *names),
        more=tuple(trees[name] for name in names),
        each=tuple(name in each for name in names),
        free=free,
    )
    for name, one in zip((OWN, *names), statement.equations, strict=True):
        check_names(equations[name], one)
        constant(one.tree, equations[name])
        if name in shared:
            _check_shared(equations[name], one, {OWN, *each})
    if not set(names) & set(statement.equations[0].names):
        raise FormulaError(f"expected a hidden variable in the equation of x, got {text_of(trees[OWN])!r} without any")
    _check_parameters(statement)
    return statement


def _check_hidden(names: Sequence[str], shared: Sequence[str], each: Sequence[str]) -> None:
    """Refuse variables of which it is not said what they are, or that have the name of something else."""
    for name in (*shared, *each):
        if name not in names:
            raise FormulaError(
                f"expected an equation of each hidden variable, as in {EXAMPLE}, got none of {name!r}; "
                f"there are equations of {', '.join(['x', *names])}"
            )
    both = [name for name in shared if name in each]
    unsaid = [name for name in names if name not in (*shared, *each)]
    if both or unsaid:
        raise FormulaError(
            f"expected each hidden variable either shared (hidden=) or one a feature (hidden_per_feature=), got "
            f"{(both or unsaid)[0]!r} as {'both' if both else 'neither'}"
        )
    if not 0 < len(names) <= MOST_HIDDEN:
        raise FormulaError(f"expected 1 to {MOST_HIDDEN} hidden variables, as in {EXAMPLE}, got {len(names)}")
    taken = {TIME, SIGNAL, VELOCITY, *FUNCTIONS, *CONSTANTS}
    for name in names:
        if name in taken or name.startswith((FEATURE, "mean_", "sum_")):
            raise FormulaError(
                f"expected a name of its own for a hidden variable, got {name!r}, which means something else"
            )


def _check_shared(text: str, statement: Statement, own: set[str]) -> None:
    """Refuse what belongs to one feature in an equation that all features share."""
    for node in _outside_means(statement.tree):
        if node.name in own:
            raise FormulaError.at(
                text,
                node.at,
                f"expected mean(...) or sum(...) of {node.name} in the equation of a variable that all features share, "
                f"got {node.name!r} of a single feature; or give each feature a variable of its own "
                "(hidden_per_feature=, --hidden-per-feature)",
            )


def _outside_means(node: Node) -> list[Name]:
    """Names that are not inside a mean or sum."""
    if isinstance(node, Name):
        return [node]
    if isinstance(node, Call) and node.function in POOLS:
        return []
    return [name for part in parts_of(node) for name in _outside_means(part)]


def _check_parameters(statement: HiddenStatement) -> None:
    written = {node.name for one in statement.equations for node in nodes_of(one.tree) if isinstance(node, Name)}
    for name in statement.begun:
        if name in written:
            raise FormulaError(
                f"expected another name than {name!r} for a parameter: it is the starting value of "
                f"{name.removesuffix(BEGUN)}"
            )
    count = len(statement.every_parameter)
    if count > MOST_PARAMETERS:
        raise FormulaError(f"expected at most {MOST_PARAMETERS} parameters, got {count}")
    if not count - len(statement.begun):
        raise FormulaError(f"expected a formula with a parameter to be estimated, got {statement.text!r} without any")
