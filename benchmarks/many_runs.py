"""Time and memory of a comparison from a hundred to ten thousand runs, of a law that is known.

    python benchmarks/many_runs.py -o many_runs                        10², 10³ and 10⁴ runs: about an hour on one core
    python benchmarks/many_runs.py -o many_runs --runs 100 --runs 1000     smaller ones; further ones are added

Runs of ẋᵢ = xᵢ(r + a xᵢ + c x̄) with 29 features and 200 steps, 1 % noise (``circles_29``), are simulated in shards of
500 and kept under OUTPUT/shards. For each number of runs a process of its own reads them and compares linear,
Lotka-Volterra and SINDy under the exchangeable coupling on unseen runs, in two folds. Measured are its processor
seconds, where they go, and the largest resident memory of it and of any worker. Written: OUTPUT/many_runs.json, .png,
and many_runs.md with the table and what a million runs would take.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import threading
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import ecodyn
from ecodyn.errors import DataWarning
from ecodyn.runtime.files import write_whole
from ecodyn.systems import SYSTEMS, starts

SYSTEM, SAMPLES, NOISE = "circles_29", 200, 0.01
SIZES = (100, 1000, 10_000)
SHARD = 500  # runs a file: 23 MB of values
FOLDS = 2  # cross-validation in halves: the cost of each further fold is told by what fits take
FAMILIES = ("linear", "lotka_volterra", "sindy")
LIMIT = 1.5e9  # bytes, in any process
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
LOOKS = 0.02  # seconds between two looks at where a process is and what its workers hold
PLANNED = 10**6  # runs, on paper
STAGES = {
    "families/shot:fit_models": "fits",
    "comparison/held_out:_training": "copies of folds",
    "comparison/held_out:roll_out_folds": "rollouts",
    "comparison/execution:_score": "scores",
    "comparison/residual_test:adequacy_of": "noise only?",
    "comparison/repeats:chance_to_repeat": "named again?",
    "comparison/judge:verdict_of": "confidence set",
    "comparison/entries:entries_of": "rows of the table",
}


def simulated(folder: Path, runs: int) -> list[Path]:
    """Shards of at least so many runs; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"part_{number:05d}.nc" for number in range(-(-runs // SHARD))]
    for number, path in enumerate(paths):
        if not path.exists():
            shard(number).save(path)
    return paths


def shard(number: int) -> ecodyn.Trajectories:
    """Runs as ``simulate`` makes them, which would keep all of them in memory for another level of noise."""
    system = SYSTEMS[SYSTEM]
    times = np.linspace(0.0, system.duration, SAMPLES)
    values = system.solve(starts(system, SHARD, number), times)
    for run, own in enumerate(values):
        own *= 1.0 + NOISE * np.random.default_rng([number, run, 1]).standard_normal(own.shape)
    return ecodyn.Trajectories(values, times, system.features)


def read(folder: Path, runs: int) -> ecodyn.Trajectories:
    """The first so many runs, each shard's values put where they belong as it is read."""
    times, values = np.zeros(SAMPLES), np.zeros((0, 0, 0))
    for number, path in enumerate(simulated(folder, runs)):
        part = ecodyn.load(path)
        if not number:
            times, values = part.steps, np.empty((runs, SAMPLES, part.n_features))
        rows = slice(number * SHARD, min((number + 1) * SHARD, runs))
        values[rows] = part.values[: rows.stop - rows.start]
    return ecodyn.Trajectories(values, times)


class Watch:
    """Where the main thread spends its processor seconds, and the largest resident memory of workers."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.workers = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._look, args=(threading.get_ident(),), daemon=True)

    def __enter__(self) -> Watch:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()

    def _look(self, main: int) -> None:
        before = time.process_time()
        while not self.ended.wait(LOOKS):
            now = time.process_time()
            self.seconds[_stage(sys._current_frames().get(main))] += now - before
            before = now
            self.workers = max([self.workers, *map(_resident, _children(os.getpid()))])


def _stage(frame: Any) -> str:
    while frame is not None:
        path = frame.f_code.co_filename
        if "ecodyn/" in path:
            name = f"{path.rsplit('ecodyn/', 1)[1].removesuffix('.py')}:{frame.f_code.co_name}"
            if name in STAGES:
                return STAGES[name]
        frame = frame.f_back
    return "all else"


def _children(pid: int) -> list[int]:
    """Processes under this one, where the system says so (Linux)."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    own = [int(child) for child in path.read_text().split()] if path.exists() else []
    return [*own, *(further for child in own for further in _children(child))]


def _resident(pid: int) -> float:
    """Bytes of memory that a process has held at most."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0.0
    return next((1024.0 * int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM")), 0.0)


def measured(folder: Path, runs: int, jobs: int) -> dict[str, Any]:
    """One comparison in this process."""
    began = time.process_time()
    data = read(folder, runs)
    reading = time.process_time() - began
    with warnings.catch_warnings(), Watch() as watch:
        warnings.simplefilter("ignore", DataWarning)
        started, wall = time.process_time(), time.perf_counter()
        result = ecodyn.compare(data, FAMILIES, ["exchangeable"], protocols=["unseen_runs"], folds=FOLDS, jobs=jobs)
        seconds, wall = time.process_time() - started, time.perf_counter() - wall
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "runs": runs,
        "jobs": jobs,
        "data_bytes": data.values.nbytes,
        "reading_seconds": reading,
        "processor_seconds": seconds + of_children.ru_utime + of_children.ru_stime,
        "wall_seconds": wall,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "worker_peak_bytes": watch.workers,
        "stages": {name: round(s, 2) for name, s in sorted(watch.seconds.items(), key=lambda pair: -pair[1])},
        "fit_seconds": {str(m.name): round(m.fit_seconds, 2) for m in result.models},
        "skills": {str(m.name): m.skill for m in result.models},
        "best": str(result.verdict.best),
        "statement": result.verdict.statement,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The measurements, and what a million runs would take, in Markdown."""
    lines = [
        "| runs | values, MB | processor seconds | beside linear growth | peak memory, MB | of a worker, MB | named |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    first = rows[0]
    for row in rows:
        ratio = row["processor_seconds"] / first["processor_seconds"] / (row["runs"] / first["runs"])
        worker = f"{row['worker_peak_bytes'] / 1e6:.0f}" if row["worker_peak_bytes"] else ""
        lines.append(
            f"| {row['runs']} | {row['data_bytes'] / 1e6:.0f} | {row['processor_seconds']:.0f} | {ratio:.2f} | "
            f"{row['peak_bytes'] / 1e6:.0f} | {worker} | {row['best']} |"
        )
    names = list(dict.fromkeys(name for row in reversed(rows) for name in row["stages"]))
    lines += ["", "| runs | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    lines += [
        f"| {row['runs']} | " + " | ".join(f"{row['stages'].get(name, 0.0):.1f}" for name in names) + " |"
        for row in rows
    ]
    return "\n".join([*lines, "", *(plan(rows) if len(rows) > 1 else [])]) + "\n"


def plan(rows: list[dict[str, Any]]) -> list[str]:
    """What a million runs would take, from the last two sizes."""
    small, large = rows[-2:]
    runs = large["runs"] - small["runs"]
    second = (large["processor_seconds"] - small["processor_seconds"]) / runs
    memory = (large["peak_bytes"] - small["peak_bytes"]) / runs
    values = large["data_bytes"] / large["runs"]
    more = {name: large["stages"].get(name, 0.0) - small["stages"].get(name, 0.0) for name in large["stages"]}
    dearest = sorted(more, key=lambda name: -more[name])[:3]
    where = ", ".join(f"{name} {more[name] / sum(more.values()):.0%}" for name in dearest)
    number = f"{PLANNED:,}".replace(",", " ")
    return [
        f"A run takes {1000 * second:.0f} processor milliseconds and {memory / 1e3:.0f} kB of memory, "
        f"{values / 1e3:.0f} kB of it its values (from {small['runs']} to {large['runs']} runs).",
        "",
        f"On paper, {number} runs:",
        "",
        f"* {PLANNED * values / 1e9:.0f} GB of values;",
        f"* {PLANNED * second / 3600:.1f} core hours in two folds ({where});",
        f"* in one process, {PLANNED * memory / 1e9:.0f} GB of memory.",
    ]


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Time and memory against runs, with the line that time would follow if it were proportional to runs."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import NullFormatter

    runs = np.array([row["runs"] for row in rows], dtype=float)
    seconds = np.array([row["processor_seconds"] for row in rows])
    peak = np.array([max(row["peak_bytes"], row["worker_peak_bytes"]) for row in rows]) / 1e9
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    left.loglog(runs, seconds, "o-", label="a comparison")
    left.loglog(runs, seconds[0] * runs / runs[0], "--", color="0.5", label="proportional to runs")
    left.set(xlabel="runs", ylabel="processor seconds")
    left.yaxis.set_minor_formatter(NullFormatter())
    right.semilogx(runs, peak, "o-", label="largest process")
    right.semilogx(runs, [row["data_bytes"] / 1e9 for row in rows], "s-", color="0.6", label="values alone")
    right.axhline(LIMIT / 1e9, ls="--", color="0.3", label=f"{LIMIT / 1e9:g} GB")
    right.set(xlabel="runs", ylabel="memory, GB", ylim=(0, 1.1 * max(LIMIT / 1e9, peak.max())))
    for ax in (left, right):
        ax.legend(frameon=False)
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("many_runs"))
    parser.add_argument("--runs", type=int, action="append", help=f"a number of runs; {', '.join(map(str, SIZES))}")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)  # the process that measures
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(measured(arguments.output / "shards", arguments.here, arguments.jobs)))
        return
    sizes = sorted(set(arguments.runs or SIZES))
    if sizes[0] < 2 * FOLDS:
        parser.error(f"expected at least {2 * FOLDS} runs, got {sizes[0]}")
    arguments.output.mkdir(parents=True, exist_ok=True)
    written = arguments.output / "many_runs.json"
    rows = {row["runs"]: row for row in json.loads(written.read_text())} if written.exists() else {}
    simulated(arguments.output / "shards", sizes[-1])
    for runs in sizes:
        command = [sys.executable, __file__, "-o", str(arguments.output), "--here", str(runs)]
        command += ["--jobs", str(arguments.jobs)]
        done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=True, stdout=subprocess.PIPE, text=True)
        rows[runs] = json.loads(done.stdout.splitlines()[-1])
        in_order = [rows[n] for n in sorted(rows)]
        with write_whole(written, force=True) as temporary:
            temporary.write_text(json.dumps(in_order, indent=1))
        (arguments.output / "many_runs.md").write_text(table(in_order))
        draw(in_order, arguments.output / "many_runs.png")
        print(table(in_order), flush=True)


if __name__ == "__main__":
    main()
