"""Does one law hold for trainings under another schedule of the learning rate? With η(t) as an input, and without.

    python benchmarks/schedules.py -o schedules [--seeds 200:212] [--jobs 2]       about ten minutes on two cores

1. The study's network (p = 59, d = 128) is trained under each of three schedules of one peak learning rate: constant,
   cosine to a tenth, and two steps of 0.3. Kept in OUTPUT: a second call trains nothing.
2. Every law is fitted to trainings under two of the schedules, and scored on those of the third: by rollouts over steps
   60:1000 from the first one, on seeds that it was not fitted to (two folds of seeds). So each training is scored
   once by a law that knows neither its schedule nor its seed. Beside it, the same law fitted to the third schedule's
   own trainings, of the other fold of seeds.
3. Laws without an input are fitted to the constant schedule alone, and scored on the others in the same way.

Laws "in tau" are fitted and rolled out in training time tau(t) = sum of eta over the updates before t, in units of the
peak rate: all of their right-hand side is multiplied by eta(t).

Printed, and written to OUTPUT/table.json: mean skill with its 95 % t interval over seeds, of all schedules that are
scored together a seed; and how much more a law leaves unexplained than the first law of its kind, as the geometric mean
over seeds, with the interval of that. Rollouts that diverge are counted, and left out of both.
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
TWO, OWN, CONSTANT = "the other two", "its own", "constant"
SHARE = "b - a*x + g*x**n/(x**n + k*mean(x**n))"
# The rate in units of its peak, so that coefficients stay of the size of those of laws without it.
GROWTH = "b - a*x + lr/0.01*g*x**n/(x**n + k*mean(x**n))"
DECAY = "b - lr/0.01*a*x + g*x**n/(x**n + k*mean(x**n))"
WHOLE = "lr/0.01*(b - a*x + g*x**n/(x**n + k*mean(x**n)))"
MIXED = "(1 - m + m*lr/0.01)*(b - a*x + g*x**n/(x**n + k*mean(x**n)))"


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
    for name in ("linear", "sindy"):
        found += [
            Law(name, name, family(name)("exchangeable"), "steps"),
            Law(name, f"{name}, lr in its terms", family(name)("exchangeable"), "input"),
            Law(name, f"{name}, in tau", family(name)("exchangeable"), "tau"),
        ]
    found.append(Law("share", "share", _formula(SHARE), "steps"))
    written = {
        "growth times lr": GROWTH,
        "decay times lr": DECAY,
        "all times lr": WHOLE,
        "all times 1 - m + m lr": MIXED,
    }
    found += [Law("share", f"share, {what}", _formula(text), "input") for what, text in written.items()]
    return [*found, Law("share", "share, in tau", _formula(SHARE), "tau")]


def _formula(text: str) -> ecodyn.Formula:
    return ecodyn.Formula(text, positive=["a", "g", "n", "k"])


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


def row(
    law: Law, fitted: str, skills: dict[str, Array], size: int, first: Array | None, seconds: float
) -> dict[str, Any]:
    """What is printed and written of a law."""
    of_seed = np.array(list(skills.values()))  # (schedule, seed)
    ended = np.isfinite(of_seed)
    mean = np.nanmean(of_seed, axis=0)
    left = np.nanmean(np.log(1 - of_seed), axis=0)
    more = None
    if first is not None:
        both = left - np.nanmean(np.log(1 - first), axis=0)
        more = [100 * float(np.expm1(v)) for v in (both.mean(), *t_interval(both))]
    of_schedule = {name: float(np.nanmean(values)) for name, values in skills.items()}
    low, high = t_interval(mean)
    print(
        f"{law.title:<32}{fitted:<15}{size:>3}  {mean.mean():.4f} ({low:.3f} to {high:.3f})  "
        + "  ".join(f"{name.split(':')[0]} {value:.3f}" for name, value in of_schedule.items())
        + ("" if more is None else f"  {more[0]:+.1f} % ({more[1]:+.1f} to {more[2]:+.1f})")
        + (f"  {int((~ended).sum())} diverged" if not ended.all() else "")
        + f"  {seconds:.0f} s",
        flush=True,
    )
    return {
        "law": law.title,
        "fitted_to": fitted,
        "coefficients": size,
        "skill": [float(mean.mean()), low, high],
        "of_schedule": of_schedule,
        "more_unexplained_percent": more,
        "diverged": int((~ended).sum()),
        "skills": {name: values.tolist() for name, values in skills.items()},
    }


def table(data: Trajectories) -> list[dict[str, Any]]:
    """All rows, by what laws are fitted to."""
    rows = []
    others = {target: [name for name in SCHEDULES if name != target] for target in SCHEDULES}
    own = {target: [target] for target in SCHEDULES}
    constant = {target: [SCHEDULES[0]] for target in SCHEDULES[1:]}
    for fitted, plan in ((TWO, others), (OWN, own), (CONSTANT, constant)):
        first: dict[str, Array] = {}
        for law in laws():
            if law.time == "input" and fitted != TWO:
                continue  # under one schedule for all trainings, time alone tells the rate
            started = time.perf_counter()
            skills, size = on_others(law, data, plan)
            seconds = time.perf_counter() - started
            rows.append(row(law, fitted, skills, size, first.get(law.kind), seconds))
            first.setdefault(law.kind, np.array(list(skills.values())))
    return rows


def main() -> None:
    """Train, fit, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("schedules"))
    parser.add_argument("--seeds", default="200:212", help="FIRST:END, END excluded")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    warnings.simplefilter("ignore", DataWarning)
    first, end = map(int, options.seeds.split(":"))
    data = trainings(range(first, end), options.output, options.jobs)
    print(f"{data.n_runs} trainings, steps {WINDOW[0]}:{WINDOW[1]}; unexplained: than the first law of its kind")
    rows = table(data)
    found = {"schedules": SCHEDULES, "seeds": [first, end], "window": WINDOW, "peak": PEAK, "laws": rows}
    with write_whole(options.output / "table.json", force=True) as temporary:
        temporary.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
