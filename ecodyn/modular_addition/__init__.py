"""Networks that learn modular addition: the study's (arXiv 2405.17420) and a one-layer transformer, and interventions.

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.
"""

from __future__ import annotations

from ecodyn.lazy import lazily

_HOME = {
    "INTERVENTIONS": "interventions",
    "FixedDataset": "interventions",
    "FixedEmbedding": "interventions",
    "FixedLayers": "interventions",
    "FrozenEmbedding": "interventions",
    "Intervention": "interventions",
    "KeepFrequencies": "interventions",
    "MLP": "mlp",
    "Network": "network",
    "PlantCircles": "interventions",
    "ScaleFrequency": "interventions",
    "Transformer": "transformer",
    "initialise": "network",
    "parse_interventions": "interventions",
    "spectrum": "fourier",
    "split_pairs": "pairs",
}

__all__ = [
    "INTERVENTIONS",
    "MLP",
    "FixedDataset",
    "FixedEmbedding",
    "FixedLayers",
    "FrozenEmbedding",
    "Intervention",
    "KeepFrequencies",
    "Network",
    "PlantCircles",
    "ScaleFrequency",
    "Transformer",
    "initialise",
    "parse_interventions",
    "spectrum",
    "split_pairs",
]


__getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{module}" for name, module in _HOME.items()})
