"""Damped Gauss-Newton over the stages of multiple shooting, every step of it under constraints."""

from __future__ import annotations

from ecodyn.arrays import Array
from ecodyn.estimation.damped_descent import DampedDescent, solve
from ecodyn.estimation.restriction import Restriction

__all__ = ["ConstrainedDescent"]


class ConstrainedDescent(DampedDescent):
    """Steps are minima of the damped quadratic model under the constraints, so that all trials hold them.

    Its optimality is that of the Karush-Kuhn-Tucker conditions: an undamped step under constraints gains nothing where
    the gradient is a combination of what is active, with the right signs.
    """

    def __init__(self, parameters: Array, ridge: float, restriction: Restriction) -> None:
        super().__init__(parameters, ridge)
        self.restriction = restriction

    def solved(self, matrix: Array, target: Array) -> Array:
        """The step under the constraints; the unconstrained one, bit for bit, where that holds them."""
        return self.restriction.step(matrix, target, self.parameters, solve(matrix, target))
