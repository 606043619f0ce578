"""Largest values of the data that a law was fitted to: what "diverged" is measured by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.rollouts.labelled import SIGNAL
from ecodyn.runtime.foreign_json import number_array

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories

__all__ = ["amplitudes_from", "amplitudes_of", "feature_amplitudes_from", "feature_amplitudes_of"]


def amplitudes_of(trajectories: Trajectories, state: str) -> tuple[float, ...]:
    """Largest absolute value of each channel of a state."""
    if state == SIGNAL and not trajectories.lacks_values:  # without a copy of all values
        return (float(np.fmax(np.nanmax(trajectories.values), -np.nanmin(trajectories.values))),)
    return tuple(np.nanmax(np.abs(trajectories.state(state)), axis=(0, 1, 2)).tolist())


def amplitudes_from(document: Mapping[str, Any]) -> tuple[float, ...]:
    """The amplitudes in a model file; those of older files state the signal's alone."""
    channels = len(document["state"].split(","))
    stated = document["amplitudes"] if "amplitudes" in document else [document["amplitude"]] * channels
    return _checked(stated, channels, "channels")


def feature_amplitudes_of(trajectories: Trajectories) -> tuple[float, ...]:
    """Largest absolute signal of each feature."""
    return tuple(np.nanmax(np.abs(trajectories.values), axis=(0, 1)).tolist())


def feature_amplitudes_from(document: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Those in a model file; none in older ones."""
    stated = document.get("feature_amplitudes")
    if stated is None:
        return None
    return _checked(stated, len(document["features"]), "features")


def _checked(stated: object, count: int, of: str) -> tuple[float, ...]:
    """So many sizes, none of them negative."""
    amplitudes = number_array(stated, "amplitudes")
    if amplitudes.shape != (count,):
        raise ValueError(f"amplitudes of shape {amplitudes.shape} for {count} {of}")
    if (amplitudes < 0).any():
        raise ValueError(f"amplitudes of {amplitudes.min():g}, a largest absolute value")
    return tuple(amplitudes.tolist())
