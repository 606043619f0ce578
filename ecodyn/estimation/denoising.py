"""States without their measurement noise, as far as a smoothing spline can tell it from movement."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array
from ecodyn.runtime.memo import Memo
from ecodyn.statistics.noise import noise_that_shows
from ecodyn.statistics.smoothing import FEWEST, smoothed

__all__ = ["without_noise"]

REMEMBERED = 512  # runs: all folds that train on a run share its spline
REMEMBERED_BYTES = 2**18  # of a run, at most: larger ones are smoothed again
_RUNS = Memo[Array | None](REMEMBERED)


def without_noise(states: Array, times: Array, lengths: NDArray[np.intp]) -> Array | None:
    """States (run, step, feature, channel) smoothed where they are noisy; None where none is.

    Padding repeats the last smoothed state. Runs of fewer samples than a spline needs stay as they are.
    """
    out = states.copy()
    changed = False
    for r, n in enumerate(lengths.tolist()):
        found = _of_run(states[r, :n], times[r, :n]) if n >= FEWEST else None
        if found is not None:
            out[r, :n], out[r, n:], changed = found, found[-1], True
    return out if changed else None


def _of_run(states: Array, times: Array) -> Array | None:
    if states.nbytes > REMEMBERED_BYTES:
        return _smoothed(states, times)
    content = hashlib.blake2b(np.ascontiguousarray(states))
    content.update(np.ascontiguousarray(times))
    return _RUNS.of(content.digest(), lambda: _smoothed(states, times))


def _smoothed(states: Array, times: Array) -> Array | None:
    series = states.reshape(len(states), -1)
    noisy = noise_that_shows(series, times) > 0
    if not noisy.any():
        return None
    out = series.copy()
    out[:, noisy] = smoothed(series[:, noisy], times)
    return out.reshape(states.shape)
