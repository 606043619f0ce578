"""The Fourier spectrum of an embedding over its tokens: how strong each circle is."""

from __future__ import annotations

import functools
import math

import torch

__all__ = ["spectrum"]


def spectrum(frames: torch.Tensor) -> torch.Tensor:
    """Strength of every Fourier frequency of an embedding, or of its gradient.

    x_k = ‖Σ_a e^(-2πi·a·k/p) E_a‖₂  for k = 0..(p-1)/2

    The sum runs over the p tokens, the norm over the d embedding dimensions; there is no 1/p. Frequencies k
    and p − k have equal norms, so that half of them is all of them. Computed in float64, whatever E is in, as one
    product with cosines and sines, which for a small prime p takes a third of an FFT's time.

    Args:
        frames: E, shape (..., p, d), p odd.

    Returns:
        Shape (..., (p+1)/2): k = 0 (DC) first, then the features 1..(p-1)/2.
    """
    waves = _waves(frames.shape[-2], frames.device)
    power = (waves @ frames.to(torch.float64)).square().sum(-1)
    count = len(waves) // 2 + 1
    power[..., 1:count] += power[..., count:]
    return power[..., :count].sqrt()


@functools.lru_cache
def _waves(p: int, device: torch.device) -> torch.Tensor:
    """cos(2πka/p) for k = 0..(p-1)/2, then sin(2πka/p) for k = 1..(p-1)/2; (p, p)."""
    k = torch.arange((p + 1) // 2)[:, None]
    angle = (k * torch.arange(p) % p).to(torch.float64) * (2 * math.pi / p)
    return torch.cat([angle.cos(), angle[1:].sin()]).to(device)
