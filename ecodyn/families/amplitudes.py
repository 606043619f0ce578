"""Largest values of the data that a law was fitted to: what "diverged" is measured by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ecodyn.rollouts.labelled import SIGNAL

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
    amplitudes = tuple(float(a) for a in document.get("amplitudes", [document["amplitude"]] * channels))
    if len(amplitudes) != channels:
        raise ValueError(f"{len(amplitudes)} amplitudes of {channels} channels")
    return amplitudes


def feature_amplitudes_of(trajectories: Trajectories) -> tuple[float, ...]:
    """Largest absolute signal of each feature."""
    return tuple(np.nanmax(np.abs(trajectories.values), axis=(0, 1)).tolist())


def feature_amplitudes_from(document: Mapping[str, Any]) -> tuple[float, ...] | None:
    """Those in a model file; none in older ones."""
    stated = document.get("feature_amplitudes")
    if stated is None:
        return None
    if len(stated) != len(document["features"]):
        raise ValueError(f"{len(stated)} amplitudes of {len(document['features'])} features")
    return tuple(float(a) for a in stated)
