"""Which features does a network represent? The toy model of superposition, from the training loop to the verdict.

    python examples/superposition.py -o superposition

A network x' = ReLU(WᵀWx + b) with 3 hidden units is to pass on 20 sparse features of equal importance (Elhage et al.
2022, arXiv 2209.10652). Feature i lies along the column Wᵢ, and ‖Wᵢ‖ says how well it is represented: about six win, as
opposite pairs along three directions, and the others die. Which six, the initialisation decides, so that feature 7 of
one training has nothing to do with feature 7 of another, and one law is shared by all features.

Asked is what law the norms obey, and whether features act on one another. Without the ReLU, gradient flow has (up to
the unit of time) d‖Wᵢ‖²/dt = ‖Wᵢ‖² − Σⱼ(Wᵢ·Wⱼ)²: they compete, by angles that norms do not show. The verdict: a sparse
cubic law with means over features is best, its coupling is identified, and yet it leaves most unexplained.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

import ecodyn
from ecodyn.report import plot_rollouts, plot_signals

FEATURES, HIDDEN, DENSITY = 20, 3, 0.3  # density: the share of features that are not zero in an example
BATCH, RATE, EVERY = 512, 0.05, 10


def norms_while_training(runs: int, steps: int, seed: int) -> np.ndarray:
    """‖Wᵢ‖ (run, step, feature) of independent networks, trained side by side by plain gradient descent."""
    draw = torch.Generator().manual_seed(seed)
    w = (0.3 / HIDDEN**0.5 * torch.randn(runs, HIDDEN, FEATURES, generator=draw)).requires_grad_()
    b = torch.zeros(runs, 1, FEATURES, requires_grad=True)
    optimiser = torch.optim.SGD([w, b], lr=RATE)
    kept = []
    for step in range(steps + 1):
        if step % EVERY == 0:
            kept.append(w.detach().norm(dim=1).numpy())
        present = torch.rand(runs, BATCH, FEATURES, generator=draw) < DENSITY
        x = present * torch.rand(runs, BATCH, FEATURES, generator=draw)
        error = x - torch.relu(x @ w.mT @ w + b)
        optimiser.zero_grad()
        (error.square().mean(dim=1).sum() / DENSITY).backward()  # the sum over runs: each has its own gradient
        optimiser.step()
    return np.stack(kept, axis=1)


def main(arguments: list[str] | None = None):
    """Train, compare, print the verdict, draw the rollouts, and return the comparison."""
    parser = argparse.ArgumentParser(description="Which law do the features of a small autoencoder obey?")
    parser.add_argument("-o", "--output", type=Path, required=True, help="a new folder")
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args(arguments)
    if chosen.output.exists():
        parser.error(f"{chosen.output} exists: name a new folder with -o")
    chosen.output.mkdir(parents=True)

    norms = norms_while_training(chosen.runs, chosen.steps, chosen.seed)
    runs = ecodyn.Trajectories(norms, steps=np.arange(norms.shape[1]) * EVERY)
    families = ["linear", "lotka_volterra", "sindy"]
    result = ecodyn.compare(runs, families, protocols=["unseen_runs"], jobs=chosen.jobs)
    print(result.verdict)
    result.to_html(chosen.output / "report.html")

    figure = Figure(figsize=(17, 3.8), dpi=100, layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 3.4))
    plot_signals(runs, ax=left, labels=5).set_ylabel("‖Wᵢ‖")
    left.get_legend().remove()  # the rollouts' has the same colours
    models = [f"{family}/exchangeable" for family in families]
    plot_rollouts(result.windows[0], 0, "unseen_runs", models, ax=right, features=runs.features)
    figure.savefig(chosen.output / "rollouts.png")
    return result


if __name__ == "__main__":
    main()
