"""A small network on modular addition, trained in a loop that a recorder watches."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

P, D = 7, 4


class Adder(torch.nn.Module):
    """Logits of (a + b) mod p, from the embeddings of both."""

    def __init__(self, seed=0, p=P, d=D, dtype=torch.float64):
        super().__init__()
        torch.manual_seed(seed)
        self.embedding = torch.nn.Embedding(p, d)
        self.out = torch.nn.Linear(d, p)
        self.to(dtype)

    def forward(self, pairs):
        return self.out(torch.relu(self.embedding(pairs).sum(dim=1)))

    def loss(self):
        p = self.embedding.num_embeddings
        pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
        return torch.nn.functional.cross_entropy(self(pairs), pairs.sum(dim=1) % p)


class Training:
    """The loop, one step at a time."""

    def __init__(self, seed=0, optimizer=torch.optim.AdamW, **more):
        torch.set_num_threads(1)
        self.model = Adder(seed, **more)
        self.optimizer = optimizer(self.model.parameters(), lr=0.02)

    def backward(self):
        self.optimizer.zero_grad()
        self.model.loss().backward()

    def run(self, recorder, steps, first=None):
        """Steps as a loop would make them; the last update is made as well."""
        for n in range(steps):
            self.backward()
            recorder.step(self.model, first if n == 0 else None)
            self.optimizer.step()

    @property
    def weight(self):
        return self.model.embedding.weight.detach().to(torch.float64).numpy().copy()

    @property
    def gradient(self):
        return self.model.embedding.weight.grad.to(torch.float64).numpy().copy()


def spectrum(frames):
    """‖F‖ of the circles 1.. of frames (..., token, dimension), by NumPy."""
    return np.linalg.norm(np.fft.rfft(frames, axis=-2), axis=-1)


@pytest.fixture
def training():
    return Training


@pytest.fixture(scope="session")
def of_numpy():
    return spectrum
