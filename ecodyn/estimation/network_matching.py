"""Matching integrals: a network's first parameters, from increments of the data and without a solver."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.estimation.network_equations import BATCH_ELEMENTS, NormalEquations
from ecodyn.estimation.network_law import NetworkLaw
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.spans import Spans, simpson

__all__ = ["Increments", "simpson"]


@dataclass(frozen=True, eq=False)
class Increments:
    """Spans of the data: increments against Simpson's rule of ẋ along the data.

    ``states`` (node, channel, span, feature) at ``times`` (span, node), ``quadrature`` (span, node), ``increments``
    (equation, span, feature) and ``size`` (equation,), their root mean square; ``inputs`` are those of the spans.
    """

    law: NetworkLaw
    states: Array
    times: Array
    quadrature: Array
    increments: Array
    size: Array
    inputs: KnownInputs | None = None

    @classmethod
    def of(cls, law: NetworkLaw, samples: Samples) -> Increments:
        """Spans spread evenly over all runs: no more than are worth their while."""
        spans, inputs = Spans.of(samples), None
        if samples.inputs is not None:
            spans = spans.apart_from(samples.inputs.of_runs(spans.run).breaks)
            inputs = samples.inputs.of_runs(spans.run)
        increments = spans.increments[list(law.shape.fitted)]
        size = np.sqrt(np.mean(increments**2, axis=(1, 2)))
        size = np.where(size > 0, size, 1.0)
        return cls(law, spans.states, spans.times, simpson(spans.times), increments, size, inputs)

    def _law(self, members: slice = slice(None)) -> NetworkLaw:
        """The law with the inputs of some spans."""
        every = np.arange(len(self.times))
        return self.law.driven(None if self.inputs is None else self.inputs.take(every[members]))

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
        residual, layers, law = -self.increments, self.law.shape.layers(parameters), self._law()
        for node, states in enumerate(self.states):
            slopes = law.slopes(layers, states, self.times[:, node])[-len(residual) :]
            residual = residual + self.quadrature[:, node][:, None] * slopes
        return float(np.sum(np.mean(residual**2, axis=(1, 2)) / self.size**2))

    def _residuals(self, parameters: Array, members: slice) -> tuple[Array, Array]:
        """Integrals less increments (equation, span, feature), and their derivatives (equation, parameter, ...)."""
        residual, layers, law = -self.increments[:, members], self.law.shape.layers(parameters), self._law(members)
        jacobian: Array | float = 0.0
        for node, states in enumerate(self.states):
            slopes, forcing = law.forcing(layers, states[:, members], self.times[members, node])
            weight = self.quadrature[members, node][:, None]
            residual = residual + weight * slopes
            forcing *= weight
            jacobian = jacobian + forcing
        return residual, np.asarray(jacobian)
