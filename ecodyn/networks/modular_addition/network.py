"""The study's network as a module of torch's: the plain form, and the draw of its parameters.

Initialisation repeats the study's own, draw by draw (arXiv 2405.17420 and its code): the same seed gives the same
numbers. What is trained is `ecodyn.networks.modular_addition.mlp`, many such networks at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["Network", "initialise", "seeded"]


class Network(nn.Module):
    """Logits of a + b mod p from the embeddings of a and b.

    logits(a, b) = W₃ silu(W₂ silu(W₁ [E_a; E_b] + c₁) + c₂) + c₃

    E is (p, dim), W₁ (width, 2·dim), W₂ (width, width), W₃ (p, width).

    Parameters
    ----------
    p
        The modulus, which is the number of tokens.
    dim
        Embedding dimension d.
    width
        Units in each hidden layer.
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
        hidden = nn.functional.silu(self.first(torch.cat([self.embedding[a], self.embedding[b]], dim=-1)))
        return self.output(nn.functional.silu(self.second(hidden)))


def initialise(p: int, dim: int, seed: int, *, width: int = 100) -> Network:
    """Draw a network as the study does: linear layers in order by PyTorch's default, then E ~ N(0, 1).

    The numbers are drawn in float64 on the CPU, so that a seed means the same network whatever it is trained
    on or in; they equal those after ``torch.manual_seed(seed)``. The global random state is left as it was.

    Parameters
    ----------
    p
        The modulus.
    dim
        Embedding dimension.
    seed
        Seed of the draw.
    width
        Units in each hidden layer.

    Examples
    --------
    >>> network, again = initialise(5, 2, seed=0), initialise(5, 2, seed=0)
    >>> tuple(network.embedding.shape), torch.equal(network.embedding, again.embedding)
    ((5, 2), True)
    """
    with seeded(seed):
        return Network(p, dim, width)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """torch's global generator under a seed, and afterwards as it was."""
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed, which would seed the GPUs too, and those are not restored.
        torch.default_generator.manual_seed(seed)
        yield
