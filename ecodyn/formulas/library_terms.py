"""Terms of one's own beside a library's monomials, under each coupling.

===============  ==============================================================================================
coupling         a term
===============  ==============================================================================================
independent      a function of the feature's own channels: sin(x)
exchangeable     of these and of means over features of functions of them: x/(1 + mean(x**2))
full             of the channels of any feature: with x, one for each feature, as monomials are, in every equation;
                 x_LABEL is the signal of the feature LABEL
===============  ==============================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ecodyn.equations.library import EXCHANGEABLE, FULL, Library
from ecodyn.equations.monomials import Powers
from ecodyn.equations.own_functions import OwnFunction
from ecodyn.formulas.constants import constant
from ecodyn.formulas.grammar import parse
from ecodyn.formulas.statement import FEATURE, OWN, TIME, Statement
from ecodyn.formulas.term import FormulaTerm, placeholder, replaced
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Node, Number, nodes_of, text_of
from ecodyn.trajectories.state import name_in_formulas

__all__ = ["MEAN", "TermBuilder"]

MEAN = "mean"
MOST_TERMS = 100  # of one's own: each is evaluated by itself, in some microseconds

Made = Callable[[tuple[int, ...]], OwnFunction]  # a function of variables at these positions


class TermBuilder:
    """A library to which terms are added, one after the other.

    Examples
    --------
    >>> from ecodyn.equations.forms import polynomial_library
    >>> builder = TermBuilder(polynomial_library("exchangeable", ["signal"], [1, 2], degree=1))
    >>> builder.formula("x/(1 + mean(sin(x)))")
    >>> builder.library().names()
    ['1', 'x', 'mean_x', 'x/(1 + mean(sin(x)))']
    """

    def __init__(self, library: Library) -> None:
        self._start = library
        self._functions: list[OwnFunction] = list(library.functions)
        self._inner: list[OwnFunction] = list(library.inner)
        self._moments: list[dict[int, int]] = [_sparse(powers) for powers in library.moments]

    def library(self) -> Library:
        """The library with all terms added so far, behind its own."""
        start, channels = self._start, len(self._start.channels)
        before, count = len(start.functions), len(self._functions)
        if count - before > MOST_TERMS:
            raise ValueError(f"expected at most {MOST_TERMS} terms of one's own, got {count - before}")
        moments = [_dense(powers, channels + len(self._inner)) for powers in self._moments]
        added = range(before, count)
        seen, known = _split(start.environment, len(start.inputs))  # inputs stay the last of the variables
        if start.coupling == FULL:
            size = len(start.features) * channels + count
            own, environment = [*start.own], [_padded(powers, size) for powers in seen]
            first = len(environment)
            environment += [_dense({size - count + k: 1}, size) for k in added]
            terms = [(self._constant(own), first + i) for i in range(len(added))]
        else:
            size = channels + count
            own = [_padded(powers, size) for powers in start.own]
            environment = [_padded(powers, len(moments)) for powers in seen]
            first = len(own)
            own += [_dense({channels + k: 1}, size) for k in added]
            terms = [(first + i, self._constant(environment)) for i in range(len(added))]
        return replace(
            start,
            own=tuple(own),
            environment=tuple(
                (*powers, *(known[i] if i < len(known) else (0,) * len(start.inputs)))
                for i, powers in enumerate(environment)
            ),
            moments=tuple(moments),
            terms=(*start.terms, *terms),
            functions=tuple(self._functions),
            inner=tuple(self._inner),
        )

    def _constant(self, rows: list[Powers]) -> int:
        """Position of the monomial that is 1, which is added where it is missing."""
        one = (0,) * len(rows[0])
        if one not in rows:
            rows.append(one)
        return rows.index(one)

    # ------------------------------------------------------------------ what is added

    def formula(self, text: str) -> None:
        """Add the term, or terms, of a formula.

        Raises
        ------
        FormulaError
            A ValueError: it is no formula, or none that can be a term under this coupling.
        """
        statement = Statement(parse(text), self._start.channels)
        constant(statement.tree, text)
        self._check_names(text, statement)
        nodes: list[Node] = [Name(name) for name in statement.names if self._is_used(statement, Name(name))]
        if self._start.coupling != FULL:
            nodes += [part for part in statement.environment if isinstance(part, Call)]
        if not nodes:
            raise FormulaError(f"expected a term of the state, such as sin(x), got {text!r}, which is a constant")
        places: dict[Node, Node] = {node: placeholder(i) for i, node in enumerate(nodes)}
        formula = text_of(_with(statement.tree, places))

        def made(variables: tuple[int, ...]) -> OwnFunction:
            return FormulaTerm(formula, variables)

        self.function(made, nodes, f"the formula {text!r}")

    def function(self, made: Made, arguments: Sequence[Node], what: str) -> None:
        """Add a function of these arguments, names and means; under ``full`` one for each feature that x can be."""
        start = self._start
        each = range(len(start.features)) if start.coupling == FULL else range(1)
        if not any(self._is_own(node) for node in arguments):
            each = range(1)
        for feature in each:
            found = made(tuple(self._position(node, feature) for node in arguments))
            if found in self._functions:
                raise ValueError(f"terms are given once each, got {what} again")
            self._functions.append(found)

    def _is_own(self, node: Node) -> bool:
        return isinstance(node, Name) and not node.name.startswith(FEATURE)

    @staticmethod
    def _is_used(statement: Statement, name: Name) -> bool:
        """Whether a name stands outside of means."""
        gone: dict[Node, Node] = {part: Number(1.0) for part in statement.environment if isinstance(part, Call)}
        return name in nodes_of(_with(statement.tree, gone))

    # ------------------------------------------------------------------ where variables are

    def _position(self, node: Node, feature: int) -> int:
        start, channels = self._start, len(self._start.channels)
        if isinstance(node, Call):
            return channels + self._mean(node)
        assert isinstance(node, Name)  # names and means are all that arguments are
        if node.name.startswith(FEATURE):
            return [str(label) for label in start.features].index(node.name.removeprefix(FEATURE)) * channels
        own = self._channels[node.name]
        return feature * channels + own if start.coupling == FULL else own

    @property
    def _channels(self) -> dict[str, int]:
        return {OWN if i == 0 else name_in_formulas(channel): i for i, channel in enumerate(self._start.channels)}

    def _mean(self, node: Call) -> int:
        """Position of a mean among the moments, to which it is added if need be."""
        powers = self._monomial(node.arguments[0])
        if powers is None:
            inside = node.arguments[0]
            names = Statement(inside, self._start.channels).names
            places: dict[Node, Node] = {Name(name): placeholder(i) for i, name in enumerate(names)}
            term = FormulaTerm(text_of(_with(inside, places)), tuple(self._channels[name] for name in names))
            if term not in self._inner:
                self._inner.append(term)
            powers = {len(self._start.channels) + self._inner.index(term): 1}
        if powers not in self._moments:
            self._moments.append(powers)
        return self._moments.index(powers)

    def _monomial(self, node: Node) -> dict[int, int] | None:
        """Powers of a channel to a whole power; None of anything else."""
        match node:
            case Name(name=name):
                return {self._channels[name]: 1}
            case Binary(operation="**", left=Name(name=name), right=Number(value=power)):
                whole = power.is_integer() and 1 <= power <= 9  # beyond it is a function like any other
                return {self._channels[name]: int(power)} if whole else None
        return None

    # ------------------------------------------------------------------ what is refused

    def _check_names(self, text: str, statement: Statement) -> None:
        for node in nodes_of(statement.tree):
            sentence = None
            if isinstance(node, Name):
                sentence = self._why_not(node.name)
            elif isinstance(node, Call):
                sentence = self._why_no_call(node)
            if sentence is not None:
                raise FormulaError.at(text, node.at, sentence)

    def _why_not(self, name: str) -> str | None:
        start = self._start
        labels = [str(label) for label in start.features]
        if name in self._channels:
            return None
        if name == TIME:
            return "expected a term of the state alone, got the time t: write the law as a Formula"
        if name.startswith(FEATURE):
            if start.coupling != FULL:
                return f"expected coupling='full' for a term that names a feature, got {name} under {start.coupling}"
            label = name.removeprefix(FEATURE)
            return (
                None
                if label in labels
                else f"expected {FEATURE}LABEL of a feature, {', '.join(labels[:10])}, got {name}"
            )
        return (
            f"expected a term of {', '.join(self._channels)} without parameters or inputs, got the name {name!r}: put "
            "a number there, or write the whole law as a Formula, which has both"
        )

    def _why_no_call(self, node: Call) -> str | None:
        if node.function == "sum":
            return "expected a mean in a term, got a sum; it is the mean times the number of features"
        if node.function != MEAN:
            return None
        if self._start.coupling != EXCHANGEABLE:
            return f"expected coupling='exchangeable' for a term with a mean, got {self._start.coupling}"
        inside = list(nodes_of(node.arguments[0]))
        if any(isinstance(part, Call) and part.function == MEAN for part in inside):
            return "expected a mean of a feature's own variables, got a mean within a mean"
        return None if any(isinstance(part, Name) for part in inside) else "expected a mean of x, got one of a number"


def _with(tree: Node, parts: dict[Node, Node]) -> Node:
    return replaced(tree, lambda node: parts.get(node))


def _sparse(powers: Powers) -> dict[int, int]:
    return {v: p for v, p in enumerate(powers) if p}


def _dense(powers: dict[int, int], size: int) -> Powers:
    return tuple(powers.get(v, 0) for v in range(size))


def _split(rows: tuple[Powers, ...], inputs: int) -> tuple[list[Powers], list[Powers]]:
    """Powers of what the state tells, and of the inputs behind it."""
    behind = [len(powers) - inputs for powers in rows]
    pairs = list(zip(rows, behind, strict=True))
    return [powers[:n] for powers, n in pairs], [powers[n:] for powers, n in pairs]


def _padded(powers: Powers, size: int) -> Powers:
    return (*powers, *(0,) * (size - len(powers)))
