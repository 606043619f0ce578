"""What recording costs a training: the same loop with and without a recorder, in turn, on one thread.

    python benchmarks/recorder.py

Two networks: the toy model of examples/superposition.py, one of its runs (3 × 20 weights, a step of a few hundred
microseconds, the hardest case), and the study's network for modular addition (embedding 59 × 128, all pairs of the
training set). Every row is recorded with the signal and the gradient, as by default, one row every --every steps.
Training goes on in blocks of --block steps, one after the other for each way, in an order that turns; printed are the
medians over --rounds rounds of the processor time of a step, and of its ratio within a round, with quartiles. A loop
that saves the matrix as .safetensors at the same steps is beside it. Takes about two minutes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

import ecodyn

WAYS = ("alone", "recorded", "recorded, signal only", "checkpoints")
Loss = Callable[[], torch.Tensor]


class Superposition(torch.nn.Module):
    """One network of examples/superposition.py: x' = ReLU(WᵀWx + b)."""

    parameter = "w"
    arguments = {"directions": np.eye(20), "over": "dimensions", "token_axis": 0}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.draw = torch.Generator().manual_seed(0)
        self.w = torch.nn.Parameter(0.3 / 3**0.5 * torch.randn(3, 20, generator=self.draw))
        self.b = torch.nn.Parameter(torch.zeros(1, 20))

    def loss(self) -> torch.Tensor:
        """Of a fresh batch."""
        present = torch.rand(512, 20, generator=self.draw) < 0.3
        x = present * torch.rand(512, 20, generator=self.draw)
        return (x - torch.relu(x @ self.w.mT @ self.w + self.b)).square().mean(dim=0).sum() / 0.3


class Addition(torch.nn.Module):
    """A network for modular addition: embeddings of both numbers, a hidden layer, logits."""

    parameter = "embedding"
    arguments: dict[str, object] = {}  # noqa: RUF012

    def __init__(self, p: int = 59, d: int = 128) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(p, d)
        self.hidden, self.out = torch.nn.Linear(d, d), torch.nn.Linear(d, p)
        pairs = torch.cartesian_prod(torch.arange(p), torch.arange(p))
        self.pairs = pairs[torch.randperm(len(pairs))[: int(0.8 * len(pairs))]]
        self.sums = self.pairs.sum(dim=1) % p

    def loss(self) -> torch.Tensor:
        """Of all pairs of the training set."""
        hidden = torch.relu(self.hidden(self.embedding(self.pairs).sum(dim=1)))
        return torch.nn.functional.cross_entropy(self.out(hidden), self.sums)


class Training:
    """One network that is trained in one way, a block of steps at a time."""

    def __init__(self, network: type[Superposition | Addition], way: str, folder: Path, every: int) -> None:
        self.model, self.way, self.folder, self.every = network(), way, folder, every
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
        self.steps = 0
        self.recorder = None
        if way.startswith("recorded"):
            self.recorder = ecodyn.Recorder(
                network.parameter,
                out=folder / f"{network.__name__} {way}.nc",
                every=every,
                observables=["signal"] if way.endswith("only") else None,
                **network.arguments,
            )

    def block(self, steps: int) -> float:
        """Train on; the processor time of a step."""
        started = time.process_time()
        for _ in range(steps):
            self.optimizer.zero_grad()
            self.model.loss().backward()
            if self.recorder is not None:
                self.recorder.step(self.model)
            elif self.way == "checkpoints" and self.steps % self.every == 0:
                weight = self.model.get_parameter(self.weight_name).detach()
                save_file({"weight": weight}, self.folder / f"step_{self.steps}.safetensors")
            self.optimizer.step()
            self.steps += 1
        return (time.process_time() - started) / steps

    @property
    def weight_name(self) -> str:
        """Of what a checkpoint keeps."""
        return "w" if isinstance(self.model, Superposition) else "embedding.weight"


def measure(network: type[Superposition | Addition], folder: Path, *, every: int, block: int, rounds: int) -> None:
    """Print the time of a step in each way, and its ratio to that of the training alone."""
    trainings = [Training(network, way, folder, every) for way in WAYS]
    for training in trainings:
        training.block(block)  # imports, first calls
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for n in range(rounds):
        turn = n % len(WAYS)
        for training in trainings[turn:] + trainings[:turn]:
            times[training.way].append(training.block(block))
    print(f"{network.__name__}: {rounds} rounds of {block} steps, a row every {every} steps")
    for way in WAYS:
        ratios = [own / alone for own, alone in zip(times[way], times["alone"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"  {way:22} {statistics.median(times[way]) * 1e6:8.1f} µs a step   "
            f"{100 * (middle - 1):+6.2f} % ({100 * (low - 1):+.2f} to {100 * (high - 1):+.2f})"
        )
    for training in trainings:
        if training.recorder is not None:
            started = time.process_time()
            training.recorder.close()
            print(f"  {training.way}: closed in {time.process_time() - started:.2f} s, {training.steps} steps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--block", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=40)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, NumPy {np.__version__}, one thread")
    with tempfile.TemporaryDirectory() as name:
        for network in (Superposition, Addition):
            block = chosen.block if network is Superposition else max(chosen.every, chosen.block // 5)
            measure(network, Path(name), every=chosen.every, block=block, rounds=chosen.rounds)


if __name__ == "__main__":
    main()
