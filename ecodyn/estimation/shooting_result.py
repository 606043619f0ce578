"""What multiple shooting is asked to refine, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.estimation.restriction import Restriction
from ecodyn.estimation.rolled_out import AnyLaw
from ecodyn.estimation.samples import Samples

__all__ = ["Problem", "ShootingResult", "of_runs"]


@dataclass(frozen=True, kw_only=True)
class ShootingResult:
    """Refined coefficients, and how refinement went.

    Attributes
    ----------
    coefficients : array (row, term), in the samples' scaled units
    hessians : array (run, parameter, parameter)
        Gauss-Newton Hessians at the solution, JᵀWJ, with starting states that are estimated at their optimum.
    gradients : array (run, parameter)
        JᵀWr of each run; their sum vanishes at a minimum.
    converged : bool
    status : str
    iterations : int
    optimality : float
        Share of the sum of squares that one more undamped Gauss-Newton step would take off, gᵀH⁻¹g / Σr²: 0 at an
        optimum, and where the sum is rounding; NaN where nothing was refined.
    squares : float
        Σr² itself, weighted, of the last stage; NaN likewise.
    reached : float
        Length of that stage's segments, a share of the window; 0 where nothing was refined.
    starts : array (segment, feature) or None
        All starting signals of that stage, where they were estimated.
    points, substeps : int
        Runge-Kutta intervals a window, and how each was subdivided; substeps are 0 where steps were implicit.
    """

    coefficients: Array
    hessians: Array
    gradients: Array
    converged: bool
    status: str
    iterations: int
    optimality: float = float("nan")
    squares: float = float("nan")
    reached: float = 0.0
    starts: Array | None = None
    points: int = 0
    substeps: int = 0

    @property
    def initial_states(self) -> Array | None:
        """Estimated signals at the start of each run, (run, feature), where these were estimated."""
        return None if self.starts is None else of_runs(self.starts, len(self.hessians))


@dataclass(frozen=True)
class Problem:
    """What is fitted to what, from where.

    Attributes
    ----------
    library, samples
    coefficients : array (row, term)
        Where to start, in the samples' units (integral matching's answer).
    mask : bool array like ``coefficients``, or None
        Which coefficients are free; None frees all.
    restriction : Restriction or None
        Constraints on these, which the coefficients hold.
    """

    library: AnyLaw
    samples: Samples
    coefficients: Array
    mask: NDArray[np.bool_] | None = None
    restriction: Restriction | None = None


def of_runs(starts: Array, runs: int) -> Array:
    """Of starts of segments (segment, feature), those of the runs' first ones."""
    return np.asarray(starts.reshape(runs, -1, starts.shape[1])[:, 0])
