"""Names for the array types that the package's signatures use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Bools", "Integers"]

Array = NDArray[np.float64]
"""Real numbers in double precision; docstrings give the shape."""

Bools = NDArray[np.bool_]
"""A mask."""

Integers = NDArray[np.intp]
"""Positions, counts or lengths."""
