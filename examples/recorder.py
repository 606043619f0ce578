"""Which law do the circles of a network for modular addition obey? A loop of one's own, recorded while it trains.

    python examples/recorder.py -o runs

Eight small networks are trained in a plain PyTorch loop. A recorder stands in it, between ``backward()`` and the
optimiser's step, and writes the signals of each training to a file of some 30 kB; no checkpoint is kept. Then
`ecodyn.extract` puts the files together and `ecodyn.compare` asks which equation predicts trainings that it has not
seen. While the loop runs, ``ecodyn inspect runs`` tells how far it is.
"""

import argparse
from pathlib import Path

import torch

import ecodyn

P, DIM = 23, 16


class Addition(torch.nn.Module):
    """Logits of (a + b) mod p."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(P, DIM)
        self.hidden, self.out = torch.nn.Linear(DIM, 4 * DIM), torch.nn.Linear(4 * DIM, P)

    def forward(self, pairs: torch.Tensor) -> torch.Tensor:
        """Of pairs (pair, 2) of numbers."""
        return self.out(torch.relu(self.hidden(self.embedding(pairs).sum(dim=1))))


def train(seed: int, steps: int, folder: Path) -> None:
    """One training on all pairs, recorded every tenth step."""
    torch.manual_seed(seed)
    model = Addition()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
    out = folder / f"seed_{seed}.nc"
    with ecodyn.Recorder("embedding", every=10, out=out, optimizer=optimizer) as recorder:
        for _ in range(steps + 1):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(pairs), pairs.sum(dim=1) % P).backward()
            recorder.step(model)
            optimizer.step()


def main(arguments: list[str] | None = None):
    """Train, put the recordings together, compare, print the verdict, and return the comparison."""
    parser = argparse.ArgumentParser(description="Which law do the circles of modular addition obey?")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a new folder")
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=600)
    chosen = parser.parse_args(arguments)
    if chosen.output.exists():
        parser.error(f"{chosen.output} exists: name a new folder with -o")
    for seed in range(chosen.runs):
        train(seed, chosen.steps, chosen.output)
    runs = ecodyn.extract(chosen.output)
    result = ecodyn.compare(runs, ["linear", "lotka_volterra"], protocols=["unseen_runs"])
    print(result.verdict)
    return result


if __name__ == "__main__":
    main()
