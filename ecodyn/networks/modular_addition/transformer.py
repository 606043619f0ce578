"""A one-layer transformer on modular addition, many at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from ecodyn.networks.modular_addition.modular import ModularBatch, ModularSettings
from ecodyn.networks.modular_addition.network import seeded
from ecodyn.networks.training.checks import check_whole
from ecodyn.networks.training.network import AutogradBatch, Draw

__all__ = ["Transformer", "TransformerBatch"]


@dataclass(frozen=True, kw_only=True)
class Transformer(ModularSettings):
    """One layer of attention and ReLU units on the tokens "a b =", read off at "=": no layer norm, untied unembedding.

    x = (E_a + P₀, E_b + P₁, e + P₂);  r = x₂ + Σ_h O_h Σ_j softmax_j(x₂ᵀQ_hᵀ K_h x_j / √(dim/heads)) V_h x_j
    logits = W_U (r + W_out relu(W_in r + b_in) + b_out)

    E is (p, dim), the features are its circles. Defaults are the usual recipe (Nanda, Chan, Lieberum, Smith and
    Steinhardt 2023, arXiv 2301.05217): p = 113, AdamW with learning rate 0.001, weight decay 1 and betas (0.9, 0.98),
    full batch, 30 % of the pairs; weights are drawn with variance 1/dim (1/p for the unembedding). Its warm-up over
    ten steps is left out.

    Parameters
    ----------
    heads
        Attention heads; they divide ``dim``.
    width
        Units of the hidden layer.

    Examples
    --------
    >>> from ecodyn.training import train
    >>> runs = train(Transformer(p=5, dim=4, width=8, heads=2), seeds=[0], steps=2)
    >>> runs.values.shape, runs.embedding.shape
    ((1, 3, 2), (1, 5, 4))
    """

    name = "transformer"

    p: int = 113
    width: int = 512
    heads: int = 4
    train_fraction: float = 0.3
    learning_rate: float = 0.001
    weight_decay: float = 1.0
    beta2: float = 0.98

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("heads", self.heads, 1)
        if self.dim % self.heads:
            raise ValueError(f"heads must divide dim, got {self.heads} heads and dim {self.dim}")

    @property
    def embedding_scale(self) -> float:
        """The embedding is drawn like the other weights."""
        return 1 / math.sqrt(self.dim)

    @property
    def drawn_before_embedding(self) -> tuple[int, ...]:
        """It comes first."""
        return ()

    def draw_parameters(self, seed: int) -> Draw:
        """Normal weights in the order of the equation, zero biases."""
        p, dim, H, width = self.p, self.dim, self.heads, self.width
        shapes = {
            "embedding": (p, dim),
            "equals": (dim,),
            "position": (3, dim),
            "query": (H, dim // H, dim),
            "key": (H, dim // H, dim),
            "value": (H, dim // H, dim),
            "attention_output": (H, dim, dim // H),
            "input.weight": (width, dim),
            "output.weight": (dim, width),
            "unembedding": (p, dim),
        }
        with seeded(seed):
            drawn = {n: torch.normal(0.0, 1.0, size=shape, dtype=torch.float64) for n, shape in shapes.items()}
        scaled = {n: t * (1 / math.sqrt(p) if n == "unembedding" else self.embedding_scale) for n, t in drawn.items()}
        zeros = {"input.bias": width, "output.bias": dim}
        return scaled | {n: torch.zeros(size, dtype=torch.float64) for n, size in zeros.items()}

    def logits(self, tensors: Mapping[str, torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """(S, pair, p); only "=" is read, so what attention needs of a token is computed once a token and position."""
        W, position = tensors, tensors["position"]
        equals = (W["equals"] + position[:, 2])[:, None]
        sequence = (W["embedding"] + position[:, :1], W["embedding"] + position[:, 1:2], equals)
        query = torch.einsum("shkd,sd->shk", W["query"], equals[:, 0]) / math.sqrt(W["query"].shape[2])
        direction = torch.einsum("shk,shkd->shd", query, W["key"])  # the score of x is its component along it
        moved = torch.einsum("shdk,shke->shde", W["attention_output"], W["value"])  # O_h V_h
        scores, outputs = zip(
            *((torch.einsum("snd,shd->snh", x, direction), torch.einsum("shde,sne->snhd", moved, x)) for x in sequence),
            strict=True,
        )
        network = torch.arange(len(a), device=a.device)[:, None]
        places = ((network, a), (network, b), (network, torch.zeros_like(a)))
        attention = torch.softmax(torch.stack([s[at] for s, at in zip(scores, places, strict=True)]), dim=0)
        r = equals + sum(
            torch.einsum("snh,snhd->snd", weight, output[at])
            for weight, output, at in zip(attention, outputs, places, strict=True)
        )
        hidden = torch.relu(torch.baddbmm(W["input.bias"][:, None], r, W["input.weight"].mT))
        r = r + torch.baddbmm(W["output.bias"][:, None], hidden, W["output.weight"].mT)
        return torch.bmm(r, W["unembedding"].mT)

    def output_weights(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """W_U."""
        return tensors["unembedding"]

    def draw(self, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> TransformerBatch:
        """One network a seed."""
        return TransformerBatch(self, seeds, dtype, device)

    def bytes_per_network(self, itemsize: int) -> int:
        """Activations of training pairs and their gradients, or of test pairs, and six arrays of parameters."""
        pairs, trained = self.p**2, int(self.p**2 * self.train_fraction)
        parameters = self.dim * (4 * self.dim + 2 * self.width + 2 * self.p + 5)
        training = trained * (5 * self.heads * self.dim + 4 * self.width + 4 * self.p)
        testing = (pairs - trained) * (3 * self.heads * self.dim + 2 * self.width + 2 * self.p) if self.test else 0
        return itemsize * (max(training, testing) + 6 * parameters)


class TransformerBatch(ModularBatch, AutogradBatch):
    """S transformers; see `Transformer` for the symbols."""

    def __init__(self, settings: Transformer, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(settings, seeds, dtype, device)
        train, test = settings.split(seeds)
        self._train = self.pairs(train)
        self._test = self.pairs(test) if settings.test else None

    def losses(self, tensors: Mapping[str, torch.Tensor], *, measure: bool) -> torch.Tensor:
        """Mean cross-entropy of the training pairs, (S,)."""
        losses, accuracy = self.settings.scores(tensors, *self._train)
        if measure:
            self.measured["train_loss"], self.measured["train_accuracy"] = losses.detach(), accuracy
            if self._test is not None:
                with torch.no_grad():
                    loss, accuracy = self.settings.scores(tensors, *self._test)
                self.measured["test_loss"], self.measured["test_accuracy"] = loss, accuracy
        return losses
