"""The trainings of ``law_search.py``: the shipped ones made again with more observables, and fresh ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import ecodyn
from ecodyn.networks.modular_addition import MLP
from ecodyn.networks.training import Schedule, train
from ecodyn.trajectories import Trajectories

SHIPPED = Path(__file__).parents[1] / "data" / "circles_p59_d128.nc"
KNOWN_SEEDS, STEPS = range(16), 1000
OBSERVED = ("circularity", "phase_spread", "pull", "first_layer", "output_layer", "response")  # beside the gradient
KEPT = OBSERVED


def trained(seeds: range, path: Path, jobs: int) -> Trajectories:
    """Trainings of the study's network with these seeds; read from the file if they were made before."""
    if path.exists():
        runs = ecodyn.load(path)
        if runs.runs.tolist() == list(seeds) and runs.steps[-1] == STEPS and set(KEPT) <= set(runs.observables):
            return runs
    print(f"training seeds {seeds.start} to {seeds.stop - 1}, {STEPS} steps", flush=True)
    runs = train(MLP(observables=KEPT), seeds, STEPS, jobs=jobs)
    runs.save(path, force=True)
    return runs


def observed(seeds: range, path: Path, jobs: int) -> Trajectories:
    """The same for laws from the tenth step on: that many steps, then each tenth, in float32 and without test losses.

    This takes half the time. Read from the file if they were made before.
    """
    if path.exists():
        runs = ecodyn.load(path)
        if runs.runs.tolist() == list(seeds) and runs.steps[-1] == STEPS and set(OBSERVED) <= set(runs.observables):
            return runs
    print(f"training seeds {seeds.start} to {seeds.stop - 1}, {STEPS} steps", flush=True)
    network = MLP(observables=OBSERVED, test=False)
    runs = train(network, seeds, STEPS, keep=Schedule(dense=10, every=10), dtype="float32", jobs=jobs)
    runs.save(path, force=True)
    return runs


def known_trainings(folder: Path, jobs: int) -> Trajectories:
    """Those of the shipped file, with more observables."""
    runs, shipped = trained(KNOWN_SEEDS, folder / "known.nc", jobs), ecodyn.load(SHIPPED)
    off = float(np.abs(runs.values / shipped.values - 1).max())
    print(
        f"trainings made again: signals differ from those of {SHIPPED.name} by {off:.1e} at most, relative", flush=True
    )
    if off > 1e-6:
        raise SystemExit(f"expected the trainings of {SHIPPED.name} again, got others: this platform rounds otherwise")
    return runs


def together(known: Trajectories, fresh: Trajectories) -> Trajectories:
    """Known and fresh trainings as one, in this order."""
    names = [name for name in known.observables if name != "signal"]
    return Trajectories(
        np.concatenate([known.values, fresh.values]),
        known.steps,
        features=known.features,
        runs=[*known.runs.tolist(), *fresh.runs.tolist()],
        observables={n: np.concatenate([known.observable(n), fresh.observable(n)]) for n in names},
        provenance={"source": "benchmarks/law_search.py"},
    )
