"""Damped Gauss-Newton over the stages of multiple shooting, every step of it under constraints."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ecodyn.arrays import Array
from ecodyn.estimation.damped_descent import DampedDescent, solve
from ecodyn.estimation.restriction import Restriction
from ecodyn.estimation.shooting_equations import Objective, Question

__all__ = ["ConstrainedDescent"]

STUCK = 1e-3  # of the squares that a step to first order would take off, where steps are cut short: no optimum


class ConstrainedDescent(DampedDescent):
    """Steps are minima of the damped quadratic model under the constraints, so that all trials hold them.

    Its optimality is that of the Karush-Kuhn-Tucker conditions: an undamped step under constraints gains nothing where
    the gradient is a combination of what is active, with the right signs.
    """

    def __init__(self, parameters: Array, ridge: float, restriction: Restriction) -> None:
        super().__init__(parameters, ridge)
        self.restriction, self._judged = restriction, False

    def run(
        self, objective: Objective, tolerance: float, max_iterations: int, *, enough: float = 0.0
    ) -> Generator[Question, Any, bool]:
        """One stage; what has only come to where stability cuts steps short has not converged."""
        finished = yield from super().run(objective, tolerance, max_iterations, enough=enough)
        if finished and self.converged and self.restriction.stability and not self.optimality(objective.exact) < STUCK:
            self.converged, self.status = False, "stopped where further steps lead to laws that are not stable"
        return finished

    def optimality(self, exact: float) -> float:
        """Share of the cost that an undamped step would take off, stability to first order."""
        self._judged = True
        try:
            return super().optimality(exact)
        finally:
            self._judged = False

    def solved(self, matrix: Array, target: Array) -> Array:
        """The step under the constraints; the unconstrained one, bit for bit, where that holds them."""
        unconstrained = solve(matrix, target)
        return self.restriction.step(matrix, target, self.parameters, unconstrained, linearised=self._judged)
