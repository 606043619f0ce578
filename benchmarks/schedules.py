"""Does one law hold for trainings under another schedule of the learning rate? With η(t) as an input, and without.

    python benchmarks/schedules.py -o schedules [--seeds 200:212] [--jobs 2]       about ten minutes on two cores

1. The study's network (p = 59, d = 128) is trained under each of three schedules of one peak learning rate: constant,
   cosine to a tenth, and two steps of 0.3. Kept in OUTPUT: a second call trains nothing.
2. Every law is fitted to trainings under two of the schedules, and scored on those of the third: by rollouts over steps
   60:1000 from the first one, on seeds that it was not fitted to (two folds of seeds). So each training is scored
   once by a law that knows neither its schedule nor its seed. Beside it, the same law fitted to the third schedule's
   own trainings, of the other fold of seeds.
   The rates that fall reach less training time than the constant one in as many steps: that is scored once more, as far
   as the training time that the law was fitted to goes.
3. Laws without an input are fitted to the constant schedule alone, and scored on the others in the same way.

Laws "in tau" are fitted and rolled out in training time tau(t) = sum of eta over the updates before t, in units of the
peak rate: all of their right-hand side is multiplied by eta(t).

Printed, and written to OUTPUT/table.json: mean skill with its 95 % t interval over seeds, of all schedules that are
scored together a seed; and how much more a law leaves unexplained than the first law of its kind, as the geometric mean
over seeds, with the interval of that. Rollouts that diverge are counted, and left out of both. Last, how much of the
law eta multiplies: m of the factor 1 - m + m eta/peak before the share law.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import workplace

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.runtime.processes import outcomes
from ecodyn.statistics.intervals import t_interval
from ecodyn.training import MLP, Schedule, grid, train
from ecodyn.trajectories import Trajectories

STEPS, EVERY, WINDOW = 1000, 10, (60, 1000)
FITTED_EVERY = 2  # of the kept steps: rollouts on a grid of 20 steps have the skill of those of 10 to four digits
PEAK = 0.01  # the study's learning rate
SCHEDULES = ("constant", "cosine:final=0.1:steps=500", "step:milestones=150+400:gamma=0.3")
FOLDS = 2
TWO, REACHED, OWN, CONSTANT = "the other two", "two, as far as", "its own", "constant"
SHARE = "b - a*x + g*x**n/(x**n + k*mean(x**n))"
# The rate in units of its peak, so that coefficients stay of the size of those of laws without it.
GROWTH = "b - a*x + lr/0.01*g*x**n/(x**n + k*mean(x**n))"
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
    found.append(Law("share", "share, in tau", _formula(SHARE), "tau"))
    written = {"all times lr": WHOLE, "all times 1 - m + m lr": MIXED, "growth times lr": GROWTH}
    return found + [Law("share", f"share, {what}", _formula(text), "input") for what, text in written.items()]


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
    return runs.window(*WINDOW).every(FITTED_EVERY)


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


def on_others(
    law: Law, data: Trajectories, fitted_to: dict[str, Sequence[str]], last: float = WINDOW[1]
) -> tuple[dict[str, Array], int]:
    """Skill (seed,) by the schedule that is scored, fitted to those named for it, of the other folds of seeds.

    Scored up to the step ``last``.
    """
    seeds = sorted(set(data.settings["seed"].tolist()))
    folds = [seeds[i::FOLDS] for i in range(FOLDS)]
    tasks = [(target, fold) for target in fitted_to for fold in folds]
    training = [law.seen(under(data, fitted_to[target], [s for s in seeds if s not in fold])) for target, fold in tasks]
    models = law.estimator.fit_models(training)
    skills = {target: np.full(len(seeds), np.nan) for target in fitted_to}
    for (target, fold), model in zip(tasks, models, strict=True):
        places = [seeds.index(seed) for seed in fold]
        skills[target][places] = scored(model, law, under(data, [target], fold).window(WINDOW[0], last))
    return skills, max(int(model.n_coefficients) for model in models)


def plans(data: Trajectories) -> dict[str, tuple[dict[str, Sequence[str]], float]]:
    """What laws are fitted to, by the schedule that they are scored on, and up to which step they are scored."""
    constant, *falling = SCHEDULES
    others = {target: [name for name in SCHEDULES if name != target] for target in SCHEDULES}
    seeds = data.settings["seed"].tolist()
    reached = in_training_time(under(data, falling, seeds)).times.max()
    return {
        TWO: (others, WINDOW[1]),
        REACHED: ({constant: falling}, float(reached)),
        OWN: ({target: [target] for target in SCHEDULES}, WINDOW[1]),
        CONSTANT: ({target: [constant] for target in falling}, WINDOW[1]),
    }


@dataclass(frozen=True)
class Row:
    """A law under one of the plans: its skill (schedule, seed), or why it has none."""

    law: Law
    fitted: str
    schedules: tuple[str, ...]
    skills: Array
    coefficients: int
    seconds: float

    def left(self, first: Row) -> list[float] | None:
        """How much more is left unexplained than by another row, in percent, with its interval."""
        if first.skills is self.skills:
            return None
        ratio = np.log((1 - self.skills) / (1 - first.skills))  # NaN where a rollout of either diverged
        of_seed = mean_of_schedules(ratio)
        return [100 * float(np.expm1(value)) for value in (of_seed.mean(), *t_interval(of_seed))]

    def plain(self, first: Row) -> dict[str, Any]:
        """As it is written."""
        of_seed = mean_of_schedules(self.skills)
        return {
            "law": self.law.title,
            "fitted_to": self.fitted,
            "coefficients": self.coefficients,
            "skill": [float(of_seed.mean()), *t_interval(of_seed)],
            "median": float(np.nanmedian(self.skills)),
            "of_schedule": {n: float(np.nanmean(v)) for n, v in zip(self.schedules, self.skills, strict=True)},
            "more_unexplained_percent": self.left(first),
            "diverged": int(np.isnan(self.skills).sum()),
            "seconds": self.seconds,
            "skills": dict(zip(self.schedules, self.skills.tolist(), strict=True)),
        }


def shown_multiplier(data: Trajectories) -> dict[str, Any]:
    """How much of the law eta multiplies: m of the factor 1 - m + m eta/peak, fitted to each seed's trainings apart."""
    seeds = sorted(set(data.settings["seed"].tolist()))
    models = _formula(MIXED).fit_models([under(data, SCHEDULES, [seed]) for seed in seeds])
    m = np.array([model.parameters["m"] for model in models])
    low, high = t_interval(m)
    print(f"1 - m + m lr, each seed by itself: m = {m.mean():.3f} ({low:.3f} to {high:.3f})", flush=True)
    return {"of_seeds": m.tolist(), "mean": float(m.mean()), "low": low, "high": high}


def mean_of_schedules(values: Array) -> Array:
    """Mean over schedules of each seed that has any, (seed,)."""
    held = np.isfinite(values).any(axis=0)
    return np.nanmean(values[:, held], axis=0)


def carried_out(data: Trajectories, task: tuple[Law, str]) -> Row:
    """One law under one plan."""
    law, fitted = task
    plan, last = plans(data)[fitted]
    started = time.perf_counter()
    skills, size = on_others(law, data, plan, last)
    seconds = time.perf_counter() - started
    return Row(law, fitted, tuple(skills), np.array(list(skills.values())), size, seconds)


def table(data: Trajectories, jobs: int) -> Iterator[list[dict[str, Any]]]:
    """The rows that there are, each time that one more is finished."""
    # Under one schedule for all trainings time alone tells the rate: an input says nothing there.
    tasks = [(w, fitted) for fitted in plans(data) for w in laws() if w.time != "input" or fitted in (TWO, REACHED)]
    done: dict[int, Row] = {}
    for index, outcome in outcomes(partial(carried_out, data), tasks, jobs):
        if isinstance(outcome, Exception):
            print(f"{tasks[index][0].title}, fitted to {tasks[index][1]}: {outcome}", flush=True)
            continue
        done[index] = outcome
        print(f"{outcome.law.title}, fitted to {outcome.fitted}: {outcome.seconds:.0f} s", flush=True)
        rows = [done[i] for i in sorted(done)]
        firsts = {(r.law.kind, r.fitted): r for r in reversed(rows)}
        yield [row.plain(firsts[row.law.kind, row.fitted]) for row in rows]


def show(rows: list[dict[str, Any]]) -> None:
    """Print the table as it is read."""
    print(
        "| law | fitted to | coefficients | skill | median | " + " | ".join(s.split(":")[0] for s in SCHEDULES), end=""
    )
    print(" | more unexplained, % | diverged |\n|" + " --- |" * (7 + len(SCHEDULES)))
    for row in rows:
        mean, low, high = row["skill"]
        more = row["more_unexplained_percent"]
        cells = [row["law"], row["fitted_to"], row["coefficients"], f"{mean:.3f} ({low:.3f} to {high:.3f})"]
        cells += [f"{row['median']:.3f}", *(f"{row['of_schedule'].get(s, np.nan):.3f}" for s in SCHEDULES)]
        cells += ["" if more is None else "{:+.0f} ({:+.0f} to {:+.0f})".format(*more), row["diverged"]]
        print("| " + " | ".join(str(cell).replace("nan", "") for cell in cells) + " |")


def main() -> None:
    """Train, fit, score, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("schedules"))
    parser.add_argument("--seeds", default="200:212", help="FIRST:END, END excluded")
    workplace.add_options(parser, 2)
    options = parser.parse_args()
    with workplace.at(options):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """All of it, printed and written."""
    warnings.simplefilter("ignore", DataWarning)
    first, end = map(int, options.seeds.split(":"))
    data = trainings(range(first, end), options.output, options.jobs)
    print(f"{data.n_runs} trainings, steps {WINDOW[0]}:{WINDOW[1]}; unexplained: than the first law of its kind")
    print(f"as far as: step {plans(data)[REACHED][1]:.0f} of the constant schedule", flush=True)
    rows: list[dict[str, Any]] = []
    found: dict[str, Any] = {}
    for rows in table(data, options.jobs):  # what is finished is kept
        found = {"schedules": SCHEDULES, "seeds": [first, end], "window": WINDOW, "peak": PEAK, "laws": rows}
        with write_whole(options.output / "table.json", force=True) as temporary:
            temporary.write_text(json.dumps(plain_json(found), indent=1) + "\n")
    show(rows)
    found["multiplier"] = shown_multiplier(data)
    with write_whole(options.output / "table.json", force=True) as temporary:
        temporary.write_text(json.dumps(plain_json(found), indent=1) + "\n")


if __name__ == "__main__":
    main()
