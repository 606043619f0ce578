"""How strongly the first layer takes up each circle."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ecodyn.networks.modular_addition.fourier import spectrum
from ecodyn.networks.modular_addition.responses.answering import Answering

__all__ = ["first_layer"]


def first_layer(network: Answering, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """‖Σ_a e^(−2πi·a·k/p) [U E_a; V E_a]‖ for k = 1..(p−1)/2: the first layer's weights at a frequency.

    The norm is over the units' inputs from both tokens, in the units of the first layer times those of the embedding;
    its square is the power. A circle that the layer's weights are orthogonal to has none, however large it is. The
    same Fourier sums as of the embedding (Ding, Guo, Michaud, Liu and Tegmark 2024, arXiv 2405.17420), one layer on.

    Examples
    --------
    >>> import torch
    >>> from ecodyn.training import MLP
    >>> batch = MLP(p=5, dim=2).draw([0, 1], torch.float64, torch.device("cpu"))
    >>> tuple(first_layer(batch.settings, batch.tensors).shape)
    (2, 2)
    """
    return spectrum(network.token_inputs(tensors))[..., 1:]
