"""Grids of networks so small that training them takes no time."""

from ecodyn.networks.modular_addition import (
    MLP,
)
from ecodyn.networks.training import (
    grid,
)


def cells(**settings):
    """A grid of tiny networks."""
    return grid(MLP, {"p": [5], "dim": [2], "width": [4]} | settings)
