"""``ecodyn extract``: trajectories out of training logs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.arguments import assignment, shard_of, token_range, typed
from ecodyn.cli.given_inputs import Inputs, told_of_logs, with_given_inputs
from ecodyn.cli.inputs import Reading
from ecodyn.cli.options import (
    ClusterName,
    Columns,
    Force,
    Interval,
    Jobs,
    Json,
    Key,
    LogFormat,
    Missing,
    RunColumn,
    Shard,
    StepPattern,
    TimeColumn,
    TokenAxis,
    TokenRange,
    Tokens,
)
from ecodyn.cli.output import DONE, INTERRUPTED, PARTIAL, exits, fail, progress_bar, warnings_said
from ecodyn.cli.workplace import workplace
from ecodyn.cli.writing import save_runs

if TYPE_CHECKING:
    from ecodyn.arrays import Array
    from ecodyn.trajectories import Trajectories

Logs = Annotated[list[Path], typer.Argument(help="Training logs: files or folders, one run each or several.")]
Target = Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")]
Observables = Annotated[
    list[str] | None,
    typer.Option(
        "--observable",
        help="signal, share, gradient, relative_gradient, circularity, phase_spread, pull, singular_values; repeat "
        "for more. Default: signal, and gradient where it is logged at the same steps.",
    ),
]
Project = Annotated[
    Path | None,
    typer.Option("--project", help="Matrix of feature directions, one a row (.npy or .csv), instead of circles."),
]
Over = Annotated[str | None, typer.Option("--over", help="What the directions span: tokens or dimensions.")]
EveryRow = Annotated[int, typer.Option("--every", min=1, help="Read each N-th row only.")]
FirstStep = Annotated[float, typer.Option("--first-step", help="Step of the first row, with --interval.")]
Repair = Annotated[
    bool,
    typer.Option("--repair", help="True steps for late rows, no identical ones, and a cut before what is NaN."),
]
LabelsShared = Annotated[
    bool | None,
    typer.Option("--labels-shared/--labels-not-shared", help="Whether feature k is the same in all runs."),
]
Notes = Annotated[
    list[str] | None,
    typer.Option("--note", help="NAME=VALUE for the provenance, such as learning_rate=0.01; repeat for more."),
]
Checksums = Annotated[
    bool | None, typer.Option("--checksums/--no-checksums", help="Of whole files; by default unless --every skips.")
]


def extract(
    paths: Logs,
    output: Target,
    observable: Observables = None,
    project: Project = None,
    over: Over = None,
    log_format: LogFormat = None,
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    tokens: TokenRange = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    inputs: Inputs = None,
    step_pattern: StepPattern = None,
    every: EveryRow = 1,
    interval: Interval = None,
    first_step: FirstStep = 0,
    repair: Repair = False,
    labels_shared: LabelsShared = None,
    note: Notes = None,
    checksums: Checksums = None,
    shard: Shard = None,
    jobs: Jobs = None,
    cluster: ClusterName = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Turn training logs into trajectories, in whatever format they are; frames are read in chunks."""
    with exits(), workplace(jobs, cluster) as processes:
        from ecodyn.extraction import Request
        from ecodyn.extraction import extract as extract_logs
        from ecodyn.trajectories import check_target

        check_target(output, force=force)
        request = Request(
            observables=tuple(n for text in observable for n in text.split(",")) if observable else None,
            directions=_directions(project),
            over=over,
            p=p,
            token_axis=token_axis,
            tokens=token_range(tokens),
            every=every,
            repair=repair,
            checksums=checksums,
        )
        reading = Reading(columns, time_column, run_column, missing)
        options = reading.of_logs(key, interval, first_step, step_pattern=step_pattern, log_format=log_format)
        notes = dict(assignment(n, "--note") for n in note or ())
        extraction = partial(extract_logs, paths, request, options=options, notes=notes, labels_shared=labels_shared)
        others, held, kinds = told_of_logs(inputs)
        extraction = partial(extraction, inputs=held, input_kind=kinds, shard=shard_of(shard))
        driven = partial(with_given_inputs, texts=others, paths=paths, reading=reading)
        extraction = partial(extraction, jobs=processes if jobs or cluster else None, command=typed())
        _extracted(extraction, driven, output, force, as_json)


def _extracted(
    extraction: Callable[..., Trajectories],
    driven: Callable[[Trajectories], Trajectories],
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Extract, write what came of it, with its inputs, and end with what is lacking."""
    from ecodyn.extraction import IncompleteExtractionError, InterruptedExtraction

    runs: Trajectories | None
    code, problem = DONE, ""
    with progress_bar("extracting", None) as advance, warnings_said():
        try:
            runs = extraction(progress=advance)
        except InterruptedExtraction as stop:
            runs, code, problem = stop.finished, INTERRUPTED, str(stop)
        except IncompleteExtractionError as error:
            runs, code, problem = error.finished, PARTIAL, str(error)
        save_runs(None if runs is None else driven(runs), output, force, as_json)
    if problem:
        fail(problem, code)


def _directions(path: Path | None) -> Array | None:
    """Feature directions, one a row, from a .npy file or a CSV of numbers without column names."""
    if path is None:
        return None
    import numpy as np

    from ecodyn.errors import UnusableDataError

    try:
        if path.suffix.lower() == ".npy":
            return np.load(path, allow_pickle=False)
        return np.loadtxt(path, delimiter=",", ndmin=2)
    except (ValueError, EOFError) as error:
        reason = "it holds objects" if "pickle" in str(error) else str(error)
        raise UnusableDataError(
            f"{path} is no matrix of feature directions ({reason}); expected .npy, or CSV with one feature a line"
        ) from None
