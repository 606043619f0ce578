"""How often laws with terms of one's own are selected right: known truths, clean and noisy, beside idle terms.

    python benchmarks/own_terms.py [--seeds 3]

A law is right if it has exactly the truth's terms, and it holds if a fresh run without noise has a skill of 0.99.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ecodyn import SINDy
from ecodyn.rollouts.skill import skill_of
from ecodyn.trajectories import Trajectories

RUNS, POINTS, NOISES, HELD = 6, 101, (0.0, 0.01, 0.05), 0.99

Array = np.ndarray


class Truth(NamedTuple):
    """A law, where features start, how long runs are, the terms offered, and those that it has."""

    coupling: str
    slope: Callable[[Array], Array]
    low: tuple[float, ...]
    high: tuple[float, ...]
    duration: float
    terms: list[str]
    has: set[str]


def each(low: float, high: float, features: int = 3) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Bounds of features that are alike."""
    return (low,) * features, (high,) * features


IND, EXC, FULL = "independent", "exchangeable", "full"
TRUTHS = {
    "phases": Truth(
        IND, lambda x: 0.5 - np.sin(x), *each(-2, 2), 8.0, ["sin(x)", "cos(x)", "x/(1 + x**2)"], {"1", "sin(x)"}
    ),
    "gompertz": Truth(
        IND, lambda x: -x * np.log(x / 2), *each(0.05, 4), 4.0, ["x*log(x)", "sqrt(x)", "exp(-x)"], {"x", "x*log(x)"}
    ),
    "neuron": Truth(IND, lambda x: 2 * np.tanh(x) - x, *each(-3, 3), 5.0, ["tanh(x)", "sin(x)"], {"x", "tanh(x)"}),
    "shared": Truth(
        EXC,
        lambda x: x / (1 + x.mean() ** 2) - 0.5 * x,
        *each(0.2, 3, 4),
        8.0,
        ["x/(1 + mean(x)**2)", "x/(1 + x)", "x*exp(-mean(x))"],
        {"x", "x/(1 + mean_x**2)"},
    ),
    "pendulum": Truth(
        FULL,
        lambda x: np.array([x[1], -np.sin(x[0]) - 0.1 * x[1]]),
        *each(-2, 2, 2),
        10.0,
        ["sin(x)", "cos(x)"],
        {"a: x_b", "b: sin(x_a)", "b: x_b"},
    ),
    "predation": Truth(
        FULL,
        lambda x: np.array([x[0] * (1 - x[0] / 3) - x[0] * x[1] / (1 + x[0]), x[0] * x[1] / (1 + x[0]) - 0.5 * x[1]]),
        *each(0.3, 2, 2),
        12.0,
        ["x_a*x_b/(1 + x_a)", "sin(x)"],
        {"a: x_a", "a: x_a**2", "a: x_a*x_b/(1 + x_a)", "b: x_b", "b: x_a*x_b/(1 + x_a)"},
    ),
}


def main() -> None:
    """Fit each truth's data sets and print how often it was right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="noisy data sets a truth and a noise")
    seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore")
    print("truth       noise  right  hold")
    for name, truth in TRUTHS.items():
        for noise in NOISES:
            found = [fitted(truth, noise, 100 + seed) for seed in range(1 if noise == 0 else seeds)]
            right, held = np.sum(found, axis=0)
            print(f"{name:11} {noise:5.2f}  {right}/{len(found)}    {held}/{len(found)}", flush=True)


def fitted(truth: Truth, noise: float, seed: int) -> tuple[int, int]:
    """Whether the law of one data set is right, and holds."""
    rng, t = np.random.default_rng(seed), np.linspace(0.0, truth.duration, POINTS)
    starts = rng.uniform(truth.low, truth.high, (RUNS + 1, len(truth.low)))
    x = np.stack(
        [solve_ivp(lambda _, y: truth.slope(y), (0, t[-1]), x0, t_eval=t, rtol=1e-10, atol=1e-12).y.T for x0 in starts]
    )
    noisy = x[:-1] + noise * x[:-1].std() * rng.standard_normal(x[:-1].shape)
    if truth.low[0] > 0:
        noisy = np.maximum(noisy, 1e-3)  # logarithms and roots are of positive numbers
    full = truth.coupling == FULL
    data = Trajectories(noisy, t, ["a", "b"] if full else None, labels_shared=full)
    law = SINDy(truth.coupling, terms=truth.terms).fit(data).model_
    rolled = law.simulate(x[-1][0], t)
    held = bool(rolled.ok.all()) and skill_of(x[-1], np.squeeze(rolled.signal).reshape(x[-1].shape), t) >= HELD
    return int(law.selected_terms() == truth.has), int(held)


if __name__ == "__main__":
    main()
