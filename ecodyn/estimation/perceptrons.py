"""The perceptrons of neural ODEs: their shape, their initial weights, and their values with exact derivatives.

Arrays have units or inputs first and (batch, feature) last: elementwise work then goes along long rows. A perceptron
with a full coupling gives all features at once from all of them: its hidden units then have one value a batch member,
(unit, batch, 1), and what is written for a feature's own units holds for them by broadcasting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ecodyn.arrays import Array

__all__ = ["Architecture", "Evaluation"]


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Shape of g: what it sees of a state and how wide it is.

    ``coupling`` "independent": g(xᵢ); "exchangeable": g(xᵢ, mean x, mean φ(x)), permutation-equivariant; "full": g(x).
    ``driven`` replaces the means by a given curve of time; ``known`` inputs u(t) are seen beside all that. ``moving``,
    ``fitted`` and ``velocity`` are the positions of the state's channels that are no traits, that g gives the
    derivative of, and that is the signal's derivative.
    """

    coupling: str
    channels: int
    features: int
    hidden: int = 8
    mean_hidden: int = 8
    means: int = 2
    driven: int = 0
    known: int = 0
    moving: tuple[int, ...] = (0,)
    fitted: tuple[int, ...] = (0,)
    velocity: int | None = None

    @property
    def full(self) -> bool:
        """Whether all features are seen at once."""
        return self.coupling == "full"

    @property
    def pooled(self) -> bool:
        """Whether means over the state's own features are seen."""
        return self.coupling == "exchangeable" and not self.driven

    @property
    def environment(self) -> int:
        """Number of what is seen of the others, beside the own channels."""
        if self.coupling != "exchangeable":
            return 0
        return self.driven or self.channels + self.means

    def sizes(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of each layer."""
        inputs = self.channels * self.features if self.full else self.channels + self.environment
        inputs += self.known
        layers = {
            "g1": (inputs, self.hidden),
            "g2": (self.hidden, self.hidden),
            "g3": (self.hidden, len(self.fitted) * (self.features if self.full else 1)),
        }
        if self.pooled:
            layers |= {"phi1": (self.channels, self.mean_hidden), "phi2": (self.mean_hidden, self.means)}
        return layers

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Where each weight and bias is in the vector of all parameters."""
        found, begin = {}, 0
        for name, (inputs, outputs) in self.sizes().items():
            for part, size in (("weight", inputs * outputs), ("bias", outputs)):
                found[f"{name}.{part}"] = slice(begin, begin + size)
                begin += size
        return found

    @cached_property
    def size(self) -> int:
        """Number of parameters."""
        return sum((inputs + 1) * outputs for inputs, outputs in self.sizes().values())

    @cached_property
    def _shapes(self) -> dict[str, tuple[int, int]]:
        sizes = self.sizes().items()
        return {f"{n}.{part}": (i if part == "weight" else 1, o) for n, (i, o) in sizes for part in ("weight", "bias")}

    def layers(self, parameters: Array) -> dict[str, Array]:
        """Weights (input, output) and biases (1, output) by name, as views of the vector of parameters."""
        return {name: parameters[where].reshape(self._shapes[name]) for name, where in self.slices.items()}

    def initial(self, rng: np.random.Generator) -> Array:
        """Uniform random parameters within ± 1/√inputs of each layer (LeCun et al. 1998)."""
        parameters = np.empty(self.size)
        for name, (inputs, _) in self.sizes().items():
            for part in ("weight", "bias"):
                where = self.slices[f"{name}.{part}"]
                parameters[where] = rng.uniform(-1, 1, where.stop - where.start) * inputs**-0.5
        return parameters


class Evaluation:
    """g at standardised states u (channel, batch, feature), with what its derivatives are made of.

    ``seen`` (input, batch) replaces the means, and ``known`` (input, batch) are seen beside them. ``value`` is
    (equation, batch, feature).
    """

    def __init__(
        self,
        shape: Architecture,
        layers: Mapping[str, Array],
        u: Array,
        seen: Array | None = None,
        known: Array | None = None,
    ) -> None:
        self.shape, self.layers, self.u = shape, layers, u
        batch, features = u.shape[1:]
        w = layers["g1.weight"]
        if shape.full:
            self.inputs = u.transpose(2, 0, 1).reshape(-1, batch, 1)  # as states are flattened: features outermost
        else:
            self.inputs = u
        if shape.pooled:
            self.phi = np.tanh(_affine(layers, "phi1", u))
            self.mean_phi = self.phi.sum(axis=2) / features
            learned = layers["phi2.weight"].T @ self.mean_phi + layers["phi2.bias"].T
            seen = np.concatenate([u.sum(axis=2) / features, learned])
        if known is not None:
            seen = known if seen is None else np.concatenate([seen, known])
        self.seen = seen
        own = len(self.inputs)
        first = _times(w[:own].T, self.inputs)
        shared = layers["g1.bias"].T
        first += (shared if seen is None else w[own:].T @ seen + shared)[:, :, None]
        self.h1 = np.tanh(first)
        self.h2 = np.tanh(_affine(layers, "g2", self.h1))
        g = _affine(layers, "g3", self.h2)
        self.value = g.reshape(features, -1, batch).transpose(1, 2, 0) if shape.full else g

    def backward(self, equation: int, scale: Array | float) -> None:
        """Go back from one equation's output, times ``scale``: what the two following are made of."""
        w3 = self.layers["g3.weight"]
        w3 = w3[:, equation :: len(self.shape.fitted)][:, None, :]  # (unit, 1, 1 or feature)
        self.equation, self.scale = equation, scale
        self.d2 = (scale * w3) * (1 - self.h2**2)
        self.d1 = _times(self.layers["g2.weight"], self.d2) * (1 - self.h1**2)

    def by_inputs(self) -> tuple[Array, Array | None]:
        """Derivatives of the equation by its inputs, and by the means: (input, batch, feature)."""
        own = len(self.inputs)
        both = _times(self.layers["g1.weight"], self.d1)
        return both[:own], both[own : own + self.shape.environment] if self.shape.pooled else None

    def means_by_state(self) -> Array:
        """∂(means)/∂u, (mean, channel, batch, feature)."""
        channels, batch, features = self.u.shape
        slope = 1 - self.phi**2
        weight = self.layers["phi2.weight"].T[:, None] * self.layers["phi1.weight"] / features
        learned = _times(weight.reshape(-1, len(slope)), slope).reshape(-1, channels, batch, features)
        plain = np.zeros((channels, channels, batch, features))
        plain[np.arange(channels), np.arange(channels)] = 1 / features
        return np.concatenate([plain, learned])

    def by_parameters(self, by_means: Array | None, out: Array) -> None:
        """∂(scaled equation)/∂θ into ``out`` (parameter, batch, feature)."""
        where, shape = self.shape.slices, self.shape
        part = {name: out[s] for name, s in where.items()}
        self._outermost(part["g3.weight"], part["g3.bias"])
        np.multiply(self.h1[:, None], self.d2[None], out=_as(part["g2.weight"], len(self.h1)))
        part["g2.bias"][:] = self.d2
        first = _as(part["g1.weight"], len(self.layers["g1.weight"]))
        own = len(self.inputs)
        np.multiply(self.inputs[:, None], self.d1[None], out=first[:own])
        if self.seen is not None:
            np.multiply(self.seen[:, None, :, None], self.d1[None], out=first[own:])
        part["g1.bias"][:] = self.d1
        if by_means is None:
            return
        learned = by_means[shape.channels :]
        np.multiply(self.mean_phi[:, None, :, None], learned[None], out=_as(part["phi2.weight"], len(self.mean_phi)))
        part["phi2.bias"][:] = learned
        through = _times(self.layers["phi2.weight"], learned)
        slope = 1 - self.phi**2
        moved = (self.u[:, None] * slope[None]).sum(axis=3) / self.u.shape[2]
        np.multiply(moved[..., None], through[None], out=_as(part["phi1.weight"], shape.channels))
        np.multiply((slope.sum(axis=2) / self.u.shape[2])[..., None], through, out=part["phi1.bias"])

    def _outermost(self, weight: Array, bias: Array) -> None:
        """Each output is moved by its own weights alone."""
        equations, batch, features = len(self.shape.fitted), *self.u.shape[1:]
        weight[:], bias[:] = 0.0, 0.0
        if not self.shape.full:
            _as(weight, len(self.h2))[:, self.equation] = self.scale * self.h2
            bias[self.equation] = self.scale
            return
        every = np.arange(features)
        scale = np.broadcast_to(self.scale, (batch, features))
        weights = weight.reshape(len(self.h2), features, equations, batch, features)
        weights[:, every, self.equation, :, every] = scale.T[:, None] * self.h2[None, :, :, 0]
        bias.reshape(features, equations, batch, features)[every, self.equation, :, every] = scale.T


def _affine(layers: Mapping[str, Array], name: str, x: Array) -> Array:
    return _times(layers[f"{name}.weight"].T, x) + layers[f"{name}.bias"].T[:, :, None]


def _times(matrix: Array, x: Array) -> Array:
    """A matrix times the first axis of x."""
    return np.asarray((matrix @ x.reshape(len(x), -1)).reshape(-1, *x.shape[1:]))


def _as(part: Array, inputs: int) -> Array:
    """A weight's part of the derivatives, (input × output, batch, feature), with its two axes."""
    return part.reshape(inputs, -1, *part.shape[1:])
