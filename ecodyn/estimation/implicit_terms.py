"""Terms of the implicit equation Σₚ aₚ φₚ(x) = ẋ Σ_q b_q φ_q(x), integrated against test functions along the data.

With ψ that vanishes at both ends of a window, ∫ψ ẋ xᵃ e dt = −∫(ψ e)′ xᵃ⁺¹/(a+1) dt: of a feature's own powers no
derivative of the data is taken, and of what it sees of the others, e, only that of a mean over features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.library import Library
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.weak_form import operator, spans

__all__ = ["Implicit", "implicit_terms"]

CLEAN_SPANS = 2  # of the windows' lengths, where there is no noise to be averaged: the shorter ones


@dataclass(frozen=True, eq=False)
class Implicit:
    """Columns of one regression: ∫ψ φₚ dt of the numerator's terms, then ∫ψ ẋ φ_q dt of the denominator's.

    Attributes
    ----------
    columns : array (row, term), compressed to a triangular factor
    rows : int
        Of how many windows that is.
    """

    columns: Array
    rows: int


def implicit_terms(numerator: Library, denominator: Library, samples: Samples) -> list[Implicit]:
    """A regression for each length of windows, of the data as they are and, if there is noise, smoothed."""
    if samples.step is not None:
        return [_compressed(_of_map(numerator, denominator, samples))]
    lengths = spans(int(samples.lengths.min()))
    if samples.smooth is None:
        lengths = lengths[:CLEAN_SPANS]
    every = [samples.states] if samples.smooth is None else [samples.states, samples.smooth]
    return [_compressed(_of_flow(numerator, denominator, samples, x, span)) for x in every for span in lengths]


def _compressed(columns: Array) -> Implicit:
    return Implicit(np.asarray(np.linalg.qr(columns, mode="r")), len(columns))


def _of_map(numerator: Library, denominator: Library, samples: Samples) -> Array:
    """Rows of a map: what stands for ẋ is (x(t + h) − x(t))/h."""
    found = []
    for r, n in enumerate(samples.lengths.tolist()):
        x = samples.states[r, :n]
        change = np.diff(x[..., 0], axis=0)[..., None] / (samples.step or 1.0)
        found.append(np.concatenate([_values(numerator, x)[:-1], _values(denominator, x)[:-1] * change], axis=-1))
    return np.concatenate([rows.reshape(-1, rows.shape[-1]) for rows in found])


def _of_flow(numerator: Library, denominator: Library, samples: Samples, states: Array, span: int) -> Array:
    found = []
    for r, n in enumerate(samples.lengths.tolist()):
        x, t = states[r, :n], samples.times[r, :n]
        of_values, of_states = operator([t], span)
        left = _against(of_values, _values(numerator, x))
        primitive, environment, slope = _primitives(denominator, x, t)
        right = _against(of_states, primitive * environment) - _against(of_values, primitive * slope)
        found.append(np.concatenate([left, right], axis=-1))
    return np.concatenate([rows.reshape(-1, rows.shape[-1]) for rows in found])


def _against(weights: Array, values: Array) -> Array:
    """Integrals (window, feature, term) of values (step, feature, term)."""
    return np.tensordot(weights, values, axes=1)


def _values(library: Library, x: Array) -> Array:
    """Terms at states (step, feature, channel), (step, feature, term)."""
    values = library.values(x)
    return np.broadcast_to(values, (*x.shape[:2], values.shape[-1]))


def _primitives(library: Library, x: Array, t: Array) -> tuple[Array, Array, Array]:
    """xᵃ⁺¹/(a+1) (step, feature, term) of each term xᵃ e, and e and ė (step, 1, term)."""
    from scipy.interpolate import CubicSpline

    powers = np.array([library.own[o][0] for o, _ in library.terms])
    primitive = x[..., :1] ** (powers + 1) / (powers + 1)
    environment = library.environment_monomials(library.variables(x))[..., library.environment_index]
    slope = np.asarray(CubicSpline(t, environment, axis=0)(t, 1))
    return primitive, environment[:, None], slope[:, None]
