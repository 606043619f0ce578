"""Damped Gauss-Newton (Levenberg-Marquardt) under a quadratic prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.damped_descent import MAX_DAMPING, solve
from ecodyn.estimation.network_equations import NormalEquations

__all__ = ["Descent", "Objective", "Prior", "descend"]

DAMPING = 1e-2  # of the Hessian's diagonal, where a descent begins
ROUNDING = 1e-12  # of the total: a step that is expected to bring less can't be told from rounding
PATIENCE = 2  # small steps, one after the other, that end a descent
FLOOR = 1e-9  # of the largest diagonal element, that any element counts as in damping


class Objective(Protocol):
    """What is minimised beside the prior."""

    def cost(self, parameters: Array) -> float:
        """The cost alone; infinite where rollouts die."""

    def equations(self, parameters: Array) -> NormalEquations:
        """The cost with its normal equations."""


@dataclass(frozen=True)
class Prior:
    """λ|θ − anchor|², beside the cost."""

    strength: float
    anchor: Array

    def penalty(self, parameters: Array) -> float:
        """Of these parameters."""
        return self.strength * float(np.sum((parameters - self.anchor) ** 2))

    def gradient(self, parameters: Array) -> Array:
        """Half its derivative."""
        return np.asarray(self.strength * (parameters - self.anchor))


@dataclass(frozen=True)
class Descent:
    """Where a descent ended: parameters, the normal equations there, and how it went."""

    parameters: Array
    equations: NormalEquations
    prior: Prior
    converged: bool
    iterations: int

    @property
    def total(self) -> float:
        """Cost and prior."""
        return self.equations.cost + self.prior.penalty(self.parameters)

    @property
    def gradient(self) -> Array:
        """Half the derivative of the total by the parameters."""
        return np.asarray(self.equations.gradient + self.prior.gradient(self.parameters))


def descend(
    objective: Objective, parameters: Array, *, prior: Prior, tolerance: float, max_iterations: int
) -> Descent | None:
    """Minimise cost and prior from some parameters; None where their rollouts die.

    Done when each of two steps running brings no more than ``tolerance`` of the total: plateaus have slow beginnings.
    Damping follows the ratio of what a step brings to what it was expected to (Nielsen 1999). A step is tried by its
    cost alone, which takes a tenth of the normal equations.
    """
    equations = objective.equations(parameters)
    if not np.isfinite(equations.cost):
        return None
    total, damping, raised, iterations = equations.cost + prior.penalty(parameters), DAMPING, 2.0, 0
    small, converged = 0, False
    while iterations < max_iterations and not converged:
        iterations += 1
        hessian = equations.hessian + prior.strength * np.eye(len(parameters))
        gradient = equations.gradient + prior.gradient(parameters)
        diagonal = np.diagonal(hessian)
        scale = np.maximum(diagonal, FLOOR * diagonal.max())
        while True:
            step = solve(hessian + np.diag(damping * scale), -gradient)
            expected = float(step @ (damping * scale * step - gradient))
            after = objective.cost(parameters + step) + prior.penalty(parameters + step)
            if after < total:
                break
            damping, raised = damping * raised, 2 * raised
            if damping > MAX_DAMPING or expected <= ROUNDING * total:
                return Descent(parameters, equations, prior, True, iterations)
        ratio = (total - after) / expected
        damping, raised = damping * max(1 / 3, 1 - (2 * ratio - 1) ** 3), 2.0
        small = small + 1 if total - after <= tolerance * total else 0
        converged = small == PATIENCE
        parameters, total = parameters + step, after
        equations = objective.equations(parameters)
    return Descent(parameters, equations, prior, converged, iterations)
