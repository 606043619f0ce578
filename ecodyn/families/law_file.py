"""What a law's file must hold: a library that is one, coefficients of its shape, the step of a map."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ecodyn.arrays import Array
from ecodyn.equations.functions import KINDS, Function
from ecodyn.equations.library import COUPLINGS, FULL, Library
from ecodyn.rollouts.iteration import DYNAMICS, FLOW, MAP
from ecodyn.trajectories.inputs import Kind, check_kind, check_name

__all__ = [
    "check_coefficients",
    "inputs_from",
    "interaction_matrix_from",
    "library_from",
    "library_to_json",
    "step_from",
]

MAX_DEGREE = 20  # of a monomial in a model file: far beyond any fit, and still quick to evaluate
# Families with an interaction matrix whose files, of before the first release, do not say so.
UNSTATED_MATRICES = ("linear", "lotka_volterra")


def library_to_json(library: Library) -> dict[str, object]:
    """Exponents of a library's monomials, and which of them are each term's factors; functions, where it has any."""
    document: dict[str, object] = {
        "own": library.own,
        "moments": library.moments,
        "environment": library.environment,
        "terms": library.terms,
    }
    if library.functions:
        document["functions"] = [asdict(function) for function in library.functions]
    return document


def library_from(document: Mapping[str, Any]) -> Library:
    """The library of a model file's content.

    Raises
    ------
    ValueError
        It is none; nothing was evaluated with it yet.
    """

    def powers(rows: list[list[int]]) -> tuple[tuple[int, ...], ...]:
        return tuple(tuple(int(p) for p in row) for row in rows)

    parts = document["library"]
    library = Library(
        coupling=document["coupling"],
        channels=tuple(document["state"].split(",")),
        features=tuple(document["features"]),
        own=powers(parts["own"]),
        moments=powers(parts["moments"]),
        environment=powers(parts["environment"]),
        terms=tuple((int(o), int(e)) for o, e in parts["terms"]),
        functions=tuple(
            Function(
                str(f["kind"]),
                tuple(int(v) for v in f["variables"]),
                float(f["parameter"]),
                float(f.get("shift", 0.0)),  # files of before there was one have none
            )
            for f in parts.get("functions", ())
        ),
        inputs=tuple(inputs_from(document)),
    )
    _check_library(library)
    return library


def inputs_from(document: Mapping[str, Any]) -> dict[str, Kind]:
    """Kinds of a model file's inputs by name, in the order of the law's terms; none in older files."""
    stated = dict(document.get("inputs") or {})
    for name, kind in stated.items():
        check_name(name)
        check_kind(f"the input {name}", kind)
    return stated


def interaction_matrix_from(document: Mapping[str, Any]) -> bool:
    """Whether the law's family has an interaction matrix."""
    return bool(document.get("interaction_matrix", document["family"] in UNSTATED_MATRICES))


def step_from(document: Mapping[str, Any]) -> float | None:
    """h of a model file's map; files from before there were maps are of flows."""
    dynamics, step = document.get("dynamics", document.get("time", FLOW)), document.get("step")
    if (
        dynamics not in DYNAMICS
        or (dynamics == MAP) != isinstance(step, int | float)
        or (step is not None and not step > 0)
    ):
        raise ValueError(f"dynamics {dynamics!r} with the step {step!r}")
    return None if step is None else float(step)


def _check_library(library: Library) -> None:
    if library.coupling not in COUPLINGS:
        raise ValueError(f"the coupling {library.coupling!r}")
    channels = len(library.channels)
    _check_functions(library)
    for rows, variables in (
        (library.own, channels),
        (library.moments, channels),
        (library.environment, library.n_variables),
    ):
        if any(len(p) != variables or min(p, default=0) < 0 or sum(p) > MAX_DEGREE for p in rows):
            raise ValueError(f"exponents that are no monomials of {variables} variables of degree 0 to {MAX_DEGREE}")
    own, environment = range(len(library.own)), range(len(library.environment))
    if not library.terms or any(o not in own or e not in environment for o, e in library.terms):
        raise ValueError("terms of monomials that are not there")


def _check_functions(library: Library) -> None:
    if library.functions and library.coupling != FULL:
        raise ValueError(f"functions under the coupling {library.coupling!r}")
    variables = range(len(library.features) * len(library.channels))
    for function in library.functions:
        fits = len(function.variables) == KINDS.get(function.kind) and all(v in variables for v in function.variables)
        if not fits or not math.isfinite(function.parameter) or not math.isfinite(function.shift):
            raise ValueError(f"{function} of {len(variables)} variables; kinds are {', '.join(KINDS)}")


def check_coefficients(library: Library, coefficients: Array) -> None:
    """Refuse coefficients of another shape than the library's equations have."""
    equations, features = len(library.fitted), len(library.features)
    rows_expected = {equations * features} if library.coupling == FULL else {equations, equations * features}
    if coefficients.ndim != 2 or coefficients.shape[1] != len(library) or len(coefficients) not in rows_expected:
        raise ValueError(
            f"coefficients of shape {coefficients.shape} for {equations} equations of {len(library)} terms and "
            f"{features} features"
        )
