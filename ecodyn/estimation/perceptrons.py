"""The perceptrons of neural ODEs, a batch of them at a time: shape, initial weights, and their values.

Each weight carries a leading network axis, and one batched matrix product serves all networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor
Weights = dict[str, Tensor]

FIRST, LAST = ("g1", "phi1"), ("g3", "phi2")  # layers that see no tanh, and that have none behind them


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Shape of g: what it sees of a state and how wide it is.

    ``coupling`` "independent": g(xᵢ); "exchangeable": g(xᵢ, mean x, mean φ(x)), permutation-equivariant; "full": g(x).
    ``driven`` replaces the means by a given curve of time. ``moving``, ``fitted`` and ``velocity`` are the positions of
    the state's channels that are no traits, that g gives the derivative of, and that is the signal's derivative.
    """

    coupling: str
    channels: int
    features: int
    hidden: int = 24
    mean_hidden: int = 12
    means: int = 4
    driven: int = 0
    moving: tuple[int, ...] = (0,)
    fitted: tuple[int, ...] = (0,)
    velocity: int | None = None

    @property
    def environment(self) -> int:
        """Number of inputs beside the own channels."""
        if self.coupling != "exchangeable":
            return 0
        return self.driven or self.channels + self.means

    def sizes(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of each layer."""
        full = self.coupling == "full"
        inputs = self.channels * self.features if full else self.channels + self.environment
        layers = {
            "g1": (inputs, self.hidden),
            "g2": (self.hidden, self.hidden),
            "g3": (self.hidden, len(self.fitted) * (self.features if full else 1)),
        }
        if self.coupling == "exchangeable" and not self.driven:
            layers |= {"phi1": (self.channels, self.mean_hidden), "phi2": (self.mean_hidden, self.means)}
        return layers


def initial_weights(architecture: Architecture, seeds: Sequence[int]) -> Weights:
    """PyTorch's default initialisation of linear layers, one seed a network, float32."""
    weights: dict[str, list[Tensor]] = {}
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        for name, (inputs, outputs) in architecture.sizes().items():
            limit = inputs**-0.5
            for part, shape in (("weight", (inputs, outputs)), ("bias", (1, outputs))):
                value = (torch.rand(shape, generator=generator) * 2 - 1) * limit
                weights.setdefault(f"{name}.{part}", []).append(value)
    return {name: torch.stack(values) for name, values in weights.items()}


def in_sigmoids(weights: Weights) -> Weights:
    """The weights with which sigmoids give what the given ones give with tanh, tanh(a) = 2σ(2a) − 1.

    σ takes a sixth of tanh's time in PyTorch (float32, AVX-512), and tanh was half of a training.
    """
    folded: Weights = {}
    for name in dict.fromkeys(key.partition(".")[0] for key in weights):
        weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
        if name not in FIRST:  # h W + b of h = 2s − 1
            weight, bias = 2 * weight, bias - weight.sum(dim=1, keepdim=True)
        scale = 1 if name in LAST else 2
        folded |= {f"{name}.weight": scale * weight, f"{name}.bias": scale * bias}
    return folded


def evaluate(folded: Weights, architecture: Architecture, u: Tensor, drive: Tensor | None = None) -> Tensor:
    """g at standardised states (network, state, feature, channel): (network, state, feature, equation).

    ``folded`` weights are those of ``in_sigmoids``; ``drive`` (network, state, curve) replaces the means. Inside, units
    come before states: matrix products whose other side is a single unit are then ten times as fast.
    """
    n, states, features, channels = u.shape
    if architecture.coupling == "full":
        g = _Perceptron.apply(u.reshape(n, states, features * channels).mT, None, *_layers(folded, "g1", "g2", "g3"))
        return g.reshape(n, features, -1, states).permute(0, 3, 1, 2)
    own = u.permute(0, 3, 1, 2).reshape(n, channels, states * features)
    seen = None
    if architecture.coupling == "exchangeable":
        seen = _means(folded, own, features) if drive is None else drive.mT
    g = _Perceptron.apply(own, seen, *_layers(folded, "g1", "g2", "g3"))
    return g.unflatten(2, (states, features)).permute(0, 2, 3, 1)


def _layers(folded: Weights, *names: str) -> list[Tensor]:
    return [folded[f"{name}.{part}"] for name in names for part in ("weight", "bias")]


def _means(folded: Weights, own: Tensor, features: int) -> Tensor:
    """Means over features of the channels and of φ, (network, mean, state)."""
    hidden = _MeanHidden.apply(own, features, *_layers(folded, "phi1"))
    learned = _affine(folded["phi2.weight"], folded["phi2.bias"], hidden)  # linear: the mean may come before it
    return torch.cat([own.unflatten(2, (-1, features)).mean(dim=3), learned], dim=1)


def _affine(weight: Tensor, bias: Tensor, x: Tensor) -> Tensor:
    """Wᵀx + b of inputs (network, unit, state)."""
    return torch.baddbmm(bias.mT, weight.mT, x)


def _gradients(x: Tensor, d: Tensor) -> tuple[Tensor, Tensor]:
    """Of a layer's weight and bias, from its inputs x and the gradient d of what it gives."""
    return torch.bmm(x, d.mT), d.sum(dim=2).unsqueeze(1)


def _through_sigmoid_(d: Tensor, s: Tensor) -> Tensor:
    """d · s(1 − s), in place of d."""
    return d.mul_(torch.addcmul(s, s, s, value=-1))


class _Perceptron(torch.autograd.Function):
    """g of own inputs (network, input, state × feature) and, where given, those that a state's features share.

    Gradients are written out, and what is used up is overwritten: a training takes a seventh less than by autograd.
    """

    @staticmethod
    def forward(
        ctx: Any,
        own: Tensor,
        seen: Tensor | None,
        w1: Tensor,
        b1: Tensor,
        w2: Tensor,
        b2: Tensor,
        w3: Tensor,
        b3: Tensor,
    ) -> Tensor:
        """(network, equation, state × feature)."""
        if seen is None:
            first = _affine(w1, b1, own)
        else:
            first = torch.bmm(w1[:, : own.shape[1]].mT, own)
            shared = _affine(w1[:, own.shape[1] :], b1, seen)  # once a state, not once a feature
            first.unflatten(2, (seen.shape[2], -1)).add_(shared.unsqueeze(3))
        s1 = first.sigmoid_()
        s2 = _affine(w2, b2, s1).sigmoid_()
        ctx.save_for_backward(own, seen, w1, w2, w3, s1, s2)
        return _affine(w3, b3, s2)

    @staticmethod
    def backward(ctx: Any, dg: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of all inputs of ``forward``."""
        own, seen, w1, w2, w3, s1, s2 = ctx.saved_tensors
        dg = dg.contiguous()
        d2 = _through_sigmoid_(torch.bmm(w3, dg), s2)
        d1 = _through_sigmoid_(torch.bmm(w2, d2), s1)
        d_own = torch.bmm(w1[:, : own.shape[1]], d1) if ctx.needs_input_grad[0] else None
        d_seen = None
        if seen is None:
            dw1, db1 = _gradients(own, d1)
        else:
            d_shared = d1.unflatten(2, (seen.shape[2], -1)).sum(dim=3)
            of_seen, db1 = _gradients(seen, d_shared)
            dw1 = torch.cat([torch.bmm(own, d1.mT), of_seen], dim=1)
            d_seen = torch.bmm(w1[:, own.shape[1] :], d_shared) if ctx.needs_input_grad[1] else None
        return d_own, d_seen, dw1, db1, *_gradients(s1, d2), *_gradients(s2, dg)


class _MeanHidden(torch.autograd.Function):
    """Means over features of φ's hidden units, of own inputs (network, input, state × feature); see `_Perceptron`."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, features: int, weight: Tensor, bias: Tensor) -> Tensor:
        """(network, unit, state)."""
        s = _affine(weight, bias, own).sigmoid_()
        ctx.save_for_backward(own, weight, s)
        ctx.features = features
        return s.unflatten(2, (-1, features)).mean(dim=3)

    @staticmethod
    def backward(ctx: Any, d: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of all inputs of ``forward``."""
        own, weight, s = ctx.saved_tensors
        each = (d / ctx.features).repeat_interleave(ctx.features, dim=2)
        each = _through_sigmoid_(each, s)
        d_own = torch.bmm(weight, each) if ctx.needs_input_grad[0] else None
        return d_own, None, *_gradients(own, each)
