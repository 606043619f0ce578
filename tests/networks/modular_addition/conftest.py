"""What was logged by the study's own script, and every step of a training with its parameters and gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from ecodyn.networks.modular_addition import Network, split_pairs
from ecodyn.networks.training.descent import Record, train_batch

STUDY = Path(__file__).parents[2] / "data" / "study_p23_d8.npz"


@pytest.fixture(scope="session")
def study():
    """Arrays of the study's two runs, by seed."""
    with np.load(STUDY, allow_pickle=False) as file:
        return {
            seed: {k.removeprefix(f"seed_{seed}_"): file[k] for k in file.files if k.startswith(f"seed_{seed}_")}
            for seed in (0, 5)
        }


@dataclass(frozen=True)
class History:
    """A batch's record, and its parameters and gradients by name, (step, S, ...) each, in float64."""

    record: Record
    parameters: dict[str, np.ndarray]
    gradients: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def history():
    """Factory: all steps of a batch."""

    def follow(network, seeds, steps, dtype="float64"):
        seen = []

        def visit(_, batch):
            seen.append(
                [{n: t.double().numpy() + 0.0 for n, t in of.items()} for of in (batch.tensors, batch.gradients)]
            )

        record = train_batch(network, seeds, np.arange(steps + 1), dtype=dtype, visit=visit)
        parameters, gradients = ({n: np.stack([row[i][n] for row in seen]) for n in seen[0][i]} for i in (0, 1))
        return History(record, parameters, gradients)

    return follow


@dataclass(frozen=True)
class Plain:
    """The study's network as a module of torch's, with its training and test pairs as tokens a and b."""

    module: Network
    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]

    def loss(self, pairs):
        """Mean cross-entropy of pairs."""
        a, b = pairs
        return torch.nn.functional.cross_entropy(self.module(a, b), (a + b) % self.module.output.out_features)

    def accuracy(self, pairs):
        """Share of pairs whose label has the largest logit."""
        a, b = pairs
        return (self.module(a, b).argmax(1) == (a + b) % self.module.output.out_features).double().mean().item()

    def descend(self, optimiser, steps) -> Iterator[dict[str, np.ndarray]]:
        """Train by autograd and yield the parameters of each step 0..steps."""
        for _ in range(steps + 1):
            yield {name: parameter.detach().numpy().copy() for name, parameter in self.module.named_parameters()}
            optimiser.zero_grad()
            self.loss(self.train).backward()
            optimiser.step()


@pytest.fixture(scope="session")
def plain():
    """Factory: the module at the start of the run of a seed."""

    def build(network, seed, dtype=torch.float64):
        module = Network(network.p, network.dim, network.width)
        module.load_state_dict(network.draw_one(seed))
        index = split_pairs(network.p, network.seeds(seed).pairs, network.train_fraction)
        pairs = [(torch.from_numpy(i % network.p), torch.from_numpy(i // network.p)) for i in index]
        return Plain(module.to(dtype), *pairs)

    return build
