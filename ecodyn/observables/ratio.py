"""Quotients that are 0 where there is nothing to divide by."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array

__all__ = ["ratio"]


def ratio(numerator: Array, denominator: Array) -> Array:
    """numerator / denominator, 0 where the denominator is."""
    quotient: Array = np.divide(
        numerator,
        denominator,
        out=np.zeros(np.broadcast_shapes(np.shape(numerator), np.shape(denominator))),
        where=denominator != 0,
    )
    return quotient
