"""Every speed benchmark, both sides in one run, and the tables of benchmarks/README.md.

    python benchmarks/speed -o speed                    all of them, about half an hour
    python benchmarks/speed -o speed --quick            few sizes of each, some minutes
    python benchmarks/speed -o speed --only rollouts    one of them, beside what is there
    python benchmarks/speed -o speed --only hour        how far an hour of training takes each peer's neural ODE

Each has a process of its own with one thread (the whole comparison: a process a core). Written: OUTPUT/NAME.json as
each ends, tables.md, growth.png. Peers are the extra `bench`: python -m pip install -c constraints.txt ".[bench]".
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import growth
import measuring

EXPERIMENTS = ("rollouts", "selection", "linear", "shooting", "networks", "comparison", "growth")
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
HOUR = "hour"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("speed"))
    parser.add_argument("--only", action="append", choices=(*EXPERIMENTS, HOUR))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--hour", type=float, default=3600.0, help="seconds of training for each peer that are its hour"
    )
    parser.add_argument("--here", help=argparse.SUPPRESS)  # the process that measures
    arguments = parser.parse_args()
    if arguments.here:
        measure(arguments.here, arguments.output, arguments.quick, arguments.hour)
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    failed = [name for name in arguments.only or EXPERIMENTS if not started(name)]
    text = everything(arguments.output)
    (arguments.output / "tables.md").write_text(text)
    print(text)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def started(name: str) -> bool:
    """One experiment in a process of its own."""
    before = time.perf_counter()
    command = [sys.executable, str(Path(__file__).parent), *sys.argv[1:], "--here", name]
    done = subprocess.run(command, env={**os.environ, **ONE_THREAD}, check=False)
    print(f"{name}: {time.perf_counter() - before:.0f} s", file=sys.stderr)
    return done.returncode == 0


def measure(name: str, output: Path, quick: bool, budget: float) -> None:
    """Write one experiment's tables."""
    if name == HOUR:
        tables = importlib.import_module("networks").hour(budget)
    else:
        tables = importlib.import_module(name).measure(quick)
    measuring.write(output / f"{name}.json", tables)
    (output / "machine.json").write_text(json.dumps(measuring.machine(), indent=1))
    if name == "growth":
        growth.draw(tables[0], output / "growth.png")


def everything(output: Path) -> str:
    """All tables that are there."""
    machine = json.loads((output / "machine.json").read_text())
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items())
    head = f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}; {versions}."
    files = [output / f"{name}.json" for name in (*EXPERIMENTS, HOUR)]
    tables = [t.markdown() for file in files if file.exists() for t in measuring.read(file)]
    return "\n\n".join([head, *tables]) + "\n"


if __name__ == "__main__":
    main()
