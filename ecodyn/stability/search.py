"""Where a law's equilibria may be: closed forms where there are any, else Newton's method.

Newton's method respects symmetry: where a law treats features alike, the step from a state of m features at u and the
others at v is again of that form. So those states are searched in two unknowns, whatever the number of features.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import EXCHANGEABLE, FULL, INDEPENDENT
from ecodyn.families.law import Law
from ecodyn.families.model import FittedModel

SINGULAR = 1e-12  # smallest over largest singular value
CONSISTENT = 1e-9  # of |b|: what A x = −b may leave where A is singular
REAL = 1e-7  # imaginary part of a root, relative to the box, that rounding gives a double one

MOST_TO_ENUMERATE = 12  # features of a full Lotka-Volterra law: 2¹² sets of survivors
MOST_PRODUCTS = 1024  # combinations of single features' equilibria that a table or a reader could still use
MOST_SPLITS = 64  # numbers m of features at the larger value; with up to 65 features that is every m
LEVELS, PAIR_LEVELS = 33, 7  # values in the range from which one or two groups of features start
MOST_STARTS, FEWEST_STARTS = 256, 16  # random ones, and as many of those given
WORK = 200_000  # coefficients times starts: seconds on one core

ITERATIONS = 40  # of Newton's method: from where it converges, ten suffice
STEP = 1e-10  # of the box: a Newton step below it has arrived
RESIDUAL = 1e-9  # of the Jacobian's largest entry times the box: where J is singular, a short step may not mean f = 0
SHORTER = (0.5, 0.125)  # of a Newton step that would leave more than there was
FAR = 10.0  # boxes: what has gone that far is not followed


@dataclass(frozen=True)
class Box:
    """The range of values in which equilibria count."""

    low: float
    high: float

    @classmethod
    def around(cls, model: FittedModel) -> Box:
        """The range of the training data and its own width on either side; not below zero if the data are not."""
        known = cast("tuple[float, float] | None", model.provenance.get("range"))  # both ends, as a fit wrote them
        low, high = (-model.amplitude, model.amplitude) if known is None else known
        width = (high - low) or abs(high) or 1.0
        return cls(max(0.0, low - width) if low >= 0 else low - width, high + width)

    @property
    def scale(self) -> float:
        """What tolerances are relative to."""
        return max(abs(self.low), abs(self.high))

    def holds(self, states: Array) -> NDArray[np.bool_]:
        """Whether all features of states (state, feature) are in the range, or dead."""
        room = 1e-9 * self.scale
        inside = (states >= self.low - room) & (states <= self.high + room)
        return np.asarray((inside | (np.abs(states) <= room)).all(axis=1))


@dataclass(frozen=True)
class Candidates:
    """States with f = 0, inside the box or not.

    Attributes
    ----------
    states : array (candidate, feature), signal
    complete : whether they are all there are
    notes : sentences: what was looked for, what was left out
    """

    states: Array
    complete: bool
    notes: tuple[str, ...] = ()


def search(model: FittedModel, box: Box, starts: ArrayLike | None = None) -> Candidates:
    """All candidates, by what the law is."""
    if isinstance(model, Law):
        used = model.coefficients.any(axis=0)
        if model.library.degrees[used].sum(axis=1).max(initial=0) <= 1:
            return _affine(model)
        if model.coupling == INDEPENDENT and not model.library.functions:
            return _uncoupled(model, box)
        if model.coupling == INDEPENDENT and model.per_feature:
            return _from_states(model, box, starts)
        if model.library.affine_growth and model.interaction_matrix and len(model.features) <= MOST_TO_ENUMERATE:
            return _every_set_of_survivors(model)
    if model.coupling == FULL:
        return _from_states(model, box, starts)
    return _alike(model, box)


# ---------------------------------------------------------------------- closed forms


def solve_affine(A: Array, b: Array) -> tuple[Array | None, bool]:
    """The solution of A x + b = 0, or None; and whether there is a continuum of them (A singular, b in its range)."""
    left, singular, right = np.linalg.svd(A)
    if singular[-1] > SINGULAR * singular[0]:
        return -right.T @ ((left.T @ b) / singular), False
    null = singular <= SINGULAR * singular[0]
    return None, bool(np.abs(left[:, null].T @ b).max() <= CONSISTENT * np.abs(b).max(initial=0.0))


def _affine(law: Law) -> Candidates:
    """ẋ = A x + b, whatever the coupling: A is the Jacobian anywhere, b the slope at the origin."""
    features = len(law.features)
    origin = np.zeros((1, features, 1))
    A = law.jacobian_times(origin, np.eye(features)[None])[0]
    x, continuum = solve_affine(A, law.rhs(origin, np.zeros(1))[0, :, 0])
    if x is not None:
        return Candidates(x[None], True, ("a linear law with a regular matrix has one equilibrium",))
    why = "the matrix is singular: " + (
        "a continuum of equilibria, none singled out" if continuum else "no equilibrium"
    )
    return Candidates(np.zeros((0, features)), True, (why,))


def _uncoupled(law: Law, box: Box) -> Candidates:
    """ẋᵢ = pᵢ(xᵢ): the real roots of each polynomial, and their products."""
    features = len(law.features)
    roots = [_real_roots(law, row, box) for row in range(len(law.coefficients))]
    if len(roots) == 1:
        together = (
            "features do not interact: states whose features stand at different ones of these values are equilibria "
            "too, stable if all their values are"
        )
        return Candidates(np.outer(roots[0], np.ones(features)), True, (together,) if len(roots[0]) > 1 else ())
    if not law.coefficients.any(axis=1).all():
        return Candidates(np.zeros((0, features)), True, ("some features never change: a continuum of equilibria",))
    count = math.prod(len(r) for r in roots)
    notes: tuple[str, ...] = ()
    if count > MOST_PRODUCTS:
        roots = [_attracting(law, row, values) for row, values in enumerate(roots)]
        stable = math.prod(len(r) for r in roots)
        notes = (
            f"of {count} combinations of the features' own equilibria only the {stable} stable ones are looked at",
        )
        if stable > MOST_PRODUCTS:
            return Candidates(np.zeros((0, features)), False, (f"{notes[0]}, and those are too many to list",))
    states = np.array(list(itertools.product(*roots)), dtype=float).reshape(-1, features)
    return Candidates(states, not notes, notes)


def _polynomial(law: Law, row: int) -> Array:
    """Coefficients of one feature's polynomial, lowest power first."""
    degrees = law.library.degrees[:, 0]
    return np.asarray(np.bincount(degrees, weights=law.coefficients[row]), dtype=float)


def _real_roots(law: Law, row: int, box: Box) -> Array:
    coefficients = _polynomial(law, row)
    scaled = coefficients * box.scale ** np.arange(len(coefficients))  # roots of order one
    roots = np.roots(scaled[::-1]) if scaled.any() else np.zeros(0)
    real = np.sort(roots.real[np.abs(roots.imag) <= REAL]) * box.scale
    inside = real[box.holds(real[:, None])]
    return inside[np.diff(inside, prepend=-np.inf) > REAL * box.scale]


def _attracting(law: Law, row: int, roots: Array) -> Array:
    slope = np.polynomial.Polynomial(_polynomial(law, row)).deriv()
    return roots[np.asarray(slope(roots)) < 0]


def _every_set_of_survivors(law: Law) -> Candidates:
    """ẋᵢ = xᵢ(rᵢ + (A x)ᵢ): for every set S of features, A_SS x_S = −r_S, the others dead."""
    features = len(law.features)
    A = law.interactions()
    r = law.coefficients[:, law.library.degrees.sum(axis=1) == 1].sum(axis=1)  # of xᵢ alone, if the law has that term
    states, continua = [np.zeros(features)], 0
    for size in range(1, features + 1):
        for alive in itertools.combinations(range(features), size):
            x, continuum = solve_affine(A[np.ix_(alive, alive)], r[list(alive)])
            continua += continuum
            if x is not None:
                states.append(np.zeros(features))
                states[-1][list(alive)] = x
    notes = [f"every one of the {2**features} sets of survivors was solved for"]
    if continua:
        notes.append(f"{continua} sets of survivors have a continuum of equilibria, which is left out")
    return Candidates(np.array(states), True, tuple(notes))


# ---------------------------------------------------------------------- Newton's method


def _from_states(model: FittedModel, box: Box, starts: ArrayLike | None) -> Candidates:
    features = len(model.features)
    rng = np.random.default_rng(0)
    count = int(np.clip(WORK // max(1, model.n_coefficients), FEWEST_STARTS, MOST_STARTS))
    x = rng.uniform(box.low, box.high, (count, features))
    x[::2] *= rng.random((len(x[::2]), features)) < 0.5  # some of them dead
    x = np.concatenate([np.zeros((1, features)), x])
    if starts is not None:
        given = np.asarray(starts, dtype=float)
        if given.ndim != 2 or given.shape[1] != features:
            raise ValueError(f"expected starts of shape (state, {features} features), got {given.shape}")
        given = given[np.isfinite(given).all(axis=1)]
        x = np.concatenate([given[:: -(-len(given) // count) or 1], x])
    note = f"by Newton's method from {len(x)} states: there may be others"
    groups = np.broadcast_to(np.arange(features), x.shape)
    return Candidates(newton(model, x, groups, box), False, (note,))


def _alike(model: FittedModel, box: Box) -> Candidates:
    """States of one value, and of two where features interact: m at u and the others at v."""
    features = len(model.features)
    one = _levels(box, LEVELS)[:, None]
    states = [newton(model, one, np.zeros((len(one), features), dtype=np.intp), box)]
    if model.coupling == EXCHANGEABLE and features > 1:
        splits = np.unique(np.linspace(1, features - 1, min(MOST_SPLITS, features - 1)).round().astype(int))
        pairs = list(itertools.combinations(_levels(box, PAIR_LEVELS), 2))
        two = np.array([(u, v) for v, u in pairs for _ in splits])
        lower = np.array([np.arange(features) >= m for _ in pairs for m in splits], dtype=np.intp)
        states.append(newton(model, two, lower, box))
    values = "one value" if len(states) == 1 else "one or two values"
    note = f"among states whose features stand at {values}, by Newton's method from a grid: there may be others"
    return Candidates(np.concatenate(states), False, (note,))


def _levels(box: Box, count: int) -> Array:
    return np.unique([*np.linspace(box.low, box.high, count), 0.0])


def newton(model: FittedModel, values: Array, groups: NDArray[np.intp], box: Box) -> Array:
    """States with f = 0 reached by damped Newton steps from several starts at once.

    Parameters
    ----------
    values : array (start, group)
        Where each group of equal features starts.
    groups : array (start, feature)
        The group of each feature; the law must treat the features of a group alike.

    Returns
    -------
    array (state, feature), of the starts from which it converged.
    """
    count = values.shape[1]
    members = (groups[..., None] == np.arange(count)).astype(float)  # (start, feature, group)
    first = members.argmax(axis=1)
    w, arrived = np.array(values, dtype=float), np.zeros(len(values), dtype=bool)
    going = np.arange(len(w))
    for _ in range(ITERATIONS):
        e, f = members[going], first[going]
        x = _embed(e, w[going])
        slope = np.take_along_axis(model.rhs(x, np.zeros(len(x)))[..., 0], f, axis=1)
        jacobian = np.take_along_axis(model.jacobian_times(x, e), f[..., None], axis=1)
        step = _newton_step(jacobian, slope, (box.high - box.low) / 2)
        w[going] = _damped(model, e, f, w[going], step, np.linalg.norm(slope, axis=1))
        small = RESIDUAL * np.abs(jacobian).max(axis=(1, 2)) * box.scale
        arrived[going] = (np.abs(step).max(axis=1) <= STEP * box.scale) & (np.abs(slope).max(axis=1) <= small)
        near = (np.abs(w[going]) <= FAR * box.scale).all(axis=1)
        going = going[~arrived[going] & near]
        if not len(going):
            break
    return _embed(members[arrived], w[arrived])[..., 0]


def _embed(members: Array, values: Array) -> Array:
    """States (start, feature, 1) of groups' values (start, group)."""
    return np.asarray(members @ values[..., None])


def _damped(model: FittedModel, members: Array, first: NDArray[np.intp], w: Array, step: Array, before: Array) -> Array:
    """The values after a step that is shortened where it would leave more than there was before."""
    after = w + step
    for factor in SHORTER:
        worse = np.flatnonzero(_residual(model, members, first, after) > before)
        if not len(worse):
            break
        after[worse] = w[worse] + factor * step[worse]
    return after


def _residual(model: FittedModel, members: Array, first: NDArray[np.intp], values: Array) -> Array:
    """Norm of the slopes, (start,); infinite where the law can't be evaluated."""
    x = _embed(members, values)
    slope = np.take_along_axis(model.rhs(x, np.zeros(len(x)))[..., 0], first, axis=1)
    norm = np.linalg.norm(slope, axis=1)
    return np.where(np.isfinite(norm), norm, np.inf)


def _newton_step(jacobian: Array, slope: Array, longest: float) -> Array:
    """−J⁻¹f, no longer than so much in any group."""
    try:
        step = -np.linalg.solve(jacobian, slope[..., None])[..., 0]
    except np.linalg.LinAlgError:  # one that is exactly singular stops the whole batch
        step = -(np.linalg.pinv(jacobian) @ slope[..., None])[..., 0]
    reach = np.abs(step).max(axis=1, keepdims=True)
    return np.asarray(step * (longest / np.maximum(reach, longest)))
