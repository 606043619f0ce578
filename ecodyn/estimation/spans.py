"""Spans of the data whose increments a nonlinear right-hand side is matched to, and Simpson's rule over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.integral_matching import SPAN
from ecodyn.estimation.samples import Samples

__all__ = ["Spans", "simpson"]

NODES = 3  # data points of Simpson's rule in a span
ROWS = 2000  # increments that are matched: rollouts follow, and these are where they begin
LEAST_APART = 0.25  # of the spans: where breaks are denser, they are those of a curve that moves little between two
ROWS_OF_ONE = 1000  # of a single run: it has no more to say


@dataclass(frozen=True, eq=False)
class Spans:
    """Some spans of every run.

    Attributes
    ----------
    states : array (node, channel, span, feature)
    times : array (span, node)
    run : array (span,)
    """

    states: Array
    times: Array
    run: Integers

    @classmethod
    def of(cls, samples: Samples, gap: int | None = None) -> Spans:
        """Spans spread evenly over all runs; their nodes are ``gap`` samples apart, by default about ten."""
        lengths = samples.lengths
        longest = int(lengths.max())
        gap = gap or max(1, min(SPAN, longest // 10) // (NODES - 1))
        rows = ROWS if samples.n_runs > 1 else ROWS_OF_ONE
        each = max(1, min(longest, rows // (samples.n_runs * samples.states.shape[2])))
        last = np.maximum(0, lengths - 1 - gap * (NODES - 1))
        starts = [np.unique(np.rint(np.linspace(0, n, each)).astype(np.intp)) for n in last]
        run = np.repeat(np.arange(samples.n_runs), [len(s) for s in starts])
        places = np.minimum(np.concatenate(starts)[:, None] + gap * np.arange(NODES), lengths[run][:, None] - 1)
        states = samples.states[run[:, None], places].transpose(1, 3, 0, 2)
        return cls(states, samples.times[run[:, None], places], run)

    def apart_from(self, breaks: Array) -> Spans:
        """Those that are not cut by breaks (span, break), where Simpson's rule fails; all, if that is most of them."""
        begin, end = self.times[:, :1], self.times[:, -1:]
        kept = ~((breaks > begin) & (breaks <= end)).any(axis=1)
        if kept.mean() < LEAST_APART:
            return self
        return Spans(np.ascontiguousarray(self.states[:, :, kept]), self.times[kept], self.run[kept])

    @property
    def increments(self) -> Array:
        """Of each channel over each span, (channel, span, feature)."""
        return np.asarray(self.states[-1] - self.states[0])


def simpson(times: Array) -> Array:
    """Weights of Simpson's rule on an odd number of nodes, (span, node), that may be unequally spaced."""
    weights = np.zeros_like(times)
    for i in range(0, times.shape[1] - 2, 2):
        h, k = times[:, i + 1] - times[:, i], times[:, i + 2] - times[:, i + 1]
        both = h + k
        safe_h, safe_k = np.where(h > 0, h, 1.0), np.where(k > 0, k, 1.0)
        whole = (h > 0) & (k > 0)
        weights[:, i] += np.where(whole, both / 6 * (2 - k / safe_h), h / 2)
        weights[:, i + 1] += np.where(whole, both**3 / (6 * safe_h * safe_k), both / 2)
        weights[:, i + 2] += np.where(whole, both / 6 * (2 - h / safe_k), k / 2)
    return weights
