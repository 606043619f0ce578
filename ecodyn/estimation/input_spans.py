"""Product quadrature over spans of the data for any right-hand side f(x, u): exact about where inputs jump or bend.

Between two breaks of the inputs f is smooth, and Gauss's nodes there do; x is interpolated to them by parabolas through
samples of one side of a jump (see ``ecodyn.estimation.input_quadrature``). Simpson's rule on three samples of a span
that is cut sees three values of an input that may have had a dozen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.estimation.input_quadrature import interpolated
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.spans import Spans

__all__ = ["Nodes"]

TWO_NODES = 8  # pieces of a span up to which each has two nodes; shorter ones need but their middle
MOST_PIECES = 24  # of a span: an input with more breaks is seen at as many times as this, evenly apart


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of all spans, one span's after the other's.

    Attributes
    ----------
    states : array (node, feature, channel)
    times : array (node,)
    weights : array (node,)
    span : array (node,)
        Whose it is.
    begins : array (span,)
        Its first node.
    """

    states: Array
    times: Array
    weights: Array
    span: Integers
    begins: Integers

    @classmethod
    def of(cls, samples: Samples, spans: Spans) -> Nodes:
        """Those of spans of samples that have inputs."""
        assert samples.inputs is not None  # only such have breaks
        begin, end = _pieces(samples, spans)
        middle, half = (begin + end) / 2, (end - begin) / 2
        two = begin.shape[1] <= TWO_NODES
        nodes, shares = np.polynomial.legendre.leggauss(2 if two else 1)
        at = middle[..., None] + half[..., None] * nodes
        weights = np.broadcast_to(half[..., None] * shares, at.shape).reshape(len(at), -1)
        at = at.reshape(weights.shape)
        there = weights > 0
        there[~there.any(axis=1), 0] = True  # a span of no length is an integral of nothing
        span, place = np.nonzero(there)
        times, run = at[span, place], spans.run[span]
        states = np.empty((len(span), *samples.states.shape[2:]))
        for r in np.unique(run).tolist():
            mine, n = run == r, int(samples.lengths[r])
            states[mine] = interpolated(
                samples.states[r, :n], samples.times[r, :n], samples.inputs.curves[r], times[mine]
            )
        begins = np.searchsorted(span, np.arange(len(at)))
        return cls(states, times, weights[span, place], span, begins)


def _pieces(samples: Samples, spans: Spans) -> tuple[Array, Array]:
    """Begin and end of what lies between the breaks of each span, (span, piece), some of no length."""
    assert samples.inputs is not None
    whole = spans.times[:, [0, -1]]
    (edges,) = samples.inputs.of_runs(spans.run).cuts(whole)
    if edges is None:
        edges = whole
    elif edges.shape[1] > MOST_PIECES + 1:
        edges = whole[:, :1] + np.linspace(0.0, 1.0, MOST_PIECES + 1) * np.diff(whole, axis=1)
    return edges[:, :-1], edges[:, 1:]
