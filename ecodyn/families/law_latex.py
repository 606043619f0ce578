"""What a law's symbols are in LaTeX: means over features as overlines, inputs upright."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.equations.library import Library
from ecodyn.equations.names import letter_of
from ecodyn.families.law_text import change_over

if TYPE_CHECKING:
    import sympy

__all__ = ["latex_left", "latex_names"]


def latex_left(name: str, step: float | None) -> str:
    """The left side of an equation: a derivative, or a map's difference quotient over h."""
    if step is None:
        return rf"\dot{{{name}}}"
    change = change_over(name, step)
    return change if step == 1 else rf"\frac{{{change}}}{{{step:g}}}"


def latex_names(library: Library) -> dict[sympy.Symbol, str]:
    """By symbol what it is printed as, of means and inputs."""
    _, variables = library.symbols()
    known = zip(variables[library.n_seen :], library.inputs, strict=True)
    upright = {s: rf"\mathrm{{{name.replace('_', ' ')}}}" for s, name in known}
    if library.inner:
        return {s: rf"\overline{{{n}}}" for s, n in zip(variables, _inside_means(library), strict=False)} | upright
    letters = ["x" if c == "signal" else rf"\mathrm{{{c.replace('@', ' at ')}}}" for c in library.channels]

    def inside(powers: tuple[int, ...]) -> str:
        factors = zip(letters, powers, strict=True)
        return " ".join(name if p == 1 else f"{name}^{{{p}}}" for name, p in factors if p)

    means = zip(variables, library.moments, strict=False)  # inputs are behind them
    return {s: rf"\overline{{{inside(p)}}}" for s, p in means} | upright


def _inside_means(library: Library) -> list[str]:
    """What each mean is of, where some are of functions."""
    import sympy

    own = [sympy.Symbol(letter_of(c)) for c in library.channels]
    own += [f.expression(own) for f in library.inner]
    products = (sympy.Mul(*(s**p for s, p in zip(own, powers, strict=True))) for powers in library.moments)
    return [sympy.latex(product) for product in products]
