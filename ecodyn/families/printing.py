"""How fitted models show themselves: their equations, as PySINDy prints them, as a repr and in notebooks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    import sympy

__all__ = ["GLANCE", "Printed", "check_precision", "rounded"]

MOST_IN_LATEX = 30  # coefficients that a notebook's cell has room for
GLANCE = 3  # significant digits in a repr


class Printed(ABC):
    """What has equations and prints them."""

    family: str
    coupling: str

    @property
    @abstractmethod
    def n_coefficients(self) -> int:
        """Number of non-zero coefficients."""

    @abstractmethod
    def equations(self) -> list[sympy.Eq]:
        """The law as sympy equations."""

    @abstractmethod
    def to_latex(self) -> str:
        """The law in LaTeX, one equation a line."""

    def lines(self, precision: int = 3) -> list[str]:
        """The equations as text, one a line, numbers to so many significant digits."""
        return [f"({e.lhs.args[0]})' = {e.rhs.evalf(precision)}" for e in self.equations()]

    def print(self, precision: int = 3, *, end: str = "\n", file: TextIO | None = None) -> None:
        """Print the equations, as ``pysindy.SINDy.print`` does: on the left (x)', or a map's difference quotient.

        Parameters
        ----------
        precision : int
            Significant digits (PySINDy counts decimals, which show nothing of small coefficients).
        end, file : as the built-in ``print`` has them

        Examples
        --------
        >>> import numpy as np
        >>> from ecodyn import Linear
        >>> x = 3 + 2 * np.exp(-0.5 * np.arange(30.0))[:, None] * [1.0, -1.0]
        >>> Linear(coupling="independent").fit(x).model_.print(precision=2)
        (x)' = 1.5 - 0.5*x
        """
        for line in self.lines(precision):
            print(line, end=end, file=file)

    def __repr__(self) -> str:
        return f"{self.family}/{self.coupling}: {'; '.join(self.lines(GLANCE))}, {self.n_coefficients} parameters"

    def _repr_latex_(self) -> str | None:
        """The equations for a notebook; None, so that it shows the repr, where there are many coefficients."""
        if self.n_coefficients > MOST_IN_LATEX:
            return None
        lines = [line.replace(" = ", " &= ", 1) for line in self.to_latex().split("\n")]
        return "$\\displaystyle \\begin{aligned} " + r" \\ ".join(lines) + " \\end{aligned}$"


def rounded(equation: sympy.Eq, precision: int) -> sympy.Eq:
    """The same equation, the numbers on its right to so many significant digits."""
    check_precision(precision)
    return equation.func(equation.lhs, equation.rhs.evalf(precision), evaluate=False)


def check_precision(precision: int) -> None:
    """Refuse a number of significant digits that shows nothing."""
    if precision < 1:
        raise ValueError(f"precision is a number of significant digits, at least 1, got {precision!r}")
