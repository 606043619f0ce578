"""Train populations of networks: the public names of `ecodyn.networks`, loaded on first use.

What a network is made of, and a network of one's own, is in `ecodyn.networks.training`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.networks.deep_linear import DeepLinear
    from ecodyn.networks.modular_addition import MLP, Transformer
    from ecodyn.networks.training import (
        AutogradBatch,
        IncompleteTrainingError,
        InterruptedTraining,
        NetworkSettings,
        Schedule,
        grid,
        network_settings,
        train,
    )

_HOME = {
    "AutogradBatch": "ecodyn.networks.training",
    "DeepLinear": "ecodyn.networks.deep_linear",
    "IncompleteTrainingError": "ecodyn.networks.training",
    "InterruptedTraining": "ecodyn.networks.training",
    "MLP": "ecodyn.networks.modular_addition",
    "NetworkSettings": "ecodyn.networks.training",
    "Schedule": "ecodyn.networks.training",
    "Transformer": "ecodyn.networks.modular_addition",
    "grid": "ecodyn.networks.training",
    "network_settings": "ecodyn.networks.training",
    "train": "ecodyn.networks.training",
}

__all__ = [
    "MLP",
    "AutogradBatch",
    "DeepLinear",
    "IncompleteTrainingError",
    "InterruptedTraining",
    "NetworkSettings",
    "Schedule",
    "Transformer",
    "grid",
    "network_settings",
    "train",
]


__getattr__, __dir__ = lazily(__name__, _HOME)
