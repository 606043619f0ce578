"""A feature's share of the whole."""

from __future__ import annotations

from collections.abc import Mapping

from ecodyn.arrays import Array
from ecodyn.observables.observable import Observable
from ecodyn.observables.ratio import ratio

__all__ = ["SHARE", "share"]


def share(series: Mapping[str, Array], steps: Array) -> Array:
    """xₖ² / Σⱼ xⱼ², a feature's share of the features' summed squares, from 0 to 1; 0 where all are zero."""
    power = series["signal"] ** 2
    return ratio(power, power.sum(axis=1, keepdims=True))


SHARE = Observable(of_series=share)
