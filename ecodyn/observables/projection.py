"""Features that are given as directions, over tokens or over dimensions."""

from __future__ import annotations

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.observables.components import Components
from ecodyn.observables.features import Features, Label

__all__ = ["Projection", "check_axis"]


class Projection(Features):
    """Given directions, one a feature: u + iv = W E over tokens, or E Wᵀ over embedding dimensions.

    Parameters
    ----------
    directions
        W, (feature, tokens) or (feature, dimensions); complex directions have an imaginary part v.
    over
        "tokens" or "dimensions": which axis of a frame the directions span.
    labels
        Default 1..K.

    Raises
    ------
    ValueError
        They go over neither axis.
    UnusableDataError
        They are no matrix of finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables import Projection
    >>> frame = np.array([[3.0, 4.0], [0.0, 1.0]])
    >>> Projection(np.eye(2)).components(frame[None]).power()
    array([[25.,  1.]])
    >>> Projection(np.eye(2), over="dimensions").components(frame[None]).power()
    array([[ 9., 17.]])
    """

    def __init__(self, directions: Array, over: str = "tokens", labels: tuple[Label, ...] | None = None) -> None:
        check_axis(over)
        self.directions = np.asarray(directions)
        if self.directions.ndim != 2 or not self.directions.size or not np.isfinite(self.directions).all():
            raise UnusableDataError(
                f"expected feature directions as a matrix of finite numbers (feature, {over}), got shape "
                f"{self.directions.shape}; one row is one feature"
            )
        self.over = over
        self.labels = labels if labels is not None else tuple(range(1, len(self.directions) + 1))
        self._real = np.ascontiguousarray(self.directions.real, dtype=np.float64)
        self._imaginary = self.directions.imag.astype(np.float64) if np.iscomplexobj(directions) else None

    def components(self, frames: Array) -> Components:
        """Components (frame, feature, dimensions), or (frame, feature, tokens)."""
        across = frames if self.over == "tokens" else frames.swapaxes(1, 2)
        if across.shape[1] != self._real.shape[1]:
            raise UnusableDataError(
                f"the directions have {self._real.shape[1]} entries and a frame has {across.shape[1]} {self.over}, "
                "expected as many; check the file and over which axis it goes"
            )
        return Components(self._real @ across, None if self._imaginary is None else self._imaginary @ across)


def check_axis(over: str) -> None:
    """Raise ValueError unless directions can go over what is named."""
    if over not in ("tokens", "dimensions"):
        raise ValueError(f"directions go over tokens or dimensions, got {over!r}")
