"""How far to trust a verdict: coverage and power of its rules, on simulated losses.

    python benchmarks/coverage.py --quick              a few cells of each experiment, a minute or two
    python benchmarks/coverage.py -o coverage [--repetitions 200] [--seed 0] [--experiment "one better"]

Losses (run, model) are drawn with known expectations and given to `confidence_set` and `decide` as `compare` gives
them: how often the set of nominally 90 % keeps what it must (equal models; heavy tails, skewness, unequal variances,
clusters), what is named where one model is better or a simpler one is worse by so many margins, what becomes of the
level where folds share training runs, and whether sets agree with arch's bootstrapped ones where runs are many. Each
share has the standard error √(q(1 − q)/n) of n repetitions, printed above each table at its nominal level. A cell draws
from a stream of its own, so that it comes out the same whichever others are asked for. Written as well:
OUTPUT/table.json and OUTPUT/coverage.png. How long it will take is measured and said before it begins.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from coverage_cells import BOOTSTRAP, EQUAL, FOLDS, LEVEL_AT_MARGIN, TITLES, Cell
from coverage_figure import draw
from verdict_experiments import arch_installed, cells

from ecodyn.runtime.files import write_whole

REPETITIONS, QUICK_REPETITIONS = 200, 100
TRIAL = 2  # repetitions of each cell, by which the time is foretold
TIMES = {LEVEL_AT_MARGIN: 2.0, FOLDS: 2.0, BOOTSTRAP: 0.5}  # small shares are repeated more, slow cells less
NOMINAL = {EQUAL: 0.9, LEVEL_AT_MARGIN: 0.05, FOLDS: 0.1, BOOTSTRAP: 0.9}

Row = dict[str, Any]


def seconds_ahead(wanted: Sequence[Cell], repetitions: int) -> float:
    """From a few repetitions of each cell."""
    total = 0.0
    for cell in wanted:
        started = time.perf_counter()
        cell.run(np.random.default_rng(0), TRIAL)
        total += (time.perf_counter() - started) / TRIAL * repetitions_of(cell, repetitions)
    return total


def repetitions_of(cell: Cell, repetitions: int) -> int:
    return max(TRIAL, round(repetitions * TIMES.get(cell.experiment, 1.0)))


def row_of(cell: Cell, repetitions: int, seed: int) -> Row:
    """What a cell found; ``shares`` by outcome."""
    count = repetitions_of(cell, repetitions)
    shares = {name: round(float(share), 4) for name, share in cell.run(cell.rng(seed), count).items()}
    return {"experiment": cell.experiment, "settings": cell.settings, "repetitions": count, "shares": shares}


def show(rows: Sequence[Row]) -> None:
    """A table for each experiment."""
    for experiment in dict.fromkeys(r["experiment"] for r in rows):
        mine = [r for r in rows if r["experiment"] == experiment]
        q, n = NOMINAL.get(experiment, 0.5), mine[0]["repetitions"]
        error = f"standard error {math.sqrt(q * (1 - q) / n):.1%} at {q:.0%}"
        print(f"\n{TITLES[experiment]}; {n} repetitions, {error}")
        columns = [*mine[0]["settings"], *mine[0]["shares"]]
        lines = [[*map(_setting, r["settings"].values()), *map(_share, r["shares"].items())] for r in mine]
        widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
        for line in (columns, *lines):
            print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))


def _setting(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _share(item: tuple[str, float]) -> str:
    name, value = item
    return f"{value:.2f}" if "factor" in name or "size" in name else f"{value:.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a few cells of each experiment, fewer repetitions")
    parser.add_argument("-o", "--output", type=Path, default=Path("coverage"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repetitions", type=int, help=f"{REPETITIONS} if left out, {QUICK_REPETITIONS} with --quick")
    parser.add_argument("--experiment", action="append", choices=tuple(TITLES), help="only this; repeat for more")
    arguments = parser.parse_args()
    repetitions = arguments.repetitions or (QUICK_REPETITIONS if arguments.quick else REPETITIONS)
    wanted = [c for c in cells(arguments.quick) if not arguments.experiment or c.experiment in arguments.experiment]
    if not arch_installed():
        print('arch is not installed, so its sets are left out: pip install ".[test]" brings it')
    ahead = seconds_ahead(wanted, repetitions)
    print(f"{len(wanted)} cells of about {repetitions} repetitions: about {ahead / 60:.1f} minutes", flush=True)
    rows = []
    for number, cell in enumerate(wanted, 1):
        rows.append(row_of(cell, repetitions, arguments.seed))
        print(f"{number}/{len(wanted)} {cell.experiment}: {cell.settings}", flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    with write_whole(arguments.output / "table.json", force=True) as temporary:
        temporary.write_text(json.dumps({"seed": arguments.seed, "rows": rows}, indent=1, ensure_ascii=False))
    draw(rows, arguments.output / "coverage.png")
    show(rows)


if __name__ == "__main__":
    main()
