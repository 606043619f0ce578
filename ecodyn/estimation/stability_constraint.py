"""Stability as a constraint: the eigenvalues of a law's Jacobian at its equilibrium, left of the axis by a margin.

Of ẋ = b + A x the Jacobian is A wherever the equilibrium is; of ẋᵢ = xᵢ(rᵢ + Σⱼ Aᵢⱼ xⱼ) it is diag(x*) A at
x* = −A⁻¹ r, which must then be above 0. Laws that treat features alike have the eigenvalues of one with two features
(all of them together, and their differences), those that see no others that of one.

An eigenvalue λ with left and right vectors y and x moves by dλ = yᴴ dJ x / yᴴx. Where several meet, λ is not
differentiable; steps are therefore judged by the eigenvalues themselves (``estimation.restriction``). Matrices whose
symmetric part is negative definite are stable and are told by linear inequalities vᵀAv < 0, which is how a first stable
law is found.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, eig

from ecodyn.arrays import Array, Bools

__all__ = ["Stability"]

MEETING = 0.5  # of |yᴴx|, 1 where eigenvectors are orthogonal: eigenvalues of less may be about to meet
NEAR = 1.0  # between eigenvalues, in the reciprocal duration: those may meet within a step
Complex = NDArray[np.complex128]
ROUNDING = 100.0  # units of the last place of a Jacobian's norm: eigenvalues are known no better
POSITIVE = 1e-3  # of a feature's mean: an equilibrium that is nearer to extinction is at extinction
DEFECTIVE = 1e-9  # of |yᴴx|: eigenvectors that have all but merged say nothing of where their eigenvalues go


@dataclass(frozen=True, eq=False)
class Stability:
    """That one block of a law is stable.

    Attributes
    ----------
    matrix : array (row, column, coefficient)
        A of coefficients: A = matrix·θ.
    rates : array (row, coefficient) or None
        r of coefficients, of laws that are proportional to their own feature.
    levels : array (row,)
        About where features are, in the data's units.
    margin : float
        Real parts are to be at most −margin, per unit of time.
    duration : float
        Of the longest run: eigenvalues are told in its reciprocal.
    step : float or None
        h of a map, whose growth per unit of time is log|1 + hλ|/h.
    name : str
        As it was given.
    statement : int
        Which of the constraints that were given it is.
    """

    matrix: Array
    rates: Array | None
    levels: Array
    margin: float
    duration: float
    step: float | None
    name: str
    statement: int

    def within(self, map_: Array) -> Stability:
        """The same of parameters p with θ = map·p."""
        return replace(self, matrix=self.matrix @ map_, rates=None if self.rates is None else self.rates @ map_)

    def excess(self, point: Array) -> Array:
        """How far each eigenvalue is right of −margin, times the duration, and an equilibrium under its least; ≤ 0."""
        found = self._jacobian(point)
        if found is None:
            return np.array([np.inf])
        jacobian, equilibrium = found
        known = ROUNDING * np.finfo(float).eps * float(np.linalg.norm(jacobian)) * self.duration
        return np.concatenate(
            [self._growth(np.asarray(np.linalg.eigvals(jacobian), dtype=complex)) + known, self._lacking(equilibrium)]
        )

    def slopes(self, point: Array) -> tuple[Array, Array]:
        """``excess`` and its derivatives (row, parameter), without eigenvalues that have none."""
        found = self._jacobian(point)
        if found is None:
            return np.zeros(0), np.zeros((0, len(point)))
        jacobian, equilibrium = found
        try:
            values, left, right = eig(jacobian, left=True)
        except LinAlgError:
            return np.zeros(0), np.zeros((0, len(point)))
        keep = values.imag >= 0  # one of each pair
        values, left, right = values[keep], left[:, keep].conj(), right[:, keep]
        products = np.einsum("ik,ik->k", left, right)
        told = np.abs(products) > DEFECTIVE
        values, left, right = values[told], left[:, told] / products[told], right[:, told]
        meeting = np.abs(products[told]) < MEETING
        by_matrix, by_rates = self._derivatives(point, equilibrium, left, right)
        if self.step is not None:
            by_matrix, by_rates = (d / (1 + self.step * values)[:, None] for d in (by_matrix, by_rates))
        slopes = self.duration * (by_matrix @ self._flat)
        if self.rates is not None:
            slopes = slopes + self.duration * (by_rates @ self.rates)
        excess, rows = self._of_pairs(values, slopes, meeting)
        of_states = self._slopes_of_equilibrium(point, equilibrium)
        return np.concatenate([excess, self._lacking(equilibrium)]), np.concatenate([rows, of_states])

    def _of_pairs(self, values: Complex, slopes: Complex, meeting: Bools) -> tuple[Array, Array]:
        """Excess and derivatives of eigenvalues; of those that are near to one another, of what stays smooth there.

        Two eigenvalues λ and μ that meet leave the axis and come back to it along square roots. Both are left of −m
        where their mean is and (λ + m)(μ + m) ≥ 0, which are smooth in all coefficients. Those whose eigenvectors stay
        apart, as a symmetric matrix's do, only cross.
        """
        excess = self._growth(values)
        if self.step is not None:
            return excess, slopes.real
        near = self.duration * (values + self.margin)
        barely_complex = np.flatnonzero((near.imag > 0) & (near.imag < NEAR) & meeting)
        pairs = [(near[k], near[k].conj(), slopes[k], slopes[k].conj()) for k in barely_complex]
        real = np.flatnonzero((near.imag == 0) & meeting)
        real = real[np.argsort(-near[real].real)]
        together = [(i, j) for i, j in itertools.pairwise(real) if abs(near[i] - near[j]) < NEAR]
        pairs += [(near[i], near[j], slopes[i], slopes[j]) for i, j in together]
        alone = np.setdiff1d(np.arange(len(values)), np.array(together, dtype=int).ravel())
        products = np.array([-(a * b).real for a, b, _, _ in pairs])
        of_products = [-(a * d + b * c).real for a, b, c, d in pairs]
        means = np.array([(near[i] + near[j]).real / 2 for i, j in together])
        found = [*slopes[alone].real, *((slopes[i] + slopes[j]).real / 2 for i, j in together), *of_products]
        rows = np.array(found).reshape(-1, slopes.shape[1])
        return np.concatenate([excess[alone], means, products]), rows

    def certain(self, size: int) -> tuple[Array, Array]:
        """Equations that put an equilibrium at the levels, (row, parameter) and (row,): so that A alone decides."""
        if self.rates is None:
            return np.zeros((0, size)), np.zeros(0)
        return self.rates + np.einsum("ijp,j->ip", self.matrix, self.levels), np.zeros(len(self.levels))

    def cuts(self, point: Array, depth: float) -> tuple[Array, Array]:
        """Inequalities vᵀAv ≤ −depth (row, parameter), (row,) for eigenvectors of A's symmetric part that are above.

        In units of the levels; empty where all are below.
        """
        scaled = self._scaled @ point
        values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
        above = vectors[:, values > -depth]
        return np.einsum("ik,ijp,jk->kp", above, self._scaled, above), np.full(above.shape[1], -depth)

    @property
    def _scaled(self) -> Array:
        """The matrix in units of the levels, (row, column, parameter)."""
        if self.rates is not None:
            return self.matrix * self.levels[:, None]  # diag(levels)⁻¹ diag(levels) A diag(levels)
        return self.matrix * self.levels[:, None] / self.levels[:, None, None]

    @property
    def _flat(self) -> Array:
        return self.matrix.reshape(-1, self.matrix.shape[-1])

    def _jacobian(self, point: Array) -> tuple[Array, Array | None] | None:
        """The Jacobian, and the equilibrium where it depends on that; None without one."""
        matrix = self.matrix @ point
        if not np.isfinite(matrix).all():
            return None
        if self.rates is None:
            return matrix, None
        try:
            equilibrium = np.asarray(np.linalg.solve(matrix, -(self.rates @ point)))
        except np.linalg.LinAlgError:
            return None
        jacobian = equilibrium[:, None] * matrix
        return (jacobian, equilibrium) if np.isfinite(jacobian).all() else None

    def _growth(self, values: Complex) -> Array:
        real = np.asarray(values.real)
        if self.step is not None:
            real = np.log(np.maximum(np.abs(1 + self.step * values), 1e-300)) / self.step
        return np.asarray(self.duration * (real + self.margin))

    def _lacking(self, equilibrium: Array | None) -> Array:
        return np.zeros(0) if equilibrium is None else np.asarray(POSITIVE - equilibrium / self.levels)

    def _derivatives(
        self, point: Array, equilibrium: Array | None, left: Complex, right: Complex
    ) -> tuple[Complex, Complex]:
        """∂λ by each element of A, (eigenvalue, element), and of r, (eigenvalue, row)."""
        count = left.shape[1]
        if equilibrium is None:
            by_matrix = np.einsum("ik,jk->kij", left, right).reshape(count, self.matrix[..., 0].size)
            return np.asarray(by_matrix, dtype=complex), np.zeros((count, 0), dtype=complex)
        matrix = self.matrix @ point
        # J = diag(x*)A, and dx* = −A⁻¹(dr + dA x*).
        weight = -np.linalg.solve(matrix.T, left * (matrix @ right))
        by_matrix = np.einsum("ik,j->kij", weight, equilibrium)
        by_matrix = by_matrix + np.einsum("ik,jk->kij", left * equilibrium[:, None], right)
        return np.asarray(by_matrix.reshape(count, self.matrix[..., 0].size), dtype=complex), np.asarray(
            weight.T, dtype=complex
        )

    def _slopes_of_equilibrium(self, point: Array, equilibrium: Array | None) -> Array:
        if equilibrium is None or self.rates is None:
            return np.zeros((0, len(point)))
        moved = self.rates + np.einsum("ijp,j->ip", self.matrix, equilibrium)
        return np.asarray(np.linalg.solve(self.matrix @ point, moved) / self.levels[:, None])
