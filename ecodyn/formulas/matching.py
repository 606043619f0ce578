"""Matching integrals: where a search begins, without a solver.

Over a span of samples, x(t+h) − x(t) = ∫ f(x, θ) ds along the data. For given values of the other parameters, those
that enter linearly are a linear regression (variable projection; Golub and Pereyra 1973), so that only the others are
drawn at random; Gauss-Newton on all of them goes on from the best draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import lsq_linear

from ecodyn.arrays import Array, Integers
from ecodyn.equations.clock_drive import Drives
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.estimation.input_spans import Nodes
from ecodyn.estimation.network_equations import NormalEquations
from ecodyn.estimation.samples import Samples
from ecodyn.estimation.spans import Spans, simpson
from ecodyn.formulas.law import BoundFormula, FormulaLaw
from ecodyn.formulas.symbolic import derivatives_of

__all__ = ["Increments", "Projected"]

LEAST_COLUMN = 1e-12  # of the largest column's norm: a smaller one vanishes on these data


@dataclass(frozen=True)
class Projected:
    """Parameters of which the linear ones are at their optimum for the others.

    Attributes
    ----------
    parameters : θ
    cost : mean square of what is left, over that of the increments; infinite where the formula has no value
    """

    parameters: Array
    cost: float


@dataclass(frozen=True, eq=False)
class Increments:
    """Spans of the data: increments of the channel whose equation it is against the integrals of f along the data.

    Attributes
    ----------
    law : FormulaLaw
    nodes : array (node, span, feature, channel)
    times : array (node, span)
    quadrature : array (node, span)
        Of data with inputs, all spans' nodes stand one after the other in place of the spans.
    increments : array (span, feature)
    weights : array (feature,), of squares, so that the increments' own are one
    drive : a clock's data
    inputs : those of the spans, or of their nodes
    begins : array (span,) or None
        First node of each span, where these stand one after the other.
    """

    law: FormulaLaw
    nodes: Array
    times: Array
    quadrature: Array
    increments: Array
    weights: Array
    drive: Drives | None
    inputs: KnownInputs | None = None
    begins: Integers | None = None

    @classmethod
    def of(cls, law: FormulaLaw, samples: Samples) -> Increments:
        """Spans spread evenly over all runs; of a map, over two of its steps."""
        spans = Spans.of(samples, gap=None if samples.step is None else 1)
        widths = np.diff(spans.times, axis=1)
        quadrature = simpson(spans.times) if samples.step is None else np.pad(widths, ((0, 0), (0, 1)))
        increments = spans.increments[law.fitted[0]]
        weights = np.ones(increments.shape[1]) if samples.signal_weights is None else samples.signal_weights
        size = float(np.sum(weights * increments**2))
        drive = None if samples.drive is None else Drives((samples.drive,), (len(increments),))
        found = cls(
            law=law,
            nodes=np.ascontiguousarray(spans.states.transpose(0, 2, 3, 1)),
            times=spans.times.T,
            quadrature=quadrature.T,
            increments=increments,
            weights=weights / (size if size > 0 else 1.0),
            drive=drive,
            inputs=None if samples.inputs is None else samples.inputs.of_runs(spans.run),
        )
        return found if samples.inputs is None or samples.step is not None else found._between_breaks(samples, spans)

    def _between_breaks(self, samples: Samples, spans: Spans) -> Increments:
        """The same, integrated between the inputs' breaks."""
        nodes = Nodes.of(samples, spans)
        drive, inputs = self.drive, self.inputs
        return replace(
            self,
            nodes=nodes.states[None],
            times=nodes.times[None],
            quadrature=nodes.weights[None],
            drive=None if drive is None else Drives(drive.drives, (len(nodes.span),)),
            inputs=None if inputs is None else inputs.take(nodes.span),
            begins=nodes.begins,
        )

    def cost(self, coordinates: Array) -> float:
        """Share of the increments' squares that is left; infinite where the formula has no value."""
        residual = self._residual(self.law.bind(coordinates[None], self.drive, self.inputs))
        cost = float(np.sum(self.weights * residual**2))
        return cost if np.isfinite(cost) else np.inf

    def equations(self, coordinates: Array) -> NormalEquations:
        """The normal equations at these coordinates."""
        total = NormalEquations.zero(len(coordinates))
        residual, slopes = self.linearised(coordinates)
        weights = np.broadcast_to(self.weights, residual.shape).ravel()
        total.add(weights, residual.ravel(), slopes.reshape(-1, len(coordinates)).T)
        whole = np.isfinite(total.cost) and np.isfinite(total.hessian).all() and np.isfinite(total.gradient).all()
        return total if whole else NormalEquations(np.inf, total.hessian, total.gradient)

    def linearised(self, coordinates: Array) -> tuple[Array, Array]:
        """Integrals less increments (span, feature), and their ∂/∂φ (span, feature, parameter)."""
        return self._linearised(self.law.bind(coordinates[None], self.drive, self.inputs))

    def _residual(self, bound: BoundFormula) -> Array:
        residual = -self.increments
        for x, t, weight in zip(self.nodes, self.times, self.quadrature, strict=True):
            residual = residual + self._of_spans(weight[:, None] * bound.rhs(x, t)[..., self.law.fitted[0]])
        return residual

    def _of_spans(self, values: Array) -> Array:
        """Sums (span, ...) of what is at their nodes, if these stand one after the other."""
        return values if self.begins is None else np.add.reduceat(values, self.begins, axis=0)

    def _linearised(self, bound: BoundFormula) -> tuple[Array, Array]:
        residual, slopes = -self.increments, np.zeros((*self.increments.shape, bound.parameters.shape[1]))
        for x, t, weight in zip(self.nodes, self.times, self.quadrature, strict=True):
            found = bound.sensitivity(x, t)
            residual = residual + self._of_spans(weight[:, None] * found.value[..., self.law.fitted[0]])
            slopes += self._of_spans(weight[:, None, None] * found.terms())
        return residual, slopes

    def projected(self, parameters: Array, low: Array, high: Array) -> Projected:
        """The linear parameters at their optimum within bounds, for the others as they are."""
        linear = np.array(derivatives_of(self.law.statement).linear, dtype=np.intp)
        if not len(linear):
            residual = self._residual(self.law.at(parameters[None], self.drive, self.inputs))
            cost = float(np.sum(self.weights * residual**2))
            return Projected(parameters, cost if np.isfinite(cost) else np.inf)
        without = parameters.copy()
        without[linear] = 0.0
        residual, slopes = self._linearised(self.law.at(without[None], self.drive, self.inputs))
        root = np.sqrt(self.weights)
        matrix, target = (root[:, None] * slopes[..., linear]).reshape(-1, len(linear)), -(root * residual).ravel()
        if not (np.isfinite(matrix).all() and np.isfinite(target).all()):
            return Projected(parameters, np.inf)
        # Compressed once: what bounds take by turns is then small.
        size = len(linear)
        whole: Array = np.asarray(np.linalg.qr(np.column_stack([matrix, target]), mode="r"))
        matrix, target = whole[:, :size], whole[:, size]
        norms = np.linalg.norm(matrix, axis=0)
        norms = np.where(norms > LEAST_COLUMN * norms.max(initial=0.0), norms, 1.0)
        bounds = low[linear] * norms, high[linear] * norms
        solution = lsq_linear(matrix / norms, target, bounds=bounds).x
        found = parameters.copy()
        found[linear] = solution / norms
        return Projected(found, float(np.sum((matrix / norms @ solution - target) ** 2)))
