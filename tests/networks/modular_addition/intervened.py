"""The network that interventions are tried on."""

from dataclasses import replace

from ecodyn.networks.modular_addition import (
    MLP,
)

P, DIM = 13, 8
PLAIN = MLP(p=P, dim=DIM, width=16)


def under(*interventions, **settings):
    return replace(PLAIN, interventions=interventions, **settings)
