"""Normal equations of least squares over rollouts at one point, in blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers

__all__ = ["Equations", "StartBlocks"]


@dataclass(frozen=True)
class Equations:
    """Normal equations at one point; ``cost`` is infinite where a rollout died."""

    cost: float
    hessians: Array
    gradients: Array
    starts: StartBlocks | None = None

    def profiled(self, run: Integers) -> tuple[Array, Array]:
        """Hessians and gradients of each run with the starting states at their optimum for any parameters.

        What starting states can make up for, the data don't tell of the parameters; ``run`` is each segment's.
        """
        if self.starts is None:
            return self.hessians, self.gradients
        hessians, gradients = self.hessians.copy(), self.gradients.copy()
        blocks = self.starts
        target = np.concatenate([blocks.cross.swapaxes(1, 2), blocks.gradient[..., None]], axis=2)
        # Features that do not move count for nothing, and have an empty block.
        solved = np.linalg.pinv(blocks.hessian, hermitian=True) @ target
        np.subtract.at(hessians, run, blocks.cross @ solved[..., :-1])
        np.subtract.at(gradients, run, (blocks.cross @ solved[..., -1:])[..., 0])
        return hessians, gradients


@dataclass(frozen=True)
class StartBlocks:
    """The blocks of the normal equations that belong to the segments' starting states."""

    cross: Array  # (segment, parameter, feature)
    hessian: Array  # (segment, feature, feature)
    gradient: Array  # (segment, feature)
