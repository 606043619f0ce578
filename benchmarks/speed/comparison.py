"""The whole comparison as a user runs it: seconds, memory of all its processes together, and where the time goes."""

from __future__ import annotations

import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

from measuring import DATA, Table, circles

import ecodyn
from ecodyn.families.model_name import ModelName

WINDOW = "60:1000"
LOOK_SECONDS = 0.2
GOAL_GIB = 1.5
SIDES = {
    "everything": ([], 30.0),
    "without the neural ODE": ([f"--family={name}" for name in ("linear", "lotka_volterra", "sindy")], 12.0),
}


STAGES = {  # functions of ecodyn, none of which calls one of another stage
    "multiple shooting": ("shoot_all",),
    "validation rollouts": ("_followed",),
    "integral matching": ("match",),
    "regressions on what was matched": ("along", "solve", "solve_each", "combine", "subset"),
    "diagnostics": ("diagnose",),
    "rollouts that are scored": ("simulate_all",),
    "scores": ("_score",),
    "imports": ("load",),
    "report.html": ("write_html",),
}


def measure(quick: bool) -> list[Table]:
    """Both commands; a quick one leaves the neural ODE out."""
    cores = len(os.sched_getaffinity(0))
    table = Table(
        f"ecodyn compare {DATA.name} --window {WINDOW}, three protocols, {cores} cores",
        ("what", "seconds", "goal", "GiB of all processes", "goal, GiB", "verdict"),
    )
    parts = Table("Where its fits spend their time, process seconds", ("model", "seconds of fitting", "share"))
    for name, (options, goal) in SIDES.items():
        if quick and not options:
            continue
        with tempfile.TemporaryDirectory() as folder:
            report_folder = Path(folder) / "report"
            took, memory = run([*options, "-o", str(report_folder)])
            report = json.loads((report_folder / "report.json").read_text())
        verdict = report["verdict"]
        best = ModelName.from_json(verdict["best"]) if verdict["best"] else ""
        table.add(name, took, goal, memory, GOAL_GIB, f"{verdict['status']} {best}".strip())
        if not options or quick:
            spent(parts, report["models"])
    return [table, parts, stages()]


def stages() -> Table:
    """Shares of a comparison without the neural ODE, in this process."""
    profile = cProfile.Profile()
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        profile.enable()
        result = ecodyn.compare(circles(), families=["linear", "lotka_volterra", "sindy"])
        result.to_html(Path(folder) / "report.html")
        profile.disable()
    took = pstats.Stats(profile)
    own = str(Path(ecodyn.__file__).parent)
    spent = {
        stage: sum(entry[3] for (file, _, name), entry in took.stats.items() if name in functions and own in file)
        for stage, functions in STAGES.items()
    }
    table = Table(
        "Where the time goes without the neural ODE, one process under cProfile, which lengthens many short calls",
        ("stage", "seconds", "share"),
    )
    for stage, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        table.add(stage, seconds, seconds / took.total_tt)
    rest = took.total_tt - sum(spent.values())
    table.add("everything else", rest, rest / took.total_tt)
    return table


def run(options: list[str]) -> tuple[float, float]:
    """Seconds and the largest memory that all its processes had together, in GiB (shared pages counted once)."""
    script = Path(sys.executable).parent / "ecodyn"
    command = [str(script), "compare", str(DATA), "--window", WINDOW, *options]
    started, most = time.perf_counter(), 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None:
        most = max(most, sum(map(proportional_kib, members(process.pid))))
        time.sleep(LOOK_SECONDS)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with exit code {process.returncode}")
    return time.perf_counter() - started, most / 2**20


def members(group: int) -> list[int]:
    """Processes of one process group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            found.append(int(path.parent.name))
    return found


def proportional_kib(process: int) -> int:
    """Its pages, shared ones in proportion."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def spent(table: Table, models: list[dict[str, Any]]) -> None:
    """A row a model, the most expensive first."""
    by_model: dict[str, float] = defaultdict(float)
    for model in models:
        name = "/".join(filter(None, (model["family"], model["coupling"])))
        by_model[f"{name} ({model['kind']})"] += model["fit_seconds"]
    total = sum(by_model.values())
    for name, took in sorted(by_model.items(), key=lambda item: -item[1]):
        if took >= 0.01 * total:
            table.add(name, took, took / total)
