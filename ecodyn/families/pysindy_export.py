"""A law as a fitted model of PySINDy: all its terms multiplied out to monomials of single features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, Library
from ecodyn.equations.monomials import Powers
from ecodyn.equations.names import letter_of

if TYPE_CHECKING:
    import pysindy

__all__ = ["multiplied_out", "pysindy_model"]

MOST_MONOMIALS = 10_000  # of a library of PySINDy's: one is evaluated in some microseconds, one by one
Monomial = tuple[int, ...]  # the variables it is a product of, in order, such as (0, 0, 3)
Polynomial = dict[Monomial, float]


def pysindy_model(library: Library, coefficients: Array, step: float | None) -> pysindy.SINDy | pysindy.DiscreteSINDy:
    """A fitted ``pysindy.SINDy``, or of a map of step h ``DiscreteSINDy``, with a ``PolynomialLibrary``.

    Its features are the channels of each feature in turn; a trait's derivative is zero, a signal's its velocity.
    """
    import pysindy

    equations = multiplied_out(library, coefficients)
    if step is not None:
        equations = [_sum([{(v,): 1.0}, _times(equation, {(): step})]) for v, equation in enumerate(equations)]
    degree = max((len(monomial) for equation in equations for monomial in equation), default=0)
    terms = pysindy.PolynomialLibrary(degree=max(degree, 1)).fit(np.zeros((1, len(equations))))
    place = {tuple(np.repeat(np.arange(len(p)), p).tolist()): i for i, p in enumerate(terms.powers_)}
    optimizer = pysindy.STLSQ(threshold=0.0, alpha=0.0)
    optimizer.coef_ = np.zeros((len(equations), len(place)))
    for row, equation in zip(optimizer.coef_, equations, strict=True):
        row[[place[monomial] for monomial in equation]] = list(equation.values())
    optimizer.ind_, optimizer.intercept_ = optimizer.coef_ != 0, 0.0
    optimizer.n_features_in_ = len(place)
    model = (pysindy.SINDy if step is None else pysindy.DiscreteSINDy)(optimizer=optimizer, feature_library=terms)
    model.feature_names = _names(library)
    model.n_features_in_, model.n_output_features_ = len(equations), len(place)
    model.n_control_features_ = 0
    return model


def multiplied_out(library: Library, coefficients: Array) -> list[Polynomial]:
    """The derivative of each channel of each feature, features outermost, as a polynomial in all of these.

    Raises
    ------
    ValueError
        They have too many monomials, or functions beside them.
    """
    if library.functions:
        raise ValueError(
            f"expected a law of monomials, got one with {', '.join(library.names_of_functions)}; evaluate the law "
            "itself, by rhs or simulate, or build that library for PySINDy with its CustomLibrary"
        )
    if library.shifts:
        raise ValueError(
            f"expected a law of what is there now, got the state {','.join(library.channels)}: PySINDy has no delayed "
            "signals; evaluate the law itself, by rhs or simulate"
        )
    channels, features = len(library.channels), len(library.features)
    used = np.any(coefficients != 0, axis=0)
    degree = int(library.degrees.sum(axis=1)[used].max(initial=0))
    count = math.comb(channels * features + degree, degree)
    if count > MOST_MONOMIALS:
        raise ValueError(
            f"expected a law of at most {MOST_MONOMIALS} monomials, got one of degree {degree} in "
            f"{channels * features} variables, which multiplied out has up to {count}; PySINDy has no means over "
            "features to keep it short, so evaluate the law itself, by rhs or simulate"
        )
    variables = _environment_variables(library)
    kept = {e for (_, e), there in zip(library.terms, used, strict=True) if there}
    environment = {e: _product(variables, library.environment[e]) for e in kept}
    groups = library.groups(len(coefficients))
    found = []
    for feature, channel in itertools.product(range(features), range(channels)):
        own: list[Polynomial] = [{(feature * channels + c,): 1.0} for c in range(channels)]
        if channel in library.fitted:
            row = coefficients[library.fitted.index(channel) * groups + feature % groups]
            terms = [(library.terms[t], float(row[t])) for t in np.flatnonzero(row)]
            parts = [_times(_times(_product(own, library.own[o]), environment[e]), {(): c}) for (o, e), c in terms]
            found.append(_sum(parts))
        else:
            moves = channel == 0 and library.velocity is not None
            found.append(own[library.velocity] if moves and library.velocity is not None else {})
    return found


def _environment_variables(library: Library) -> list[Polynomial]:
    """Each environment variable as a polynomial: a mean is a sum over features, a variable of full is itself."""
    channels, features = len(library.channels), len(library.features)
    if library.coupling == FULL:
        return [{(v,): 1.0} for v in range(channels * features)]
    if library.coupling != EXCHANGEABLE:
        return []
    return [
        {
            tuple(np.repeat(feature * channels + np.arange(channels), powers[:channels]).tolist()): 1.0 / features
            for feature in range(features)
        }
        for powers in library.moments
    ]


def _product(variables: Sequence[Polynomial], powers: Powers) -> Polynomial:
    product: Polynomial = {(): 1.0}
    for variable, power in zip(variables, powers, strict=True):
        for _ in range(power):
            product = _times(product, variable)
    return product


def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    product: Polynomial = {}
    for (m, x), (n, y) in itertools.product(a.items(), b.items()):
        monomial = tuple(sorted(m + n))
        product[monomial] = product.get(monomial, 0.0) + x * y
    return product


def _sum(parts: Sequence[Polynomial]) -> Polynomial:
    total: Polynomial = {}
    for monomial, value in itertools.chain.from_iterable(part.items() for part in parts):
        total[monomial] = total.get(monomial, 0.0) + value
    return total


def _names(library: Library) -> list[str]:
    """Labels that are names as they are, else x_1, …; with more channels than the signal, these by their letters."""
    if len(library.channels) == 1 and all(isinstance(feature, str) for feature in library.features):
        return [str(feature) for feature in library.features]
    return [f"{letter_of(c)}_{feature}" for feature in library.features for c in library.channels]
