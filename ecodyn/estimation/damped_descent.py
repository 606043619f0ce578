"""Levenberg and Marquardt's damped Gauss-Newton over the stages of multiple shooting."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.normal_blocks import Equations, StartBlocks, floored
from ecodyn.estimation.shooting_equations import Objective, Question, Trial

__all__ = ["DampedDescent", "solve"]

MAX_DAMPING = 1e8  # of the Hessian's diagonal: a step is then rounding
SLOW_SHARE, SLOW_GAIN = 4, 1e-2  # a quarter of the steps that gains no more: what doesn't hold the data creeps on


class DampedDescent:
    """Damped Gauss-Newton over the stages: parameters, the segments' starting states, and how it went."""

    def __init__(self, parameters: Array, ridge: float) -> None:
        self.parameters, self.anchor, self.ridge = parameters, parameters.copy(), ridge
        self.starts: Array
        self.iterations = 0
        self.converged = False
        self.status = ""
        self.equations: Equations

    def run(
        self, objective: Objective, tolerance: float, max_iterations: int, *, enough: float = 0.0
    ) -> Generator[Question, Any, bool]:
        """One stage, from where the last one ended; false if its rollouts diverge from there.

        It ends where a step takes off less than a share ``tolerance`` of the cost, or that is no more than ``enough``.
        """
        starts = objective.first_starts()
        current = yield Trial(objective, self.parameters, starts)
        if not np.isfinite(current.cost):
            return False
        self.starts, self.equations, self.converged, self.status = (
            starts,
            current,
            False,
            "iteration limit reached",
        )
        damping, costs = 1e-3, [self._total(self.parameters, current)]
        slow = max(1, max_iterations // SLOW_SHARE)
        for _ in range(max_iterations):
            self.iterations += 1
            step, start_step = self._step(damping)
            trial = yield Trial(objective, self.parameters + step, self.starts + start_step)
            before, after = (
                self._total(self.parameters, self.equations),
                self._total(self.parameters + step, trial),
            )
            if after < before:
                self.parameters, self.starts = self.parameters + step, self.starts + start_step
                self.equations, damping = trial, damping / 5
            else:
                damping *= 8
            gained_little = after < before and before - after <= tolerance * before
            if gained_little or damping > MAX_DAMPING or self.equations.cost <= enough:
                self.converged, self.status = True, "converged"
                break
            costs.append(min(costs[-1], after))
            # Steps that gain nothing at all are an optimum's: damping soon says so.
            if len(costs) > slow and costs[-1 - slow] > costs[-1] > (1 - SLOW_GAIN) * costs[-1 - slow]:
                self.status = f"stopped: a quarter of the steps gained less than {SLOW_GAIN:.0%}"
                break
        return True

    def let_go(self) -> None:
        """No longer be pulled towards where the search began."""
        self.ridge = 0.0

    def optimality(self, exact: float) -> float:
        """Share of the cost that an undamped step would take off; 0 where the cost is no more than ``exact``."""
        gradient = self.equations.gradients.sum(axis=0) + self._penalty() * (self.parameters - self.anchor)
        cost = self._total(self.parameters, self.equations)
        if cost <= exact:
            return 0.0
        try:
            step, start_step = self._step(0.0)
        except np.linalg.LinAlgError:
            return float("nan")
        gain = -float(gradient @ step)
        if self.equations.starts is not None:
            gain -= float(np.sum(self.equations.starts.gradient * start_step))
        return gain / cost if not gain < 0 else 0.0

    def _penalty(self) -> Array:
        return self.ridge * np.diagonal(self.equations.hessians.sum(axis=0))

    def _total(self, parameters: Array, equations: Equations) -> float:
        return equations.cost + float(np.sum(self._penalty() * (parameters - self.anchor) ** 2))

    def _step(self, damping: float) -> tuple[Array, Array]:
        hessian = self.equations.hessians.sum(axis=0)
        penalty = self._penalty()
        gradient = self.equations.gradients.sum(axis=0) + penalty * (self.parameters - self.anchor)
        hessian = hessian + np.diag(penalty + damping * floored(np.diagonal(hessian)))
        if self.equations.starts is None:
            return self.solved(hessian, -gradient), np.zeros_like(self.starts)
        return self._step_with_starts(hessian, gradient, self.equations.starts, damping)

    def solved(self, matrix: Array, target: Array) -> Array:
        """A step of the parameters from its normal equations."""
        return solve(matrix, target)

    def _step_with_starts(
        self, hessian: Array, gradient: Array, blocks: StartBlocks, damping: float
    ) -> tuple[Array, Array]:
        """Eliminate the starting states, which are private to their segments (a Schur complement)."""
        solved = blocks.solved(damping)
        reduced = hessian - np.einsum("bpk,bkq->pq", blocks.cross, solved[..., :-1])
        step = self.solved(reduced, -(gradient - np.einsum("bpk,bk->p", blocks.cross, solved[..., -1])))
        return step, -(solved[..., -1] + solved[..., :-1] @ step)


def solve(matrix: Array, target: Array) -> Array:
    """The solution of a linear system, the shortest one where the matrix is singular."""
    try:
        return np.asarray(np.linalg.solve(matrix, target))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(matrix, target, rcond=None)[0])
