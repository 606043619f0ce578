"""Interventions that draw something of all runs from one seed, and let the rest vary: what decides who survives?"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ecodyn.networks.modular_addition.interventions.intervention import Intervention, Seeds
from ecodyn.networks.training.checks import check_seed

__all__ = ["FixedDataset", "FixedEmbedding", "FixedLayers"]


@dataclass(frozen=True)
class _OneSeed(Intervention):
    """Something that all runs draw from the same seed."""

    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)


@dataclass(frozen=True)
class FixedEmbedding(_OneSeed):
    """Start all runs from the embedding of one seed; layers and training pairs vary (the study's --fix_embedding).

    Examples
    --------
    >>> FixedEmbedding(seed=3).seeds(Seeds(embedding=8, layers=8, pairs=8))
    Seeds(embedding=3, layers=8, pairs=8, embedding_first=False, embedding_fixed=True)
    """

    name = "fixed_embedding"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for the embedding, drawn after that seed's layers."""
        return replace(seeds, embedding=self.seed, embedding_first=False, embedding_fixed=True)


@dataclass(frozen=True)
class FixedLayers(_OneSeed):
    """Start all runs from the layers and the training pairs of one seed; the embedding varies (--fix_mlp).

    As in the study's script, the embedding is then the first thing drawn under the run's seed (a fixed one stays).

    Examples
    --------
    >>> FixedLayers(seed=3).seeds(Seeds(embedding=8, layers=8, pairs=8))
    Seeds(embedding=8, layers=3, pairs=3, embedding_first=True, embedding_fixed=False)
    """

    name = "fixed_layers"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for layers and pairs."""
        return replace(seeds, layers=self.seed, pairs=self.seed, embedding_first=not seeds.embedding_fixed)


@dataclass(frozen=True)
class FixedDataset(_OneSeed):
    """Train all runs on the pairs of one seed; the network varies (--fix_dataset).

    Examples
    --------
    >>> FixedDataset(seed=3).seeds(Seeds(embedding=8, layers=8, pairs=8))
    Seeds(embedding=8, layers=8, pairs=3, embedding_first=False, embedding_fixed=False)
    """

    name = "fixed_dataset"

    def seeds(self, seeds: Seeds) -> Seeds:
        """One seed for the pairs."""
        return replace(seeds, pairs=self.seed)
