"""How much of each frequency the output layer's weights hold."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from ecodyn.networks.modular_addition.fourier import spectrum
from ecodyn.networks.modular_addition.responses.answering import Answering

__all__ = ["output_layer"]


def output_layer(network: Answering, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """‖Σ_c e^(−2πi·c·k/p) W_c‖ for k = 1..(p−1)/2, W_c the weights of output c: the output layer's weights at k.

    The norm is over the layer's units; its square is the power. It is the signal of the output layer as of the
    embedding: both are tables with a row a token. Nanda, Chan, Lieberum, Smith and Steinhardt (2023, arXiv 2301.05217,
    section 4) show that the unembedding is sparse in this basis, at the frequencies of the embedding.

    Examples
    --------
    >>> import torch
    >>> from ecodyn.training import MLP
    >>> batch = MLP(p=5, dim=2).draw([0, 1], torch.float64, torch.device("cpu"))
    >>> tuple(output_layer(batch.settings, batch.tensors).shape)
    (2, 2)
    """
    return spectrum(network.output_weights(tensors))[..., 1:]
