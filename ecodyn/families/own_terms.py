"""Terms of one's own for SINDy: formulas, Python functions, and what PySINDy's libraries hold of either."""

from __future__ import annotations

import inspect
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np

from ecodyn.equations.callable_function import CallableFunction
from ecodyn.equations.library import EXCHANGEABLE, FULL, Library
from ecodyn.equations.own_functions import OwnFunction
from ecodyn.formulas.library_terms import MEAN, TermBuilder
from ecodyn.formulas.statement import FEATURE, OWN
from ecodyn.formulas.tree import Binary, Call, Name, Node, Number
from ecodyn.trajectories.state import name_in_formulas

__all__ = ["Given", "check_terms", "with_terms"]


class TermLibrary(Protocol):
    """What PySINDy's libraries of candidate terms are."""

    def get_feature_names(self, input_features: list[str] | None = None) -> list[str]:
        """Names of its terms."""


Numeric: TypeAlias = Callable[..., Any]  # of arrays, to an array
Given: TypeAlias = str | Numeric | tuple[Numeric, Numeric] | TermLibrary

_MEAN = re.compile(r"mean_([A-Za-z_]+?)(\d*)")  # mean_x, mean_x2: as the library's own are named
EXAMPLE = "such as ['sin(x)', np.tanh] or [pysindy.FourierLibrary()]"


@dataclass(frozen=True)
class _Function:
    """A Python function as a term: its derivative, its text with v0, v1, … and what PySINDy combines features by."""

    function: Callable[..., Any]
    derivative: Callable[..., Any] | None
    label: str | None = None
    combined: bool | None = None  # PySINDy's interaction_only; None: arguments are told by their names


def check_terms(terms: object) -> None:
    """Refuse what is no list of terms.

    Raises
    ------
    ValueError
        The sentence says what is expected.
    """
    _unpacked(terms)


def with_terms(library: Library, terms: Sequence[Given] | None) -> Library:
    """The library with terms of one's own behind its monomials.

    Raises
    ------
    ValueError
        One is none, or none that can be under this coupling.

    Examples
    --------
    >>> from ecodyn.equations.forms import polynomial_library
    >>> with_terms(polynomial_library("independent", ["signal"], [1, 2], degree=1), ["sin(x)"]).names()
    ['1', 'x', 'sin(x)']
    """
    if not terms:
        return library
    builder = TermBuilder(library)
    for place, term in enumerate(_unpacked(terms)):
        if isinstance(term, str):
            builder.formula(term)
        else:
            for arguments in _arguments(term, library):
                _add(builder, term, place, arguments)
    return builder.library()


def _add(builder: TermBuilder, term: _Function, place: int, arguments: Sequence[Node]) -> None:
    named = getattr(term.function, "__name__", "")
    name = named if named.isidentifier() else f"f{place}"
    label = term.label or f"{name}({', '.join(f'v{i}' for i in range(len(arguments)))})"

    def made(variables: tuple[int, ...]) -> OwnFunction:
        return CallableFunction(term.function, term.derivative, label, variables)

    builder.function(made, arguments, f"the function {name}")


def _unpacked(terms: object) -> list[str | _Function]:
    """Formulas and functions, those of PySINDy's libraries among them."""
    if terms is None:
        return []
    if isinstance(terms, str) or not isinstance(terms, list | tuple):
        raise ValueError(f"terms are a list of formulas or functions, {EXAMPLE}, got {terms!r}")
    found: list[str | _Function] = []
    for term in terms:
        if isinstance(term, str):
            found.append(term)
        elif _is_pysindys(term):
            found += _of_pysindy(term)
        elif callable(term) and not isinstance(term, type):
            found.append(_Function(term, None))
        elif isinstance(term, tuple) and len(term) == len(("function", "derivative")) and all(map(callable, term)):
            found.append(_Function(*term))
        else:
            raise ValueError(f"terms are formulas, functions, or (function, derivative), {EXAMPLE}, got {terms!r}")
    return found


# ---------------------------------------------------------------------- what functions are of


def _arguments(term: _Function, library: Library) -> list[list[Node]]:
    """The variables that a function is of, for each term that it makes."""
    names = _parameters(term.function)
    if term.combined is not None:
        return _combined(term, len(names), library)
    if len(names) == 1 and _node(names[0], library) is None:
        return [[Name(OWN)]]  # whatever it is called there
    nodes = [_node(name, library) for name in names]
    unknown = [name for name, node in zip(names, nodes, strict=True) if node is None]
    if unknown or not nodes:
        named = getattr(term.function, "__name__", "a function")
        raise ValueError(
            f"expected a term's function of one argument, x, or of arguments named {_listed(library)}, got {named}"
            f"({', '.join(names)}) under {library.coupling}"
        )
    return [[node for node in nodes if node is not None]]


def _combined(term: _Function, count: int, library: Library) -> list[list[Node]]:
    """PySINDy's: all features of a full law are arguments in turn, and combinations of them of several."""
    if library.coupling != FULL:
        if count != 1:
            raise ValueError(
                f"expected coupling='full' for a function of {count} features, got {library.coupling}; give a function "
                f"of arguments named {_listed(library)}"
            )
        return [[Name(OWN)]]
    if count == 1:
        return [[Name(OWN)]]
    names: list[Node] = [Name(f"{FEATURE}{label}") for label in library.features]
    chosen = itertools.combinations if term.combined else itertools.combinations_with_replacement
    return [list(nodes) for nodes in chosen(names, count)]


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Names of the arguments that it has to be given."""
    if isinstance(function, np.ufunc):
        return [OWN] if function.nin == 1 else [f"x{i + 1}" for i in range(function.nin)]
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in functions have none
        return [OWN]
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [p.name for p in parameters if p.kind in by_place and p.default is inspect.Parameter.empty]


def _channels(library: Library) -> list[str]:
    return [OWN, *(name_in_formulas(channel) for channel in library.channels[1:])]


def _node(name: str, library: Library) -> Node | None:
    """What an argument of this name is; None of a name that means nothing under this coupling."""
    labels = [str(label) for label in library.features]
    if name in _channels(library):
        return Name(name)
    if library.coupling == FULL and name.startswith(FEATURE) and name.removeprefix(FEATURE) in labels:
        return Name(name)
    mean = _MEAN.fullmatch(name)
    if library.coupling != EXCHANGEABLE or mean is None or mean.group(1) not in _channels(library):
        return None
    inside: Node = Name(mean.group(1))
    if mean.group(2):
        inside = Binary("**", inside, Number(float(mean.group(2))))
    return Call(MEAN, (inside,))


def _listed(library: Library) -> str:
    further = {EXCHANGEABLE: ["mean_x", "mean_x2"], FULL: [f"{FEATURE}LABEL"]}.get(library.coupling, [])
    return ", ".join([*_channels(library), *further])


# ---------------------------------------------------------------------- PySINDy's libraries


def _is_pysindys(term: object) -> bool:
    return hasattr(term, "get_feature_names") and not callable(term)


def _of_pysindy(library: Any) -> list[str | _Function]:
    """The terms of one of PySINDy's libraries."""
    kind = type(library).__name__
    if kind == "FourierLibrary":
        waves = [w for w, there in (("sin", library.include_sin), ("cos", library.include_cos)) if there]
        counts = range(1, library.n_frequencies + 1)
        return [f"{wave}({OWN})" if k == 1 else f"{wave}({k}*{OWN})" for k in counts for wave in waves]
    if kind == "CustomLibrary":
        return _custom(library)
    if kind in ("GeneralizedLibrary", "ConcatLibrary"):
        if getattr(library, "tensor_array", None) is not None or getattr(library, "inputs_per_library", None):
            raise ValueError(
                f"expected a {kind} of libraries beside each other, got one with products of libraries or inputs of "
                "their own; write those terms as formulas, such as 'x*sin(x)' or 'sin(x_hare)'"
            )
        return list(itertools.chain.from_iterable(_of_pysindy(part) for part in library.libraries))
    if kind in ("PolynomialLibrary", "IdentityLibrary"):
        raise ValueError(
            f"expected terms beside the monomials, got a {kind}: all monomials up to degree=... are there anyway; "
            "leave it out"
        )
    raise ValueError(
        f"expected pysindy's CustomLibrary, FourierLibrary or a GeneralizedLibrary of these, got {kind}; write its "
        "terms as formulas or functions"
    )


def _custom(library: Any) -> list[str | _Function]:
    names = library.function_names or [None] * len(library.functions)
    found: list[str | _Function] = []
    for place, (function, named) in enumerate(zip(library.functions, names, strict=True)):
        variables = [f"v{i}" for i in range(len(_parameters(function)))]
        label = f"f{place}({','.join(variables)})" if named is None else str(named(*variables))
        found.append(_Function(function, None, label, bool(library.interaction_only)))
    return found
