"""Does a verdict repeat on trainings made afresh? The shipped ones, and as many new ones as are given.

    ecodyn train --p 59 --dim 128 --seeds 3000:3064 --steps 1000 -o fresh.nc            ten minutes on two cores
    python benchmarks/fresh_trainings.py fresh.nc -o fresh [--window 60:1000] [--jobs 2] [--every 1]

For every window: the verdict on the 16 shipped trainings with the chance to repeat that it states, on each 16 of the
fresh ones, and on 48 of them together; and the mean skill of laws fitted to the shipped trainings and rolled out over
the fresh ones, with the number of their rollouts that diverged. Written as well: OUTPUT/table.json.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import workplace

import ecodyn
from ecodyn.comparison.candidate import NAMING
from ecodyn.comparison.scores import score_rollout
from ecodyn.errors import DataWarning
from ecodyn.families import family
from ecodyn.runtime.files import write_whole

SHIPPED = Path(__file__).parent.parent / "data" / "circles_p59_d128.nc"
GROUP, LARGE = 16, 48
WINDOWS = ("0:60", "60:1000", "300:1000", "0:1000")
FAMILIES = ("linear", "lotka_volterra", "sindy", "neural_ode")


def judged(data: ecodyn.Trajectories, what: str, jobs: int) -> dict[str, Any]:
    """The verdict of exchangeable and independent families on unseen runs."""
    result = ecodyn.compare(data, FAMILIES, ["exchangeable", "independent"], protocols=["unseen_runs"], jobs=jobs)
    verdict = result.verdict
    row = {
        "trainings": what,
        "runs": data.n_runs,
        "status": verdict.status,
        "named": None if verdict.best is None else str(verdict.best),
        "tied": [str(name) for name in verdict.tied],
        "undecided": [str(name) for name in verdict.undecided_against],
        "chance_to_repeat": verdict.chance_to_repeat,
        "skills": {name: round(result.score(name, "exchangeable").skill, 4) for name in FAMILIES},
        "diverged": {str(name): n for name, n in verdict.diverged.items()},
        "statement": verdict.statement,
    }
    others = " ".join(row["tied"] or row["undecided"])
    chance = "" if verdict.chance_to_repeat is None else f" chance {verdict.chance_to_repeat:.2f}"
    print(
        f"  {what:<14}{data.n_runs:>3} runs: {verdict.status} {row['named'] or ''} [{others}]{chance} {row['skills']}"
    )
    return row


def repeated(shipped: dict[str, Any], fresh: list[dict[str, Any]]) -> str:
    """How many of the fresh verdicts name what the shipped one does, if it names a family at all."""
    if shipped["status"] not in NAMING:
        naming = sum(row["status"] in NAMING for row in fresh)
        return f"nothing to name again: the shipped are {shipped['status']}; {naming} of {len(fresh)} name a family"
    again = sum(row["status"] in NAMING and row["named"] == shipped["named"] for row in fresh)
    return f"named again by {again} of {len(fresh)}; stated chance {shipped['chance_to_repeat']}"


def transferred(shipped: ecodyn.Trajectories, fresh: ecodyn.Trajectories) -> list[dict[str, Any]]:
    """Laws of all shipped trainings on all fresh ones."""
    rows = []
    for name in FAMILIES:
        model = family(name)(coupling="exchangeable").fit(shipped).model_
        rollout = model.simulate(fresh.values[:, 0], fresh.times)
        scores = [
            score_rollout(fresh.values[r], rollout.signal[r], fresh.times[r], rollout.status[r])
            for r in range(fresh.n_runs)
        ]
        skills = np.array([s.skill for s in scores])
        row = {
            "family": name,
            "fresh": fresh.n_runs,
            "skill": float(np.nanmean(skills)),
            "median": float(np.nanmedian(skills)),
            "diverged": sum(not s.finished for s in scores),
        }
        rows.append(row)
        print("  fitted to the shipped, on the fresh: " + ", ".join(f"{k} {v}" for k, v in row.items()), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fresh", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("fresh"))
    parser.add_argument("--window", action="append", help="steps FIRST:LAST; repeat for more; four by default")
    parser.add_argument("--every", type=int, default=1)
    workplace.add_options(parser, 2)
    arguments = parser.parse_args()
    with workplace.at(arguments):
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All of it, printed and written."""
    warnings.simplefilter("ignore", DataWarning)
    shipped, fresh = ecodyn.load(SHIPPED), ecodyn.load(arguments.fresh)
    table: dict[str, Any] = {}
    for window in arguments.window or WINDOWS:
        first, last = map(float, window.split(":"))
        here, there = (d.window(first, last).every(arguments.every) for d in (shipped, fresh))
        print(window, flush=True)
        groups = [there[begin : begin + GROUP] for begin in range(0, there.n_runs - GROUP + 1, GROUP)]
        rows = [judged(here, "shipped", arguments.jobs)]
        rows += [judged(group, f"fresh {k + 1}", arguments.jobs) for k, group in enumerate(groups)]
        if there.n_runs >= LARGE:
            rows.append(judged(there[:LARGE], "fresh together", arguments.jobs))
        print(f"  {repeated(rows[0], rows[1 : 1 + len(groups)])}", flush=True)
        table[window] = {"verdicts": rows, "transferred": transferred(here, there)}
        arguments.output.mkdir(parents=True, exist_ok=True)
        with write_whole(arguments.output / "table.json", force=True) as temporary:
            temporary.write_text(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
