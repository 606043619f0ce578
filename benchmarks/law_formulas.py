"""Which formula of at most ten coefficients predicts unseen trainings best, and how much can be predicted at all?

    python benchmarks/law_formulas.py -o law_formulas [--window 10:1000] [--every 20] [--folds 4] [--jobs 2]

1. Trainings of the study's network are made with every observable that networks keep: 16 to choose by, seeds 8000 to
   8015, and 12 to report on, 9000 to 9011 (kept in OUTPUT; five minutes on two cores).
2. Each law of `formula_candidates.candidates` is fitted to three quarters of the former and rolled out, from the first
   step of the window, over the others, in turn.
3. So are regressions of the whole course of a signal on the state at the first step (`law_ceiling`), in several states:
   they have no equation, and say what there is to be predicted. In the richest state they are also fitted to what is
   known some steps later, for the same courses.
4. The best law, the best regression and those that it is compared to are fitted to all of the 16 and scored on the
   other 12, which nothing before has seen; differences are paired over these.

A second call goes on where the first stopped. Printed, and written to OUTPUT/law_formulas.json: mean skill with its
95 % t interval over trainings.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import finished
import law_ceiling
import numpy as np
import workplace
from formula_candidates import FormulaLaw, candidates, compared
from law_trainings import OBSERVED, observed

import ecodyn
from ecodyn.arrays import Array
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families.coefficients import coefficients_of
from ecodyn.families.formula_model import FormulaModel
from ecodyn.runtime.files import write_whole
from ecodyn.runtime.json_values import plain_json
from ecodyn.statistics.intervals import t_interval

CHOOSE, REPORT = range(8000, 8016), range(9000, 9012)  # neither the shipped trainings nor those of other benchmarks
RICH = ",".join(["signal", "velocity", "gradient", *OBSERVED])
STATES = ("signal", "signal,velocity,gradient", "signal,velocity,gradient,pull", RICH)  # of the regressions
LATER = (1, 2, 3)  # stored steps after the first
WORST = -1.0  # a rollout that ends early, or is worse


def rolled_out(model: ecodyn.FittedModel, data: ecodyn.Trajectories) -> Array:
    """Skill of free rollouts from each training's first step, `WORST` at the least."""
    rollout = model.simulate(data.state(model.state)[:, 0], data.times)
    each = [(data.values[r], rollout.signal[r], data.times[r], rollout.status[r]) for r in range(data.n_runs)]
    found = np.array([score_rollout(*one, None).skill for one in each])
    return np.maximum(np.nan_to_num(found, nan=WORST), WORST)


def cross_validated(law: FormulaLaw, data: ecodyn.Trajectories, folds: int) -> tuple[Array, float]:
    """Skill on each training, fitted to those of the other folds; and coefficients."""
    here = np.arange(data.n_runs) % folds
    split = [[data.select(runs=data.runs[part].tolist()) for part in (here != f, here == f)] for f in range(folds)]
    models = law.estimator().fit_models([known for known, _ in split])
    found = np.empty(data.n_runs)
    for fold, (model, (_, left)) in enumerate(zip(models, split, strict=True)):
        found[here == fold] = rolled_out(model, left)
    return found, models[0].n_coefficients


def row(title: str, found: Array, **more: object) -> dict[str, object]:
    """What is written of a law or a regression."""
    low, high = t_interval(found)
    return {"title": title, **more, "skill": float(found.mean()), "low": low, "high": high, "skills": found.tolist()}


def shown(found: dict[str, object]) -> dict[str, object]:
    """A row, printed."""
    size = f"{found['coefficients']:g}" if "coefficients" in found else ""
    print(
        f"{found['title']:<58}{size:>3}  {found['skill']:.4f} ({found['low']:.3f} to {found['high']:.3f})", flush=True
    )
    return found


class Kept:
    """Rows that are finished, a line each in a file; what is asked for again, under the same settings, is read."""

    def __init__(self, path: Path, settings: Mapping[str, object]) -> None:
        self.path, self.settings = path, dict(settings)
        known = finished.read(path, lambda record: json.dumps(record.pop("key")))
        self.done = dict(known)

    def row(self, what: Sequence[object], make: Callable[[], dict[str, object]]) -> dict[str, object]:
        """A row by what it is of."""
        key = json.dumps([self.settings, *what])
        if key not in self.done:
            self.done[key] = plain_json(make())
            finished.append(self.path, {**self.done[key], "key": json.loads(key)})
        return self.done[key]


def laws_chosen(data: ecodyn.Trajectories, folds: int, kept: Kept) -> list[dict[str, object]]:
    """All laws by cross-validation."""
    print(f"\nlaws, cross-validated over {data.n_runs} trainings")

    def scored(law: FormulaLaw) -> dict[str, object]:
        started = time.process_time()
        found, size = cross_validated(law, data, folds)
        seconds = round(time.process_time() - started, 1)
        return row(law.title, found, state=law.state, formula=law.text, coefficients=size, seconds=seconds)

    laws = candidates()
    return [shown(kept.row([law.title, law.state, law.text], partial(scored, law))) for law in laws]


def regressions_chosen(data: ecodyn.Trajectories, folds: int, kept: Kept) -> list[dict[str, object]]:
    """The best regression in each state, by cross-validation; in the richest one also on later steps' states."""
    tried = len(law_ceiling.regressions())
    print(f"\nregressions of the same courses on the state at a step, the best of {tried} each")

    def scored(state: str, at: int) -> dict[str, object]:
        found = law_ceiling.cross_validated(data, state, folds, at)
        best = max(found, key=lambda name: float(found[name].mean()))
        others = {name: float(skills.mean()) for name, skills in found.items()}
        step = float(data.steps[at])
        title = f"step {step:g}, {'everything' if state == RICH else state}: {best}"
        return row(title, found[best], state=state, step=step, regression=best, all=others)

    asked = [*((state, 0) for state in STATES), *((RICH, later) for later in LATER)]
    return [shown(kept.row(["regression", state, at], partial(scored, state, at))) for state, at in asked]


def reported(
    known: ecodyn.Trajectories, fresh: ecodyn.Trajectories, best: FormulaLaw, regression: Mapping[str, object]
) -> list[dict[str, object]]:
    """The best law, those it is compared to, and the best regression, on trainings that nothing has seen."""
    print(f"\nfitted to all {known.n_runs}, scored on {fresh.n_runs} others")
    rows: list[dict[str, object]] = []
    skills: dict[str, Array] = {}
    for law in dict.fromkeys([best, *compared()]):
        model = law.estimator().fit_model(known)
        skills[law.title] = rolled_out(model, fresh)
        parameters = {c.term: c.value for c in coefficients_of(model)} if isinstance(model, FormulaModel) else {}
        more = {"formula": law.text, "coefficients": model.n_coefficients, "parameters": parameters}
        rows.append(shown(row(law.title, skills[law.title], state=law.state, **more)))
    name, state = str(regression["regression"]), str(regression["state"])
    signals = law_ceiling.predicted(law_ceiling.regressions()[name](), known, fresh, state)
    skills[name] = law_ceiling.skills(signals, fresh)
    title = f"{'everything' if state == RICH else state}: {name}"
    rows.append(shown(row(title, skills[name], state=state, regression=name)))
    print("\nthe best law less the others, paired over trainings")
    for other, (title, found) in zip(rows, skills.items(), strict=True):
        gain = skills[best.title] - found
        low, high = t_interval(gain) if title != best.title else (0.0, 0.0)
        other["best_less_this"] = [float(gain.mean()), low, high]
        print(f"{title:<58}     {gain.mean():+.4f} ({low:+.4f} to {high:+.4f})")
    return rows


def main() -> None:
    """Train, choose, report, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--window", default="10:1000")
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--folds", type=int, default=4)
    workplace.add_options(parser, 2)
    options = parser.parse_args()
    with workplace.at(options):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """All of it, printed and written."""
    warnings.simplefilter("ignore", DataWarning)
    options.output.mkdir(parents=True, exist_ok=True)
    first, last = map(float, options.window.split(":"))

    def trainings(seeds: range, name: str) -> ecodyn.Trajectories:
        inside = observed(seeds, options.output / name, options.jobs).window(first, last)
        return inside.every(max(1, round(options.every / float(np.diff(inside.steps).max()))))

    known = trainings(CHOOSE, "choose.nc")
    kept = Kept(
        options.output / "finished.jsonl", {"window": [first, last], "every": options.every, "folds": options.folds}
    )
    laws, regressions = laws_chosen(known, options.folds, kept), regressions_chosen(known, options.folds, kept)
    chosen = max(laws, key=lambda found: float(str(found["skill"])))
    best = next(law for law in candidates() if law.title == chosen["title"])
    regression = max(
        (found for found in regressions if found["step"] == known.steps[0]),
        key=lambda found: float(str(found["skill"])),
    )
    fresh = trainings(REPORT, "report.nc")
    written = {
        "window": [first, last],
        "every": options.every,
        "seeds": {"choose": list(CHOOSE), "report": list(REPORT)},
        "laws": laws,
        "regressions": regressions,
        "reported": reported(known, fresh, best, regression),
    }
    with write_whole(options.output / "law_formulas.json", force=True) as temporary:
        temporary.write_text(json.dumps(plain_json(written), indent=1) + "\n")


if __name__ == "__main__":
    main()
