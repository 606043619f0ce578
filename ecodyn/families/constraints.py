"""Constraints on a law's coefficients as they are given: texts, or matrices on all coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Bools
from ecodyn.equations.library import EXCHANGEABLE, FULL
from ecodyn.estimation.constraints import Constraints
from ecodyn.estimation.linear_constraints import LinearConstraints
from ecodyn.estimation.stability_constraint import Stability
from ecodyn.families.constraint_names import Coefficients, Forms
from ecodyn.families.constraint_parts import Conserved, ConstraintError, Quantity, Relation, Side, Stable, Symmetric
from ecodyn.families.constraint_text import parse

__all__ = ["Constraint", "Data", "check_list", "constraints_on", "described"]

Constraint = str | tuple[ArrayLike, str, ArrayLike]

MARGIN = 0.01  # of the reciprocal duration: what decays by a hundredth over the longest run can't be told from rest
MATRIX_SIGNS = ("=", "<=")
AFFINE, PROPORTIONAL = "affine", "proportional"  # laws b + A x, and xᵢ(rᵢ + (A x)ᵢ)


@dataclass(frozen=True, eq=False)
class Data:
    """What stability asks of the data.

    Attributes
    ----------
    duration : of the longest run
    levels : array (feature,), about where features are, above 0
    step : h of a map, None for a flow
    """

    duration: float
    levels: Array
    step: float | None


def check_list(given: object) -> None:
    """Refuse what is no list of constraints.

    Raises
    ------
    ValueError
        The sentence says what is expected.
    """
    if given is None:
        return
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError(
            f"constraints is a list, such as ['A symmetric'] (--constraint on the command line), got {given!r}"
        )
    for one in given:
        if isinstance(one, str):
            parse(one)
        elif not (isinstance(one, Sequence) and len(one) == 3 and one[1] in MATRIX_SIGNS):
            raise ValueError(
                "constraints is a list of texts such as 'A symmetric', and of (C, '=', d) or (C, '<=', d), a row of C "
                f"for each condition on the coefficients; {one!r} is neither, got {given!r}"
            )


def described(given: Constraint) -> str:
    """A constraint as text; of a matrix, its size."""
    if isinstance(given, str):
        return given
    return f"C θ {given[1]} d of {np.atleast_2d(np.asarray(given[0])).shape[0]} rows"


def constraints_on(
    given: Sequence[Constraint], coefficients: Coefficients, free: Bools, data: Data, *, form: str | None
) -> Constraints:
    """What the constraints are on these coefficients.

    Parameters
    ----------
    given : texts, or (C, sign, d)
    coefficients : Coefficients
    free : bool array (row, term)
        Which coefficients the law has; the others are 0.
    data : Data
    form : "affine", "proportional" or None
        What is known of the law's equilibria.

    Raises
    ------
    ValueError
        One is of no coefficients of this law, or several contradict one another; the sentence says which.
    """
    linear, stability = [LinearConstraints.none(coefficients.size)], []
    for number, one in enumerate(given):
        if not isinstance(one, str):
            linear.append(_of_matrix(one, number, coefficients))
            continue
        statement = parse(one)
        if isinstance(statement, Stable):
            blocks = _stable(statement, one, number, coefficients, data, form)
            stability += blocks
            linear += [implied for block in blocks if (implied := _implied(block)) is not None]
        elif isinstance(statement, Conserved):
            linear.append(_rows(coefficients.conserved(statement.labels, one, statement.at), "=", 0.0, number))
        elif isinstance(statement, Symmetric):
            linear.append(_symmetric(statement, one, number, coefficients))
        else:
            linear += _relations(statement, one, number, coefficients)
    rows = LinearConstraints.combine(linear)
    _check_possible(rows, free, [described(one) for one in given])
    return Constraints(tuple(described(one) for one in given), rows, tuple(stability))


def _check_possible(rows: LinearConstraints, free: Bools, given: Sequence[str]) -> None:
    flat = free.ravel()
    map_ = np.eye(len(flat))[:, flat]
    conflicting = [given[k] for k in rows.within(map_).contradictory()]
    if len(conflicting) == 1:
        raise ValueError(
            f"no law of this form holds the constraint {conflicting[0]!r}: leave it out, or choose a law that has the "
            "terms that it is about"
        )
    if conflicting:
        named = f"{', '.join(map(repr, conflicting[:-1]))} and {conflicting[-1]!r}"
        raise ValueError(f"the constraints {named} contradict one another; leave one of them out")


def _rows(
    forms: Forms, sign: str, number: float, statement: int, names: Sequence[str] | None = None
) -> LinearConstraints:
    """Forms ⋚ a number, as rows C θ ≤ d or C θ = d."""
    turned = -1.0 if sign.startswith(">") else 1.0
    shown = [f"{name} {sign} {number:g}" for name in forms.names] if names is None else list(names)
    return LinearConstraints(
        turned * forms.matrix,
        np.full(len(forms), turned * number),
        np.full(len(forms), sign.startswith("=")),
        tuple(shown),
        np.full(len(forms), statement, dtype=np.intp),
    )


def _of_matrix(given: tuple[ArrayLike, str, ArrayLike], number: int, coefficients: Coefficients) -> LinearConstraints:
    """Rows C θ = d or C θ ≤ d."""
    matrix = np.atleast_2d(np.asarray(given[0], dtype=float))
    limits = np.broadcast_to(np.asarray(given[2], dtype=float), len(matrix))
    if matrix.shape[1] != coefficients.size:
        raise ValueError(
            f"expected a matrix of constraints with {coefficients.size} columns, one a coefficient in the order of the "
            f"law's ({coefficients.rows} equations of {len(coefficients.library)} terms), got {matrix.shape[1]}"
        )
    if not (np.isfinite(matrix).all() and np.isfinite(limits).all()):
        raise ValueError("expected finite numbers in a matrix of constraints, got others")
    names = [f"C θ {given[1]} d, row {k + 1}" for k in range(len(matrix))]
    return LinearConstraints(
        matrix,
        limits.copy(),
        np.full(len(matrix), given[1] == "="),
        tuple(names),
        np.full(len(matrix), number, dtype=np.intp),
    )


def _symmetric(statement: Symmetric, text: str, number: int, coefficients: Coefficients) -> LinearConstraints:
    quantity, word = statement.quantity, "symmetric" if statement.sign > 0 else "antisymmetric"
    if quantity.name != coefficients.matrix or quantity.function or quantity.index or quantity.equation:
        _refuse_no_matrix(quantity, text, coefficients)
    size = len(coefficients.labels)
    entries = coefficients.entries()
    matrix = entries.matrix.reshape(size, size, -1)
    above = [(i, j) for i in range(size) for j in range(i, size) if i != j or statement.sign < 0]
    names = [
        f"{entries.names[i * size + j]} = {'-' * (statement.sign < 0)}{entries.names[j * size + i]}" for i, j in above
    ]
    if not above:
        raise ConstraintError.at(text, 0, f"expected at least two features for a matrix that is {word}, got {size}")
    rows = np.stack([matrix[i, j] - statement.sign * matrix[j, i] for i, j in above])
    return _rows(Forms(tuple(names), rows), "=", 0.0, number, names)


def _refuse_no_matrix(quantity: Quantity, text: str, coefficients: Coefficients) -> None:
    known = f"the matrix {coefficients.matrix}" if coefficients.matrix else "a full linear or lotka_volterra law's A"
    raise ConstraintError.at(text, quantity.at, f"expected {known} to be symmetric, got {quantity.name!r}")


def _relations(statement: Relation, text: str, number: int, coefficients: Coefficients) -> list[LinearConstraints]:
    found = []
    for left, sign, right in zip(statement.sides, statement.signs, statement.sides[1:], strict=False):
        sign = "=" if sign == "==" else sign
        a, b = (_forms(side, text, coefficients) for side in (left, right))
        count = max(len(a), len(b))
        if {len(a), len(b)} - {1, count}:
            raise ConstraintError.at(
                text, 0, f"expected as many coefficients on both sides, or one, got {len(a)} and {len(b)}"
            )
        matrices = [np.broadcast_to(side.matrix, (count, coefficients.size)) for side in (a, b)]
        names = [side.names * (1 if len(side) == count else count) for side in (a, b)]
        shown = [f"{p} {sign} {q}" for p, q in zip(*names, strict=True)]
        found.append(
            _rows(Forms(tuple(shown), matrices[0] - matrices[1]), sign, right.number - left.number, number, shown)
        )
    return found


def _forms(side: Side, text: str, coefficients: Coefficients) -> Forms:
    """A side's linear forms; its number is not in the matrix, but in the names."""
    parts = [(factor, coefficients.forms(quantity, text)) for factor, quantity in side.parts]
    count = max((len(forms) for _, forms in parts), default=1)
    different = sorted({len(forms) for _, forms in parts} - {1, count})
    if different:
        raise ConstraintError.at(
            text, 0, f"expected quantities of as many coefficients, or of one, in a sum, got {different[0]} and {count}"
        )
    matrix, names = np.zeros((count, coefficients.size)), [""] * count
    for factor, forms in parts:
        matrix = matrix + factor * forms.matrix
        each = forms.names * (1 if len(forms) == count else count)
        names = [_added(name, factor, one) for name, one in zip(names, each, strict=True)]
    if side.number or not parts:
        names = [_added(name, side.number, "") for name in names]
    return Forms(tuple(names), matrix)


def _added(name: str, factor: float, one: str) -> str:
    size = one if one and abs(factor) == 1 else f"{abs(factor):g}" + (f"*{one}" if one else "")
    if not name:
        return f"-{size}" if factor < 0 else size
    return f"{name} {'-' if factor < 0 else '+'} {size}"


def _stable(
    statement: Stable, text: str, number: int, coefficients: Coefficients, data: Data, form: str | None
) -> list[Stability]:
    """The blocks of a law whose eigenvalues are its Jacobian's."""
    library = coefficients.library
    if form is None:
        raise ConstraintError.at(
            text, 0, "expected a linear or lotka_volterra law, whose equilibrium its coefficients give, to be stable"
        )
    if len(library.channels) > 1:
        raise ConstraintError.at(
            text, 0, f"expected the state signal for a stable law, got {','.join(library.channels)}"
        )
    if form == PROPORTIONAL and library.inputs:
        raise ConstraintError.at(
            text,
            0,
            "expected a Lotka-Volterra law without inputs to be stable, since where features coexist depends on them, "
            f"got {', '.join(library.inputs)}; leave the constraint out, or the inputs by data.without_inputs()",
        )
    if form == PROPORTIONAL and not (data.levels > 0).all():
        raise ConstraintError.at(text, 0, "expected features whose means are above 0 for a stable coexistence")
    margin = MARGIN / data.duration if statement.margin is None else statement.margin
    blocks = []
    for matrix, rates, levels in _blocks(coefficients, data, form):
        blocks.append(Stability(matrix, rates, levels, margin, data.duration, data.step, text, number))
    return blocks


def _blocks(coefficients: Coefficients, data: Data, form: str) -> list[tuple[Array, Array | None, Array]]:
    """A (row, column, coefficient), r (row, coefficient) if there is one, and levels, of each block."""

    def of(name: str) -> Array:
        return coefficients.forms(Quantity(name, ((name, 1),), None, None, None, 0), name).matrix

    rates = of("r") if form == PROPORTIONAL else None
    library, size = coefficients.library, len(coefficients.labels)
    if library.coupling == FULL:
        return [(coefficients.entries().matrix.reshape(size, size, -1), rates, data.levels)]
    own = of("a")
    if library.coupling != EXCHANGEABLE:
        levels = data.levels if len(own) > 1 else np.array([data.levels.mean()])
        return [(own[k][None, None], None if rates is None else rates[[k]], levels[[k]]) for k in range(len(own))]
    # Alike features: all of them together, and their differences, move as two features do.
    count = min(size, 2)
    matrix = np.eye(count)[..., None] * own[0] + np.full((count, count), 1.0 / count)[..., None] * of("c")[0]
    levels = np.full(count, data.levels.mean())
    return [(matrix, None if rates is None else np.repeat(rates, count, axis=0), levels)]


def _implied(block: Stability) -> LinearConstraints | None:
    """What stability says of a linear law's trace, so that contradictions are found; of one feature it is all."""
    if block.rates is not None or block.step is not None:
        return None
    size = len(block.matrix)
    forms = Forms((block.name,), np.einsum("iip->p", block.matrix)[None])
    return _rows(forms, "<=", -size * block.margin, block.statement, [block.name])
