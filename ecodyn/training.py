"""Train populations of networks, change their trainings, and take them apart: the public names of `ecodyn.networks`.

They are loaded on first use. What a network is made of, and a network of one's own, is in `ecodyn.networks.training`.

>>> from ecodyn.training import MLP, ScaleFrequency, grid, train
>>> networks = grid(MLP, {"p": [5], "dim": [4], "interventions": [ScaleFrequency(k=2, factor=f) for f in (1.0, 2.0)]})
>>> plain, doubled = train(networks, seeds=[0], steps=3).values
>>> (doubled[0] / plain[0]).round(6).tolist()
[1.0, 2.0]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.networks.deep_linear import DeepLinear
    from ecodyn.networks.modular_addition import (
        MLP,
        Collaboration,
        FixedDataset,
        FixedEmbedding,
        FixedLayers,
        FrozenEmbedding,
        Intervention,
        KeepFrequencies,
        KeptLosses,
        PairLosses,
        PlantCircles,
        ScaleFrequency,
        Snapshots,
        Transformer,
        all_pairs,
        initialise,
        kept_losses,
        ladder,
        losses_over_training,
        projection,
        read_snapshots,
        spectrum,
        split_pairs,
        take_snapshots,
        write_snapshots,
    )
    from ecodyn.networks.training import (
        NETWORKS,
        AutogradBatch,
        Batch,
        ConstantRate,
        CosineRate,
        IncompleteTrainingError,
        InterruptedTraining,
        LinearRate,
        NetworkSettings,
        RateSchedule,
        Schedule,
        StepRate,
        TableRate,
        grid,
        network_settings,
        train,
        train_batch,
    )

_HOME = {
    "AutogradBatch": "ecodyn.networks.training",
    "Batch": "ecodyn.networks.training",
    "Collaboration": "ecodyn.networks.modular_addition",
    "ConstantRate": "ecodyn.networks.training",
    "CosineRate": "ecodyn.networks.training",
    "DeepLinear": "ecodyn.networks.deep_linear",
    "FixedDataset": "ecodyn.networks.modular_addition",
    "FixedEmbedding": "ecodyn.networks.modular_addition",
    "FixedLayers": "ecodyn.networks.modular_addition",
    "FrozenEmbedding": "ecodyn.networks.modular_addition",
    "IncompleteTrainingError": "ecodyn.networks.training",
    "InterruptedTraining": "ecodyn.networks.training",
    "Intervention": "ecodyn.networks.modular_addition",
    "KeepFrequencies": "ecodyn.networks.modular_addition",
    "KeptLosses": "ecodyn.networks.modular_addition",
    "LinearRate": "ecodyn.networks.training",
    "MLP": "ecodyn.networks.modular_addition",
    "NETWORKS": "ecodyn.networks.training",
    "NetworkSettings": "ecodyn.networks.training",
    "PairLosses": "ecodyn.networks.modular_addition",
    "PlantCircles": "ecodyn.networks.modular_addition",
    "RateSchedule": "ecodyn.networks.training",
    "ScaleFrequency": "ecodyn.networks.modular_addition",
    "Schedule": "ecodyn.networks.training",
    "Snapshots": "ecodyn.networks.modular_addition",
    "StepRate": "ecodyn.networks.training",
    "TableRate": "ecodyn.networks.training",
    "Transformer": "ecodyn.networks.modular_addition",
    "all_pairs": "ecodyn.networks.modular_addition",
    "grid": "ecodyn.networks.training",
    "initialise": "ecodyn.networks.modular_addition",
    "kept_losses": "ecodyn.networks.modular_addition",
    "ladder": "ecodyn.networks.modular_addition",
    "losses_over_training": "ecodyn.networks.modular_addition",
    "network_settings": "ecodyn.networks.training",
    "projection": "ecodyn.networks.modular_addition",
    "read_snapshots": "ecodyn.networks.modular_addition",
    "spectrum": "ecodyn.networks.modular_addition",
    "split_pairs": "ecodyn.networks.modular_addition",
    "take_snapshots": "ecodyn.networks.modular_addition",
    "train": "ecodyn.networks.training",
    "train_batch": "ecodyn.networks.training",
    "write_snapshots": "ecodyn.networks.modular_addition",
}

__all__ = [
    "MLP",
    "NETWORKS",
    "AutogradBatch",
    "Batch",
    "Collaboration",
    "ConstantRate",
    "CosineRate",
    "DeepLinear",
    "FixedDataset",
    "FixedEmbedding",
    "FixedLayers",
    "FrozenEmbedding",
    "IncompleteTrainingError",
    "InterruptedTraining",
    "Intervention",
    "KeepFrequencies",
    "KeptLosses",
    "LinearRate",
    "NetworkSettings",
    "PairLosses",
    "PlantCircles",
    "RateSchedule",
    "ScaleFrequency",
    "Schedule",
    "Snapshots",
    "StepRate",
    "TableRate",
    "Transformer",
    "all_pairs",
    "grid",
    "initialise",
    "kept_losses",
    "ladder",
    "losses_over_training",
    "network_settings",
    "projection",
    "read_snapshots",
    "spectrum",
    "split_pairs",
    "take_snapshots",
    "train",
    "train_batch",
    "write_snapshots",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
