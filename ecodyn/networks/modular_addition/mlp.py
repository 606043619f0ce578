"""The study's network, many at a time: forward and backward pass as products of matrices.

The gradients are written out rather than found by torch: so each array is written where it stays, blocks of pairs fit
a core's cache, and the layout can be the one in which products of such narrow matrices are fast.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from ecodyn.networks.modular_addition.modular import ModularBatch, ModularSettings
from ecodyn.networks.modular_addition.network import initialise
from ecodyn.networks.training.network import Draw

__all__ = ["MLP", "MLPBatch"]

CACHE_BYTES = 5e5  # of one array of a block on a CPU, of which there are five: measured, from 2e5 to 2e6


@dataclass(frozen=True, kw_only=True)
class MLP(ModularSettings):
    """The study's network (arXiv 2405.17420), by its protocol: an embedding and two hidden layers of SiLU units.

    logits(a, b) = W₃ silu(W₂ silu(U E_a + V E_b + c₁) + c₂) + c₃

    E is (p, dim), U and V (width, dim), W₂ (width, width), W₃ (p, width); trained full batch on the mean
    cross-entropy of the training pairs. Defaults are the study's.

    Examples
    --------
    >>> from ecodyn.training import train
    >>> runs = train(MLP(p=5, dim=4, width=8), seeds=[0, 1], steps=3)
    >>> runs.values.shape, runs.features.tolist(), list(runs.observables)
    ((2, 4, 2), [1, 2], ['signal', 'gradient'])
    """

    name = "mlp"
    responses = ("first_layer", "output_layer", "response")

    @property
    def drawn_before_embedding(self) -> tuple[int, ...]:
        """The layers come first."""
        return (self.width,)

    def draw_parameters(self, seed: int) -> Draw:
        """As the study draws them; see `initialise`."""
        network = initialise(self.p, self.dim, seed, width=self.width)
        return {name: tensor.detach() for name, tensor in network.named_parameters()}

    def logits(self, tensors: Mapping[str, torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """(S, pair, p); what is trained is written out again in `MLPBatch`, where arrays stay in place."""
        A, B = _tables(tensors)
        row = torch.arange(len(a), device=a.device)[:, None]
        hidden = torch.nn.functional.silu(A[row, a] + B[row, b])
        hidden = torch.nn.functional.silu(_affine(hidden, tensors, "second"))
        return _affine(hidden, tensors, "output")

    def token_inputs(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """[U E_a + c₁; V E_a], (S, token, 2·width): the two tables, whose bias is no wave."""
        return torch.cat(_tables(tensors), dim=2)

    def output_weights(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """W₃."""
        return tensors["output.weight"]

    def draw(self, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> MLPBatch:
        """One network a seed."""
        return MLPBatch(self, seeds, dtype, device)

    def bytes_per_network(self, itemsize: int) -> int:
        """Activations of all pairs, one-hot labels and indices, and four arrays of parameters."""
        pairs = self.p**2
        parameters = self.p * self.dim + self.width * (2 * self.dim + self.width + self.p + 2) + self.p
        return itemsize * (pairs * (4 * self.width + 2 * self.p) + 4 * parameters) + 8 * 3 * pairs


class _Block(NamedTuple):
    """Some of the pairs of every network: n of each, at rows first..first+n."""

    rows: slice
    a: torch.Tensor  # row of the token in a table (S·p, width), (S·n,)
    b: torch.Tensor
    label: torch.Tensor  # place of the label's logit in an array (S, p, n), (S·n,)


class _Arrays(NamedTuple):
    """Where a block's arrays go: h = z σ of each hidden layer with σ = 1/(1 + e^(−z)), and the logits."""

    h1: torch.Tensor  # (S, n, width)
    sigma1: torch.Tensor  # (S, n, width)
    h2: torch.Tensor  # (S, width, n)
    sigma2: torch.Tensor  # (S, width, n)
    logits: torch.Tensor  # (S, p, n)


class MLPBatch(ModularBatch):
    """S of the study's networks; see `MLP` for the symbols.

    Per token, A = U E + c₁ and B = V E are computed once, p rows each instead of p² (the concatenation factorised).
    The second half of the network is laid out (unit, pair), so that the long axis is the contiguous one.
    """

    def __init__(self, settings: MLP, seeds: Sequence[int], dtype: torch.dtype, device: torch.device) -> None:
        super().__init__(settings, seeds, dtype, device)
        train, test = settings.split(seeds)
        self._N = train.shape[1]
        self._train = self._blocks(train)
        self._targets = [self._target(block) for block in self._train]
        self._test = self._blocks(test) if settings.test else []
        longest = max(block.rows.stop - block.rows.start for block in [*self._train, *self._test])
        sizes = [len(self) * longest * units for units in [settings.width] * 4 + [settings.p]]
        self._memory = [self.parameters.detach().new_empty(size) for size in sizes]
        self._arrays: dict[int, _Arrays] = {}

    def _blocks(self, index: np.ndarray) -> list[_Block]:
        """Pairs (S, pair) in blocks of nearly equal length that fit the cache; all at once where there are launches."""
        S, p, pairs = len(self), self.settings.p, index.shape[1]
        a, b, label = self.pairs(index)
        network = torch.arange(S, device=a.device)[:, None]
        array_bytes = S * pairs * self.settings.width * self.parameters.element_size()
        count = max(1, min(pairs, round(array_bytes / CACHE_BYTES))) if a.device.type == "cpu" else 1
        edges = [pairs * i // count for i in range(count + 1)]
        blocks = []
        for part in itertools.starmap(slice, itertools.pairwise(edges)):
            n = part.stop - part.start
            place = (network * p + label[:, part]) * n + torch.arange(n, device=a.device)
            rows_a, rows_b = (network * p + a[:, part]).view(-1), (network * p + b[:, part]).view(-1)
            blocks.append(_Block(part, rows_a, rows_b, place.view(-1)))
        return blocks

    def _target(self, block: _Block) -> torch.Tensor:
        """−1/N at the labels of training pairs and zero elsewhere, (S, p, n)."""
        n = block.rows.stop - block.rows.start
        target = self.parameters.new_zeros(len(self), self.settings.p, n).detach()
        target.view(-1)[block.label] = -1 / self._N
        return target

    def _arrays_of(self, n: int) -> _Arrays:
        """Arrays for a block of n pairs: the same memory for every block, so that it stays in the cache."""
        if n not in self._arrays:
            S, p, width = len(self), self.settings.p, self.settings.width
            shapes = ((S, n, width), (S, n, width), (S, width, n), (S, width, n), (S, p, n))
            self._arrays[n] = _Arrays(
                *(memory[: math.prod(shape)].view(shape) for memory, shape in zip(self._memory, shapes, strict=True))
            )
        return self._arrays[n]

    def backward(self, *, measure: bool) -> None:
        """Gradients of L = −(1/N) Σ log softmax(logits)_label over the N training pairs, by the chain rule."""
        E, W, G = self.tensors["embedding"], self.tensors, self.gradients
        A, B = (table.flatten(0, 1) for table in _tables(W))
        for name in ("output.weight", "output.bias", "second.weight", "second.bias"):
            G[name].zero_()
        dA, dB = torch.zeros_like(A), torch.zeros_like(B)
        score = _Score(len(self), self._N, E) if measure else None
        for block, target in zip(self._train, self._targets, strict=True):
            x = self._forward(block, A, B)
            totals = _exponentiate(x.logits, block, score)
            # ∂L/∂logits = softmax/N − 1/N at the label
            q = torch.addcdiv(target, x.logits, totals[:, None], value=1 / self._N, out=x.logits)
            torch.baddbmm(G["output.weight"], q, x.h2.mT, out=G["output.weight"])
            G["output.bias"].add_(q.sum(2))
            slope = _slope(x.h2, x.sigma2)
            dz2 = torch.bmm(W["output.weight"].mT, q, out=x.h2).mul_(slope)
            torch.baddbmm(G["second.weight"], dz2, x.h1, out=G["second.weight"])
            G["second.bias"].add_(dz2.sum(2))
            slope = _slope(x.h1, x.sigma1)
            dz1 = torch.bmm(dz2.mT, W["second.weight"], out=x.h1).mul_(slope).flatten(0, 1)
            dA.index_add_(0, block.a, dz1)
            dB.index_add_(0, block.b, dz1)
        self._backward_tables(dA.view(*E.shape[:2], -1), dB.view(*E.shape[:2], -1))
        if score is not None:
            self.measured["train_loss"], self.measured["train_accuracy"] = score.loss_and_accuracy()
            if self._test:
                self._measure_test(A, B)

    def _backward_tables(self, dA: torch.Tensor, dB: torch.Tensor) -> None:
        """Gradients of what the tables are made of, from those of the tables (S, p, width)."""
        E, G = self.tensors["embedding"], self.gradients
        U, V = self.tensors["first.weight"].split(E.shape[2], dim=2)
        dU, dV = G["first.weight"].split(E.shape[2], dim=2)
        dU.copy_(torch.bmm(dA.mT, E))
        dV.copy_(torch.bmm(dB.mT, E))
        G["first.bias"].copy_(dA.sum(1))
        G["embedding"].copy_(torch.bmm(dA, U)).baddbmm_(dB, V)

    def _forward(self, block: _Block, A: torch.Tensor, B: torch.Tensor) -> _Arrays:
        """Logits of a block's pairs and what leads to them."""
        W, n = self.tensors, block.rows.stop - block.rows.start
        x = self._arrays_of(n)
        z1, of_b = x.h1.flatten(0, 1), x.sigma1.flatten(0, 1)
        torch.index_select(A, 0, block.a, out=z1)
        z1.add_(torch.index_select(B, 0, block.b, out=of_b))
        x.h1.mul_(torch.sigmoid(x.h1, out=x.sigma1))
        torch.bmm(W["second.weight"], x.h1.mT, out=x.h2).add_(W["second.bias"][:, :, None])
        x.h2.mul_(torch.sigmoid(x.h2, out=x.sigma2))
        torch.bmm(W["output.weight"], x.h2, out=x.logits).add_(W["output.bias"][:, :, None])
        return x

    def _measure_test(self, A: torch.Tensor, B: torch.Tensor) -> None:
        score = _Score(len(self), self._test[-1].rows.stop, A)
        for block in self._test:
            _exponentiate(self._forward(block, A, B).logits, block, score)
        self.measured["test_loss"], self.measured["test_accuracy"] = score.loss_and_accuracy()


def _tables(tensors: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """A = U E + c₁ and B = V E, (S, p, width) each."""
    E = tensors["embedding"]
    U, V = tensors["first.weight"].split(E.shape[2], dim=2)
    return torch.baddbmm(tensors["first.bias"][:, None], E, U.mT), torch.bmm(E, V.mT)


def _affine(x: torch.Tensor, tensors: Mapping[str, torch.Tensor], layer: str) -> torch.Tensor:
    return torch.baddbmm(tensors[f"{layer}.bias"][:, None], x, tensors[f"{layer}.weight"].mT)


class _Score:
    """Loss and accuracy over blocks of N pairs: the label's logit below the largest, and Σ e^(below)."""

    def __init__(self, S: int, N: int, like: torch.Tensor) -> None:
        self.label, self.totals = (torch.empty(S, N, dtype=torch.float64, device=like.device) for _ in range(2))

    def loss_and_accuracy(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean cross-entropy and share of pairs whose label has the largest logit, (S,) each."""
        loss = (self.totals.log() - self.label).mean(1)
        return loss, (self.label >= 0).to(torch.float64).mean(1)


def _slope(h: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """silu'(z) = σ + h (1 − σ), in the place of σ."""
    return sigma.lerp_(sigma.new_ones(()), h)


def _exponentiate(logits: torch.Tensor, block: _Block, score: _Score | None) -> torch.Tensor:
    """Replace logits (S, p, n) by exp(logits − largest), and return the sums of these, (S, n)."""
    logits.sub_(logits.amax(1, keepdim=True))
    if score is not None:
        score.label[:, block.rows] = logits.view(-1).index_select(0, block.label).view(len(logits), -1)
    totals = logits.exp_().sum(1)
    if score is not None:
        score.totals[:, block.rows] = totals
    return totals
