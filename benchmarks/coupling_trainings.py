"""What is done to the initialisations of ``coupling.py``, and their trainings under it."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

import ecodyn
from ecodyn.networks.modular_addition import MLP, ScaleFrequency
from ecodyn.networks.training import Schedule, train
from ecodyn.trajectories import Trajectories

STUDY_FREQUENCY = 25  # the one that the study scales
HALF = tuple(range(1, 30, 2))  # every other frequency, 15 of 29; which ones doesn't matter: relabelling is a symmetry
ONE_FACTORS = (0.5, 0.85, 1.15, 2.0)  # the study's, 0.85 to 1.15, move the mean by half a per cent
MANY_FACTORS = (0.8, 1.25)  # these by ten


@dataclass(frozen=True)
class Condition:
    """What is done to an initialisation before the first step: these frequencies times this factor."""

    name: str
    frequencies: tuple[int, ...] = ()
    factor: float = 1.0

    @property
    def network(self) -> MLP:
        """The study's network under it."""
        return MLP(interventions=tuple(ScaleFrequency(k, self.factor) for k in self.frequencies))


PLAIN = Condition("plain")
ONE = tuple(Condition(f"one_x{f:g}", (STUDY_FREQUENCY,), f) for f in ONE_FACTORS)
MANY = tuple(Condition(f"half_x{f:g}", HALF, f) for f in MANY_FACTORS)
CONDITIONS = (PLAIN, *MANY, *ONE)
GROUPS = {
    "plain": (PLAIN,),
    "one frequency scaled": (PLAIN, *ONE),
    "half of them scaled": (PLAIN, *MANY),
    "all": CONDITIONS,
}


def trained(condition: Condition, arguments: argparse.Namespace) -> Trajectories:
    """The trainings of a condition, one a seed; read from the folder if they were finished before."""
    path = arguments.output / f"{condition.name}.nc"
    seeds, steps = range(arguments.seeds), arguments.steps
    keep = Schedule(every=arguments.every)
    if path.exists():
        kept = ecodyn.load(path)
        as_wanted = kept.provenance["dtype"] == arguments.dtype and kept.runs.tolist() == list(seeds)
        if as_wanted and np.array_equal(kept.steps, keep.steps(steps)):
            return kept
    print(f"training {condition.name}: {len(seeds)} runs of {steps} steps", flush=True)
    runs = train(condition.network, seeds, steps, keep=keep, dtype=arguments.dtype, jobs=arguments.jobs)
    runs.save(path, force=True)
    return runs


def together(parts: dict[Condition, Trajectories]) -> Trajectories:
    """All conditions' runs as one: the runs of one initialisation are a cluster."""
    first = next(iter(parts.values()))
    return Trajectories(
        np.concatenate([part.values for part in parts.values()]),
        first.steps,
        features=first.features,
        runs=[f"{c.name}/{seed}" for c, part in parts.items() for seed in part.runs],
        cluster=[seed for part in parts.values() for seed in part.runs.tolist()],
        settings={"condition": [c.name for c, part in parts.items() for _ in part.runs]} if len(parts) > 1 else None,
        provenance={"source": "benchmarks/coupling.py"},
    )
