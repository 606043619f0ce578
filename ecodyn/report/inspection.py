"""Terminal tables of what was handed in: a trajectories file, a training log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict

from rich.table import Table
from rich.text import Text

from ecodyn.runtime.json_values import Json
from ecodyn.trajectories.independence import FEWEST_RUNS
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.parts import some

if TYPE_CHECKING:
    from ecodyn.extraction.inspection import LogFacts


class TrajectoriesFacts(TypedDict):
    """What is in a trajectories file, as ``ecodyn inspect`` says it."""

    path: str
    runs: int
    clusters: int
    steps: int
    first_step: float
    last_step: float
    features: int
    labels: list[Label]
    observables: list[str]
    curves: list[str]
    inputs: dict[str, str]
    embedding: list[int] | None
    labels_shared: bool
    settings: dict[str, list[Label | float]]
    warnings: list[str]
    provenance: dict[str, Json]
    command: str


def inspection_table(facts: TrajectoriesFacts) -> Table:
    """What is in a trajectories file: two columns, warnings last."""
    read, what = _remarks_of_table(facts["provenance"]), _what_is_there(facts)
    rows = {
        **what,
        # Named, so that a column that is none of them, a temperature or a total, is seen.
        "features": f"{what['features']}: {some(facts['labels'])}",
        **({"read as": "\n".join(read)} if read else {}),
        "embedding": " × ".join(map(str, facts["embedding"] or ())) or "none",
        "made by": str(facts["provenance"].get("command", "not stated")),
        "wrong with it": "; ".join(facts["warnings"]) or ("nothing further found" if read else "nothing found"),
        "next": facts["command"],
    }
    return _two_columns(facts["path"], rows)


def _remarks_of_table(provenance: Mapping[str, Json]) -> list[str]:
    """What was decided and left out when a table was read."""
    table = provenance.get("table")
    remarks = table.get("remarks") if isinstance(table, Mapping) else None
    return [str(remark) for remark in remarks] if isinstance(remarks, list) else []


def _what_is_there(facts: TrajectoriesFacts | CollectionFacts) -> dict[str, str]:
    """Runs and what is known of each, of a file or of many."""
    return {
        "runs": f"{facts['runs']} in {facts['clusters']} clusters{_too_few(facts['clusters'])}",
        "steps": f"{facts['steps']}, from {facts['first_step']:g} to {facts['last_step']:g}",
        "features": f"{facts['features']}, labels {'shared' if facts['labels_shared'] else 'not shared'} between runs",
        "observables": ", ".join(facts["observables"]),
        "curves": ", ".join(facts["curves"]) or "none",
        "inputs": ", ".join(f"{name} ({kind})" for name, kind in facts["inputs"].items()) or "none",
        "settings": "; ".join(f"{k} = {', '.join(map(str, v))}" for k, v in facts["settings"].items()) or "none",
    }


def _too_few(clusters: int) -> str:
    return f"; fewer than {FEWEST_RUNS} can't tell families apart" if clusters < FEWEST_RUNS else ""


class CollectionFacts(TypedDict):
    """What is in a collection, as ``ecodyn inspect`` says it: from its index, and from the checksums of its files."""

    path: str
    files: int
    bytes: int
    runs: int
    clusters: int
    steps: int
    first_step: float
    last_step: float
    features: int
    observables: list[str]
    curves: list[str]
    inputs: dict[str, str]
    labels_shared: bool
    settings: dict[str, list[Label | float]]
    wrong: list[str]
    provenance: dict[str, Json]
    command: str


def collection_table(facts: CollectionFacts) -> Table:
    """What is in a collection: two columns, what is wrong last."""
    rows = {
        "files": f"{facts['files']}, {facts['bytes'] / 1e6:.3g} MB",
        **_what_is_there(facts),
        "wrong with it": "\n".join(facts["wrong"]) or "nothing found: every file is what the index says",
        "next": facts["command"],
    }
    return _two_columns(facts["path"], rows)


def log_table(facts: LogFacts) -> Table:
    """What is in a training log: two columns, what is wrong last."""
    sizes = " × ".join(map(str, facts["frames"]))
    steps = "none" if facts["first_step"] is None else f"{facts['first_step']:g} to {facts['last_step']:g}"
    intervals = ", ".join(f"{i:g}" for i in facts["intervals"])
    rows = {
        "format": facts["format"],
        "frames": f"{sizes}, {facts['dtype']}, {facts['bytes'] / 1e6:.3g} MB",
        "steps": f"{steps}, intervals {intervals or 'none'}",
        "tokens p": "not known" if facts["p"] is None else str(facts["p"]),
        "dimensions d": "not known" if facts["d"] is None else str(facts["d"]),
        "gradients": " × ".join(map(str, facts["gradients"] or ())) or "none",
        **({"observables": ", ".join(facts["observables"])} if facts["observables"] else {}),
        "settings": "; ".join(f"{k} = {v}" for k, v in facts["settings"].items()) or "none",
        "late rows": facts["late_rows"],
        "wrong with it": "\n".join(facts["wrong"]) or "nothing found",
        **{f"reading {n}": f"{one['text']}\n{one['command']}" for n, one in enumerate(facts["readings"], 1)},
        "next": "the command of the reading that is right" if facts["readings"] else facts["command"],
    }
    return _two_columns(facts["path"], rows)


def recordings_table(title: object, logs: Sequence[LogFacts]) -> Table:
    """What was recorded of several trainings so far: a row each."""
    table = Table(
        title=Text(str(title)), title_justify="left", caption=Text(logs[0]["command"]), caption_justify="left"
    )
    for column in ("run", "rows", "steps", "features", "observables", "state"):
        table.add_column(column, overflow="fold")
    for facts in logs:
        steps = "none" if facts["first_step"] is None else f"{facts['first_step']:g} to {facts['last_step']:g}"
        rows, features = map(str, facts["frames"])
        observables = ", ".join(facts["observables"]) or "signal"
        finished = ["finished"] if facts["path"].endswith(".nc") else []
        state = "\n".join([*finished, *facts["wrong"]])
        table.add_row(*map(Text, (facts["run"], rows, steps, features, observables, state)))
    return table


def _two_columns(title: object, rows: Mapping[str, str]) -> Table:
    table = Table(title=Text(str(title)), show_header=False, title_justify="left")
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    return table
