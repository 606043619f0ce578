"""What can be done to a training of modular addition: one small class each, and they compose.

An intervention may choose which seed draws what, change the embedding at the start, and hold it somewhere all the way.
Those of a training are applied in the order in which they are given. A further one is a frozen dataclass that extends
`Intervention`, and a line in `INTERVENTIONS`, by which the command line knows it.
"""

from __future__ import annotations

from ecodyn.networks.modular_addition.interventions.embedding import (
    FrozenEmbedding,
    KeepFrequencies,
    PlantCircles,
    ScaleFrequency,
)
from ecodyn.networks.modular_addition.interventions.fixed_seeds import FixedDataset, FixedEmbedding, FixedLayers
from ecodyn.networks.modular_addition.interventions.intervention import Intervention, Seeds
from ecodyn.networks.modular_addition.interventions.parsing import INTERVENTIONS, parse_interventions

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
