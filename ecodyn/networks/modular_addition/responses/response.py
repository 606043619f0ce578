"""How much of the network's answer is each circle's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from ecodyn.networks.modular_addition.pairs import tokens
from ecodyn.networks.modular_addition.responses.answering import Answering

__all__ = ["response", "waves_at_sum"]


def response(network: Answering, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """α_k = (2/p³) Σ_abc logits(a, b)_c cos(2πk(a + b − c)/p) for k = 1..(p−1)/2: the network's response at k.

    It is the coefficient of the wave by which circle k votes for the sum: logits that are Σ_k α_k cos(2πk(a + b − c)/p)
    have these α. It has a sign, and the units of the logits. All p² pairs enter, those that are trained on and those
    that are not: a forward pass more for each step that is kept. Nanda, Chan, Lieberum, Smith and Steinhardt (2023,
    arXiv 2301.05217, section 4.2) find logits of this form.

    Examples
    --------
    >>> import torch
    >>> from ecodyn.training import MLP
    >>> batch = MLP(p=5, dim=2).draw([0, 1], torch.float64, torch.device("cpu"))
    >>> tuple(response(batch.settings, batch.tensors).shape)
    (2, 2)
    """
    embedding = tensors["embedding"]
    a, b, _ = (torch.from_numpy(part).to(embedding.device) for part in tokens(np.arange(network.p**2), network.p))
    return waves_at_sum(network.logits(tensors, a.expand(len(embedding), -1), b.expand(len(embedding), -1)))


def waves_at_sum(logits: torch.Tensor) -> torch.Tensor:
    """α (S, K) of the logits (S, p², p) of all pairs, a running faster than b.

    Examples
    --------
    Logits 3 cos(2π·2(a + b − c)/5):

    >>> import torch
    >>> a, b, c = (torch.arange(5).view(shape) for shape in ((1, 5, 1), (5, 1, 1), (1, 1, 5)))
    >>> logits = 3 * torch.cos(2 * torch.pi * 2 * (a + b - c) / 5)
    >>> waves_at_sum(logits.view(1, 25, 5)).numpy().round(4).tolist()
    [[0.0, 3.0]]
    """
    (S, pairs, p), device = logits.shape, logits.device
    _, _, total = tokens(np.arange(pairs), p)
    off = torch.from_numpy((total[:, None] - np.arange(p)) % p).to(device)  # a + b − c, all that the wave depends on
    sums = torch.zeros(S, p, dtype=torch.float64, device=device)
    sums.index_add_(1, off.flatten(), logits.flatten(1).to(torch.float64))
    k, s = torch.arange(1, (p + 1) // 2, device=device), torch.arange(p, device=device)
    waves = torch.cos(2 * torch.pi * (torch.outer(s, k) % p).to(torch.float64) / p)
    return sums @ waves * (2 / p**3)
