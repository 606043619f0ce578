"""The first estimate of a law's coefficients, as integral matching and selection hand it to refinement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.equations.library import Library
from ecodyn.estimation.integral_matching import MatchedIntegrals


@dataclass(frozen=True)
class Estimate:
    """Coefficients with what they were estimated from.

    Attributes
    ----------
    library : the terms kept; matched : their regression over all runs
    coefficients, mask : array (equation × group, term), group one or a feature; only masked coefficients are free
    support : positions of the terms kept among all candidates
    candidates : how many tuning candidates were tried; chosen : what tuning chose
    """

    library: Library
    matched: MatchedIntegrals
    coefficients: Array
    mask: NDArray[np.bool_]
    support: NDArray[np.intp]  # the library's terms among all candidates
    candidates: int = 1
    chosen: tuple[tuple[str, float], ...] = ()
