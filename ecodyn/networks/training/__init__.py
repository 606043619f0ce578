"""Training of populations of networks, with what the questions need kept while they train.

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily

if TYPE_CHECKING:
    from ecodyn.networks.training.network import NetworkSettings

_HOME = {
    "AutogradBatch": "network",
    "Batch": "network",
    "IncompleteTrainingError": "population",
    "InterruptedTraining": "population",
    "NetworkSettings": "network",
    "Schedule": "schedule",
    "descend": "descent",
    "grid": "grids",
    "train": "population",
    "train_batch": "descent",
}

NETWORKS = {
    "mlp": "ecodyn.networks.modular_addition.mlp:MLP",
    "transformer": "ecodyn.networks.modular_addition.transformer:Transformer",
    "deep_linear": "ecodyn.networks.deep_linear:DeepLinear",
}
"""Where each kind of network is, by the name that the command line has for it."""

__all__ = [
    "NETWORKS",
    "AutogradBatch",
    "Batch",
    "IncompleteTrainingError",
    "InterruptedTraining",
    "NetworkSettings",
    "Schedule",
    "descend",
    "grid",
    "network_settings",
    "train",
    "train_batch",
]


def network_settings(name: str) -> type[NetworkSettings]:
    """Return the settings of a kind of network.

    Raises
    ------
    ValueError
        There is no such kind.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; there are {', '.join(NETWORKS)}")
    module, _, kind = NETWORKS[name].partition(":")
    return getattr(importlib.import_module(module), kind)


__getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{module}" for name, module in _HOME.items()})
