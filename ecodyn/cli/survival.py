"""``ecodyn survival``: who survives, and what predicted it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecodyn.cli.arguments import windows_of
from ecodyn.cli.inputs import Reading, data_files, prepared
from ecodyn.cli.options import (
    ClusterName,
    Columns,
    DataFiles,
    ExampleName,
    Force,
    Json,
    Missing,
    RunColumn,
    Runs,
    Select,
    TimeColumn,
)
from ecodyn.cli.output import answer, console, exits, print_json, progress_bar, say, warnings_said
from ecodyn.cli.workplace import workplace

Rule = Annotated[
    str | None,
    typer.Option(
        "--rule",
        help="Who counts as alive: twice_mean and above_10 (the study's), largest_gap, two_component (default), "
        "noise_floor. All are shown side by side.",
    ),
]
At = Annotated[
    float | None, typer.Option("--at", help="The step at which survivors are told; each run's last by default.")
]
Early = Annotated[
    str | None,
    typer.Option("--early", help="Steps at which survival is predicted, a list such as 0,4,20,60."),
]
Windows = Annotated[
    list[str] | None,
    typer.Option("--window", help="FIRST:LAST of the laws' rollouts, both included; repeat for more."),
]
Laws = Annotated[
    bool, typer.Option("--laws/--no-laws", help="Whether equations are fitted and asked, which takes a minute.")
]
SurvivalJobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", help="Processes that fit laws, one thread each; 0 takes all cores.  \\[default: 1]"),
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Folder for survival.json, survivors.csv, survival.html and figures."),
]


def survival(
    paths: DataFiles = None,
    example: ExampleName = None,
    rule: Rule = None,
    at: At = None,
    early: Early = None,
    window: Windows = None,
    runs: Runs = None,
    select: Select = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    laws: Laws = True,
    output: Folder = None,
    jobs: SurvivalJobs = None,
    cluster: ClusterName = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say who survives, when the rest died, and what predicted it: measured early, together, and by equations."""
    with exits(), workplace(1 if jobs is None and cluster is None else jobs, cluster) as processes:
        from ecodyn.report.survival.page import check_survival_folder, write_survival
        from ecodyn.report.survival.rows import survival_sentences, survival_tables
        from ecodyn.report.terminal import text_table
        from ecodyn.survival import DEFAULT_RULE, analyse

        reading = Reading(columns, time_column, run_column, missing)
        data = prepared(data_files(paths, example), None, 1, runs, select, reading)
        steps, windows = _steps(early), windows_of(window)
        if output is not None:
            check_survival_folder(output, force=force)
        with progress_bar("survival", None) as advance, warnings_said():
            analysis = analyse(
                data,
                rule or DEFAULT_RULE,
                at,
                early=steps,
                laws=laws,
                windows=windows,
                jobs=processes,
                progress=advance,
            )
        stderr = console()
        for table in survival_tables(analysis):
            stderr.print(text_table(table.header, table.rows, stderr.width, title=table.title, note=table.note), "")
        if output is not None:
            written = write_survival(analysis, output, force=force)
            say(f"wrote {', '.join(map(str, written))}")
        for note in analysis.notes:
            say(f"note: {note}")
        if as_json:
            print_json(analysis.to_json(), True)
            return
        for sentence in survival_sentences(analysis):
            answer(sentence)


def _steps(text: str | None) -> list[float] | None:
    """Step values with commas between them."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--early is a list of steps such as 0,4,20,60, got {text!r}") from None
