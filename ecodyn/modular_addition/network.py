"""The study's network: an embedding, two hidden layers, and the pairs it is trained on.

Initialisation and the choice of training pairs repeat the study's own, draw by draw (arXiv 2405.17420 and its
code): the same seed gives the same numbers.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn


class Network(nn.Module):
    """Logits of a + b mod p from the embeddings of a and b.

    logits(a, b) = W₃ silu(W₂ silu(W₁ [E_a; E_b] + c₁) + c₂) + c₃

    E is (p, dim), W₁ (width, 2·dim), W₂ (width, width), W₃ (p, width). W₁ [E_a; E_b] is computed as
    U E_a + V E_b, where W₁ = [U V]: each token is multiplied once instead of once for every pair.

    Args:
        p: The modulus, which is the number of tokens.
        dim: Embedding dimension d.
        width: Units in each hidden layer.
    """

    def __init__(self, p: int, dim: int, width: int = 100) -> None:
        super().__init__()
        # The layers before the embedding: the order of the draws is part of the study's protocol.
        self.first = nn.Linear(2 * dim, width, dtype=torch.float64)
        self.second = nn.Linear(width, width, dtype=torch.float64)
        self.output = nn.Linear(width, p, dtype=torch.float64)
        self.embedding = nn.Parameter(torch.normal(0.0, 1.0, size=(p, dim), dtype=torch.float64))

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Logits, shape (pair, p), of the tokens ``a`` and ``b``, each (pair,) of int64."""
        left, right = self.first.weight.split(self.embedding.shape[1], dim=1)
        of_a = nn.functional.embedding(a, nn.functional.linear(self.embedding, left, self.first.bias))
        of_b = nn.functional.embedding(b, nn.functional.linear(self.embedding, right))
        hidden = nn.functional.silu(of_a + of_b)
        return self.output(nn.functional.silu(self.second(hidden)))


def initialise(p: int, dim: int, seed: int, *, width: int = 100) -> Network:
    """Draw a network as the study does: linear layers in order by PyTorch's default, then E ~ N(0, 1).

    The numbers are drawn in float64 on the CPU, so that a seed means the same network whatever it is trained
    on or in; they equal those after ``torch.manual_seed(seed)``. The global random state is left as it was.

    Args:
        p: The modulus.
        dim: Embedding dimension.
        seed: Seed of the draw.
        width: Units in each hidden layer.
    """
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would seed the GPUs too, and those are not restored.
        torch.default_generator.manual_seed(seed)
        return Network(p, dim, width)


def split_pairs(p: int, seed: int, fraction: float = 0.8) -> tuple[np.ndarray, np.ndarray]:
    """Choose the training pairs out of the p² of the grid, in the order in which the study draws them.

    Index i of the grid stands for a = i mod p, b = i div p. The draw equals ``np.random.seed(seed)`` followed
    by ``np.random.choice(p², int(p²·fraction), replace=False)``; the global random state is not touched.

    Args:
        p: The modulus.
        seed: Seed of the draw.
        fraction: Share of the pairs that is trained on.

    Returns:
        Indices of the training pairs, in the order drawn, and of the remaining pairs, ascending.
    """
    # NumPy's legacy generator on purpose: it is the one whose numbers the study's seeds stand for.
    generator = np.random.RandomState(seed)
    train = generator.choice(p * p, int(p * p * fraction), replace=False)
    return train, np.setdiff1d(np.arange(p * p), train)


def tokens(index: np.ndarray, p: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The tokens a and b of grid indices, and the label (a + b) mod p; each has the shape of ``index``."""
    a, b = index % p, index // p
    return a, b, (a + b) % p
