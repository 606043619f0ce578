"""How often is a tie decided, because all models were fitted to the same few runs? With fitted models, by simulation.

    python benchmarks/training_scatter.py -o training_scatter [--populations 60] [--seed 0]     five minutes on one core

The truth is a mixture, ẋᵢ = w f(x) + (1 − w) g(x), of a linear and a Lotka-Volterra law of 8 exchangeable features, at
the w at which the two families, fitted to 15 runs each, leave the same of unseen runs on average (found by bisection on
runs of its own, ``--weight`` to give it). Populations of 16 runs, as many as are shipped, are drawn from it and given
to `compare`. Reported are, of all populations: how often one of the two is excluded from the confidence set, nominally
in at most 10 %, with the correction for what was fitted to and, from the same losses, without; what was named; and the
chance to repeat that verdicts state, beside how often other populations name the same.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison import Comparison
from ecodyn.comparison.candidate import NAMING
from ecodyn.errors import DataWarning
from ecodyn.rollouts.integration import integrate
from ecodyn.runtime.files import write_whole
from ecodyn.statistics.confidence_set import confidence_set

FAMILIES = ("linear", "lotka_volterra")
FEATURES, STEPS, DURATION = 8, 60, 8.0
FEWEST = 2  # populations: how often others name the same, and how means scatter, takes another one
RUNS, LARGE = 16, 64  # of a population, and of those that the tie is found on
WEIGHTS, BISECTIONS, TRIALS = (0.2, 0.5), 6, 3  # where the tie is looked for


def population(weight: float, runs: int, rng: np.random.Generator) -> ecodyn.Trajectories:
    """Runs of the mixture from log-normal starts."""

    def rhs(x: Array, t: Array) -> Array:
        mean = x.mean(axis=1, keepdims=True)
        linear = 0.35 * (1 - x) - 0.35 * (mean - 0.5)
        return weight * linear + (1 - weight) * x * (0.9 - 0.5 * x - 0.9 * mean)

    t = np.linspace(0.0, DURATION, STEPS)
    rollout = integrate(rhs, np.exp(rng.normal(-1.2, 0.6, (runs, FEATURES))), t, rtol=1e-8)
    return ecodyn.Trajectories(rollout.values, t)


def compared(weight: float, runs: int, seed: list[int]) -> Comparison:
    """The two families on unseen runs of one population."""
    data = population(weight, runs, np.random.default_rng(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return ecodyn.compare(data, FAMILIES, ["exchangeable"], protocols=["unseen_runs"])


def losses_of(comparison: Comparison) -> Array:
    """(run, family)."""
    return np.stack([comparison.score(name, "exchangeable").loss_per_run for name in FAMILIES], axis=1)


def tie(seed: int) -> float:
    """The weight at which the two leave the same on average."""
    low, high = WEIGHTS
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        losses = [losses_of(compared(middle, LARGE, [seed, 1, k])) for k in range(TRIALS)]
        difference = float(np.mean([of[:, 0] - of[:, 1] for of in losses]))
        print(f"weight {middle:.4f}: linear leaves {np.exp(difference):.2f} times as much", flush=True)
        low, high = (middle, high) if difference > 0 else (low, middle)
    return (low + high) / 2


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Shares over populations."""
    named = Counter(row["best"] for row in found if row["status"] in NAMING)
    told = {
        name: {
            "stated": float(np.mean([r["chance"] for r in found if r["best"] == name])),
            "named by others": (count - 1) / (len(found) - 1),
        }
        for name, count in named.items()
    }
    means = np.array([row["difference"] for row in found])
    return {
        "populations": len(found),
        "one excluded": sum(row["excluded"] for row in found) / len(found),
        "one excluded without correction": sum(row["excluded_plainly"] for row in found) / len(found),
        "scatter of the mean difference over its standard error within a population": float(
            means.std(ddof=1) / np.sqrt(np.mean([row["standard_error"] ** 2 for row in found]))
        ),
        "named": dict(named),
        "chance to repeat": told,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("training_scatter"))
    parser.add_argument("--populations", type=int, default=60)
    parser.add_argument("--weight", type=float, help="of the linear law; found by default")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.populations < FEWEST:
        parser.error(
            f"expected at least {FEWEST} populations, got {arguments.populations}: one has no others to repeat"
        )
    weight = tie(arguments.seed) if arguments.weight is None else arguments.weight
    found = []
    for number in range(arguments.populations):
        comparison = compared(weight, RUNS, [arguments.seed, 2, number])
        verdict, losses = comparison.verdict, losses_of(comparison)
        difference = losses[:, 0] - losses[:, 1]
        found.append(
            {
                "status": verdict.status,
                "best": None if verdict.best is None else str(verdict.best),
                "chance": verdict.chance_to_repeat,
                "excluded": len(verdict.members) < len(FAMILIES),
                "excluded_plainly": not bool(confidence_set(losses).members.all()),
                "difference": float(difference.mean()),
                "standard_error": float(difference.std(ddof=1) / np.sqrt(RUNS)),
            }
        )
    table = {"weight": weight, "seed": arguments.seed, **summary(found)}
    for what, number in table.items():
        print(f"{what}: {number}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    with write_whole(arguments.output / "table.json", force=True) as temporary:
        temporary.write_text(json.dumps({**table, "rows": found}, indent=1))


if __name__ == "__main__":
    main()
