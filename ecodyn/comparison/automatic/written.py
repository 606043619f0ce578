"""Coefficients of monomials, written as a law of the simplest family and coupling that holds them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn._version import __version__
from ecodyn.arrays import Array, Bools
from ecodyn.comparison.automatic.monomials import Terms
from ecodyn.equations.forms import linear_library, lotka_volterra_library, polynomial_library
from ecodyn.equations.functions import Function
from ecodyn.equations.library import FULL, INDEPENDENT, Library
from ecodyn.equations.names import product_name
from ecodyn.families.law import Law
from ecodyn.families.model import amplitudes_of, feature_amplitudes_of
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.labels import Label

__all__ = ["Form", "form_of", "law_of", "names_of"]

LINEAR, LOTKA_VOLTERRA, SINDY = "linear", "lotka_volterra", "sindy"


@dataclass(frozen=True)
class Form:
    """The simplest family and coupling that hold a support, its degree, and which functions it has."""

    family: str
    coupling: str
    degree: int
    functions: tuple[Function, ...] = ()

    def __str__(self) -> str:
        title = {LINEAR: "a linear law", LOTKA_VOLTERRA: "Lotka-Volterra"}.get(
            self.family, f"SINDy of degree {self.degree}"
        )
        kinds = " and ".join(dict.fromkeys(f.kind.replace("_", " ") for f in self.functions))
        return f"{title} ({self.coupling}{', with ' if kinds else ''}{kinds})"


def form_of(terms: Terms, mask: Bools) -> Form:
    """Of coefficients (feature, term)."""
    used = mask.any(axis=0)
    degree = int(terms.degrees[used].max(initial=0))
    there = np.asarray(terms.exponents[used, terms.features :].any(axis=0))
    if there.any():
        functions = tuple(f for f, has in zip(terms.functions, there.tolist(), strict=True) if has)
        return Form(SINDY, FULL, degree, functions)
    own = terms.exponents.T  # (variable, term)
    alone = all(bool((own[k, mask[k]] == terms.degrees[mask[k]]).all()) for k in range(len(mask)))
    coupling = INDEPENDENT if alone else FULL
    if degree <= 1:
        return Form(LINEAR, coupling, degree)
    proportional = all(bool((own[k, mask[k]] > 0).all()) for k in range(len(mask)))
    return Form(LOTKA_VOLTERRA if proportional and degree == 2 else SINDY, coupling, degree)


def _library(form: Form, features: list[Label]) -> Library:
    if form.family == LINEAR:
        return linear_library(form.coupling, ("signal",), features)
    if form.family == LOTKA_VOLTERRA:
        return lotka_volterra_library(form.coupling, ("signal",), features)
    return polynomial_library(form.coupling, ("signal",), features, form.degree)


def _library_with_functions(terms: Terms, form: Form, used: Bools, features: list[Label]) -> Library:
    """Of the terms in use, which are powers of all features and of the functions that the form has."""
    kept = [*range(terms.features), *(terms.features + terms.functions.index(f) for f in form.functions)]
    powers = terms.exponents[used][:, kept]
    return Library(
        coupling=FULL,
        channels=("signal",),
        features=tuple(features),
        own=((0,),),
        moments=(),
        environment=tuple(map(tuple, powers.tolist())),
        terms=tuple((0, e) for e in range(len(powers))),
        functions=form.functions,
    )


def law_of(terms: Terms, coefficients: Array, data: Trajectories, parameters: dict[str, object]) -> Law:
    """The law of coefficients (feature, term) in the data's units."""
    mask = coefficients != 0
    form = form_of(terms, mask)
    features = data.features.tolist()
    if form.functions:
        used = mask.any(axis=0)
        library, written = _library_with_functions(terms, form, used, features), coefficients[:, used]
    else:
        library, written = _monomials(terms, coefficients, form, features)
    return Law(
        family=form.family,
        coupling=form.coupling,
        channels=library.channels,
        features=library.features,
        amplitudes=amplitudes_of(data, "signal"),
        feature_amplitudes=feature_amplitudes_of(data),
        provenance={
            "ecodyn": __version__,
            "estimator": "best_law",
            "parameters": parameters,  # type: ignore[dict-item]
            "runs": data.runs.tolist(),
            "window": [float(np.nanmin(data.times)), float(np.nanmax(data.times))],
            "range": [float(np.nanmin(data.values)), float(np.nanmax(data.values))],
            "data": data.provenance,
        },
        library=library,
        coefficients=written,
        size=coefficients.size,
        interaction_matrix=form.family != SINDY,
    )


def _monomials(terms: Terms, coefficients: Array, form: Form, features: list[Label]) -> tuple[Library, Array]:
    """The library of a family and coupling without functions, and coefficients of its terms."""
    library = _library(form, features)
    count = len(features)
    place = {tuple(e[:count]): i for i, e in enumerate(terms.exponents.tolist()) if not any(e[count:])}
    written = np.zeros((len(features), len(library)))
    for feature in range(len(features)):
        for term in range(len(library)):
            written[feature, term] = coefficients[feature, place[_exponents(library, term, feature)]]
    if form.family == SINDY:
        used = np.flatnonzero(written.any(axis=0))
        library, written = library.subset(used), written[:, used]
    return library, written


def _exponents(library: Library, term: int, feature: int) -> tuple[int, ...]:
    """Of all features, in a term of one feature's equation."""
    own, environment = library.terms[term]
    powers = [0] * len(library.features) if library.coupling == INDEPENDENT else list(library.environment[environment])
    powers[feature] += library.own[own][0]
    return tuple(powers)


def names_of(terms: Terms, features: list[Label]) -> list[str]:
    """The terms' names."""
    names = [f"x_{feature}" for feature in features]
    names += [function.name(names) for function in terms.functions]
    return [product_name(zip(names, powers, strict=True)) for powers in terms.exponents.tolist()]
