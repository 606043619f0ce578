"""A network."""

from dataclasses import dataclass

import numpy as np
import torch

from ecodyn.networks.training import AutogradBatch, NetworkSettings


@dataclass(frozen=True, kw_only=True)
class Springs(NetworkSettings):
    """Numbers that relax to 1 by gradient descent on ½ Σ_k (x_k − 1)²: x_t = 1 + (1 − η)ᵗ(x₀ − 1)."""

    name = "springs"
    measured = ("signal", "train_loss")

    optimiser: str = "sgd"
    learning_rate: float = 0.1
    weight_decay: float = 0.0
    count: int = 4

    @property
    def features(self):
        """Their numbers."""
        return np.arange(1, self.count + 1)

    def initialisation(self, seed):
        """What decides where they start."""
        return self.name, self.count, seed

    def draw(self, seeds, dtype, device):
        """All of them at once."""
        starts = [torch.from_numpy(np.random.default_rng(seed).uniform(2, 3, self.count)) for seed in seeds]
        return SpringsBatch([{"x": start} for start in starts], dtype, device)

    def bytes_per_network(self, itemsize):
        """Parameters, gradients and what the optimiser takes."""
        return 3 * itemsize * self.count


class SpringsBatch(AutogradBatch):
    """Many of them as one tensor program."""

    def losses(self, tensors, *, measure):
        """Of each network."""
        self.loss = ((tensors["x"] - 1) ** 2).sum(1) / 2
        return self.loss

    def observables(self):
        """The numbers themselves."""
        return {"signal": self.tensors["x"]}

    def curves(self):
        """The loss while training."""
        return {"train_loss": self.loss.detach()}
