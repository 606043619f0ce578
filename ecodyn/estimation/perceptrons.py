"""The perceptrons of neural ODEs, a batch of them at a time: shape, initial weights, and their values.

Each weight carries a leading network axis, and one batched matrix product serves all networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

Tensor = torch.Tensor
Weights = dict[str, Tensor]

FIRST, LAST = ("g1", "phi1"), ("g3", "phi2")  # layers that see no tanh, and that have none behind them


@dataclass(frozen=True)
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
        g = _behind(folded, _layer(folded, "g1", u.reshape(n, states, features * channels).mT))
        return g.reshape(n, features, -1, states).permute(0, 3, 1, 2)
    own = u.permute(0, 3, 1, 2).reshape(n, channels, states * features)
    if architecture.coupling == "independent":
        first = _layer(folded, "g1", own)
    else:
        seen = _means(folded, own, features) if drive is None else drive.mT
        of_own, of_seen = folded["g1.weight"].split([channels, architecture.environment], dim=1)
        shared = torch.baddbmm(folded["g1.bias"].mT, of_seen.mT, seen)  # once a state, not once a feature
        first = (torch.bmm(of_own.mT, own).unflatten(2, (states, features)) + shared[..., None]).flatten(2)
    return _behind(folded, first).unflatten(2, (states, features)).permute(0, 2, 3, 1)


def _means(folded: Weights, own: Tensor, features: int) -> Tensor:
    """Means over features of the channels and of φ, (network, mean, state); φ's last layer is linear and comes last."""
    hidden = torch.sigmoid(_layer(folded, "phi1", own))
    of_own, of_hidden = (x.unflatten(2, (-1, features)).mean(dim=3) for x in (own, hidden))
    return torch.cat([of_own, _layer(folded, "phi2", of_hidden)], dim=1)


def _behind(folded: Weights, first: Tensor) -> Tensor:
    """The perceptron from what its first layer is fed."""
    return _layer(folded, "g3", torch.sigmoid(_layer(folded, "g2", torch.sigmoid(first))))


def _layer(weights: Weights, name: str, x: Tensor) -> Tensor:
    """W·x + b of inputs (network, unit, state)."""
    return torch.baddbmm(weights[f"{name}.bias"].mT, weights[f"{name}.weight"].mT, x)
