"""The Fourier spectrum of an embedding over its tokens: how strong each circle is."""

from __future__ import annotations

import torch


def spectrum(frames: torch.Tensor) -> torch.Tensor:
    """Strength of every Fourier frequency of an embedding, or of its gradient.

    x_k = ‖Σ_a e^(-2πi·a·k/p) E_a‖₂  for k = 0..(p-1)/2

    The sum runs over the p tokens, the norm over the d embedding dimensions; there is no 1/p. Frequencies k
    and p − k have equal norms, so that half of them is all of them. Computed in float64, whatever E is in.

    Args:
        frames: E, shape (..., p, d), p odd.

    Returns:
        Shape (..., (p+1)/2): k = 0 (DC) first, then the features 1..(p-1)/2.
    """
    return torch.linalg.vector_norm(torch.fft.rfft(frames.to(torch.float64), dim=-2), dim=-1)
