"""Equilibria of a fitted law, ẋ = f(x*) = 0, and what becomes of states near them.

Near x* a deviation δ obeys δ̇ = J δ with J = ∂f/∂x at x*: it decays along eigenvectors of J whose eigenvalues have
negative real parts and grows along the others, unless a real part is zero (Hartman and Grobman; Strogatz 1994, section
6.4). How equilibria are searched for is ``ecodyn.stability.search``'s business; here they are kept, ordered and named.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE
from ecodyn.families.model import FittedModel
from ecodyn.runtime.json_values import plain
from ecodyn.stability.search import Box, search
from ecodyn.trajectories.labels import Label

HYPERBOLIC = 1e-6  # of the largest |λ|: below it a real or imaginary part is taken for zero
SAME_VALUE = 1e-6  # of the box: features this close stand at one value, states this close are one state
TINY = 1e-300  # a multiplier of zero: gone in one step, and still a logarithm
ZERO = 1e-12  # of the box: what Newton's method leaves of a dead feature

STABLE = ("stable node", "stable focus")  # of the kinds that `stability` gives


@dataclass(frozen=True, kw_only=True)
class Equilibria:
    """Equilibria of a law, stable ones first, then by the number of directions in which they repel.

    Attributes
    ----------
    states : array (equilibrium, feature)
    eigenvalues : complex array (equilibrium, feature), per step, largest real part first; of a map log(1 + hλ)/h, so
        that a negative real part means stable there too
    residuals : array (equilibrium,), the largest absolute ẋᵢ left, signal per step
    stability : of each: "stable node", "stable focus", "unstable node", "unstable focus", "saddle", or
        "non-hyperbolic" where a real part is too near zero for eigenvalues to tell
    arrangements : of each, how many states relabelling the features makes of it; 1 where features have names
    alike : whether the law treats all features alike, so that a state says how many stand where, not which
    features : labels
    low, high : the range of values in which it was looked for
    notes : sentences: what was looked for, what was left out
    """

    states: Array
    eigenvalues: NDArray[np.complex128]
    residuals: Array
    stability: tuple[str, ...]
    arrangements: tuple[int, ...]
    features: tuple[Label, ...]
    low: float
    high: float
    alike: bool
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.states)

    @cached_property
    def stable(self) -> NDArray[np.bool_]:
        """Which of them attract all states nearby."""
        return np.array([word in STABLE for word in self.stability], dtype=bool)

    @cached_property
    def unstable_directions(self) -> NDArray[np.intp]:
        """How many eigenvalues of each have positive real parts."""
        return _repelling(self.eigenvalues)

    def groups(self, number: int) -> tuple[tuple[float, int], ...]:
        """The values of one state's features, largest first, and how many features stand at each."""
        return _groups(self.states[number], SAME_VALUE * max(abs(self.low), abs(self.high)))

    @cached_property
    def stable_survivors(self) -> tuple[int, ...]:
        """How many features can stand stably above the rest, in states of two values, where features are alike."""
        groups = [self.groups(int(n)) for n in np.flatnonzero(self.stable)] if self.alike else []
        return tuple(sorted({upper for (_, upper), *rest in groups if len(rest) == 1}))

    def to_json(self) -> dict[str, object]:
        """As JSON can hold it, eigenvalues as [real, imaginary]."""
        return {
            "low": self.low,
            "high": self.high,
            "features": [plain(f) for f in self.features],
            "notes": list(self.notes),
            "equilibria": [
                {
                    "state": self.states[n].tolist(),
                    "stability": self.stability[n],
                    "eigenvalues": [[float(v.real), float(v.imag)] for v in self.eigenvalues[n]],
                    "unstable_directions": int(self.unstable_directions[n]),
                    "residual": float(self.residuals[n]),
                    "arrangements": self.arrangements[n],
                }
                for n in range(len(self))
            ],
        }


def find_equilibria(model: FittedModel, starts: ArrayLike | None = None) -> Equilibria:
    """Equilibria of an autonomous law within, or not far from, the range of its training data.

    Not far: up to one width of that range beyond either end; never below zero if no data are; and a feature may
    always stand at zero. Linear laws are solved; independent laws by their polynomials' roots; full Lotka-Volterra
    laws of up to 12 features for every set of survivors; laws that treat features alike by Newton's method among the
    states of one or two values (m features at u, the others at v, every m), from a grid of values; and anything else by
    Newton's method from random states of that range, and from ``starts``.

    Parameters
    ----------
    model : FittedModel
    starts : array (state, feature), optional
        Further states for Newton's method to begin from, such as those of the data; used for full laws alone.

    Raises
    ------
    ValueError
        The law is not autonomous.

    Examples
    --------
    >>> from ecodyn import LotkaVolterra, find_equilibria
    >>> steps = np.arange(60.0)
    >>> x = 2 / (1 + np.array([9.0, 4.0]) * np.exp(-0.2 * steps[:, None]))
    >>> law = LotkaVolterra(coupling="independent").fit(x).model_
    >>> equilibria = find_equilibria(law)
    >>> print(equilibria.states.round(3), equilibria.stability)
    [[2. 2.]
     [0. 0.]] ('stable node', 'unstable node')
    """
    if model.channels != model.measured:
        hidden = ", ".join(channel for channel in model.channels if channel not in model.measured)
        raise ValueError(
            "expected an autonomous law of the signal alone to find equilibria of, got "
            f"{model.family}/{model.coupling} with the hidden {hidden}"
        )
    if not model.autonomous:
        driven = getattr(model, "drive", None) is not None
        timed = "driven by a clock" if driven else "whose equation depends on time"
        if model.inputs:
            timed = f"which depends on the input {', '.join(model.inputs)}"
        clock = "" if len(model.channels) > 1 else f", {timed}"
        raise ValueError(
            "expected an autonomous law of the signal alone to find equilibria of, got "
            f"{model.family}/{model.coupling} with the state {model.state}{clock}; fit it with --state signal and "
            "without a clock or inputs"
        )
    box = Box.around(model)
    candidates = search(model, box, starts)
    alike = model.coupling == EXCHANGEABLE
    states = candidates.states if not alike else -np.sort(-candidates.states, axis=1)
    states = np.where(np.abs(states) <= ZERO * box.scale, 0.0, states)
    inside = box.holds(states)
    states = _distinct(states[inside], SAME_VALUE * box.scale)
    outside = len(_distinct(candidates.states[~inside], SAME_VALUE * box.scale)) if candidates.complete else 0
    notes = candidates.notes
    if outside:
        notes = (*notes, f"{outside} more outside that range left out")
    return _described(model, states, box, notes)


def _described(model: FittedModel, states: Array, box: Box, notes: tuple[str, ...]) -> Equilibria:
    count, features = states.shape
    x = states[..., None]
    if count:
        jacobians = model.jacobian_times(x, np.broadcast_to(np.eye(features), (count, features, features)))
        values = _rates(np.linalg.eigvals(jacobians).astype(complex), model.step)
        values = np.take_along_axis(values, np.argsort(-values.real, axis=1, kind="stable"), axis=1)
        residuals = np.abs(model.rhs(x, np.zeros(count))[..., 0]).max(axis=1)
    else:
        values, residuals = np.zeros((0, features), dtype=complex), np.zeros(0)
    words = np.array([stability(v) for v in values], dtype=object)
    unsure = np.array([word not in STABLE for word in words], dtype=bool)
    order = np.lexsort((-states.sum(axis=1), _repelling(values), unsure))
    alike, tolerance = model.coupling == EXCHANGEABLE, SAME_VALUE * box.scale
    return Equilibria(
        states=states[order],
        eigenvalues=values[order],
        residuals=residuals[order],
        stability=tuple(str(w) for w in words[order]),
        arrangements=tuple(_arrangements(states[n], tolerance) if alike else 1 for n in order),
        features=model.features,
        low=box.low,
        high=box.high,
        alike=alike,
        notes=notes,
    )


def _rates(eigenvalues: NDArray[np.complex128], step: float | None) -> NDArray[np.complex128]:
    """Rates per step at which deviations grow: λ of a flow; log(1 + hλ)/h of a map, which multiplies them by 1 + hλ."""
    if step is None:
        return eigenvalues
    multipliers = 1.0 + step * eigenvalues
    return np.asarray(np.log(np.where(multipliers == 0, TINY, multipliers)) / step, dtype=complex)


def stability(eigenvalues: ArrayLike) -> str:
    """The name of an equilibrium whose Jacobian has these eigenvalues."""
    values = np.asarray(eigenvalues, dtype=complex)
    negligible = float(_negligible(values[None])[0, 0])
    if not len(values) or np.any(np.abs(values.real) <= negligible):
        return "non-hyperbolic"
    growing = values.real > 0
    if growing.any() and not growing.all():
        return "saddle"
    kind = "focus" if np.any(np.abs(values.imag) > negligible) else "node"
    return f"unstable {kind}" if growing.any() else f"stable {kind}"


def _negligible(eigenvalues: NDArray[np.complex128]) -> Array:
    return np.asarray(HYPERBOLIC * np.abs(eigenvalues).max(axis=1, initial=0.0, keepdims=True))


def _repelling(eigenvalues: NDArray[np.complex128]) -> NDArray[np.intp]:
    """How many of each row have positive real parts."""
    return np.asarray((eigenvalues.real > _negligible(eigenvalues)).sum(axis=1))


def _distinct(states: Array, tolerance: float) -> Array:
    """The states, each once."""
    kept: list[Array] = []
    for state in states:
        if not kept or np.abs(np.array(kept) - state).max(axis=1).min() > tolerance:
            kept.append(state)
    return np.array(kept).reshape(len(kept), states.shape[1])


def _groups(state: Array, tolerance: float) -> tuple[tuple[float, int], ...]:
    ordered = -np.sort(-state)
    parts = np.split(ordered, np.flatnonzero(-np.diff(ordered) > tolerance) + 1)
    return tuple((float(p.mean()), len(p)) for p in parts)


def _arrangements(state: Array, tolerance: float) -> int:
    """K!/(m₁! m₂! …) for groups of m₁, m₂, … equal features."""
    sizes = [size for _, size in _groups(state, tolerance)]
    return math.factorial(len(state)) // math.prod(math.factorial(size) for size in sizes)
