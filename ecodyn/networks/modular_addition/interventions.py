"""What can be done to a training of modular addition: one small class each, and they compose.

An intervention may choose which seed draws what, change the embedding at the start, and hold it somewhere all the way.
Those of a training are applied in the order in which they are given.
"""

from __future__ import annotations

import functools
import itertools
import typing
from abc import ABC
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import torch

from ecodyn.networks.modular_addition.fourier import check_frequencies, projection
from ecodyn.networks.training.checks import check_rate, check_seed, check_whole, plain, word
from ecodyn.networks.training.grids import read_value

__all__ = [
    "INTERVENTIONS",
    "FixedDataset",
    "FixedEmbedding",
    "FixedLayers",
    "FrozenEmbedding",
    "Intervention",
    "KeepFrequencies",
    "PlantCircles",
    "ScaleFrequency",
    "Seeds",
    "parse_interventions",
]

PLANTED_SIGNAL, PLANTED_FLOOR = 80.0, 1e-6  # of the study's script


@dataclass(frozen=True)
class Seeds:
    """Which seed draws what.

    Attributes
    ----------
    embedding
        The embedding's; drawn after the layers under the same seed, as the study does, ...
    layers
        That of all the other parameters.
    pairs
        That of the choice of training pairs.
    embedding_first
        ... or as the first draw under its seed.
    embedding_fixed
        Whether it is one embedding for all runs.
    """

    embedding: int
    layers: int
    pairs: int
    embedding_first: bool = False
    embedding_fixed: bool = False


@dataclass(frozen=True)
class Intervention(ABC):
    """A change to a training of modular addition; by itself it changes nothing."""

    name: ClassVar[str]
    """As the command line has it."""

    repeatable: ClassVar[bool] = False
    """Whether a second one of its kind leaves something of the first."""

    draws_embedding: ClassVar[bool] = False
    """Whether the start is drawn anew from the run's seed, whichever seed drew the embedding."""

    def check(self, p: int) -> None:
        """Raise a ValueError if the intervention means nothing for p tokens."""
        return

    def seeds(self, seeds: Seeds) -> Seeds:
        """Which seed draws what."""
        return seeds

    def start(self, embedding: np.ndarray, seed: int) -> np.ndarray:
        """The embedding (p, d) to start from, float64; ``seed`` is the run's."""
        return embedding

    def held(self, embedding: torch.Tensor, initial: torch.Tensor) -> torch.Tensor:
        """Where embeddings (S, p, d) go after an update, ``initial`` being those of the start."""
        return embedding

    @property
    def starts(self) -> bool:
        """Whether `start` does anything."""
        return type(self).start is not Intervention.start

    @property
    def holds(self) -> bool:
        """Whether `held` does anything."""
        return type(self).held is not Intervention.held

    def described(self) -> dict[str, Any]:
        """Name and parameters, as JSON can hold them."""
        return {"name": self.name} | {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    def varied(self) -> dict[str, Any]:
        """The parameters under names of their own, each one number or word."""
        return {f"{self.name}_{f.name}": word(plain(getattr(self, f.name))) for f in fields(self)} or {self.name: True}


@dataclass(frozen=True)
class _OneSeed(Intervention):
    """Something that all runs draw from the same seed."""

    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)


@dataclass(frozen=True)
class FixedEmbedding(_OneSeed):
    """Start all runs from the embedding of one seed; layers and training pairs vary (the study's --fix_embedding)."""

    name = "fixed_embedding"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for the embedding, drawn after that seed's layers."""
        return replace(seeds, embedding=self.seed, embedding_first=False, embedding_fixed=True)


@dataclass(frozen=True)
class FixedLayers(_OneSeed):
    """Start all runs from the layers and the training pairs of one seed; the embedding varies (--fix_mlp).

    As in the study's script, the embedding is then the first thing drawn under the run's seed (a fixed one stays).
    """

    name = "fixed_layers"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for layers and pairs."""
        return replace(seeds, layers=self.seed, pairs=self.seed, embedding_first=not seeds.embedding_fixed)


@dataclass(frozen=True)
class FixedDataset(_OneSeed):
    """Train all runs on the pairs of one seed; the network varies (--fix_dataset)."""

    name = "fixed_dataset"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for the pairs."""
        return replace(seeds, pairs=self.seed)


@dataclass(frozen=True)
class FrozenEmbedding(Intervention):
    """Train the layers only; the embedding stays as it was drawn, without weight decay (--freeze_embedding)."""

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


INTERVENTIONS: dict[str, type[Intervention]] = {
    kind.name: kind
    for kind in (
        FixedEmbedding,
        FixedLayers,
        FixedDataset,
        FrozenEmbedding,
        ScaleFrequency,
        PlantCircles,
        KeepFrequencies,
    )
}


def parse_interventions(text: str) -> list[Intervention]:
    """Read an intervention as the command line has it: NAME, or NAME:PARAMETER=VALUE,PARAMETER=VALUE.

    Several values between slashes are a grid, a list joined by plus signs is one value: "scale_frequency:k=25,
    factor=0.9/1.1" are two interventions, "keep_frequencies:k=2+8/22" are those that keep {2, 8} and {22}.

    Raises
    ------
    ValueError
        The name, a parameter or a value is unknown or can't be meant.
    """
    name, _, rest = text.partition(":")
    if name not in INTERVENTIONS:
        raise ValueError(f"unknown intervention {name!r}; there are {', '.join(INTERVENTIONS)}")
    kind = INTERVENTIONS[name]
    types = typing.get_type_hints(kind)
    known = [f.name for f in fields(kind)]
    choices: dict[str, list[Any]] = {}
    for part in filter(None, map(str.strip, rest.split(","))):
        parameter, equals, values = part.partition("=")
        if not equals or parameter not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ValueError(f"{name} has no parameter {parameter!r} ({part!r}); {has}, as in {_example(kind)}")
        if parameter in choices:
            raise ValueError(f"{name}'s {parameter} is given twice; join the values of a grid by slashes")
        choices[parameter] = [_value(v, types[parameter], f"{name}'s {parameter}") for v in values.split("/")]
    return [kind(**dict(zip(choices, cell, strict=True))) for cell in itertools.product(*choices.values())]


def _example(kind: type[Intervention]) -> str:
    parameters = kind().described()
    texts = ",".join(f"{k}={word(v)}" for k, v in parameters.items() if k != "name")
    return f"{kind.name}:{texts}" if texts else kind.name


def _value(text: str, kind: Any, what: str) -> Any:
    try:
        return read_value(text, kind)
    except ValueError:
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}.get(kind, "whole numbers, as in 2+8")
        raise ValueError(f"{what} is {wanted}, got {text!r}") from None


@functools.lru_cache
def _projection_on(p: int, frequencies: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(projection(p, frequencies)).to(device, dtype)
