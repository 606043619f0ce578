"""A clock's means over features: those of the training runs at each time, whatever a formula takes the mean of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.equations.clock_drive import Drive
from ecodyn.estimation.samples import Samples

__all__ = ["CommonMeans"]

BEYOND = 1e200  # in place of a mean that is no number: a rollout driven by it is dead at once
MOST_TIMES = 97  # of the curve, evenly among the stored ones: four a Runge-Kutta interval


@dataclass(frozen=True, eq=False)
class CommonMeans:
    """States of the training runs at common times, from which a formula's means are had for any parameters.

    Attributes
    ----------
    times : array (time,), increasing
    states : array (run, time, feature, channel)
    covered : array (run, time), whether the run lasts so long
    """

    times: Array
    states: Array
    covered: Bools

    @classmethod
    def of(cls, samples: Samples) -> CommonMeans:
        """Of a training set, in its units."""
        rows = [samples.times[r, :n] for r, n in enumerate(samples.lengths)]
        stored = np.unique(np.concatenate(rows))
        times = stored[np.unique(np.rint(np.linspace(0, len(stored) - 1, MOST_TIMES)).astype(np.intp))]
        states = np.stack([_at(times, t, samples.states[r, : len(t)]) for r, t in enumerate(rows)])
        covered = np.stack([(times >= t[0]) & (times <= t[-1]) for t in rows])
        return cls(times, states, covered)

    def averaged(self, values: Array) -> Drive:
        """Values (run × time, entry) averaged over the runs that last so long, as curves of time."""
        each = values.reshape(*self.covered.shape, -1)
        weights = self.covered[..., None] / self.covered.sum(axis=0)[:, None]
        curve = (np.where(self.covered[..., None], each, 0.0) * weights).sum(axis=0)
        return Drive(self.times, np.where(np.isfinite(curve), curve, BEYOND))


def _at(times: Array, stored: Array, states: Array) -> Array:
    """States (step, ...) between the stored times, linearly; constant outside."""
    after = np.clip(np.searchsorted(stored, times), 1, len(stored) - 1)
    width = stored[after] - stored[after - 1]
    share = np.clip((times - stored[after - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0)[:, None, None]
    return np.asarray((1 - share) * states[after - 1] + share * states[after])
