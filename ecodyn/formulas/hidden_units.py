"""Units of hidden variables: which the equations and the data leave open, and how they are settled.

If r is replaced by λr, and each parameter by λ to some power times itself, many equations stay as they are: x' =
x*(c*r - m); r' = s - d*r has the same signals for (c/λ, s·λ, λ·r_start). Such changes are those of the unit of r, so
that the dimensions of parts tell them exactly: they are what the equations of dimensions leave free.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.formulas.hidden_statement import BEGUN, HiddenStatement
from ecodyn.formulas.searching import EXPONENTS
from ecodyn.formulas.units import MOST_EXPONENT, Dimensions

__all__ = ["SystemUnits", "held_by_unit", "units_of_system"]

ROUNDING = 1e-9  # of singular values and of exponents, which are numbers of order one


@dataclass(frozen=True, eq=False)
class SystemUnits:
    """Powers of two.

    Attributes
    ----------
    parameters : array, the unit of each of ``statement.every_parameter``
    hidden : array, that of each hidden variable
    """

    parameters: Array
    hidden: Array


def _equations(statement: HiddenStatement, exponents: dict[str, float]) -> tuple[Array, Array]:
    """Rows of dimensions that vanish: over parameters and hidden variables, and over the signal and time."""
    names, hidden = statement.every_parameter, len(statement.hidden)
    unknown, known = [], []
    for place, equation in enumerate(statement.equations):
        found = Dimensions(equation, exponents)
        found.alike(found.base(place) + found.base(-1).times(-1.0), found.of(equation.tree))
        where = [names.index(name) for name in equation.parameters]
        for row in found.rows:
            of = np.zeros(len(names) + hidden)
            of[where] = row.of
            of[len(names) :] = row.known[1:-1]
            unknown.append(of)
            known.append([row.known[0], row.known[-1]])
    for place, name in enumerate(statement.hidden):
        if name + BEGUN in names:
            of = np.zeros(len(names) + hidden)
            of[names.index(name + BEGUN)], of[len(names) + place] = 1.0, -1.0
            unknown.append(of)
            known.append([0.0, 0.0])
    return np.array(unknown), np.array(known)


def _middle(statement: HiddenStatement, exponents: dict[str, float]) -> dict[str, float]:
    """Values of exponents, those that are not given in the middle of where draws are."""
    middle = float(np.sqrt(EXPONENTS[0] * EXPONENTS[1]))
    return {name: exponents.get(name, middle) for name in statement.exponents}


def held_by_unit(statement: HiddenStatement, starts: dict[str, float]) -> dict[str, float]:
    """Parameters that have to be held for hidden variables to have a unit, and at what: 1, or where they are to start.

    The starting value, where it is a parameter; else what multiplies the variable in the signal's equation.

    Examples
    --------
    >>> from ecodyn.formulas.hidden_statement import hidden_statement_of
    >>> text = "x' = x*(c*r - m); r' = s - d*r - q*r*sum(x)"
    >>> held_by_unit(hidden_statement_of(text, ("r",)), {})
    {'r_start': 1.0}
    >>> held_by_unit(hidden_statement_of(text, ("r",), free=True), {})
    {'c': 1.0}
    >>> held_by_unit(hidden_statement_of(text.replace("c*r", "r"), ("r",)), {})  # r is in the unit of 1/t
    {}
    """
    matrix, _ = _equations(statement, _middle(statement, {}))
    names = statement.every_parameter
    held: dict[str, float] = {}
    order = [*statement.begun, *(name for equation in statement.equations for name in equation.parameters)]
    while True:
        _, singular, directions = np.linalg.svd(matrix)
        rank = int((singular > ROUNDING * singular.max(initial=0.0)).sum())
        free = directions[rank:]
        # Of all that is free, what changes the unit of a hidden variable.
        moves = np.abs(free[:, len(names) :]).max(axis=1, initial=0.0) > ROUNDING
        if not moves.any():
            return held
        among = np.abs(free[moves]).max(axis=0) > ROUNDING
        chosen = [name for name in order if among[names.index(name)]]
        if not chosen:
            return held
        held[chosen[0]] = starts.get(chosen[0], 1.0)
        row = np.zeros(matrix.shape[1])
        row[names.index(chosen[0])] = 1.0
        matrix = np.vstack([matrix, row])


def units_of_system(
    statement: HiddenStatement, scale: float, time_scale: float, exponents: dict[str, float]
) -> SystemUnits:
    """Units of parameters and hidden variables; what is held is a pure number.

    Parameters
    ----------
    scale : of the signal
    exponents : values of parameters that are exponents

    Examples
    --------
    >>> from ecodyn.formulas.hidden_statement import hidden_statement_of
    >>> found = units_of_system(hidden_statement_of("x' = v; v' = k*x + l*v", each=("v",), free=True), 8.0, 16.0, {})
    >>> found.hidden.tolist(), found.parameters.tolist()  # a velocity; k is in 1/t², l in 1/t
    ([0.5], [0.00390625, 0.0625])
    """
    unknown, known = _equations(statement, _middle(statement, exponents))
    names = statement.every_parameter
    rows = np.zeros((len(statement.held), unknown.shape[1]))
    for row, (name, _) in zip(rows, statement.held, strict=True):
        row[names.index(name)] = 1.0
    matrix = np.vstack([unknown, rows])
    target = np.vstack([known, np.zeros((len(rows), known.shape[1]))])
    dimensions = np.linalg.lstsq(matrix, -target, rcond=None)[0]
    logarithms = np.rint(dimensions @ np.log2([scale, time_scale]))
    found = np.exp2(np.clip(logarithms, -MOST_EXPONENT, MOST_EXPONENT))
    return SystemUnits(found[: len(names)], found[len(names) :])
