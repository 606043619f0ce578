"""What a Dask cluster costs beside plain processes: the shipped comparison without networks, both ways in one run.

    python benchmarks/cluster_overhead.py [--rounds 3] [--workers 2] [--every 1]

runs ``ecodyn compare`` on the shipped trainings as a command, in turns with --jobs and with --cluster local, from its
start to its end, so that beginning the cluster counts; checks that both say the same; and prints each side's fastest
time, its processors' time and the ratios. Five minutes on two cores. On a busy machine read the processors' time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "data" / "circles_p59_d128.nc"
FAMILIES = ["--family", "linear", "--family", "lotka_volterra", "--family", "sindy"]
AIM = 1.15  # times the time of plain processes, at most


@dataclass(frozen=True)
class Timed:
    """One run of the command: seconds by the clock, seconds of all its processes, and what it said."""

    clock: float
    processors: float
    said: str


def timed(options: list[str], every: int) -> Timed:
    command = [sys.executable, "-m", "ecodyn.cli", "compare", str(SHIPPED), *FAMILIES, "--every", str(every)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([*command, "--json", *options], capture_output=True, text=True, env=os.environ, check=True)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timed(clock, used, numbers(done.stdout))


def numbers(text: str) -> str:
    """All that a comparison says but how long its fits took."""
    return json.dumps(without_times(json.loads(text)), sort_keys=True)


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {key: without_times(held) for key, held in value.items() if not key.endswith("seconds")}
    return [without_times(held) for held in value] if isinstance(value, list) else value


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every", type=int, default=1)
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.workers, arguments.every) < 1:
        parser.error("expected --rounds, --workers and --every of at least 1")
    sides = {"jobs": ["--jobs", str(arguments.workers)], "cluster": ["--cluster", f"local:{arguments.workers}"]}
    runs: dict[str, list[Timed]] = {name: [] for name in sides}
    for round_ in range(arguments.rounds):
        for name, options in sides.items():
            runs[name].append(timed(options, arguments.every))
            last = runs[name][-1]
            print(f"round {round_ + 1}, {' '.join(options)}: {last.clock:.1f} s, {last.processors:.1f} s of processors")
    if len({run.said for of_side in runs.values() for run in of_side}) > 1:
        sys.exit("the two sides say different things: results must not depend on where they are computed")
    for what in ("clock", "processors"):
        jobs, cluster = (min(getattr(run, what) for run in runs[name]) for name in ("jobs", "cluster"))
        print(f"{what}: {cluster:.1f} s / {jobs:.1f} s = {cluster / jobs:.3f} (aim: at most {AIM})")


if __name__ == "__main__":
    main()
