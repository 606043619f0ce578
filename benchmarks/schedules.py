"""Does one law hold for trainings under another schedule of the learning rate? With η(t) as an input, and without.

    python benchmarks/schedules.py -o schedules [--seeds 200:212] [--jobs 2]       about ten minutes on two cores

1. The study's network (p = 59, d = 128) is trained under each of three schedules of one peak learning rate: constant,
   cosine to a tenth, and two steps of 0.3. Kept in OUTPUT: a second call trains nothing.
2. Every law is fitted to trainings under two of the schedules, and scored on those of the third: by rollouts from their
   first step, over steps 60:1000, on seeds that it was not fitted to (two folds of seeds). So each training is scored
   once by a law that knows neither its schedule nor its seed. Beside it, the same law fitted to the third schedule's
   own trainings, of the other fold.
3. Every law that can be is fitted to the constant schedule alone, and scored on the others.

Laws "in tau" are fitted and rolled out in training time tau(t) = sum of eta over the updates before t, in units of the
peak rate: all of their right-hand side is multiplied by eta(t).

Printed, and written to OUTPUT/table.json: mean skill with its 95 % t interval over seeds; and how much more a law leaves
unexplained than the first law of its family, as the geometric mean over seeds, with the interval of that.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.runtime.files import write_whole
from ecodyn.statistics.intervals import t_interval
from ecodyn.training import MLP, Schedule, grid, train
from ecodyn.trajectories import Trajectories

STEPS, EVERY, WINDOW = 1000, 10, (60, 1000)
PEAK = 0.01  # the study's learning rate
SCHEDULES = ("constant", "cosine:final=0.1:steps=500", "step:milestones=150+400:gamma=0.3")
FOLDS = 2
SHARE = "b - a*x + g*x**n/(x**n + k*mean(x**n))"


@dataclass(frozen=True)
class Law:
    """A row of the table.

    Attributes
    ----------
    kind : rows of one kind are compared with the first of it
    title : what is printed
    estimator : unfitted
    time : "steps", "tau", or "input" for steps with the learning rate as an input
    """

    kind: str
    title: str
    estimator: ecodyn.Family
    time: str

    def seen(self, data: Trajectories) -> Trajectories:
        """The data as the law takes them."""
        if self.time == "input":
            return data
        return (in_training_time(data) if self.time == "tau" else data).without_inputs()


def laws() -> list[Law]:
    """All rows; of each kind the one that knows nothing of the learning rate first."""
    found = []
    for name in ("linear", "sindy", "share"):
        title = f"{name}, exchangeable"
        found.append(Law(name, title, family(name)("exchangeable"), "steps"))
        if name != "share":
            found.append(Law(name, f"{title}, with lr", family(name)("exchangeable"), "input"))
        found.append(Law(name, f"{title}, in tau", family(name)("exchangeable"), "tau"))
    return found


# --------------------------------------------------------------------------------------------------------- trainings


def trainings(seeds: range, folder: Path, jobs: int) -> Trajectories:
    """Every schedule under every seed, over the window; read from the folder if they were made before."""
    path = folder / f"trainings_{seeds.start}_{seeds.stop}.nc"
    if path.exists():
        runs = ecodyn.load(path)
    else:
        print(f"training {len(SCHEDULES)} schedules under seeds {seeds.start} to {seeds.stop - 1}", flush=True)
        started = time.perf_counter()
        networks = grid(MLP, {"learning_rate": [PEAK], "test": [False], "learning_rate_schedule": SCHEDULES})
        runs = train(networks, seeds, STEPS, keep=Schedule(every=EVERY), dtype="float32", jobs=jobs)
        folder.mkdir(parents=True, exist_ok=True)
        runs.save(path, force=True)
        print(f"{time.perf_counter() - started:.0f} s", flush=True)
    return runs.window(*WINDOW)


def in_training_time(data: Trajectories) -> Trajectories:
    """The same runs over tau: the updates' rates before each kept step, summed, in units of the peak rate."""
    updates = np.arange(STEPS)
    times = []
    for curve, row in zip(data.inputs["lr"], data.times, strict=True):
        tau = np.concatenate([[0.0], np.cumsum(curve(updates))]) / PEAK
        times.append(tau[row.astype(int)])
    return Trajectories(
        data.values,
        np.array(times),
        features=data.features,
        runs=data.runs.tolist(),
        cluster=data.clusters.tolist(),
        settings=dict(data.settings),
    )


def under(data: Trajectories, schedules: Sequence[str], seeds: Sequence[int]) -> Trajectories:
    """The runs of these schedules and seeds."""
    names = data.settings["learning_rate_schedule"].tolist()
    wanted = [
        label
        for label, name, seed in zip(data.runs.tolist(), names, data.settings["seed"].tolist(), strict=True)
        if any(name.startswith(schedule) for schedule in schedules) and seed in seeds
    ]
    return data.select(runs=wanted)


# ------------------------------------------------------------------------------------------------------------ scores


def scored(model: ecodyn.FittedModel, law: Law, data: Trajectories) -> Array:
    """Skill on each training, of rollouts from its first step."""
    seen = law.seen(data)
    inputs = {"inputs": seen} if law.time == "input" else {}
    rollout = model.simulate(seen.values[:, 0], seen.times, **inputs)
    each = [(data.values[r], rollout.signal[r], data.times[r], rollout.status[r]) for r in range(data.n_runs)]
    return np.array([score_rollout(*one, None).skill for one in each])


def on_others(law: Law, data: Trajectories, fitted_to: dict[str, Sequence[str]]) -> tuple[dict[str, Array], int]:
    """Skill (seed,) by the schedule that is scored, fitted to those named for it, of the other folds of seeds."""
    seeds = sorted(set(data.settings["seed"].tolist()))
    folds = [seeds[i::FOLDS] for i in range(FOLDS)]
    tasks = [(target, fold) for target in fitted_to for fold in folds]
    training = [law.seen(under(data, fitted_to[target], [s for s in seeds if s not in fold])) for target, fold in tasks]
    models = law.estimator.fit_models(training)
    skills = {target: np.full(len(seeds), np.nan) for target in fitted_to}
    for (target, fold), model in zip(tasks, models, strict=True):
        places = [seeds.index(seed) for seed in fold]
        skills[target][places] = scored(model, law, under(data, [target], fold))
    return skills, max(int(model.n_coefficients) for model in models)
