"""Pieces of runs that multiple shooting rolls out, and what each of their values weighs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.samples import Samples

__all__ = ["BESIDE", "Segments", "weights_of_channels"]

BESIDE = 0.1  # weight of an observable beside the signal; on 60:1000 a weight of 1 cost the signal's rollouts 0.026


@dataclass(frozen=True)
class Segments:
    """Pieces of runs, (segment, point); a short last piece is padded with intervals of no length.

    ``smooth`` (segment, feature, channel) are smoothed states to begin at, where starts are estimated from there on.
    """

    states: Array
    times: Array
    weights: Array
    run: Integers
    smooth: Array | None = None

    def __len__(self) -> int:
        return len(self.run)

    @property
    def starts(self) -> Array:
        """States (segment, feature, channel) that rollouts begin at, or the search for their starts."""
        return self.states[:, 0] if self.smooth is None else self.smooth

    @classmethod
    def cut(
        cls, samples: Samples, intervals: int, share: float, *, smoothed: bool = False, longest: int | None = None
    ) -> Segments:
        """Pieces of about a share of the window each, of so many intervals a window; ``smoothed`` if they begin so.

        Of some of the runs alone, ``longest`` is the length of the longest of all, so that they are cut as all are.
        """
        intervals = min(intervals, (longest or int(samples.lengths.max())) - 1)
        size = max(1, round(share * intervals))
        count = -(-intervals // size)
        points = np.minimum(np.arange(count)[:, None] * size + np.arange(size + 1), intervals)
        # Equal numbers of samples an interval: dense where the data are, also in files thinned late.
        rows = np.rint(points / intervals * (samples.lengths[:, None, None] - 1)).astype(np.intp)
        run = np.repeat(np.arange(samples.n_runs), count)
        rows = rows.reshape(-1, size + 1)
        times = samples.times[run[:, None], rows]
        smooth = samples.starts[run, rows[:, 0]] if smoothed else None
        return cls(samples.states[run[:, None], rows], times, _trapezoid_weights(times), run, smooth)


def _trapezoid_weights(times: Array) -> Array:
    steps = np.diff(times, axis=1)
    weights = np.zeros_like(times)
    weights[:, :-1] += steps / 2
    weights[:, 1:] += steps / 2
    return weights


def weights_of_channels(samples: Samples) -> Array:
    """Weight of each channel's squares, (1, channel): what makes its persistence's error that of the signal.

    Times a tenth beside the signal, whose own weight is one. Where features count in scales of their own, (feature,
    channel): the signal's weight is that of its scale.
    """
    if samples.signal_weights is not None:
        still = samples.movement.moved
        weights = BESIDE / np.where(still > 0, still, np.inf)
        weights[:, 0] = samples.signal_weights
        return weights
    still = samples.movement.moved_together
    weights = BESIDE * still[0] / np.where(still > 0, still, np.inf)
    weights[0] = 1.0
    return np.asarray(weights)[None]
