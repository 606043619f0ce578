"""What a network must tell of itself for its responses to be measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import torch

__all__ = ["Answering", "Response"]


class Answering(Protocol):
    """A network on tokens 0..p−1, S of them side by side; parameters are (S, ...) by name."""

    @property
    def p(self) -> int:
        """The number of tokens."""

    def token_inputs(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """What each token adds to the first hidden layer before its nonlinearity, (S, token, unit)."""

    def output_weights(self, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The weights of each output, (S, output, unit)."""

    def logits(self, tensors: Mapping[str, torch.Tensor], a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """Logits (S, pair, p) of tokens a and b, (S, pair) each."""


Response = Callable[[Answering, Mapping[str, torch.Tensor]], torch.Tensor]
"""From a network and its parameters to the observable, (S, K), in float64."""
