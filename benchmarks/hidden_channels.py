"""What a past is worth: hidden channels, linear or with a network, beside delayed signals and laws of the signal alone.

    python benchmarks/hidden_channels.py oscillators --folds 4 -o hidden_oscillators
    python benchmarks/hidden_channels.py circles -o hidden_circles

``oscillators`` are Rayleigh's, ẍ = −x + 0.8 (ẋ − ẋ³/3), two a run, of which the position is measured, with noise of a
hundredth of its standard deviation: what is hidden acts nonlinearly. ``circles`` are the shipped trainings, steps 60 to
1000, every tenth of them. All laws are scored on runs not seen, after the steps that one of them has to see before.
The comparison is written to OUTPUT/report.json, its laws and their seconds are printed.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

import ecodyn
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.families.estimator import Family
from ecodyn.trajectories import Trajectories

CIRCLES = Path(__file__).parents[1] / "data" / "circles_p59_d128.nc"
RUNS, FEATURES, STEPS, DURATION = 8, 2, 61, 12.0
DAMPING, NOISE = 0.8, 0.01  # the latter of the standard deviation
WARM_UP = 10
LINEAR_SEARCHES = 1  # of the best draws, to the end: linear laws have few optima
DELAYS = {1: "signal,signal@-1", 3: "signal,signal@-1,signal@-2,signal@-3"}


def oscillators(seed: int = 0) -> Trajectories:
    """Positions of Rayleigh's oscillators, from random starts."""

    def slope(_: float, y: np.ndarray) -> list[float]:
        return [y[1], -y[0] + DAMPING * (y[1] - y[1] ** 3 / 3)]

    rng, t = np.random.default_rng(seed), np.linspace(0.0, DURATION, STEPS)
    starts = 1.2 * rng.normal(size=(RUNS * FEATURES, 2))
    paths = [solve_ivp(slope, (0.0, DURATION), y, t_eval=t, rtol=1e-10, atol=1e-12).y[0] for y in starts]
    x = np.array(paths).reshape(RUNS, FEATURES, STEPS).swapaxes(1, 2)
    return Trajectories(x + NOISE * x.std() * rng.normal(size=x.shape), t)


def laws(couplings: list[str]) -> list[Family]:
    """Of the signal alone, of delayed signals, and with hidden channels."""
    found: list[Family] = []
    for coupling in couplings:
        found += [ecodyn.Linear(coupling), ecodyn.SINDy(coupling)]
        found += [ecodyn.Linear(coupling, state, dynamics="map") for state in DELAYS.values()]
        found += [ecodyn.SINDy(coupling, DELAYS[1], dynamics="map")]
        found += [family("linear_hidden")(coupling, warm_up=WARM_UP, searches=LINEAR_SEARCHES)]
        found += [family("residual_hidden")(coupling, warm_up=WARM_UP)]
    return [*found, family("share")("exchangeable")] if "exchangeable" in couplings else found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=["oscillators", "circles"])
    parser.add_argument("--folds", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, default=Path("hidden_channels"))
    asked = parser.parse_args()
    if asked.data == "circles":
        data, couplings = ecodyn.load(CIRCLES).window(60, 1000).every(10), ["independent", "exchangeable"]
    else:
        data, couplings = oscillators(), ["independent"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # what single weights are worth is not what is asked here
        result = ecodyn.compare(data, families=laws(couplings), protocols=["unseen_runs"], folds=asked.folds)
    asked.output.mkdir(parents=True, exist_ok=True)
    result.save(asked.output / "report.json", force=True)
    print("| law | coefficients | skill on unseen runs | 95 % | diverged | seconds a fit |")
    print("| --- | --- | --- | --- | --- | --- |")
    for model in sorted(result.models, key=lambda m: -np.nan_to_num(m.skill, nan=-np.inf)):
        interval = f"{model.skill_interval.low:.3f} to {model.skill_interval.high:.3f}"
        seconds = model.fit_seconds / model.fits
        cells = [f"{model.n_coefficients:g}", f"{model.skill:.4f}", interval, str(model.diverged), f"{seconds:.1f}"]
        print(" | ".join([f"| {model.name} {model.kind}", *cells]) + " |")
    print(f"\n{result.verdict}")
    for failure in result.failures:
        print(failure)


if __name__ == "__main__":
    main()
