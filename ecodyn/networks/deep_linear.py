"""Deep linear networks that learn a matrix: trainings whose law theory knows, many at a time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.training.checks import check_choice, check_rate, check_seed, check_whole
from ecodyn.networks.training.network import AutogradBatch, Draw, NetworkSettings

__all__ = ["DeepLinear", "DeepLinearBatch"]


@dataclass(frozen=True, kw_only=True)
class DeepLinear(NetworkSettings):
    """W = W_L ... W_1, each (modes, modes), learns a teacher M = Σ_i s_i u_i v_iᵀ by L = ½ ‖W − M‖² (white inputs).

    The features are the modes of the teacher, with signal a_i = u_iᵀ W v_i, so that mode i is the same in every run.
    By gradient descent with rate η, from a small or a balanced start, per step (Saxe, McClelland and Ganguli 2014):

    depth 1: ȧ = η (s − a), linear;  depth 2: ȧ = 2 η a (s − a), logistic: Lotka-Volterra, independent;
    depth N: ȧ = N η a^(2−2/N) (s − a), not a polynomial for N > 2.

    Parameters
    ----------
    modes
        Number of modes n.
    depth
        Number of layers L.
    strongest, weakest
        s_1 and s_n; the others lie evenly between.
    start
        "small" draws every weight from N(0, scale²/n), so that modes first have to align; "balanced" starts
        aligned, with a_i drawn between scale/2 and 2·scale and all layers of equal strength, where the laws above
        are exact.
    scale
        Size of the start.
    teacher_seed
        Seed of u and v.

    Examples
    --------
    Modes rise to the teacher's strengths, the strongest first:

    >>> from ecodyn.training import train
    >>> network = DeepLinear(modes=2, strongest=2.0, weakest=1.0, start="balanced", learning_rate=0.05)
    >>> train(network, seeds=[0], steps=200).values[0, [0, 50, 200]].round(1)
    array([[0. , 0. ],
           [2. , 0.5],
           [2. , 1. ]])
    """

    name = "deep_linear"

    optimiser: str = "sgd"
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    modes: int = 8
    depth: int = 2
    strongest: float = 2.0
    weakest: float = 0.5
    start: str = "small"
    scale: float = 0.01
    teacher_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("modes", self.modes, 1)
        check_whole("depth", self.depth, 1)
        check_rate("strongest", self.strongest, zero_allowed=False)
        check_rate("weakest", self.weakest, zero_allowed=False)
        check_choice("start", self.start, ("small", "balanced"))
        check_rate("scale", self.scale, zero_allowed=False)
        check_seed(self.teacher_seed)

    @property
    def features(self) -> np.ndarray:
        """Modes 1..n, the strongest first."""
        return np.arange(1, self.modes + 1)

    @property
    def measured(self) -> tuple[str, ...]:
        """Modes two ways, and the loss."""
        return ("signal", "gradient", "singular_values", "train_loss")

    @property
    def labels(self) -> Hashable:
        """The teacher."""
        return self.modes, self.strongest, self.weakest, self.teacher_seed

    def initialisation(self, seed: int) -> Hashable:
        """The weights at the start."""
        return self.name, self.modes, self.depth, self.start, self.scale, seed

    def teacher(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """u (n, n), s (n,) and v (n, n); the i-th columns and the i-th strength are mode i."""
        rng = np.random.default_rng(self.teacher_seed)
        u, v = (np.linalg.qr(rng.standard_normal((self.modes, self.modes)))[0] for _ in range(2))
        return u, np.linspace(self.strongest, self.weakest, self.modes), v

    def draw_one(self, seed: int) -> Draw:
        """The layers of one network, "layer.1" first."""
        rng = np.random.default_rng(seed)
        n, L = self.modes, self.depth
        if self.start == "small":
            layers = list(rng.standard_normal((L, n, n)) * self.scale / np.sqrt(n))
        else:
            u, _, v = self.teacher()
            strength = self.scale * 2 ** rng.uniform(-1, 1, n)
            between = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(L - 1)]
            bases = [v, *between, u]  # layer l takes basis l−1 to basis l, each mode by strength^(1/L)
            layers = [(bases[i + 1] * strength ** (1 / L)) @ bases[i].T for i in range(L)]
        return {f"layer.{i + 1}": torch.from_numpy(layer) for i, layer in enumerate(layers)}

    def draw(self, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> DeepLinearBatch:
        """One network a seed."""
        return DeepLinearBatch(self, seeds, dtype, device)

    def bytes_per_network(self, itemsize: int) -> int:
        """Layers, their products and gradients."""
        return itemsize * 6 * (self.depth + 1) * self.modes**2


class DeepLinearBatch(AutogradBatch):
    """S deep linear networks of one teacher; see `DeepLinear`."""

    def __init__(self, settings: DeepLinear, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        super().__init__([settings.draw_one(seed) for seed in seeds], dtype, device)
        u, s, v = (torch.from_numpy(part).to(device, dtype) for part in settings.teacher())
        self._u, self._v, self._strength = u, v, s
        self._teacher = (u * s) @ v.T

    def losses(self, tensors: Mapping[str, torch.Tensor], *, measure: bool) -> torch.Tensor:
        """½ ‖W − M‖², (S,)."""
        product = self._product(tensors)
        losses = 0.5 * (product - self._teacher).square().sum((1, 2))
        if measure:
            self._map, self._losses = product.detach(), losses.detach()
        return losses

    def _product(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        first, *others = tensors.values()
        product = first
        for layer in others:
            product = layer @ product
        return product

    def observables(self) -> dict[str, torch.Tensor]:
        """Signal a_i = u_iᵀ W v_i; gradient a_i − s_i = u_iᵀ (∂L/∂W) v_i; the singular values of W, descending."""
        signal = torch.einsum("di,sde,ei->si", self._u, self._map, self._v)
        singular = torch.linalg.svdvals(self._map.nan_to_num())  # a run that has diverged must not stop the others
        return {"signal": signal, "gradient": signal - self._strength, "singular_values": singular}

    def curves(self) -> dict[str, torch.Tensor]:
        """The training loss."""
        return {"train_loss": self._losses}
