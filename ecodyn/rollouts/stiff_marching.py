"""Implicit steps along a grid, for estimation: what ``march`` does, for laws that decay faster than its steps can be.

Linearly implicit Euler steps, (1 − hJ) Δx = h f, extrapolated from 1, 2, 3 and 4 of them to fourth order (Deuflhard
1985; Hairer and Wanner 1996, IV.9): decays of any rate are damped, and a Jacobian that is not exact costs no order, so
that sensitivities, which follow Ṡ = J S + ∂f/∂θ, are taken along by the states' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.rollouts.integration import RightHandSide
from ecodyn.rollouts.marching import steps_in_pieces, within

__all__ = ["Jacobian", "is_stiff", "march_stiff"]

Jacobian = Callable[[Array, Array], Array]  # ∂f/∂x (batch, feature, feature) at states (batch, feature) and times

EULER_STEPS = (1, 2, 3, 4)
STABLE = 2.78  # h|λ| up to which classical Runge-Kutta steps damp a decay of rate λ
PLACES = 5  # along the data at which rates are looked at, both ends included
MOST_GROWTH = 1.0  # hλ of a growth: implicit steps would turn a larger one into a decay


def is_stiff(jacobian: Jacobian, states: Array, times: Array, substeps: int) -> Bools:
    """Whether explicit steps can't follow a decay at some of these states, and implicit ones can follow all growth.

    Parameters
    ----------
    jacobian : callable
    states : array (batch, step, feature)
    times : array (batch, step)
    substeps : explicit steps an interval, at most

    Returns
    -------
    array (batch,)
    """
    steps = np.diff(times, axis=1) / substeps
    candidates, damped = np.ones(len(states), dtype=bool), np.zeros(len(states), dtype=bool)
    for i in np.unique(np.linspace(0, steps.shape[1] - 1, PLACES).round().astype(int)).tolist():
        h = steps[:, i]
        matrices = jacobian(states[:, i], times[:, i])
        # No rate exceeds the norm: rates of most members need not be known.
        norms = h * np.abs(matrices).sum(axis=2).max(axis=1)
        candidates &= np.isfinite(norms)
        asked = np.flatnonzero(candidates & (norms > min(STABLE, MOST_GROWTH)))
        if len(asked):
            rates = np.linalg.eigvals(matrices[asked]).real * h[asked, None]
            candidates[asked] = rates.max(axis=1) <= MOST_GROWTH
            damped[asked] |= rates.min(axis=1) < -STABLE
    return candidates & damped


def march_stiff(
    rhs: RightHandSide,
    jacobian: Jacobian,
    x0: Array,
    times: Array,
    *,
    substeps: int = 1,
    bound: float | Array = np.inf,
    cuts: Sequence[Array | None] | None = None,
) -> Iterator[tuple[int, Array, Bools]]:
    """As ``march``, of states in the first column and any number of columns that follow them by the same Jacobian.

    A member is dead too from where it grows faster than implicit steps can tell from a decay. Slopes and Jacobian of a
    step that begins at a jump are of after it, and slopes of one that ends there of just before.
    """
    x = np.array(x0, dtype=float)
    alive = np.isfinite(x).all(axis=(1, 2))
    yield 0, x, alive
    for i in range(times.shape[1] - 1):
        interval = times[:, i : i + 2]
        if cuts is None:
            steps = _steps(interval, substeps)
        else:  # an interval that is not cut may still end at a jump
            edges = cuts[i]
            steps = steps_in_pieces(interval if edges is None else edges, substeps)
        for t, h, end in steps:
            matrices = jacobian(x[..., 0], t)
            known: Bools = np.isfinite(matrices.sum(axis=(1, 2)))
            matrices = np.where(known[:, None, None], matrices, 0.0)
            alive = alive & known & (h * np.linalg.eigvals(matrices).real.max(axis=1) <= MOST_GROWTH)
            x = _extrapolated(rhs, matrices, x, t, h, end)
        alive = alive & within(x, bound)
        x[~alive] = 0.0
        yield i + 1, x, alive


def _steps(interval: Array, substeps: int) -> Iterator[tuple[Array, Array, Array | None]]:
    """Begin and length of the steps of an interval (batch, 2) of what does not jump."""
    h = (interval[:, 1] - interval[:, 0]) / substeps
    for j in range(substeps):
        yield interval[:, 0] + j * h, h, None


def _extrapolated(rhs: RightHandSide, matrices: Array, x: Array, t: Array, h: Array, end: Array | None) -> Array:
    """One step; ``end`` is when its last slopes are asked for, where that is not quite t + h."""
    table: list[Array] = []
    for row, steps in enumerate(EULER_STEPS):
        part = h / steps
        inverse = _inverse(np.eye(matrices.shape[1]) - part[:, None, None] * matrices)
        y = x
        for k in range(steps):
            at = t + (k + 1) * part if end is None or k < steps - 1 else end
            y = y + part[:, None, None] * np.matmul(inverse, rhs(y, at))
        previous, table = table, [y]
        for column in range(row):  # Aitken and Neville's scheme
            ratio = steps / EULER_STEPS[row - column - 1] - 1
            table.append(table[column] + (table[column] - previous[column]) / ratio)
    return table[-1]


def _inverse(matrices: Array) -> Array:
    """Inverses, and NaN where there is none: such a member then dies."""
    try:
        return np.asarray(np.linalg.inv(matrices))
    except np.linalg.LinAlgError:
        return np.asarray([_one_inverse(m) for m in matrices])


def _one_inverse(matrix: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(matrix))
    except np.linalg.LinAlgError:
        return np.full(matrix.shape, np.nan)
