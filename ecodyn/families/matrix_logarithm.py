"""Linear maps as flows and back: one matrix is the logarithm of the other.

A linear law's f(s) = F s acts on the state of all features with a constant 1 put below it, so that its offset is part
of the matrix. Over h a flow multiplies that state by exp(hF), a map by I + hF; they are one and the same where

    F_flow = log(I + h F_map)/h,    F_map = (exp(h F_flow) − I)/h

(Higham 2008, section 2.3). Independent, exchangeable and full matrices keep their form under both, as functions of a
matrix do: an exchangeable law's act on deviations from the mean and on the mean by a number each.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.families.law import Law

REAL = 1e-10  # of the largest eigenvalue: below it an imaginary part is rounding
LEFT_OVER = 1e-8  # of the largest slope: what rounding leaves of a matrix that a law's terms can express


def flow_of_map(law: Law) -> Law:
    """The flow that passes through every iterate of a linear map: F = log(I + hF)/h, principal branch.

    It is the flow of slowest rotation: one that turns by more than half a circle per step is taken for another.

    Raises
    ------
    ValueError
        The law is no map, not linear or driven by a clock; its logarithm is not real; or the flow is no law of the
        same terms.

    Examples
    --------
    >>> from ecodyn import Linear, flow_of_map
    >>> x = 0.9 ** np.arange(30.0)[:, None] * [1.0, 2.0, 3.0]
    >>> law = Linear(coupling="independent", dynamics="map").fit(x).model_
    >>> print(law.coefficients.round(4) + 0.0, flow_of_map(law).coefficients.round(4) + 0.0)
    [[ 0.  -0.1]] [[ 0.     -0.1054]]
    """
    from scipy.linalg import logm

    if law.step is None:
        raise ValueError(
            "expected a map (dynamics='map') to find the flow of, got a flow; map_of_flow goes the other way"
        )
    matrix = _matrix(law)
    multiplier = np.eye(len(matrix)) + law.step * matrix
    _check_logarithm(multiplier, law.step)
    return _with_matrix(law, np.real(logm(multiplier)) / law.step, None)


def map_of_flow(law: Law, step: float) -> Law:
    """The map from each state of a linear flow to that a step h later: F = (exp(hF) − I)/h.

    Raises
    ------
    ValueError
        The law is no flow, not linear or driven by a clock, or the step is not positive.

    Examples
    --------
    >>> from ecodyn import Linear, map_of_flow
    >>> x = np.exp(-0.1 * np.arange(30.0))[:, None] * [1.0, 2.0, 3.0]
    >>> law = Linear(coupling="independent").fit(x).model_
    >>> print(map_of_flow(law, step=10.0).coefficients.round(4) + 0.0)
    [[ 0.     -0.0632]]
    """
    from scipy.linalg import expm

    if law.step is not None:
        raise ValueError(f"expected a flow to find the map of, got a map of {law.step:g} steps; see flow_of_map")
    if not step > 0:
        raise ValueError(f"expected a positive step for the map, got {step:g}")
    matrix = _matrix(law)
    return _with_matrix(law, (expm(step * matrix) - np.eye(len(matrix))) / step, float(step))


def _matrix(law: Law) -> Array:
    """F of (1 + feature × channel) dimensions: f at the origin in its last column, and a last row of zeros."""
    if law.drive is not None or law.inputs or law.library.degrees.sum(axis=1).max() > 1:
        raise ValueError(
            f"expected a law of degree one without a clock or inputs, got {law.family}/{law.coupling} with the terms "
            f"{', '.join(law.library.names()[:4])}, …: only linear laws have a matrix to take a logarithm of"
        )
    if law.library.shifts:
        raise ValueError(
            f"expected a law of what is there now, got the state {law.state}: the flow of a map that sees delayed "
            "signals is none of the same terms"
        )
    states = _basis(law)
    slopes = law.rhs(states, np.zeros(len(states))).reshape(len(states), -1)
    size = len(slopes) - 1
    matrix = np.zeros((size + 1, size + 1))
    matrix[:size, :size] = (slopes[:size] - slopes[size]).T
    matrix[:size, size] = slopes[size]
    return matrix


def _basis(law: Law) -> Array:
    """Unit vectors of the state, then the origin, (1 + feature × channel, feature, channel)."""
    features, channels = len(law.features), len(law.channels)
    size = features * channels
    return np.concatenate([np.eye(size), np.zeros((1, size))]).reshape(-1, features, channels)


def _check_logarithm(multiplier: Array, step: float) -> None:
    values = np.linalg.eigvals(multiplier)
    size = np.abs(values).max()
    none = (np.abs(values.imag) <= REAL * size) & (values.real <= REAL * size)
    if none.any():
        raise ValueError(
            "expected I + hA without eigenvalues at or below zero, for its logarithm to be real; got "
            f"{values.real[none].min():.3g}: this map of {step:g} steps turns a deviation over, or ends it, in one go, "
            "which no flow of the same form does; keep the map, or fit with a smaller h"
        )


def _with_matrix(law: Law, matrix: Array, step: float | None) -> Law:
    """The law of the same terms that has this matrix."""
    states, size = _basis(law), len(matrix) - 1
    slopes = np.concatenate([matrix[:size, :size].T, np.zeros((1, size))]) + matrix[:size, size]
    wanted = slopes.reshape(states.shape)
    library, rows = law.library, len(law.coefficients)
    terms = np.broadcast_to(library.values(states), (*states.shape[:2], len(library)))
    groups = library.groups(rows)
    coefficients = np.zeros_like(law.coefficients)
    for row in range(rows):
        equation, group = divmod(row, groups)
        features = slice(None) if groups == 1 else slice(group, group + 1)
        target = wanted[:, features, library.fitted[equation]].reshape(-1)
        coefficients[row] = np.linalg.lstsq(terms[:, features].reshape(len(target), -1), target, rcond=None)[0]
    provenance = {**law.provenance, "converted_from": law.dynamics}
    converted = replace(law, coefficients=coefficients, step=step, diagnostics=None, provenance=provenance)
    if np.abs(_matrix(converted) - matrix).max() > LEFT_OVER * max(float(np.abs(matrix).max()), 1e-300):
        raise ValueError(
            f"expected a {'map' if step else 'flow'} of the terms {', '.join(library.names())}; the one wanted has "
            f"others, as with a velocity (ẋ = v) or a term left out: fit a {'map' if step else 'flow'} instead"
        )
    return converted
