"""Normal equations of least squares over rollouts at one point, in blocks."""

from __future__ import annotations

from dataclasses import dataclass

from ecodyn.arrays import Array

__all__ = ["Equations", "StartBlocks"]


@dataclass(frozen=True)
class Equations:
    """Normal equations at one point; ``cost`` is infinite where a rollout died."""

    cost: float
    hessians: Array
    gradients: Array
    starts: StartBlocks | None = None


@dataclass(frozen=True)
class StartBlocks:
    """The blocks of the normal equations that belong to the segments' starting states."""

    cross: Array  # (segment, parameter, feature)
    hessian: Array  # (segment, feature, feature)
    gradient: Array  # (segment, feature)
