"""What the features of a frame are: the contract of Fourier, Projection and SingularValues."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ecodyn.arrays import Array
from ecodyn.observables.components import Components

__all__ = ["Features", "Label"]

Label = int | str
"""Of a feature: a frequency, a rank, or a name."""


class Features(ABC):
    """What the features of a frame are.

    Attributes
    ----------
    labels
        One for each feature.

    Examples
    --------
    The columns of a matrix as features:

    >>> import numpy as np
    >>> from ecodyn.observables import Components, Features
    >>> class Columns(Features):
    ...     labels = (1, 2)
    ...     def components(self, frames):
    ...         return Components(frames.swapaxes(1, 2))
    >>> Columns().components(np.array([[[3.0, 0.0], [4.0, 1.0]]])).power()
    array([[25.,  1.]])
    """

    labels: tuple[Label, ...]

    @abstractmethod
    def components(self, frames: Array) -> Components:
        """Components of frames (frame, rows, columns) in float64. The next call may write into the same memory."""

    def split(self, values: Array) -> tuple[Array, Array | None]:
        """Values (..., feature) without, and those of, frequency 0; None where there is no such thing."""
        return values, None
