"""Options that several commands have, a name each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecodyn.runtime.example_files import EXAMPLES

DataFiles = Annotated[
    list[Path] | None,
    typer.Argument(
        help="Trajectories files (.nc), tables (.csv, .tsv, .jsonl, .parquet) or training logs; or folders."
    ),
]
ExampleName = Annotated[
    str | None,
    typer.Option(
        "--example",
        help=f"In place of files, data that come with ecodyn: {', '.join(EXAMPLES)}.",
        autocompletion=lambda: list(EXAMPLES),  # of the shell
    ),
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; '-' is stdout.")]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing output.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", help="Processes, one thread each; 0 takes all cores.  \\[default: 0]"),
]
ClusterName = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="Instead of --jobs a Dask cluster: local:4, tcp://host:port, or a .yaml file for dask-jobqueue.",
    ),
]
State = Annotated[
    str,
    typer.Option(
        "--state",
        help="Channels of a state: signal; signal,gradient@start (a trait); signal,gradient (both evolve); "
        "signal,velocity (second order).",
    ),
]
Dynamics = Annotated[
    str | None,
    typer.Option(
        "--dynamics",
        help="flow (a differential equation) or map (from stored step to stored step, which must be evenly spaced); "
        "compare takes both: flow,map. Neural ODEs are flows only.  \\[default: flow]",
    ),
]
OldDynamics = Annotated[str | None, typer.Option("--time", hidden=True, help="Earlier name of --dynamics.")]
WindowText = Annotated[str | None, typer.Option("--window", help="Step values FIRST:LAST, both included.")]
Every = Annotated[int, typer.Option("--every", min=1, help="Keep each N-th stored step.")]
Select = Annotated[list[str] | None, typer.Option("--select", help="SETTING=VALUE, such as dim=128; repeat for more.")]
Runs = Annotated[str | None, typer.Option("--runs", help="Run labels: FIRST:END (END excluded) or a list 0,3,5.")]
LogFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="The log's format, where its name could be of several: run_directory, checkpoints, tensorboard, mlflow, "
        "mlflow_database, neptune, stack, table, or one of another distribution.",
    ),
]
Key = Annotated[str | None, typer.Option("--key", help="Name of the tensor or array that holds the frames.")]
Tokens = Annotated[int | None, typer.Option("--p", help="Number of tokens p, where the log does not state it.")]
TokenAxis = Annotated[
    int | None,
    typer.Option("--token-axis", help="Which axis of a frame the tokens are, 0 or 1, where nothing states it."),
]
TokenRange = Annotated[
    str | None,
    typer.Option(
        "--tokens", help="Tokens that take part, FIRST:END (END excluded), where a vocabulary has more, such as =."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", help="Columns (of a table) or tags that are features: a,b, or signal_*, whose * is the label."
    ),
]
TimeColumn = Annotated[str | None, typer.Option("--time-column", help="Column of a table that holds the times.")]
RunColumn = Annotated[str | None, typer.Option("--run-column", help="Column of a table that tells the runs.")]
Missing = Annotated[
    str,
    typer.Option(
        "--missing",
        help="Missing cells of a table: drop the step; interpolate gaps of one step; keep them as they are.",
    ),
]
StepPattern = Annotated[
    str | None,
    typer.Option(
        "--step-pattern",
        help="Which number in checkpoints' names is the step: model_*_{step}.pt; or stored, for what is in them.",
    ),
]
Shard = Annotated[
    str | None,
    typer.Option("--shard", help="I/N: do the I-th of N shares, counted from 1; ecodyn merge puts them together."),
]
Interval = Annotated[
    float | None, typer.Option("--interval", help="Steps between two rows, where the log does not say.")
]
