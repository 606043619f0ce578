"""What an intervention is: who draws what, where the embedding starts, and where it is held."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
import torch

from ecodyn.networks.training.checks import word
from ecodyn.runtime.json_values import plain

__all__ = ["Intervention", "Seeds"]


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
    """A change to a training of modular addition; by itself it changes nothing.

    Examples
    --------
    One of your own, that centres the embedding it starts from:

    >>> @dataclass(frozen=True)
    ... class Centred(Intervention):
    ...     name = "centred"
    ...
    ...     def start(self, embedding, seed):
    ...         return embedding - embedding.mean(axis=0)

    >>> Centred().starts, Centred().holds
    (True, False)
    >>> Centred().start(np.array([[1.0], [3.0]]), seed=0).tolist()
    [[-1.0], [1.0]]
    """

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

    def described(self) -> dict[str, object]:
        """Name and parameters, as JSON can hold them."""
        return {"name": self.name} | {f.name: plain(getattr(self, f.name)) for f in fields(self)}

    def varied(self) -> dict[str, object]:
        """The parameters under names of their own, each one number or word."""
        return {f"{self.name}_{f.name}": word(plain(getattr(self, f.name))) for f in fields(self)} or {self.name: True}
