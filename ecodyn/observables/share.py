"""A feature's share of the whole."""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.arrays import Array
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio

__all__ = ["SHARE", "share"]


def share(series: Mapping[str, Array], steps: Array) -> Array:
    """xₖ² / Σⱼ xⱼ², a feature's share of the features' summed squares, from 0 to 1; 0 where all are zero.

    Examples
    --------
    >>> import numpy as np
    >>> from ecodyn.observables.share import share
    >>> share({"signal": np.array([[1.0, 3.0]])}, np.array([0.0]))
    array([[0.1, 0.9]])
    """
    power = series["signal"] ** 2
    return ratio(power, power.sum(axis=1, keepdims=True))


SHARE = Observable(of_series=share)
