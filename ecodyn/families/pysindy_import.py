"""A fitted model of PySINDy as a law."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn._version import __version__
from ecodyn.arrays import Array, Integers
from ecodyn.equations.library import FULL, Library
from ecodyn.families.law import Law
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.state import SIGNAL

if TYPE_CHECKING:
    import pysindy

__all__ = ["from_pysindy"]

FAMILY = "sindy"  # a law that came of PySINDy is called by its method
COUNTED = re.compile(r"x_?(\d+)")  # x0, as PySINDy names features, and x_1, as ``Law.to_pysindy`` does


def from_pysindy(
    model: pysindy.SINDy | pysindy.DiscreteSINDy, *, step: float = 1.0, amplitude: float | None = None
) -> Law:
    """The law that a fitted model of PySINDy states: the same right-hand side, to simulate, print, save and compare.

    Parameters
    ----------
    model : pysindy.SINDy or DiscreteSINDy
        Fitted, with a ``PolynomialLibrary`` (or ``IdentityLibrary``) and without control inputs. A discrete one
        becomes a map.
    step : float
        Time that a discrete model's step takes.
    amplitude : float, optional
        The training data's largest value, by which "diverged" is measured. By default what the optimiser has kept of
        the data tells; where it has kept nothing, 0, and a rollout is measured by its own start.

    Returns
    -------
    Law
        Of full coupling. Features x0, x1, … are labelled 0, 1, …; any other names are kept.

    Raises
    ------
    ValueError
        The model is not fitted, or is none of polynomials; the sentence says what is expected.

    Examples
    --------
    >>> import pysindy
    >>> t = np.arange(0.0, 5.0, 0.01)
    >>> model = pysindy.SINDy(pysindy.STLSQ(threshold=0.05)).fit(np.exp(-0.5 * t)[:, None] * [1.0, 2.0], t=t)
    >>> law = from_pysindy(model)
    >>> law.print(precision=1)
    (x_0)' = -0.1*x_0 - 0.2*x_1
    (x_1)' = -0.2*x_0 - 0.4*x_1
    >>> np.allclose(law.rhs(np.array([[[1.0], [2.0]]]), np.zeros(1))[0, :, 0], model.predict(np.array([[1.0, 2.0]])))
    True
    """
    powers, coefficients = _polynomials(model)
    largest = _largest(model, powers) if amplitude is None else float(amplitude)
    if type(model).__name__ != "DiscreteSINDy":
        return _law(model, powers, coefficients, largest, None)
    return _law(model, powers, (coefficients - _identity(powers)) / step, largest, step)


def _law(model: Any, powers: Integers, coefficients: Array, largest: float, step: float | None) -> Law:
    features: tuple[Label, ...] = tuple(_labels(model.feature_names))
    library = Library(
        coupling=FULL,
        channels=(SIGNAL,),
        features=features,
        own=((0,),),
        moments=(),
        environment=tuple(tuple(p) for p in powers.tolist()),
        terms=tuple((0, e) for e in range(len(powers))),
    )
    keep = np.flatnonzero(coefficients.any(axis=0))
    keep = keep if len(keep) else np.arange(1)  # a library can't be empty
    return Law(
        family=FAMILY,
        coupling=FULL,
        channels=(SIGNAL,),
        features=features,
        amplitudes=(largest,),
        provenance={"ecodyn": __version__, "from": f"pysindy.{type(model).__name__}", "names": model.feature_names},
        step=step,
        library=library.subset(keep),
        coefficients=coefficients[:, keep],
        size=coefficients.size,
    )


def _polynomials(model: Any) -> tuple[Integers, Array]:
    """Exponents (term, feature) and coefficients (feature, term), an intercept's term among them."""
    kind = type(model).__name__
    if kind not in ("SINDy", "DiscreteSINDy") or not type(model).__module__.startswith("pysindy."):
        raise ValueError(f"expected a pysindy.SINDy or DiscreteSINDy, got {type(model).__module__}.{kind}")
    library, solver = model.feature_library, type(model.optimizer).__name__
    if type(library).__name__ != "PolynomialLibrary" or solver == "SINDyPI":
        raise ValueError(
            f"expected a model of a PolynomialLibrary, got {type(library).__name__} and {solver}; "
            "only polynomials of the features are laws here, so fit it with pysindy.PolynomialLibrary(degree=...)"
        )
    if not hasattr(model.optimizer, "coef_") or not hasattr(model, "n_output_features_"):
        raise ValueError("expected a fitted model, got one without coefficients; fit it first")
    if getattr(model, "n_control_features_", 0):
        raise ValueError(
            f"expected a model without control inputs, got one of {model.n_control_features_}; a law here depends on "
            "its own state only"
        )
    powers = np.asarray(library.powers_, dtype=np.int64).reshape(-1, library.n_features_in_)
    coefficients = np.array(np.atleast_2d(model.optimizer.coef_), dtype=float)
    intercept = np.broadcast_to(np.asarray(model.optimizer.intercept_, dtype=float), len(coefficients))
    constant = np.flatnonzero(~powers.any(axis=1))
    if intercept.any() and not len(constant):
        powers = np.concatenate([np.zeros((1, powers.shape[1]), dtype=np.int64), powers])
        coefficients, constant = np.insert(coefficients, 0, 0.0, axis=1), np.zeros(1, dtype=np.intp)
    if intercept.any():
        coefficients[:, constant[0]] += intercept
    return powers, coefficients


def _identity(powers: Integers) -> Array:
    """Coefficients of x itself, (feature, term); a ValueError where the library lacks it."""
    features = powers.shape[1]
    found = np.array([(powers == unit).all(axis=1) for unit in np.eye(features, dtype=np.int64)], dtype=float)
    if not found.any(axis=1).all():
        raise ValueError("expected a discrete model whose library has x itself, got one of degree 0; raise its degree")
    return found


def _largest(model: Any, powers: Integers) -> float:
    """The training data's largest value, from the linear columns of what the optimiser was fitted to."""
    theta, linear = getattr(model.optimizer, "Theta_", None), powers.sum(axis=1) == 1
    if theta is None or np.shape(theta)[1] != len(powers):
        return 0.0
    return float(np.abs(np.asarray(theta)[:, linear]).max(initial=0.0))


def _labels(names: list[str]) -> list[int] | list[str]:
    counted = [COUNTED.fullmatch(name) for name in names]
    numbers = [int(match.group(1)) for match in counted if match]
    return numbers if len(set(numbers)) == len(names) else list(names)
