"""Networks that learn modular addition: the study's (arXiv 2405.17420) and a one-layer transformer, and interventions.

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.networks.modular_addition.ablation import KeptLosses, kept_losses
    from ecodyn.networks.modular_addition.collaboration import Collaboration, ladder, losses_over_training
    from ecodyn.networks.modular_addition.fourier import projection, spectrum
    from ecodyn.networks.modular_addition.interventions import (
        INTERVENTIONS,
        FixedDataset,
        FixedEmbedding,
        FixedLayers,
        FrozenEmbedding,
        Intervention,
        KeepFrequencies,
        PlantCircles,
        ScaleFrequency,
        parse_interventions,
    )
    from ecodyn.networks.modular_addition.mlp import MLP
    from ecodyn.networks.modular_addition.network import Network, initialise
    from ecodyn.networks.modular_addition.pair_losses import PairLosses, all_pairs
    from ecodyn.networks.modular_addition.pairs import split_pairs
    from ecodyn.networks.modular_addition.snapshots import (
        Snapshots,
        read_snapshots,
        take_snapshots,
        write_snapshots,
    )
    from ecodyn.networks.modular_addition.transformer import Transformer

_HOME = {
    "Collaboration": "collaboration",
    "FixedDataset": "interventions",
    "FixedEmbedding": "interventions",
    "FixedLayers": "interventions",
    "FrozenEmbedding": "interventions",
    "INTERVENTIONS": "interventions",
    "Intervention": "interventions",
    "KeepFrequencies": "interventions",
    "KeptLosses": "ablation",
    "MLP": "mlp",
    "Network": "network",
    "PairLosses": "pair_losses",
    "PlantCircles": "interventions",
    "ScaleFrequency": "interventions",
    "Snapshots": "snapshots",
    "Transformer": "transformer",
    "all_pairs": "pair_losses",
    "initialise": "network",
    "kept_losses": "ablation",
    "ladder": "collaboration",
    "losses_over_training": "collaboration",
    "parse_interventions": "interventions",
    "projection": "fourier",
    "read_snapshots": "snapshots",
    "spectrum": "fourier",
    "split_pairs": "pairs",
    "take_snapshots": "snapshots",
    "write_snapshots": "snapshots",
}

__all__ = [
    "INTERVENTIONS",
    "MLP",
    "Collaboration",
    "FixedDataset",
    "FixedEmbedding",
    "FixedLayers",
    "FrozenEmbedding",
    "Intervention",
    "KeepFrequencies",
    "KeptLosses",
    "Network",
    "PairLosses",
    "PlantCircles",
    "ScaleFrequency",
    "Snapshots",
    "Transformer",
    "all_pairs",
    "initialise",
    "kept_losses",
    "ladder",
    "losses_over_training",
    "parse_interventions",
    "projection",
    "read_snapshots",
    "spectrum",
    "split_pairs",
    "take_snapshots",
    "write_snapshots",
]


__getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{module}" for name, module in _HOME.items()})
