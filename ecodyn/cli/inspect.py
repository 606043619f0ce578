"""``ecodyn inspect``: what is in a file, and what is wrong with it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.inputs import LogReading, Reading, data_files, loaded_unless_log
from ecodyn.cli.options import (
    Columns,
    ExampleName,
    Interval,
    Json,
    Key,
    LogFormat,
    Missing,
    RunColumn,
    StepPattern,
    TimeColumn,
    TokenAxis,
    TokenRange,
    Tokens,
)
from ecodyn.cli.output import console, exits, print_json, say, warnings_said
from ecodyn.runtime.example_files import EXAMPLES

if TYPE_CHECKING:
    from ecodyn.report.inspection import CollectionFacts, TrajectoriesFacts
    from ecodyn.trajectories import Trajectories


Where = Annotated[
    Path | None, typer.Argument(help="A trajectories file (.nc or .csv), a collection, or a training log.")
]


def inspect(
    path: Where = None,
    example: ExampleName = None,
    log_format: LogFormat = None,
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    tokens: TokenRange = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    step_pattern: StepPattern = None,
    interval: Interval = None,
    as_json: Json = False,
) -> None:
    """Say what is in a trajectories file, a collection or a training log, and what is wrong with it.

    Fits and writes nothing.
    """
    with exits():
        from ecodyn.report.inspection import inspection_table, log_table, recordings_table
        from ecodyn.runtime.remote import place
        from ecodyn.trajectories.collection.index import is_collection

        (path,) = data_files(None if path is None else [path], example)
        if log_format is None and is_collection(place(path)):
            _inspect_collection(path, as_json)
            return
        reading = Reading(columns, time_column, run_column, missing)
        # What a format is named for is a log, whatever else it could be read as.
        if log_format is None and (runs := loaded_unless_log(path, reading)) is not None:
            facts = trajectories_facts(path, runs, reading.flags)
            if example is not None:
                say(str(EXAMPLES[example]))
                facts["command"] = f"ecodyn compare --example {example} -o report"
            if as_json:
                print_json(facts, True)
            else:
                console().print(inspection_table(facts))
            return
        from ecodyn.extraction import inspect_logs

        asked = LogReading(key, p, token_axis, tokens, interval, step_pattern, log_format)
        request, options = asked.request(), asked.options(reading)
        with warnings_said():
            logs = inspect_logs(path, request, options=options)
        print_json(logs, as_json)
        if as_json:
            return
        if len(logs) > 1 and all(log["format"] == "recording" for log in logs):
            console().print(recordings_table(path, logs))
            return
        for log in logs:
            console().print(log_table(log))


def trajectories_facts(path: Path, runs: Trajectories, flags: str = "") -> TrajectoriesFacts:
    """What is in a trajectories file, or in a table that was read by these flags."""
    import numpy as np

    from ecodyn.trajectories.independence import with_copies_together

    together, dependent = with_copies_together(runs)
    file = f"{shlex.quote(str(path))}{flags}"
    return {
        "path": str(path),
        "runs": runs.n_runs,
        "clusters": together.n_clusters,
        "steps": runs.n_steps,
        "first_step": float(np.nanmin(runs.times)),
        "last_step": float(np.nanmax(runs.times)),
        "features": runs.n_features,
        "labels": runs.features.tolist(),
        "observables": list(runs.observables),
        "curves": list(runs.curves),
        "inputs": {name: curves[0].kind for name, curves in runs.inputs.items()},
        "embedding": None if runs.embedding is None else list(runs.embedding.shape[1:]),
        "labels_shared": runs.labels_shared,
        "settings": {k: sorted(set(v.tolist())) for k, v in runs.settings.items()},
        "warnings": [*runs.warnings, *dependent],
        "provenance": runs.provenance,
        "command": f"ecodyn {f'compare {file} -o report' if runs.n_runs > 1 else f'fit {file} --family auto'}",
    }


def _inspect_collection(path: Path, as_json: bool) -> None:
    from ecodyn.report.inspection import collection_table

    facts = collection_facts(path)
    if as_json:
        print_json(facts, True)
    else:
        console().print(collection_table(facts))


def collection_facts(path: Path) -> CollectionFacts:
    """What is in a collection, by its index; no values are read, but the checksums of its files are taken."""
    from ecodyn.runtime.remote import state_of
    from ecodyn.trajectories import load

    runs = load(path, lazy=True)
    first, last = runs.span
    return {
        "path": str(path),
        "files": len(runs.files),
        "bytes": sum(state_of(file)[0] for file in runs.files),
        "runs": runs.n_runs,
        "clusters": runs.n_clusters,
        "steps": runs.n_steps,
        "first_step": first,
        "last_step": last,
        "features": runs.n_features,
        "observables": list(runs.observables),
        "curves": list(runs.curves),
        "inputs": dict(runs.inputs),
        "labels_shared": runs.labels_shared,
        "settings": {k: sorted(set(v.tolist())) for k, v in runs.settings.items()},
        "wrong": runs.problems(),
        "provenance": runs.provenance,
        "command": f"ecodyn compare {path} -o report",
    }
