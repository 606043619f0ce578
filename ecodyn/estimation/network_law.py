"""Right-hand sides that are a perceptron, alone or beside a law of a library, with their exact sensitivities.

Ṡ = ∂f/∂θ + (∂f/∂x) S is formed from parts: what a feature's own channels do is a diagonal, what it sees of the others
goes through a few means, a matrix of low rank, and only a full coupling has a whole Jacobian. States are (channel,
batch, feature) here and sensitivities (moving channel, parameter, batch, feature): see ``perceptrons``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.equations.clock_drive import Drive
from ecodyn.equations.known_inputs import KnownInputs
from ecodyn.equations.right_hand_side import BoundLibrary
from ecodyn.estimation.network_data import Units
from ecodyn.estimation.perceptrons import Architecture, Evaluation

__all__ = ["NetworkLaw"]

Layers = Mapping[str, Array]  # what ``Architecture.layers`` makes of a vector of parameters


@dataclass(frozen=True)
class NetworkLaw:
    """ẋ = base(x) + slopes · g((x − centre)/spread) in the samples' units, as a function of g's parameters too.

    Attributes
    ----------
    shape : Architecture
    units : Units
    base : BoundLibrary, or None for a network alone
    drive : a clock's curve, in the samples' units
    inputs : those of a batch, in the samples' units
    """

    shape: Architecture
    units: Units
    base: BoundLibrary | None = None
    drive: Drive | None = None
    inputs: KnownInputs | None = None

    def driven(self, inputs: KnownInputs | None) -> NetworkLaw:
        """The law with the inputs of a batch; itself where there are none."""
        if inputs is None:
            return self
        return replace(self, inputs=inputs, base=None if self.base is None else replace(self.base, inputs=inputs))

    def _evaluation(self, layers: Layers, x: Array, t: Array) -> Evaluation:
        centre, spread = (_as_columns(part) for part in (self.units.centre, self.units.spread))
        return Evaluation(self.shape, layers, (x - centre) / spread, self._seen(t), self._known(t))

    def _known(self, t: Array) -> Array | None:
        if self.inputs is None:
            return None
        return np.asarray(((self.inputs(t) - self.units.input_centre) / self.units.input_spread).T)

    def _seen(self, t: Array) -> Array | None:
        if self.drive is None:
            return None
        return np.asarray(((self.drive(t) - self.units.drive_centre) / self.units.drive_spread).T)

    def slopes(self, layers: Layers, x: Array, t: Array) -> Array:
        """ẋ of the moving channels, (moving, batch, feature), at states (channel, batch, feature), times (batch,)."""
        evaluation = self._evaluation(layers, x, t)
        slopes = _as_columns(self.units.slopes) * evaluation.value
        if self.base is not None:
            slopes = slopes + self._of_fitted(self.base.rhs(x.transpose(1, 2, 0), t))
        return self._with_kinematics(slopes, x)

    def _of_fitted(self, slopes: Array) -> Array:
        """Derivatives (batch, feature, channel) of the fitted channels, features last."""
        return slopes[..., list(self.shape.fitted)].transpose(2, 0, 1)

    def _with_kinematics(self, slopes: Array, x: Array) -> Array:
        velocity = self.shape.velocity
        return slopes if velocity is None else np.concatenate([x[None, velocity], slopes])

    def forcing(self, layers: Layers, x: Array, t: Array) -> tuple[Array, Array]:
        """Slopes of the fitted channels (equation, batch, feature), and their ∂/∂θ (equation, parameter, ...)."""
        evaluation = self._evaluation(layers, x, t)
        forcing = np.empty((len(self.shape.fitted), self.shape.size, *x.shape[1:]))
        for e in range(len(forcing)):
            evaluation.backward(e, self._slope(e))
            evaluation.by_parameters(evaluation.by_inputs()[1], forcing[e])
        slopes = _as_columns(self.units.slopes) * evaluation.value
        if self.base is not None:
            slopes = slopes + self._of_fitted(self.base.rhs(x.transpose(1, 2, 0), t))
        return slopes, forcing

    def _slope(self, equation: int) -> Array | float:
        """(feature,), or one for all."""
        return np.asarray(self.units.slopes[..., equation])

    def sensitivities(self, layers: Layers, x: Array, directions: Array, t: Array, out: Array, work: Array) -> Array:
        """Slopes of the moving channels, and into ``out`` Ṡ for sensitivities S (moving, parameter, batch, feature).

        ``work`` is of the shape of one channel's: new memory for every step took a third of the time.
        """
        shape = self.shape
        evaluation = self._evaluation(layers, x, t)
        slopes = _as_columns(self.units.slopes) * evaluation.value
        base = None if self.base is None else _Base(self.base, x, t)
        if base is not None:
            slopes = slopes + self._of_fitted(base.value)
        if shape.velocity is not None:
            out[0] = directions[shape.moving.index(shape.velocity)]
        through_means = None if shape.full else self._through_means(evaluation, base, directions)
        for e, channel in enumerate(shape.fitted):
            mine = out[shape.moving.index(channel)]
            evaluation.backward(e, self._slope(e))
            own, means = evaluation.by_inputs()
            if shape.full:
                self._apply_whole(own, base, e, directions, mine)
            else:
                self._apply_diagonal(own, base, e, directions, mine, work)
            if through_means is not None:
                each = [part for part in (means, None if base is None else base.through(e)) if part is not None]
                answer = np.concatenate(each).transpose(1, 0, 2)  # (batch, mean, feature)
                np.matmul(through_means, answer, out=work.transpose(1, 0, 2))
                mine += work
            evaluation.by_parameters(means, work)
            mine += work
        return self._with_kinematics(slopes, x)

    def _spread(self, channel: int) -> Array:
        """(feature,), or one for all."""
        return np.asarray(self.units.spread[..., channel])

    def _apply_diagonal(
        self, own: Array, base: _Base | None, equation: int, directions: Array, out: Array, work: Array
    ) -> None:
        """Σ over moving channels of (∂f/∂own channel)·S, into ``out``."""
        for m, channel in enumerate(self.shape.moving):
            diagonal = own[channel] / self._spread(channel)
            if base is not None:
                diagonal = diagonal + base.local(m, equation)
            if m == 0:
                np.multiply(diagonal, directions[0], out=out)
            else:
                out += np.multiply(diagonal, directions[m], out=work)

    def _apply_whole(self, own: Array, base: _Base | None, equation: int, directions: Array, out: Array) -> None:
        """(∂f/∂x)·S of a full coupling, into ``out``: one matrix for each batch member."""
        channels, batch, features = self.shape.channels, *directions.shape[2:]
        jacobian = own.reshape(features, channels, batch, features)  # by the feature and channel that is seen
        for m, channel in enumerate(self.shape.moving):
            matrix = (jacobian[:, channel] / np.broadcast_to(self._spread(channel), features)[:, None, None]).copy()
            if base is not None:
                matrix += base.whole(m, channel, channels, equation)
            product = np.matmul(directions[m].transpose(1, 0, 2), matrix.transpose(1, 0, 2)).transpose(1, 0, 2)
            if m == 0:
                out[:] = product
            else:
                out += product

    def _through_means(self, evaluation: Evaluation, base: _Base | None, directions: Array) -> Array | None:
        """(∂means/∂x)·S, (batch, parameter, mean), of the network's means followed by the base law's."""
        by_state = []
        if self.shape.pooled:
            scale = np.stack([np.broadcast_to(self._spread(c), directions.shape[-1]) for c in self.shape.moving])
            by_state.append(evaluation.means_by_state()[:, list(self.shape.moving)] / scale[None, :, None])
        if base is not None and (own := base.means_by_state()) is not None:
            by_state.append(own)
        if not by_state:
            return None
        seen = np.concatenate(by_state)  # (mean, moving, batch, feature)
        parts = (np.matmul(s.transpose(1, 0, 2), seen[:, m].transpose(1, 2, 0)) for m, s in enumerate(directions))
        return np.asarray(sum(parts))


class _Base:
    """The sensitivities of a library's law at one batch of states, features last."""

    def __init__(self, law: BoundLibrary, x: Array, t: Array) -> None:
        self.sensitivity = law.sensitivity(np.ascontiguousarray(x.transpose(1, 2, 0)), t)
        self.value = self.sensitivity.value

    def local(self, moving: int, equation: int) -> Array:
        """By the feature's own channel, (batch, feature)."""
        return self.sensitivity.local[:, moving, equation]

    def through(self, equation: int) -> Array | None:
        """By the means, (mean, batch, feature)."""
        through = self.sensitivity.through
        return None if through is None else through[:, equation].transpose(2, 0, 1)

    def means_by_state(self) -> Array | None:
        """(mean, moving, batch, feature)."""
        slopes = self.sensitivity.variables_by_state()
        return None if slopes is None else slopes.transpose(3, 0, 1, 2)

    def whole(self, moving: int, channel: int, channels: int, equation: int) -> Array:
        """The Jacobian of a full law, (feature that is seen, batch, feature)."""
        local = self.local(moving, equation)
        matrix = np.zeros((local.shape[1], *local.shape))
        through = self.sensitivity.through
        if through is not None:
            matrix += through[:, equation, :, channel::channels].transpose(2, 0, 1)
        every = np.arange(local.shape[1])
        matrix[every, :, every] += local.T
        return matrix


def _as_columns(statistic: Array) -> Array:
    """A statistic (channel,) or (feature, channel) beside states (channel, batch, feature)."""
    return statistic[:, None, None] if statistic.ndim == 1 else statistic.T[:, None]
