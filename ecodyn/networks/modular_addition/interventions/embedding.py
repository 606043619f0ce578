"""Interventions on the embedding: held as it was drawn, one circle scaled, two planted, or only some of them kept."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.modular_addition.fourier import check_frequencies, projection
from ecodyn.networks.modular_addition.interventions.intervention import Intervention
from ecodyn.networks.training.checks import check_rate, check_whole
from ecodyn.runtime.json_values import plain

__all__ = ["FrozenEmbedding", "KeepFrequencies", "PlantCircles", "ScaleFrequency"]

PLANTED_SIGNAL, PLANTED_FLOOR = 80.0, 1e-6  # of the study's script


@dataclass(frozen=True)
class FrozenEmbedding(Intervention):
    """Train the layers only; the embedding stays as it was drawn, without weight decay (--freeze_embedding).

    Examples
    --------
    >>> from ecodyn.training import MLP, take_snapshots
    >>> kept = take_snapshots(MLP(p=5, dim=2, interventions=[FrozenEmbedding()]), seeds=[0], steps=[0, 2])
    >>> bool((kept.embeddings[:, 1] == kept.embeddings[:, 0]).all())
    True
    """

    name = "frozen_embedding"

    def held(self, embedding: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
        """Back to the start."""
        return initial


@dataclass(frozen=True)
class ScaleFrequency(Intervention):
    """Multiply one frequency of the embedding by a factor at the start (the study has k = 25, 0.85 to 1.15).

    Parameters
    ----------
    k
        The frequency, 1..(p-1)/2.
    factor
        What its Fourier coefficients are multiplied by.

    Examples
    --------
    >>> ScaleFrequency(k=3, factor=0.9).described()
    {'name': 'scale_frequency', 'k': 3, 'factor': 0.9}
    >>> wave = np.cos(2 * np.pi * np.arange(5) / 5)[:, None]
    >>> bool(np.allclose(ScaleFrequency(k=1, factor=0.9).start(wave, seed=0), 0.9 * wave))
    True
    """

    name = "scale_frequency"
    repeatable = True
    k: int = 25
    factor: float = 1.0

    def __post_init__(self) -> None:
        check_whole("k", self.k, 1)
        check_rate("factor", self.factor, zero_allowed=True)

    def check(self, p: int) -> None:
        """The frequency must be one of p's."""
        check_frequencies(self.name, [self.k], p)

    def start(self, embedding: np.ndarray, seed: int) -> np.ndarray:
        """All else of the spectrum stays as it is."""
        coefficients = np.fft.rfft(embedding, axis=0)
        coefficients[self.k] *= self.factor
        return np.fft.irfft(coefficients, n=len(embedding), axis=0)


@dataclass(frozen=True)
class PlantCircles(Intervention):
    """Start from two planted waves, E_a = (2/p) Σ_k s_k cos(2πka/p) u_k, over a floor of all the others.

    The u_k are random unit vectors, drawn from the run's seed frequency by frequency; s = 80 for ``first``, 80·ratio
    for ``second`` and 10⁻⁶ for the others, which are their signals at step 0. The study fixes layers and pairs beside
    it: combine it with `FixedLayers`.

    Parameters
    ----------
    first, second
        The two frequencies, 1..(p-1)/2.
    ratio
        Signal of the second over that of the first; the study has e⁻⁴ to 1.

    Examples
    --------
    >>> from ecodyn.training import spectrum
    >>> planted = PlantCircles(first=1, second=3, ratio=0.5).start(np.zeros((7, 4)), seed=0)
    >>> spectrum(torch.from_numpy(planted))[1:].numpy().round(3).tolist()
    [80.0, 0.0, 40.0]
    """

    name = "plant_circles"
    draws_embedding = True
    first: int = 1
    second: int = 2
    ratio: float = 1.0

    def __post_init__(self) -> None:
        check_whole("first", self.first, 1)
        check_whole("second", self.second, 1)
        check_rate("ratio", self.ratio, zero_allowed=False)
        if self.first == self.second:
            raise ValueError(f"{self.name} plants two different frequencies, got {self.first} twice")

    def check(self, p: int) -> None:
        """Both must be frequencies of p."""
        check_frequencies(self.name, [self.first, self.second], p)

    def start(self, embedding: np.ndarray, seed: int) -> np.ndarray:
        """Nothing of the drawn embedding is left."""
        p, dim = embedding.shape
        signal = np.full((p + 1) // 2, PLANTED_FLOOR)
        signal[0] = 0
        signal[self.first], signal[self.second] = PLANTED_SIGNAL, PLANTED_SIGNAL * self.ratio
        # NumPy's legacy generator on purpose: it is the one whose numbers the study's seeds stand for.
        directions = np.random.RandomState(seed).normal(0, 1, (len(signal) - 1, dim))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        coefficients = signal[:, None] * np.vstack([np.zeros(dim), directions])
        return np.fft.irfft(coefficients, n=p, axis=0)


@dataclass(frozen=True)
class KeepFrequencies(Intervention):
    """Train with only some frequencies of the embedding (ablation); all others, and DC, are zero.

    Parameters
    ----------
    k
        The frequencies kept.
    hold
        Keep the others out all the way, by projecting after every update; False takes them out at the start
        only, as the study's script does.

    Examples
    --------
    >>> from ecodyn.training import spectrum
    >>> drawn = np.random.default_rng(0).normal(size=(7, 4))
    >>> kept = KeepFrequencies(k=(2,)).start(drawn, seed=0)
    >>> (spectrum(torch.from_numpy(kept)) > 1e-6).tolist()  # DC first
    [False, False, True, False]
    """

    name = "keep_frequencies"
    k: tuple[int, ...] = (1,)
    hold: bool = True

    def __post_init__(self) -> None:
        frequencies = self.k if isinstance(self.k, Iterable) else (self.k,)
        object.__setattr__(self, "k", tuple(map(plain, frequencies)))
        if not self.k or len(set(self.k)) < len(self.k):
            raise ValueError(f"{self.name} keeps at least one frequency, each named once, got {self.k}")
        for k in self.k:
            check_whole("k", k, 1)

    def check(self, p: int) -> None:
        """All must be frequencies of p."""
        check_frequencies(self.name, self.k, p)

    def start(self, embedding: np.ndarray, seed: int) -> np.ndarray:
        """The kept part of the embedding."""
        return projection(len(embedding), self.k) @ embedding

    def held(self, embedding: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
        """The kept part of the embeddings."""
        if not self.hold:
            return embedding
        return _projection_on(embedding.shape[1], self.k, embedding.dtype, embedding.device) @ embedding


@functools.lru_cache
def _projection_on(p: int, frequencies: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(projection(p, frequencies)).to(device, dtype)
