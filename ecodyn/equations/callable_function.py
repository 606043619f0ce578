"""Python functions as functions of a library's variables, with their derivatives by whatever way is exact enough."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.own_functions import or_beyond, units_in

if TYPE_CHECKING:
    import sympy

__all__ = ["CallableFunction", "qualified_name"]

ComplexArray = NDArray[np.complex128]

COMPLEX_STEP = 1e-30  # of the imaginary part: no difference is taken, so nothing cancels
# Of a variable's size, between the points of a central difference of fourth order: errors of rounding, eps/h, and of
# the formula, h⁴, are alike there (eps^(1/5)).
STEP = 7e-4
AGREE = 1e-5  # of the larger of two derivatives, and of what the function changes by over the data: central
# differences are good to some 1e-10 where a function is smooth

EXACT, COMPLEX, DIFFERENCES = "given", "complex", "differences"


@dataclass(frozen=True)
class CallableFunction:
    """function(…) of a library's variables at some positions, in the units of the data.

    Attributes
    ----------
    function : of arrays, one for each variable, to an array of their shape
    derivative : of the same to the derivatives by each, or None
    label : its text in equations, in which v0 is the variable at ``variables[0]``, and so on
    variables : positions among the variables that it is given
    way : "given", "complex" (step) or "differences": how its derivatives are had
    units : what each variable is multiplied by to be in the units of the data; none where it is so already

    Examples
    --------
    >>> sine = CallableFunction(np.sin, None, "sin(v0)", (0,)).checked(np.array([[0.5], [1.0]]))
    >>> sine.way, sine.name(["x"]), bool(np.isclose(sine.slopes(np.array([[0.0]]))[0], 1.0)[0])
    ('complex', 'sin(x)', True)
    """

    function: Callable[..., Any]
    derivative: Callable[..., Any] | None
    label: str
    variables: tuple[int, ...]
    way: str = DIFFERENCES
    units: tuple[float, ...] = ()

    def _arguments(self, x: Array) -> list[Array]:
        units = self.units or (1.0,) * len(self.variables)
        return [x[..., v] if u == 1.0 else x[..., v] * u for v, u in zip(self.variables, units, strict=True)]

    def _called(self, arguments: Sequence[Array | ComplexArray]) -> Array:
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(self.function(*arguments)), np.shape(arguments[0]))

    def values(self, x: Array) -> Array:
        """Of states (..., variable), (...); ``BEYOND`` where the function has no finite value."""
        return or_beyond(np.asarray(self._called(self._arguments(x)), dtype=float))

    def slopes(self, x: Array) -> tuple[Array, ...]:
        """Derivatives by its variables, each (...)."""
        arguments, units = self._arguments(x), self.units or (1.0,) * len(self.variables)
        by = self._by(arguments)
        return tuple(or_beyond(slope * unit) for slope, unit in zip(by, units, strict=True))

    def _by(self, arguments: list[Array]) -> list[Array]:
        if self.way == EXACT and self.derivative is not None:
            with np.errstate(all="ignore"):
                found = self.derivative(*arguments)
            each = [found] if len(self.variables) == 1 and not isinstance(found, tuple | list) else list(found)
            return [np.broadcast_to(np.asarray(slope, dtype=float), arguments[0].shape) for slope in each]
        way = self._complex_step if self.way == COMPLEX else self._difference
        return [way(arguments, place) for place in range(len(arguments))]

    def _complex_step(self, arguments: list[Array], place: int) -> Array:
        there: list[Array | ComplexArray] = [*arguments]
        there[place] = np.asarray(arguments[place] + 1j * COMPLEX_STEP, dtype=np.complex128)
        return np.asarray(np.imag(self._called(there)) / COMPLEX_STEP)

    def _difference(self, arguments: list[Array], place: int) -> Array:
        step = STEP * np.maximum(np.abs(arguments[place]), 1.0)

        def at(times: int) -> Array:
            return self._called([a + times * step if i == place else a for i, a in enumerate(arguments)])

        return np.asarray((8.0 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12.0 * step))

    def checked(self, x: Array) -> CallableFunction:
        """The function with the best way to its derivatives, tried at states (state, variable).

        Raises
        ------
        ValueError
            It takes no arrays, or the derivative that is given is another one.
        """
        arguments = self._arguments(x)
        try:
            value = np.asarray(self._called(arguments))
        except Exception as error:  # whatever a stranger's function raises
            raise ValueError(
                f"expected a term that takes arrays and gives one of their shape, got {type(error).__name__} of "
                f"{self.label}: {error}"
            ) from error
        if value.dtype.kind not in "fiub":
            raise ValueError(f"expected real numbers of the term {self.label}, got {value.dtype}")
        plain = replace(self, way=DIFFERENCES)
        if self.derivative is not None:
            given = replace(self, way=EXACT)
            if (apart := _apart(given, plain, arguments)) is not None:
                raise ValueError(f"expected the derivative of {self.label}, got another: {apart}")
            return given
        try:
            stepped = replace(self, way=COMPLEX)
            return stepped if _apart(stepped, plain, arguments) is None else plain
        except Exception:  # a function that takes no complex numbers: differences are taken
            return plain

    def in_units(self, scales: Array) -> tuple[CallableFunction, float]:
        """The same values as a function of variables in units so many times smaller."""
        return replace(self, units=units_in(self.units, self.variables, scales)), 1.0

    def name(self, names: Sequence[str], digits: int = 4) -> str:
        """As text, of variables of these names."""
        return re.sub(r"\bv(\d+)\b", lambda found: names[self.variables[int(found.group(1))]], self.label)

    def expression(self, symbols: Sequence[sympy.Expr]) -> sympy.Expr:
        """In sympy, a function of these variables that nothing is known of."""
        import sympy

        found = re.match(r"\w+", self.label)
        return sympy.Function("f" if found is None else found.group())(*(symbols[v] for v in self.variables))

    def to_json(self) -> dict[str, object]:
        """What a model file holds of it: the names by which it and its derivative can be had again.

        Raises
        ------
        ValueError
            One has no such name.
        """
        document: dict[str, object] = {"callable": qualified_name(self.function, self.label)}
        if self.derivative is not None:
            document["derivative"] = qualified_name(self.derivative, f"the derivative of {self.label}")
        return {**document, "label": self.label, "variables": list(self.variables), "way": self.way}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CallableFunction:
        """A term of a model file, whose function has to be there already: nothing is imported for a file.

        Raises
        ------
        ValueError
            It is not.
        """
        derivative = document.get("derivative")
        return cls(
            function=_named(document["callable"]),
            derivative=None if derivative is None else _named(derivative),
            label=str(document["label"]),
            variables=tuple(int(v) for v in document["variables"]),
            way=str(document["way"]),
        )


def _apart(one: CallableFunction, other: CallableFunction, arguments: list[Array]) -> str | None:
    """Where derivatives differ, in words; None where they agree, but for places in which either has none."""
    for place, (a, b) in enumerate(zip(one._by(arguments), other._by(arguments), strict=True)):
        there = np.isfinite(a) & np.isfinite(b)
        size = np.maximum(np.abs(a), np.abs(b))[there]
        wrong = np.abs(a - b)[there] > AGREE * np.maximum(size, size.mean() if size.size else 0.0)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            values = [float(argument[there][at]) for argument in arguments]
            return (
                f"by its argument {place + 1}, at {', '.join(f'{v:.4g}' for v in values)}, it is "
                f"{a[there][at]:.6g}, and differences tell {b[there][at]:.6g}"
            )
    return None


def qualified_name(function: Callable[..., Any], what: str) -> str:
    """module:name of a function that can be imported by it.

    Raises
    ------
    ValueError
        It can't: it is a lambda, was defined within another function, or in a session.

    Examples
    --------
    >>> qualified_name(np.linalg.norm, "norm"), qualified_name(np.sin, "sin")
    ('numpy.linalg:norm', 'numpy:sin')
    """
    if isinstance(function, np.ufunc):
        module, name = "numpy", function.__name__
    else:
        module, name = str(getattr(function, "__module__", None)), str(getattr(function, "__qualname__", ""))
    text = f"{module}:{name}"
    try:
        same = module != "__main__" and _named(text) is function
    except ValueError:
        same = False
    if not same:
        raise ValueError(
            f"expected a function that a file can name, got {what}, {text}, which no import finds: define it at the "
            "top of a module, or write the term as a formula, such as 'x/(1 + x)'"
        )
    return text


def _named(text: object) -> Callable[..., Any]:
    """A function of a module that is imported already, and none of Python's own."""
    module, _, name = str(text).partition(":")
    found: Any = sys.modules.get(module)
    if module.partition(".")[0] in sys.stdlib_module_names or found is None:
        raise ValueError(
            f"the term {text!r:.100} of a module that is not imported; nothing is imported for a file: import "
            f"{module:.80} first, if you trust it"
        )
    for part in name.split("."):
        found = getattr(found, part, None)
        if isinstance(found, ModuleType):  # such as the os that a module imports: it has a name of its own
            raise ValueError(f"the term {text!r:.100}, in which {part} is another module; name the function by its own")
    if not callable(found):
        raise ValueError(f"the term {text!r:.100}, of which {module:.80} has no function")
    if str(getattr(found, "__module__", None)).partition(".")[0] in sys.stdlib_module_names:
        raise ValueError(f"the term {text!r:.100}, which is one of Python's own functions; no file may have it called")
    named: Callable[..., Any] = found
    return named
