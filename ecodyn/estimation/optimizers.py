"""PySINDy's optimisers on ecodyn's regressions, used as they are given: in the data's own units, unnormalised.

Most minimise a squared error: with [Θ | y] = Q·F they find on F what they find on all rows, and are given F. An
optimiser that looks at rows one by one, or at their number, is given all rows: it draws some of them
(``EnsembleOptimizer`` with bagging), trims them (SR3 with a ``trimming_fraction``) or divides by how many there are
(scikit-learn's Lasso in a ``WrappedOptimizer``); and so is any that is not PySINDy's own. Ensembles draw from NumPy's
global state, which is set to one seed for them and then put back: a fit is the same whatever was drawn before it.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from sklearn import config_context

from ecodyn.arrays import Array
from ecodyn.equations.library import Library
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.input_samples import input_units
from ecodyn.estimation.integral_matching import MatchedIntegrals, uncompressed
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.supports import SPARSITY_PARAMETERS

__all__ = ["Optimizer", "check_optimizer", "is_constrained", "needs_rows", "optimal_coefficients"]

# Those of a squared error, sums over rows and nothing else of them, by their class in PySINDy 2.1.
SQUARED_ERROR = {"STLSQ", "SR3", "SSR", "FROLS", "MIOSR", "ConstrainedSR3", "StableLinearSR3", "TrappingSR3"}
SEED = 0  # of what an optimiser draws
ALWAYS_CONSTRAINED = {"StableLinearSR3", "TrappingSR3"}  # PySINDy's that have constraints of their own


class Optimizer(Protocol):
    """What PySINDy's optimisers are: ``fit(Θ, y)`` leaves ``coef_`` (target, term)."""

    coef_: Array

    def fit(self, x_: Array, y: Array) -> Any:
        """Find ``coef_``."""

    def get_params(self, deep: bool = ...) -> dict[str, Any]:
        """Parameters by name."""


def check_optimizer(optimizer: Optimizer, *, along_path: bool) -> None:
    """Refuse what is no optimiser, or can't be used along a path of thresholds.

    Raises
    ------
    ValueError
        The sentence says what to do.
    """
    name = type(optimizer).__name__
    if isinstance(optimizer, type) or not (hasattr(optimizer, "fit") and hasattr(optimizer, "get_params")):
        raise ValueError(
            f"optimizer is one of PySINDy's optimisers, such as pysindy.STLSQ(threshold=0.1), got {optimizer!r}"
        )
    if name == "SINDyPI":
        raise ValueError("SINDyPI finds implicit equations, which no family here has; use another optimiser")
    if not along_path:
        return
    if not any(hasattr(optimizer, parameter) for parameter in SPARSITY_PARAMETERS):
        raise ValueError(
            f"expected an optimiser with one of {', '.join(SPARSITY_PARAMETERS)} for thresholds to set, got {name}; "
            "leave thresholds out, and it is used as it is"
        )
    if needs_rows(optimizer) or is_constrained(optimizer):
        raise ValueError(
            f"this {name} can't be used along a path of thresholds, which takes its support and fits that again; "
            "leave thresholds out, and it is used as it is"
        )


def needs_rows(optimizer: Optimizer) -> bool:
    """Whether what it finds depends on the rows one by one or on their number, not on their triangular factor only."""
    inner = getattr(optimizer, "opt", None)
    if _pysindys(optimizer, "EnsembleOptimizer") and inner is not None:
        return bool(getattr(optimizer, "bagging", True)) or needs_rows(inner)
    known = any(_pysindys(optimizer, name) for name in SQUARED_ERROR)
    return not known or bool(getattr(optimizer, "use_trimming", False))


def is_constrained(optimizer: Optimizer | None) -> bool:
    """Whether its coefficients obey constraints, which any further fit would break."""
    inner = getattr(optimizer, "opt", None)
    constrained = bool(getattr(optimizer, "use_constraints", False)) or type(optimizer).__name__ in ALWAYS_CONSTRAINED
    return constrained or (inner is not None and is_constrained(inner))


def _pysindys(optimizer: Optimizer, name: str) -> bool:
    kind = type(optimizer)  # a subclass may do anything
    return kind.__name__ == name and kind.__module__.startswith("pysindy.")


def optimal_coefficients(
    optimizer: Optimizer,
    library: Library,
    samples: Samples,
    matched: MatchedIntegrals,
    *,
    per_feature: bool,
    method: str,
) -> tuple[Array, tuple[str, ...]]:
    """Coefficients (equation × group, term), in the samples' units, that an optimiser finds in the data's.

    And what it warned of, such as that it did not converge.

    Parameters
    ----------
    optimizer : one of PySINDy's; a copy of it is fitted
        All equations that share a design are its targets together, features within equations; where each feature has
        terms of its own, it is fitted for each feature.
    matched : MatchedIntegrals
        The compressed regression of all runs.
    """
    if needs_rows(optimizer):
        matched = uncompressed(library, samples, per_feature=per_feature, method=method)
    terms, targets = _units(library, samples, method, matched)
    designs = len(matched.factors)
    coefficients = np.zeros((designs * len(targets), matched.n_terms))
    said: dict[str, None] = {}  # in their order, each once
    for design in range(designs):
        found, warned = _fitted(optimizer, matched.matrix[design] * terms, matched.targets[design] * targets)
        coefficients[design::designs] = found * terms / targets[:, None]
        said |= dict.fromkeys(warned)
    return coefficients, tuple(f"{type(optimizer).__name__} says: {text}" for text in said)


def _fitted(optimizer: Optimizer, matrix: Array, targets: Array) -> tuple[Array, list[str]]:
    """What a copy of the optimiser finds, (target, term), and what it warned of."""
    own, name = copy.deepcopy(optimizer), type(optimizer).__name__
    advice = "fewer terms, a larger ridge of its own or coupling='exchangeable' may help"
    with warnings.catch_warnings(record=True) as caught, config_context(assume_finite=True), _one_seed():
        warnings.simplefilter("always")
        try:
            own.fit(matrix, targets)
        except np.linalg.LinAlgError as error:
            raise UnusableDataError(
                f"{name} could not solve for {matrix.shape[1]} terms ({error}); {advice}"
            ) from error
    found = np.atleast_2d(own.coef_)
    if not np.isfinite(found).all():
        raise UnusableDataError(f"expected finite coefficients of {name}, got others for {found.shape} terms; {advice}")
    return found, [str(w.message) for w in caught if issubclass(w.category, UserWarning | RuntimeWarning)]


@contextmanager
def _one_seed() -> Iterator[None]:
    before = np.random.get_state()  # noqa: NPY002  (it is what PySINDy draws from)
    np.random.seed(SEED)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def _units(library: Library, samples: Samples, method: str, matched: MatchedIntegrals) -> tuple[Array, Array]:
    """What a term (term,) and a target (target,) in the samples' units are in the data's: integrals have time's."""
    terms = np.prod(samples.scales**library.degrees, axis=1) * input_units(library, samples.inputs)
    equations = samples.scales[list(library.fitted)]
    targets = np.repeat(equations, matched.targets.shape[-1] // matched.equations)
    if method == "derivative":
        return terms, targets / samples.time_scale
    return terms * samples.time_scale, targets
