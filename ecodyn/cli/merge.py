"""``ecodyn merge``: many trajectories files as one collection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecodyn.cli.arguments import typed
from ecodyn.cli.inputs import LogReading, Reading, data_files
from ecodyn.cli.options import Columns, ExampleName, Force, Json, Missing, RunColumn, TimeColumn
from ecodyn.cli.output import exits, print_json, say, warnings_said

Parts = Annotated[
    list[Path] | None,
    typer.Argument(help="Trajectories files (.nc), tables, collections, or folders of these, in order."),
]
Target = Annotated[
    Path, typer.Option("-o", "--output", help="Folder of the collection to write; or one file ending in .nc.")
]


def merge(
    output: Target,
    paths: Parts = None,
    example: ExampleName = None,
    columns: Columns = None,
    time_column: TimeColumn = None,
    run_column: RunColumn = None,
    missing: Missing = "drop",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Put the runs of many files together as a collection: a folder of files with an index, which all commands take.

    No more than one of the files is in memory; a single file (-o all.nc) is put together whole.
    """
    with exits():
        from ecodyn.extraction import merge as merge_files

        options = LogReading().options(Reading(columns, time_column, run_column, missing))
        with warnings_said():
            found = merge_files(data_files(paths, example), output, options=options, force=force, command=typed())
        say(f"wrote {output}: {found}")
        print_json({"output": str(output), "runs": found.runs, "shape": found.shape}, as_json)
