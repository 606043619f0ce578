"""The scale that each feature counts in, where features have names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.rollouts.skill import EXACT, mean_square

if TYPE_CHECKING:
    from ecodyn.trajectories.trajectories import Trajectories

__all__ = ["gone_by_run", "own_scales", "scales_of"]


def own_scales(data: Trajectories) -> Array | None:
    """Each feature's own scale (feature,): how far it goes from where it starts, as a root mean square.

    The mean is over time, by the trapezoid rule, and over runs: persistence's error, which follows the feature's unit
    and ignores its zero. It is infinite for a feature that does not move, so that it counts for nothing. None where
    labels are not shared between runs: features are then exchangeable, in one unit, and share a scale.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn import Trajectories
    >>> x = np.array([[0.0, 5e6], [1.0, 6e6], [2.0, 7e6]])
    >>> own = own_scales(Trajectories([x], [0.0, 1.0, 2.0], ["km", "mm"], labels_shared=True))
    >>> print((own[1] / own[0]).round(3))
    1000000.0
    """
    if not data.labels_shared:
        return None
    return scales_of(gone_by_run(data), np.nanmean(data.values**2, axis=(0, 1)))


def gone_by_run(data: Trajectories) -> list[list[float]]:
    """How far each feature goes from where it starts in each run, as a mean square over time, (run, feature)."""
    runs = [(data.values[r, :n], data.times[r, :n]) for r, n in enumerate(data.lengths)]
    return [[mean_square(x[:, [k]] - x[:1, [k]], t) for k in range(x.shape[1])] for x, t in runs]


def scales_of(gone: list[list[float]], squares: Array) -> Array:
    """Scales (feature,) of how far features go in each run, and the mean squares (feature,) of their values."""
    gone_in_all = np.mean(gone, axis=0)
    still = gone_in_all <= EXACT * np.maximum(squares, 1e-300)
    return np.where(still, np.inf, np.sqrt(gone_in_all))
