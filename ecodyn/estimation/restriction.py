"""Constraints on a law's coefficients, in the coordinates of whatever fits them.

Constraints are on coefficients in the data's units. Fits go by others (scaled, centred, normalised, some terms alone),
θ = map·p, and take the constraints with them: linear ones stay linear. Equations are eliminated; inequalities are those
of a quadratic programme (``estimation.bounded_squares``); stability is linearised where a step begins, and no step ends
where a law is not stable: one that would is mended by linearising again, or cut short.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import null_space

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.estimation.bounded_squares import bounded_squares
from ecodyn.estimation.linear_constraints import Elimination, LinearConstraints
from ecodyn.estimation.stability_constraint import Stability

__all__ = ["HELD", "Restriction"]

HELD = 1e-9  # relative, of rows of length 1: what a step may leave of a constraint, and what is at its bound
INSIDE = 1e-7  # of the reciprocal duration: how far inside the margin linearised eigenvalues are aimed
AT_MARGIN = 0.02  # of a margin: an eigenvalue that is so near to it is held by its constraint
PLANES = 10  # rounds of them: what is left over is cut short
MENDED = 6  # linearisations of a step that led out
ROUNDS = 60  # linearisations of a fit in closed form: a few where eigenvalues are apart
SETTLED = 1e-10  # relative gain of one, at which it is done
CUTS = 200  # rounds of cutting planes for a first stable law
DEEP = 4.0  # margins that cuts aim at, so that few of them reach one
LIFT = 1e-14  # of a Hessian's largest eigenvalue: less is rounding of zero
SHORTENED = 40  # halvings of a step to a stable law


@dataclass(frozen=True, eq=False)
class Restriction:
    """Constraints on parameters (parameter,): rows of length 1; ``given`` are those that they are from, as text."""

    linear: LinearConstraints
    stability: tuple[Stability, ...] = ()
    given: tuple[str, ...] = ()

    @cached_property
    def _equations(self) -> Elimination:
        rows, equal = self.linear, self.linear.equal
        found = Elimination.of(rows.matrix[equal], rows.limits[equal])
        if found is None:
            raise ValueError("expected constraints that parameters can fulfil; see LinearConstraints.contradictory")
        return found

    @cached_property
    def _convex(self) -> bool:
        """Whether the equations make all matrices symmetric: their largest eigenvalue is convex."""
        found, parts = self._equations, [s.matrix for s in self.stability if s.rates is None]
        sides = [part @ np.column_stack([found.origin, found.basis]) for part in parts]
        alike = all(np.abs(side - side.swapaxes(0, 1)).max() <= HELD * np.abs(side).max() for side in sides)
        return alike and len(parts) == len(self.stability) and all(s.step is None for s in self.stability)

    def possible(self) -> bool:
        """Whether anything fulfils the linear constraints."""
        return self.linear.possible()

    def holds(self, point: Array) -> bool:
        """Whether all are held, linear ones up to rounding and stability surely."""
        return bool((self.linear.exceeded(point) <= HELD).all()) and self._is_stable(point)

    def _is_stable(self, point: Array) -> bool:
        return all(bool((s.excess(point) <= 0).all()) for s in self.stability)

    def minimum(self, root: Array, target: Array) -> Array:
        """The minimum of |Rp − b|² under the constraints, with R = ``root`` and b = ``target``.

        Raises
        ------
        UnusableDataError
            No stable law was found.
        """
        found = self._quadratic(root, target)
        if found is None:
            raise ValueError("expected constraints that parameters can fulfil; see LinearConstraints.contradictory")
        if self._is_stable(found):
            return found
        point = self._stable_near(root, target, found)
        for _ in range(ROUNDS):
            better = self._better(root, target, point)
            if better is None:
                break
            before, now = _squares(root, target, point), _squares(root, target, better)
            point = better
            if before - now <= SETTLED * before:
                break
        return point

    def step(
        self, matrix: Array, target: Array, point: Array, unconstrained: Array, *, linearised: bool = False
    ) -> Array:
        """The step Δ with least ½ΔᵀHΔ − cᵀΔ, H = ``matrix`` and c = ``target``, from a point that holds all to another.

        ``unconstrained`` is H⁻¹c, and the answer where it leads to such a point. With ``linearised`` stability is what
        it is to first order, as optimality asks.
        """
        if self.holds(point + unconstrained):
            return unconstrained
        root = np.asarray(np.linalg.cholesky(_lifted(matrix)).T)
        centre = np.asarray(np.linalg.solve(root.T, target) + root @ point)
        found = self._ahead(root, centre, point) if linearised else self._better(root, centre, point)
        return np.zeros_like(point) if found is None else found - point

    def _better(self, root: Array, target: Array, point: Array) -> Array | None:
        """A point that costs less than one that holds all, and holds all; None where none is found."""
        before, ahead = _squares(root, target, point), self._ahead(root, target, point)
        if ahead is None or self._is_stable(ahead):
            return ahead
        mended = self._mended(root, target, ahead, point)
        if mended is not None and _squares(root, target, mended) < before:
            return mended
        return self._shortened(point, ahead, root, target)

    def _ahead(self, root: Array, target: Array, point: Array) -> Array | None:
        """The minimum with stability linearised at a point; of symmetric matrices, by planes that cut off all others.

        The largest eigenvalue of those is convex, and of several that cross there each direction has planes of its own.
        """
        near, ahead = [point], self._quadratic(root, target, point)
        for _ in range(PLANES if self._convex else 0):
            if ahead is None or self._is_stable(ahead):
                break
            near.append(ahead)
            ahead = self._quadratic(root, target, *near)
        return ahead

    def _quadratic(self, root: Array, target: Array, *near: Array) -> Array | None:
        """The minimum of |Rp − b|² under the linear constraints, and stability linearised ``near`` some points."""
        parts = [(self.linear.matrix[~self.linear.equal], self.linear.limits[~self.linear.equal])]
        for stability, point in itertools.product(self.stability, near):
            excess, slopes = stability.slopes(point)
            parts.append((slopes, slopes @ point - excess - INSIDE))
        return _within(root, target, parts, self._equations)

    def _mended(self, root: Array, target: Array, point: Array, *near: Array) -> Array | None:
        """A stable minimum from an unstable one by linearising there as well, and again; None if it stays unstable.

        From a point ``near`` that is stable on, all linearisations are kept, which where eigenvalues cross are several.
        """
        for _ in range(MENDED):
            ahead = self._quadratic(root, target, *near, point)
            if ahead is None or not np.isfinite(ahead).all():
                return None
            if self._is_stable(ahead):
                return ahead
            near, point = ((*near, point) if near else ()), ahead
        return None

    def _shortened(self, point: Array, ahead: Array, root: Array, target: Array) -> Array | None:
        """The longest of ever shorter steps to a point that is stable and costs less; None of none."""
        before, share = _squares(root, target, point), 1.0
        for _ in range(SHORTENED):
            there = point + share * (ahead - point)
            if self._is_stable(there) and _squares(root, target, there) < before:
                return there
            share /= 2
        return None

    def _stable_near(self, root: Array, target: Array, unstable: Array) -> Array:
        """A stable law from which to go on: what linearising leads to, or else one by cutting planes."""
        found = self._mended(root, target, unstable)
        if found is None:
            found = self._by_cuts(root, target)
        if found is not None:
            return found
        name = self.stability[0].name
        others = [text for text in self.given if text != name]
        beside = f" that holds {' and '.join(map(repr, others))} too" if others else ""
        raise UnusableDataError(
            f"found no law for which {name!r} holds{beside}; a smaller margin, such as 'stable by 0.001', or fewer "
            "constraints may leave one"
        )

    def _by_cuts(self, root: Array, target: Array) -> Array | None:
        """A stable law near the minimum whose matrix has a negative definite symmetric part; None without any."""
        certain = [s.certain(root.shape[1]) for s in self.stability]
        equal = np.concatenate([self.linear.matrix[self.linear.equal], *(m for m, _ in certain)])
        limits = np.concatenate([self.linear.limits[self.linear.equal], *(v for _, v in certain)])
        norms = np.maximum(np.linalg.norm(equal, axis=1), 1e-300)
        equations = Elimination.of(equal / norms[:, None], limits / norms)
        parts = [(self.linear.matrix[~self.linear.equal], self.linear.limits[~self.linear.equal])]
        for _ in range(CUTS if equations is not None else 0):
            point = _within(root, target, parts, equations)
            if point is None or self._is_stable(point):
                return point
            cuts = [s.cuts(point, DEEP * s.margin) for s in self.stability]
            if not any(len(m) for m, _ in cuts):
                return None
            parts += cuts
        return None

    def at_bounds(self, point: Array) -> tuple[list[int], list[Stability]]:
        """Rows of the linear inequalities that are active at a point, and what is at its margin of stability."""
        rows = self.linear
        near = np.abs(rows.matrix @ point - rows.limits) <= HELD * rows.size(point)
        active = np.flatnonzero(~rows.equal & near & rows.matrix.any(axis=1)).tolist()
        return active, [s for s in self.stability if (s.excess(point) > -AT_MARGIN * s.margin * s.duration).any()]

    def directions(self, point: Array) -> Array:
        """Orthonormal directions (parameter, direction) in which a point may move while what is active stays so."""
        active, at_margin = self.at_bounds(point)
        rows = [self.linear.matrix[self.linear.equal], self.linear.matrix[active]]
        for stability in at_margin:
            excess, slopes = stability.slopes(point)
            near = slopes[excess > -AT_MARGIN * stability.margin * stability.duration]
            rows.append(near / np.maximum(np.linalg.norm(near, axis=1, keepdims=True), 1e-300))
        matrix = np.concatenate(rows)
        return np.asarray(null_space(matrix)) if len(matrix) else np.eye(len(point))


def _within(
    root: Array, target: Array, parts: Sequence[tuple[Array, Array]], equations: Elimination | None
) -> Array | None:
    """The minimum of |Rp − b|² under inequalities, in parts, and equations that were eliminated."""
    if equations is None:
        return None
    matrix, limits = np.concatenate([m for m, _ in parts]), np.concatenate([v for _, v in parts])
    found = bounded_squares(
        root @ equations.basis,
        target - root @ equations.origin,
        matrix @ equations.basis,
        limits - matrix @ equations.origin,
    )
    return None if found is None else equations.origin + equations.basis @ found.point


def _squares(root: Array, target: Array, point: Array) -> float:
    return float(np.sum((root @ point - target) ** 2))


def _lifted(matrix: Array) -> Array:
    """A Hessian with what rounding has made of its zeros lifted, so that it has a Cholesky factor."""
    symmetric = (matrix + matrix.T) / 2
    values, vectors = np.linalg.eigh(symmetric)
    lift = LIFT * max(float(values[-1]), 1e-300)
    return symmetric if values[0] > lift else np.asarray((vectors * np.maximum(values, lift)) @ vectors.T)
