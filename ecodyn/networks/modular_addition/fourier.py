"""Embeddings as waves over their tokens: how strong each circle is, and the part that some circles make up."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable

import numpy as np
import torch

__all__ = ["check_frequencies", "projection", "spectrum"]


def spectrum(frames: torch.Tensor) -> torch.Tensor:
    """Strength of every Fourier frequency of an embedding, or of its gradient.

    x_k = ‖Σ_a e^(-2πi·a·k/p) E_a‖₂  for k = 0..(p-1)/2

    The sum runs over the p tokens, the norm over the d embedding dimensions; there is no 1/p. Frequencies k
    and p − k have equal norms, so that half of them is all of them. Computed in float64, whatever E is in, as one
    product with cosines and sines, which for a small prime p takes a third of an FFT's time.

    Parameters
    ----------
    frames
        E, shape (..., p, d), p odd.

    Returns
    -------
    Shape (..., (p+1)/2): k = 0 (DC) first, then the features 1..(p-1)/2.

    Examples
    --------
    A wave of frequency 2 over 7 tokens:

    >>> wave = torch.cos(2 * torch.pi * 2 * torch.arange(7) / 7)[:, None]
    >>> spectrum(wave).numpy().round(4).tolist()
    [0.0, 0.0, 3.5, 0.0]
    """
    waves = _waves(frames.shape[-2], frames.device)
    power = (waves @ frames.to(torch.float64)).square().sum(-1)
    count = len(waves) // 2 + 1
    power[..., 1:count] += power[..., count:]
    return power[..., :count].sqrt()


def projection(p: int, frequencies: Iterable[int], *, dc: bool = False) -> np.ndarray:
    """P_ab = (2/p) Σ_k cos(2πk(a−b)/p), and 1/p more with ``dc``: the projection (p, p) of embeddings onto circles.

    P E is the part of an embedding E (p, d) that the frequencies k make up; with all (p−1)/2 of them and DC, the mean
    over tokens, P is the identity.

    >>> bool(np.allclose(projection(5, [1, 2], dc=True), np.eye(5)))
    True
    """
    difference = np.subtract.outer(np.arange(p), np.arange(p))
    angles = [2 * np.pi * (k * difference % p) / p for k in frequencies]
    kept = 2 / p * np.cos(np.reshape(angles, (-1, p, p))).sum(axis=0)
    return kept + 1 / p if dc else kept


def check_frequencies(what: str, frequencies: Iterable[int], p: int) -> None:
    """Raise a ValueError, which names ``what`` asked for them, unless all are frequencies of p tokens."""
    beyond = [k for k in frequencies if not 1 <= k <= (p - 1) // 2]
    if beyond:
        raise ValueError(
            f"{what}: p = {p} has the frequencies 1 to {(p - 1) // 2}, got {', '.join(map(str, beyond))} "
            f"(k and p - k are the same)"
        )


@functools.lru_cache
def _waves(p: int, device: torch.device) -> torch.Tensor:
    """cos(2πka/p) for k = 0..(p-1)/2, then sin(2πka/p) for k = 1..(p-1)/2; (p, p)."""
    k = torch.arange((p + 1) // 2)[:, None]
    angle = (k * torch.arange(p) % p).to(torch.float64) * (2 * math.pi / p)
    return torch.cat([angle.cos(), angle[1:].sin()]).to(device)
