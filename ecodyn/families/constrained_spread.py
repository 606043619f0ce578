"""What diagnostics take of constraints: what the runs say along the directions that active ones leave."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array, Bools
from ecodyn.estimation import ShootingResult
from ecodyn.families.constraints_held import ConstraintsHeld

__all__ = ["Block", "inverse_within", "status_of", "together"]

Block = tuple[tuple[NDArray[Any], ...], Array, Array]
"""Indices of coefficients, with their runs' Hessians and gradients."""


def inverse_within(hessian: Array, directions: Array | None) -> Array:
    """Inverses of Hessians (..., P, P), within ``directions`` if these are not all there are."""
    if directions is None:
        return np.asarray(np.linalg.pinv(hessian, hermitian=True))
    within = np.linalg.pinv(directions.T @ hessian @ directions, hermitian=True)
    return np.asarray(directions @ within @ directions.T)


def status_of(shooting: ShootingResult | None, held: ConstraintsHeld | None) -> str:
    """How the fit went, and its constraints."""
    status = "integral matching only" if shooting is None else shooting.status
    return status if held is None else f"{status}; {held.sentence}"


def together(mask: Bools, blocks: list[Block]) -> Block:
    """Blocks of single equations as one of all free coefficients, which constraints tie."""
    if len(blocks) == 1:
        return blocks[0]
    position = np.cumsum(mask.ravel()).reshape(mask.shape) - 1
    runs, size = len(blocks[0][2]), int(mask.sum())
    hessians, gradients = np.zeros((runs, size, size)), np.zeros((runs, size))
    for where, hessian, gradient in blocks:
        at = position[where]
        hessians[:, at[:, None], at], gradients[:, at] = hessian, gradient
    return np.nonzero(mask), hessians, gradients
