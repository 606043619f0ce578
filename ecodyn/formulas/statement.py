"""What the names of a formula stand for: channels, features, time and parameters."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.formulas.constants import constant
from ecodyn.formulas.grammar import CONSTANTS, FUNCTIONS, POOLS, parse
from ecodyn.formulas.tokens import FormulaError
from ecodyn.formulas.tree import Binary, Call, Name, Negative, Node, nodes_of, parts_of, text_of
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import VELOCITY, fitted, is_trait, lag_of, name_in_formulas, parse_state

__all__ = [
    "FEATURE",
    "MOST_PARAMETERS",
    "OWN",
    "TIME",
    "Environment",
    "Statement",
    "check_labels",
    "check_names",
    "known_among",
    "statement_of",
]

OWN, TIME = "x", "t"
FEATURE = "x_"  # before a label: the signal of that feature
MOST_PARAMETERS = 30  # of a law whose every parameter is searched for

# A part of the environment: a mean or sum over features, or the signal of one feature by its label.
Environment = Call | Name


@dataclass(frozen=True)
class Statement:
    """A formula whose names are resolved for a state.

    ``x`` is a feature's own signal, the other channels go by the names of their observables (``gradient`` of
    gradient@start, ``lag1`` of signal@-1), ``t`` is the time, ``x_LABEL`` the signal of the feature LABEL, and inputs
    of the data go by their names; every other name is a parameter.

    Attributes
    ----------
    tree : Node
    channels : names of the state's channels
    inputs : names of known functions of time that are in the formula

    Examples
    --------
    >>> statement = statement_of("b - a*x + c*mean(x**n)")
    >>> statement.parameters, statement.coupling
    (('b', 'a', 'c', 'n'), 'exchangeable')
    """

    tree: Node
    channels: tuple[str, ...]
    inputs: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """The formula, with no more parentheses than it needs."""
        return text_of(self.tree)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names, in the order of the text."""
        return tuple(dict.fromkeys(node.name for node in nodes_of(self.tree) if isinstance(node, Name)))

    @cached_property
    def own(self) -> dict[str, int]:
        """Position of each channel by the name that it has in formulas."""
        return {OWN if i == 0 else name_in_formulas(channel): i for i, channel in enumerate(self.channels)}

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of the text."""
        known = {*self.own, *self.inputs, TIME}
        return tuple(n for n in self.names if n not in known and not n.startswith(FEATURE))

    @cached_property
    def environment(self) -> tuple[Environment, ...]:
        """Signals of features by name, then means and sums, those inside others first; each once."""
        features = [node for node in nodes_of(self.tree) if isinstance(node, Name) and node.name.startswith(FEATURE)]
        return tuple(dict.fromkeys([*features, *_pools(self.tree)]))

    @property
    def features(self) -> tuple[str, ...]:
        """Labels of the features that it names."""
        return tuple(part.name.removeprefix(FEATURE) for part in self.environment if isinstance(part, Name))

    @property
    def coupling(self) -> str:
        """What a feature sees of the others."""
        if self.features:
            return FULL
        return EXCHANGEABLE if self.environment else INDEPENDENT

    @property
    def uses_time(self) -> bool:
        """Whether it depends on time itself."""
        return TIME in self.names

    @cached_property
    def exponents(self) -> frozenset[str]:
        """Parameters that exponents are, but for sums and products with numbers: pure numbers of order one.

        What is multiplied with a signal or the time there, such as the rate of 2**(-r*t), has a unit.
        """
        powers = [node for node in nodes_of(self.tree) if isinstance(node, Binary) and node.operation == "**"]
        return frozenset(name for power in powers for name in _summed(power.right)) & frozenset(self.parameters)

    @property
    def equation(self) -> int:
        """Position of the channel whose derivative it is."""
        return fitted(self.channels)[0]


def _pools(node: Node) -> Iterable[Call]:
    """Means and sums over features, inner ones first."""
    for part in parts_of(node):
        yield from _pools(part)
    if isinstance(node, Call) and node.function in POOLS:
        yield node


def _summed(node: Node) -> Iterable[str]:
    """Names that are summed, with no factor but numbers."""
    if isinstance(node, Name):
        yield node.name
    elif isinstance(node, Negative):
        yield from _summed(node.inner)
    elif isinstance(node, Binary):
        named = [part for part in (node.left, node.right) if any(isinstance(inner, Name) for inner in nodes_of(part))]
        if node.operation in "+-" or (node.operation in "*/" and len(named) == 1):
            for part in named:
                yield from _summed(part)


@lru_cache(maxsize=256)
def statement_of(formula: str, state: str = "signal", inputs: tuple[str, ...] = ()) -> Statement:
    """The statement of a formula's text under a state, names of ``inputs`` being such and no parameters.

    Raises
    ------
    FormulaError
        A ValueError: it is no formula, or its names can't be meant so.
    """
    tree, channels = parse(formula), parse_state(state)
    moved = [c for c in channels[1:] if not (is_trait(c) or lag_of(c) or c == VELOCITY)]
    if moved:
        raise FormulaError(
            f"expected a state whose further channels are traits, delays or the velocity, got {', '.join(moved)}, "
            f"which would need an equation of its own: write {moved[0]}@start"
        )
    statement = Statement(tree, channels)
    statement = Statement(tree, channels, tuple(name for name in inputs if name in statement.names))
    check_names(formula, statement)
    _check_pools(formula, statement)
    constant(tree, formula)
    count = len(statement.parameters)
    if not count:
        raise FormulaError(f"expected a formula with a parameter to be estimated, got {statement.text!r} without any")
    if count > MOST_PARAMETERS:
        raise FormulaError(f"expected at most {MOST_PARAMETERS} parameters, got {count}")
    return statement


def check_names(formula: str, statement: Statement) -> None:
    """Refuse names that would be parameters and are meant as something else."""
    for node in nodes_of(statement.tree):
        if not isinstance(node, Name):
            continue
        meant = ""
        if node.name == "signal":
            meant = f"{OWN}, a feature's own signal"
        elif node.name == VELOCITY and VELOCITY not in statement.own:
            meant = "a state that has it, signal,velocity,"
        elif node.name.startswith(("mean_", "sum_")):
            meant = f"{node.name.partition('_')[0]}(...), such as mean(x**2),"
        elif node.name == FEATURE:
            meant = f"{FEATURE}LABEL, the signal of the feature LABEL,"
        if meant:
            raise FormulaError.at(formula, node.at, f"expected {meant} got the name {node.name!r}")


def _check_pools(formula: str, statement: Statement) -> None:
    """Refuse inputs inside means and sums: what all features share goes before them."""
    for pool in _pools(statement.tree):
        inside = [n for n in nodes_of(pool) if isinstance(n, Name) and n.name in statement.inputs]
        if inside:
            name = inside[0].name
            raise FormulaError.at(
                formula,
                inside[0].at,
                f"expected the input {name} outside of {pool.function}(...), since it is the same for all features: "
                f"write {name}*{pool.function}(x) for {pool.function}({name}*x)",
            )


def check_labels(statement: Statement, features: Collection[Label], observables: Iterable[str], shared: bool) -> None:
    """Refuse names of features that aren't there, and parameters that have the name of something in the data.

    Raises
    ------
    FormulaError
        A ValueError, in a sentence.
    """
    labels = [str(label) for label in features]
    missing = [name for name in statement.features if name not in labels]
    if missing:
        raise FormulaError(
            f"expected {FEATURE}LABEL to name a feature, {_listed(labels)}, got {FEATURE}{missing[0]}"
            f"{_meant(missing[0], labels)}; a parameter's name can't begin with {FEATURE}"
        )
    if statement.features and not shared:
        raise FormulaError(
            f"expected features that are the same in every run, for the formula names {statement.features[0]!r}, got "
            "runs whose labels are not shared; build them with labels_shared=True, or use mean(...)"
        )
    for name in statement.parameters:
        if name in labels:
            raise FormulaError(
                f"expected a parameter's name, got {name!r}, which is a feature's: write {FEATURE}{name} for its "
                "signal, or give the parameter another name"
            )
        if name in observables:
            raise FormulaError(
                f"expected a parameter's name, got {name!r}, which is an observable of these data: add {name}@start "
                "to the state, or give the parameter another name"
            )


def known_among(given: Iterable[str], statement: Statement, argument: str) -> None:
    """Refuse names of parameters that the formula does not have.

    Raises
    ------
    ValueError
        With those that it has, and what may be meant.
    """
    for name in given:
        if name not in statement.parameters:
            what = "is no parameter" if name in (*statement.names, *FUNCTIONS, *CONSTANTS) else "is not in the formula"
            raise ValueError(
                f"{argument} are of the formula's parameters {', '.join(statement.parameters)}, got {name!r}, which "
                f"{what}{_meant(str(name), statement.parameters)}"
            )


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def _listed(labels: Collection[str]) -> str:
    shown = list(labels)[:10]  # a line's worth
    return ", ".join(shown) + (f" and {len(labels) - len(shown)} more" if len(labels) > len(shown) else "")
