"""How large the values of samples are and how far they go: what weights, bounds and centres are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecodyn.arrays import Array

__all__ = ["Movement"]


@dataclass(frozen=True, kw_only=True)
class Movement:
    """Of states (run, step, feature, channel) of so many steps each, padded by their last.

    Attributes
    ----------
    squares : sum of the signal's
    largest : absolute value of the signal
    moved : array (feature, channel), mean square of how far each goes from where its run starts
    moved_together : array (channel,), the same over features
    mean : array (feature,), of the signal, padding left out
    variances : array (feature,), mean square of the signal about these
    spread : root of their mean
    low, high : arrays (feature,), of the signal
    values : number of runs and padded steps
    """

    squares: float
    largest: float
    moved: Array
    moved_together: Array
    mean: Array
    variances: Array
    spread: float
    low: Array
    high: Array
    values: int

    @classmethod
    def of(cls, states: Array, lengths: NDArray[np.intp]) -> Movement:
        """Of states in memory."""
        signal = states[..., 0]
        there = np.arange(states.shape[1]) < lengths[:, None]
        gone = (states - states[:, :1]) ** 2
        mean = signal[0, 0] + (signal[there] - signal[0, 0]).mean(axis=0)  # exact where nothing moves
        about = (signal[there] - mean) ** 2
        return cls(
            squares=float(np.sum(signal**2)),
            largest=float(np.abs(signal).max()),
            moved=np.mean(gone, axis=(0, 1)),
            moved_together=np.mean(gone, axis=(0, 1, 2)),
            mean=mean,
            variances=np.mean(about, axis=0),
            spread=float(np.sqrt(np.mean(about))),
            low=signal.min(axis=(0, 1)),
            high=signal.max(axis=(0, 1)),
            values=signal.shape[0] * signal.shape[1],
        )

    @classmethod
    def over(cls, parts: Sequence[tuple[Movement, int]]) -> Movement:
        """Of all runs, from that of parts of them with the number of their steps, padding left out."""
        all_values, count = sum(p.values for p, _ in parts), sum(n for _, n in parts)
        mean = parts[0][0].mean + sum((p.mean - parts[0][0].mean) * (n / count) for p, n in parts)
        # Squares about the common mean: those about each part's own, and between them.
        variances = np.asarray(sum((p.variances + (p.mean - mean) ** 2) * (n / count) for p, n in parts))
        return cls(
            squares=float(sum(p.squares for p, _ in parts)),
            largest=max(p.largest for p, _ in parts),
            moved=np.asarray(sum(p.moved * (p.values / all_values) for p, _ in parts)),
            moved_together=np.asarray(sum(p.moved_together * (p.values / all_values) for p, _ in parts)),
            mean=np.asarray(mean),
            variances=variances,
            spread=float(np.sqrt(variances.mean())),
            low=np.min([p.low for p, _ in parts], axis=0),
            high=np.max([p.high for p, _ in parts], axis=0),
            values=all_values,
        )

    def within(self, centre: Array, spread: Array) -> Movement:
        """Of (x − c)/d with centres and spreads (feature, channel), of which those of the signal count."""
        c, d = centre[:, 0], spread[:, 0]
        ends = (self.low - c) / d, (self.high - c) / d
        moved, deviation, variances = self.moved / spread**2, (self.mean - c) / d, self.variances / d**2
        return Movement(
            squares=self.values * float(np.sum(variances + deviation**2)),  # padding aside
            largest=float(np.max(np.abs(ends))),
            moved=moved,
            moved_together=moved.mean(axis=0),
            mean=deviation,
            variances=variances,
            spread=float(np.sqrt(variances.mean())),
            low=ends[0],
            high=ends[1],
            values=self.values,
        )
