"""The units that networks work in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.integral_matching import SPAN
from ecodyn.estimation.perceptrons import Architecture
from ecodyn.estimation.samples import Samples

__all__ = ["Units"]


@dataclass(frozen=True, kw_only=True)
class Units:
    """Standardisation of one training set: inputs to mean 0 and deviation 1, slopes to a deviation of about 1.

    ẋ = slopes · g((x − centre)/spread) for the fitted channels, in the samples' units. Statistics are (channel,) and
    (equation,), with a feature axis in front where each feature has a unit of its own.
    """

    centre: Array
    spread: Array
    slopes: Array
    drive_centre: Array
    drive_spread: Array
    input_centre: Array
    input_spread: Array

    @classmethod
    def of(cls, samples: Samples, architecture: Architecture) -> Units:
        """Units of all runs; padding, which repeats the last state, counts as little as it is long."""
        states = samples.states
        over = (0, 1) if samples.scales.ndim > 1 else (0, 1, 2)
        span = max(1, min(SPAN, states.shape[1] // 10))
        change = states[:, span:] - states[:, :-span]
        duration = samples.times[:, span:] - samples.times[:, :-span]
        lasting = duration > 0
        steepness = (change[lasting] / duration[lasting][:, None, None]).std(axis=over[:-1])
        drive = np.zeros((1, 1)) if samples.drive is None else samples.drive.values
        known = np.zeros((1, 1)) if samples.inputs is None else samples.inputs.at_steps(samples.times, samples.lengths)
        return cls(
            centre=states.mean(axis=over),
            spread=_positive(states.std(axis=over)),
            slopes=_positive(steepness[..., list(architecture.fitted)]),
            drive_centre=drive.mean(axis=0),
            drive_spread=_positive(drive.std(axis=0)),
            input_centre=known.mean(axis=0),
            input_spread=_positive(known.std(axis=0)),
        )


def _positive(deviation: Array) -> Array:
    return np.where(deviation > 0, deviation, 1.0)
