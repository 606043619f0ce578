"""What every speed benchmark needs: the fastest of several rounds, tables, the machine, and a process's peak memory."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import ecodyn
from ecodyn import Trajectories

DATA = Path(__file__).parents[2] / "data" / "circles_p59_d128.nc"
PEERS = ("pysindy", "pydmd", "torch", "torchdiffeq", "jax", "diffrax", "scipy", "numpy", "scikit-learn")
Result = TypeVar("Result")


@dataclass
class Table:
    """One comparison: a line a side, and what must be said of it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, *cells: Any) -> None:
        """One more line; numbers are formatted when it is shown."""
        if len(cells) != len(self.columns):
            raise ValueError(f"expected a cell for each of {self.columns}, got {cells}")
        self.rows.append(tuple(cells))

    def markdown(self) -> str:
        """The table as it stands in README.md."""
        lines = [self.columns, ["---"] * len(self.columns), *(map(shown, row) for row in self.rows)]
        table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
        return "\n\n".join([f"**{self.title}**", table, *self.notes])

    def to_json(self) -> dict[str, Any]:
        """Plain values, unrounded."""
        return {"title": self.title, "columns": self.columns, "rows": self.rows, "notes": self.notes}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Table:
        """The inverse of ``to_json``."""
        rows = [tuple(row) for row in document["rows"]]
        return cls(document["title"], tuple(document["columns"]), rows, document["notes"])


def shown(cell: Any) -> str:
    """Three digits of a number, a list with commas, anything else as it is."""
    if cell is None:
        return ""
    if isinstance(cell, list | tuple):
        return ", ".join(map(shown, cell))
    if isinstance(cell, bool) or not isinstance(cell, float):
        return str(cell)
    if cell == 0 or 1e-3 <= abs(cell) < 1e5:
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    mantissa, exponent = f"{cell:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def seconds(function: Callable[[], Result], rounds: int = 5, budget: float = 10.0) -> tuple[float, Result]:
    """The fastest of several rounds, at most about a budget of seconds in all, and what the last one gave."""
    fastest, started = float("inf"), time.perf_counter()
    for _ in range(rounds):
        before = time.perf_counter()
        result = function()
        fastest = min(fastest, time.perf_counter() - before)
        if time.perf_counter() - started > budget:
            break
    return fastest, result


def circles(start: float = 60, stop: float = 1000) -> Trajectories:
    """The shipped trainings."""
    return ecodyn.load(DATA).window(start, stop)


def peak_gibibytes() -> float:
    """The largest memory that this process has had."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+)", status)
    return int(found[1]) / 2**20 if found else float("nan")


def machine() -> dict[str, Any]:
    """Where it was measured, with which versions."""
    model = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return {
        "processor": model[1] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "ecodyn": ecodyn.__version__,
        "versions": {name: found for name in PEERS if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def write(path: Path, tables: Sequence[Table]) -> None:
    """Keep tables as JSON."""
    path.write_text(json.dumps([t.to_json() for t in tables], indent=1))


def read(path: Path) -> list[Table]:
    """Tables that ``write`` kept."""
    return [Table.from_json(d) for d in json.loads(path.read_text())]
