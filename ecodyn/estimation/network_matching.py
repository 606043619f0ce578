"""Matching integrals: a network's first parameters, from increments of the data and without a solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.estimation.integral_matching import SPAN
from ecodyn.estimation.network_equations import BATCH_ELEMENTS, NormalEquations
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.estimation.samples import Samples

__all__ = ["Increments", "simpson"]

NODES = 3  # data points of Simpson's rule in a span
ROWS = 2000  # increments that are matched: rollouts follow, and these are where they begin

ROWS_OF_ONE = 1000  # of a single run: it has no more to say


@dataclass(frozen=True, eq=False)
class Increments:
    """Spans of the data: increments against Simpson's rule of ẋ along the data.

    ``states`` (node, channel, span, feature) at ``times`` (span, node), ``quadrature`` (span, node), ``increments``
    (equation, span, feature) and ``size`` (equation,), their root mean square.
    """

    law: NetworkLaw
    states: Array
    times: Array
    quadrature: Array
    increments: Array
    size: Array

    @classmethod
    def of(cls, law: NetworkLaw, samples: Samples) -> Increments:
        """Spans spread evenly over all runs: no more than are worth their while."""
        lengths = samples.lengths
        longest = int(lengths.max())
        gap = max(1, min(SPAN, longest // 10) // (NODES - 1))
        rows = ROWS if samples.n_runs > 1 else ROWS_OF_ONE
        each = max(1, min(longest, rows // (samples.n_runs * samples.states.shape[2])))
        last = np.maximum(0, lengths - 1 - gap * (NODES - 1))
        starts = [np.unique(np.rint(np.linspace(0, n, each)).astype(np.intp)) for n in last]
        run = np.repeat(np.arange(samples.n_runs), [len(s) for s in starts])
        rows = np.minimum(np.concatenate(starts)[:, None] + gap * np.arange(NODES), lengths[run][:, None] - 1)
        states = samples.states[run[:, None], rows].transpose(1, 3, 0, 2)
        times = samples.times[run[:, None], rows]
        increments = (states[-1] - states[0])[list(law.shape.fitted)]
        size = np.sqrt(np.mean(increments**2, axis=(1, 2)))
        return cls(law, states, times, simpson(times), increments, np.where(size > 0, size, 1.0))

    def equations(self, parameters: Array) -> NormalEquations:
        """The normal equations at these parameters; costs are mean squares over those of the increments."""
        size = self.law.shape.size
        equations, spans, features = self.increments.shape
        total = NormalEquations.zero(size)
        count = max(1, BATCH_ELEMENTS // (equations * size * features))
        for begin in range(0, spans, count):
            residual, jacobian = self._residuals(parameters, slice(begin, begin + count))
            for e in range(equations):
                weight = 1 / (self.size[e] ** 2 * spans * features)
                total.add(weight, residual[e].ravel(), jacobian[e].reshape(size, -1))
        return total

    def cost(self, parameters: Array) -> float:
        """The cost alone."""
        residual, layers = -self.increments, self.law.shape.layers(parameters)
        for node, states in enumerate(self.states):
            slopes = self.law.slopes(layers, states, self.times[:, node])[-len(residual) :]
            residual = residual + self.quadrature[:, node][:, None] * slopes
        return float(np.sum(np.mean(residual**2, axis=(1, 2)) / self.size**2))

    def _residuals(self, parameters: Array, members: slice) -> tuple[Array, Array]:
        """Integrals less increments (equation, span, feature), and their derivatives (equation, parameter, ...)."""
        residual, layers = -self.increments[:, members], self.law.shape.layers(parameters)
        jacobian: Array | float = 0.0
        for node, states in enumerate(self.states):
            slopes, forcing = self.law.forcing(layers, states[:, members], self.times[members, node])
            weight = self.quadrature[members, node][:, None]
            residual = residual + weight * slopes
            forcing *= weight
            jacobian = jacobian + forcing
        return residual, np.asarray(jacobian)


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
