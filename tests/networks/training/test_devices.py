"""The tensor programs on a device that is not the CPU: torch's meta device, which has shapes and no numbers.

An operation between it and the CPU is an error there as on a GPU, so that nothing can have been left behind.
"""

import pytest
import torch

from ecodyn.networks.deep_linear import DeepLinear
from ecodyn.networks.modular_addition import (
    MLP,
    FixedEmbedding,
    FrozenEmbedding,
    KeepFrequencies,
    ScaleFrequency,
    Transformer,
)

HELD = (FixedEmbedding(1), ScaleFrequency(2, 0.5), KeepFrequencies((1, 2)), FrozenEmbedding())


@pytest.mark.parametrize(
    "network",
    [
        MLP(p=7, dim=4, width=6),
        MLP(p=7, dim=4, width=6, interventions=HELD),
        Transformer(p=7, dim=4, heads=2, width=8),
        Transformer(p=7, dim=4, heads=2, width=8, interventions=HELD),
        DeepLinear(modes=3, depth=3),
    ],
    ids=["mlp", "mlp_held", "transformer", "transformer_held", "deep_linear"],
)
def test_nothing_is_left_on_the_cpu(network):
    with torch.no_grad():
        batch = network.draw([0, 1], torch.float32, torch.device("meta"))
        optimiser = torch.optim.SGD([batch.parameters], lr=0.1, foreach=False)  # there is no fused one for this device
        batch.hold()
        for _ in range(2):
            batch.backward(measure=True)
            measured = batch.observables() | batch.curves()
            optimiser.step()
            batch.hold()
    assert set(measured) == set(network.measured)
    assert {tensor.device.type for tensor in [*measured.values(), *batch.tensors.values()]} == {"meta"}
