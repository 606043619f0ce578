"""Training of populations of networks, with what the questions need kept while they train.

Everything public is listed in ``__all__`` and loaded on first use, since torch takes seconds to import.

A further kind of network is one file with its settings (see `ecodyn.networks.training.network`) and one line in
`NETWORKS`. A distribution of your own adds it by an entry point instead, in its ``pyproject.toml``::

    [project.entry-points."ecodyn.networks"]
    phase_oscillators = "my_package.oscillators:PhaseOscillators"

It then trains by name, ``ecodyn train --network phase_oscillators --set coupling=0.1,0.2``, and through `train`.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from ecodyn.runtime.lazy import lazily
from ecodyn.runtime.registry import Registry

if TYPE_CHECKING:
    from ecodyn.networks.training.decaying_rates import CosineRate, LinearRate
    from ecodyn.networks.training.descent import descend, train_batch
    from ecodyn.networks.training.grids import grid
    from ecodyn.networks.training.incomplete import IncompleteTrainingError, InterruptedTraining
    from ecodyn.networks.training.network import AutogradBatch, Batch, NetworkSettings
    from ecodyn.networks.training.population import train
    from ecodyn.networks.training.rates import ConstantRate, RateSchedule, StepRate
    from ecodyn.networks.training.schedule import Schedule
    from ecodyn.networks.training.tabulated_rates import TableRate

_HOME = {
    "AutogradBatch": "network",
    "Batch": "network",
    "ConstantRate": "rates",
    "CosineRate": "decaying_rates",
    "IncompleteTrainingError": "incomplete",
    "InterruptedTraining": "incomplete",
    "LinearRate": "decaying_rates",
    "NetworkSettings": "network",
    "RateSchedule": "rates",
    "Schedule": "schedule",
    "StepRate": "rates",
    "TableRate": "tabulated_rates",
    "descend": "descent",
    "grid": "grids",
    "train": "population",
    "train_batch": "descent",
}


def _accept(name: str, thing: object) -> None:
    """Raise a ValueError unless a thing is the settings of a kind of network, whole and under its own name."""
    from ecodyn.networks.training.network import NetworkSettings

    if not (isinstance(thing, type) and issubclass(thing, NetworkSettings)):
        raise ValueError(
            f"network {name!r} must be a class of settings, a frozen dataclass that extends "
            f"ecodyn.networks.training.NetworkSettings, got {thing!r}"
        )
    if inspect.isabstract(thing):
        missing = ", ".join(sorted(thing.__abstractmethods__))
        raise ValueError(f"network {name!r} leaves open {missing}; {thing.__qualname__} has to define them")
    if getattr(thing, "name", None) != name:
        raise ValueError(
            f"network {name!r} calls itself {getattr(thing, 'name', None)!r}; name is what its trajectories say they "
            "are of, so that it must be the one it is registered under"
        )


NETWORKS: Registry[type[NetworkSettings]] = Registry(
    "network",
    "ecodyn.networks",
    {
        "mlp": "ecodyn.networks.modular_addition.mlp:MLP",
        "transformer": "ecodyn.networks.modular_addition.transformer:Transformer",
        "deep_linear": "ecodyn.networks.deep_linear:DeepLinear",
    },
    _accept,
)
"""The settings of every kind of network, by the name that ``ecodyn train --network`` has for it."""

__all__ = [
    "NETWORKS",
    "AutogradBatch",
    "Batch",
    "ConstantRate",
    "CosineRate",
    "IncompleteTrainingError",
    "InterruptedTraining",
    "LinearRate",
    "NetworkSettings",
    "RateSchedule",
    "Schedule",
    "StepRate",
    "TableRate",
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
        There is no such kind, or another distribution gives it a meaning that it can't have.

    Examples
    --------
    >>> network_settings("mlp").__name__
    'MLP'
    """
    return NETWORKS.named(name)


__getattr__, __dir__ = lazily(__name__, {name: f"{__name__}.{module}" for name, module in _HOME.items()})
