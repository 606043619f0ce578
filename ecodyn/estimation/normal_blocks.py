"""Normal equations of least squares over rollouts at one point, in blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array

__all__ = ["Equations", "StartBlocks", "floored"]

LIFT = 1e-14  # of the largest diagonal element of all segments, to each: rounding, beside any start that matters


@dataclass(frozen=True)
class Equations:
    """Normal equations at one point; ``cost`` is infinite where a rollout died."""

    cost: float
    hessians: Array
    gradients: Array
    starts: StartBlocks | None = None

    def reduced(self) -> Equations:
        """The same with starting states at their optimum whatever the coefficients are, by run: Schur complements.

        What a start can make up for says nothing of a coefficient.
        """
        if self.starts is None:
            return self
        solved = self.starts.solved()
        shape = (len(self.gradients), -1)
        hessians = np.einsum("bpk,bkq->bpq", self.starts.cross, solved[..., :-1])
        gradients = np.einsum("bpk,bk->bp", self.starts.cross, solved[..., -1])
        return replace(
            self,
            hessians=self.hessians - hessians.reshape(*shape, *hessians.shape[1:]).sum(axis=1),
            gradients=self.gradients - gradients.reshape(*shape, gradients.shape[1]).sum(axis=1),
            starts=None,
        )


@dataclass(frozen=True)
class StartBlocks:
    """The blocks of the normal equations that belong to the segments' starting states."""

    cross: Array  # (segment, parameter, feature)
    hessian: Array  # (segment, feature, feature)
    gradient: Array  # (segment, feature)

    def solved(self, damping: float = 0.0) -> Array:
        """H⁻¹(Cᵀ, g) of each segment's own block H, (segment, feature, parameter + 1), its diagonal damped.

        A start that nothing depends on (of a feature that doesn't count, of a segment of no length) stays where it is.
        """
        diagonal = np.einsum("bii->bi", self.hessian)
        lift = damping * floored(diagonal) + LIFT * max(float(np.max(diagonal)), 1e-300)
        own = self.hessian + np.einsum("bi,ij->bij", lift, np.eye(diagonal.shape[1]))
        return np.linalg.solve(own, np.concatenate([self.cross.swapaxes(1, 2), self.gradient[..., None]], axis=2))


def floored(diagonal: Array) -> Array:
    """A Hessian's diagonal with zeros lifted, so that damping bounds every direction."""
    return np.maximum(diagonal, 1e-12 * max(float(np.max(diagonal)), 1e-300))
