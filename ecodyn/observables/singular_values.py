"""Features that are the singular values of a matrix."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.observables.components import Components
from ecodyn.observables.features import Features

__all__ = ["SingularValues"]


class SingularValues(Features):
    """The singular values of a matrix, largest first; feature k is the k-th largest at every step.

    Sorted values swap modes where they cross: for modes with names, project on their directions.

    Parameters
    ----------
    shape
        Of a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import SingularValues
    >>> SingularValues((2, 2)).components(np.diag([1.0, 3.0])[None]).real[..., 0]
    array([[3., 1.]])
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels = tuple(range(1, min(shape) + 1))

    def components(self, frames: Array) -> Components:
        """Components (frame, feature, 1)."""
        finite = np.isfinite(frames).all(axis=(1, 2))
        values = np.full((len(frames), len(self.labels)), np.nan)  # LAPACK refuses what is not finite
        values[finite] = np.linalg.svd(frames[finite], compute_uv=False)
        return Components(values[..., None])
