"""What a Dask cluster costs beside plain processes: the shipped comparison without networks, both ways in one run.

    python benchmarks/cluster_overhead.py [--rounds 3] [--workers 2] [--every 1]

runs ``ecodyn compare`` on the shipped trainings as a command, in turns with --jobs and with --cluster local, from its
start to its end, so that beginning the cluster counts; checks that both say the same; and prints each side's fastest
time and their ratio. Five minutes on two cores that nothing else is using; on a busy machine the ratio means little.
"""

from __future__ import annotations

import argparse
import json
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
    """One run of the command: seconds by the clock, and what it said."""

    seconds: float
    said: str


def timed(options: list[str], every: int) -> Timed:
    command = [sys.executable, "-m", "ecodyn.cli", "compare", str(SHIPPED), *FAMILIES, "--every", str(every)]
    began = time.perf_counter()
    done = subprocess.run([*command, "--json", *options], capture_output=True, text=True, check=True)
    return Timed(time.perf_counter() - began, numbers(done.stdout))


def numbers(text: str) -> str:
    """All that a comparison says but how long its fits took; warnings and failures come as tasks are finished."""
    said = json.loads(text)
    said |= {key: sorted(said[key]) for key in ("warnings", "failures")}
    return json.dumps(without_times(said), sort_keys=True)


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
            print(f"round {round_ + 1}, {' '.join(options)}: {runs[name][-1].seconds:.1f} s", flush=True)
    if len({run.said for of_side in runs.values() for run in of_side}) > 1:
        sys.exit("the two sides say different things: results must not depend on where they are computed")
    jobs, cluster = (min(run.seconds for run in runs[name]) for name in ("jobs", "cluster"))
    print(f"{cluster:.1f} s / {jobs:.1f} s = {cluster / jobs:.3f} (aim: at most {AIM})")


if __name__ == "__main__":
    main()
