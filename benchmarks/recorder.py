"""What recording costs a training: the same loop with and without a recorder, in turn, on one thread.

    python benchmarks/recorder.py

Three loops: that of examples/superposition.py, 32 networks side by side with a recorder each (of parameters without
gradients of their own: the signal); one of its networks alone (3 × 20 weights, a step of a few hundred microseconds,
the hardest case); and a network for modular addition of the study's size (embedding 59 × 128, all pairs of the training
set). "recorded" is what a recorder does by default, the signal and the gradient, one row every --every steps. Training
goes on in blocks of steps, one after the other for each way, in an order that turns; printed are the medians over
--rounds rounds of the processor time of a step, and of its ratio to the loop alone within a round, with quartiles. A
second loop alone shows what the machine makes of the same thing twice; a loop that saves the matrix as .safetensors at
the same steps is beside it. Takes two to four minutes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from threadpoolctl import threadpool_limits

import ecodyn

WAYS = ("alone", "alone, again", "recorded", "recorded, signal only", "checkpoints")
NORMS = {"directions": np.eye(20), "over": "dimensions", "token_axis": 0}  # of the columns of W


class Superposition(torch.nn.Module):
    """Networks of examples/superposition.py, side by side: x' = ReLU(WᵀWx + b)."""

    parameter, arguments, weight, block = "w", NORMS, "w", 200

    def __init__(self, *runs: int) -> None:
        super().__init__()
        self.runs, self.draw = runs, torch.Generator().manual_seed(0)
        self.w = torch.nn.Parameter(0.3 / 3**0.5 * torch.randn(*runs, 3, 20, generator=self.draw))
        self.b = torch.nn.Parameter(torch.zeros(*runs, 1, 20))

    def loss(self) -> torch.Tensor:
        """Of a fresh batch."""
        present = torch.rand(*self.runs, 512, 20, generator=self.draw) < 0.3
        x = present * torch.rand(*self.runs, 512, 20, generator=self.draw)
        return (x - torch.relu(x @ self.w.mT @ self.w + self.b)).square().mean(dim=-2).sum() / 0.3

    def recorded(self) -> list[torch.nn.Module | dict[str, torch.Tensor]]:
        """What each recorder is handed."""
        return [self]


class Population(Superposition):
    """The 32 networks of the example."""

    block = 20

    def __init__(self) -> None:
        super().__init__(32)

    def recorded(self) -> list[torch.nn.Module | dict[str, torch.Tensor]]:
        """A network each."""
        return [{"w": own} for own in self.w.detach().unbind()]


class Addition(torch.nn.Module):
    """A network for modular addition: embeddings of both numbers, a hidden layer, logits."""

    parameter, arguments, weight, block = "embedding", types.MappingProxyType({}), "embedding.weight", 40

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

    def recorded(self) -> list[torch.nn.Module | dict[str, torch.Tensor]]:
        """What the recorder is handed."""
        return [self]


class Training:
    """Networks that are trained in one way, a block of steps at a time."""

    def __init__(self, network: type[Superposition | Addition], way: str, folder: Path, every: int) -> None:
        self.model, self.way, self.folder, self.every = network(), way, folder, every
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.05)
        self.steps = 0
        self.recorded = self.model.recorded()  # updates are in place: what is handed over stays the same
        self.recorders = [
            ecodyn.Recorder(
                network.parameter,
                out=folder / f"{network.__name__} {way} {run}.nc",
                every=every,
                observables=["signal"] if way.endswith("only") else None,
                **network.arguments,
            )
            for run in range(len(self.recorded) if way.startswith("recorded") else 0)
        ]

    def block(self) -> float:
        """Train on; the processor time of a step."""
        started = time.process_time()
        for _ in range(self.model.block):
            self.optimizer.zero_grad()
            self.model.loss().backward()
            if self.recorders:
                for recorder, recorded in zip(self.recorders, self.recorded, strict=True):
                    recorder.step(recorded)
            elif self.way == "checkpoints" and self.steps % self.every == 0:
                weight = self.model.get_parameter(self.model.weight).detach()
                save_file({"weight": weight}, self.folder / f"step_{self.steps}.safetensors")
            self.optimizer.step()
            self.steps += 1
        return (time.process_time() - started) / self.model.block


def measure(network: type[Superposition | Addition], folder: Path, *, every: int, rounds: int) -> None:
    """Print the time of a step in each way, and its ratio to that of the loop alone."""
    trainings = [Training(network, way, folder, every) for way in WAYS]
    for training in trainings:
        training.block()  # imports, first calls
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for n in range(rounds):
        turn = n % len(WAYS)
        for training in trainings[turn:] + trainings[:turn]:
            times[training.way].append(training.block())
    print(f"{network.__name__}: {rounds} rounds of {network.block} steps, a row every {every} steps")
    for way in WAYS:
        ratios = [own / alone for own, alone in zip(times[way], times["alone"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        print(
            f"  {way:22} {statistics.median(times[way]) * 1e6:8.1f} µs a step   "
            f"{100 * (middle - 1):+6.2f} % ({100 * (low - 1):+.2f} to {100 * (high - 1):+.2f})"
        )
    for training in trainings:
        started = time.process_time()
        for recorder in training.recorders:
            recorder.close()
        if training.recorders:
            print(f"  {training.way}: closed in {time.process_time() - started:.2f} s after {training.steps} steps")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=60)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, NumPy {np.__version__}, one thread")
    with threadpool_limits(1), tempfile.TemporaryDirectory() as name:
        for network in (Population, Superposition, Addition):
            measure(network, Path(name), every=chosen.every, rounds=chosen.rounds)


if __name__ == "__main__":
    main()
