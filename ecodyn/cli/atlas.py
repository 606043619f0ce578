"""``ecodyn compare --by``: a verdict in every cell of a grid of settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ecodyn.cli.output import (
    INTERRUPTED,
    PARTIAL,
    answer,
    console,
    fail,
    print_json,
    progress_bar,
    say,
    say_of_laws,
    warnings_said,
)

if TYPE_CHECKING:
    from rich.table import Table

    from ecodyn.comparison.atlas import Atlas

By = Annotated[
    list[str] | None,
    typer.Option("--by", help="Settings of the runs, such as dim,weight_decay: a verdict in every cell of their grid."),
]
Control = Annotated[
    str | None,
    typer.Option(
        "--control",
        help="With --by, of the claims of all cells together: holm (the chance of even one false one), fdr (the "
        "expected share of false ones), none.  \\[default: holm]",
    ),
]
Level = Annotated[
    float | None,
    typer.Option(
        "--level", help="With --by: a claim stands where its adjusted p-value is at most 1 − this.  \\[default: 0.9]"
    ),
]

SHOWN = ("status", "best", "skill", "adjusted", "stands")  # columns for which a terminal has room
HEADS = {"best": "named", "adjusted": "adj. p"}


def settings_of(by: list[str] | None, control: str | None, level: float | None) -> list[str] | None:
    """Names of settings, from repeated options or commas; None where there are none, and then no options of theirs."""
    if by is None:
        given = {"--control": control is not None, "--level": level is not None}
        if wrong := [name for name, there in given.items() if there]:
            raise typer.BadParameter(f"{', '.join(wrong)} go with --by SETTING,..., which is not given; add it")
        return None
    return [name.strip() for text in by for name in text.split(",")]


def control_options(control: str | None, level: float | None) -> dict[str, Any]:
    """What was said of the control; what was not is left to its defaults."""
    given: dict[str, Any] = {"control": control, "level": level}
    return {name: value for name, value in given.items() if value is not None}


def compared_by(comparing: Callable[..., Atlas], output: Path | None, as_json: bool) -> None:
    """Compare cell by cell, hand over what came of it, and end with what is lacking."""
    from ecodyn.comparison.atlas import InterruptedAtlas

    again = "" if output is None else f"; those that were finished are kept in {output}: --resume goes on"
    with progress_bar("fitting", None) as advance, warnings_said():
        try:
            atlas = comparing(progress=advance, on_laws=say_of_laws)
        except InterruptedAtlas as stop:
            done = 0 if stop.finished is None else len(stop.finished.cells)
            fail(f"interrupted after {done} cells{again}", INTERRUPTED)
    stderr = console()
    stderr.print(_table(atlas, stderr.width))
    if output is not None:
        say(f"wrote {output / 'atlas.json'}, {output / 'index.html'} and a folder for each cell")
    if as_json:
        print_json(atlas.to_json(), True)
    else:
        answer(atlas.statement)
    if atlas.failures:
        fail("not everything could be compared: " + "; ".join(atlas.failures), PARTIAL)


def _table(atlas: Atlas, width: int) -> Table:
    """The cells over the first window, in a terminal of so many columns."""
    from ecodyn.report.atlas.rows import cell_rows
    from ecodyn.report.terminal import text_table

    header = [*atlas.by, *(HEADS.get(key, key) for key in SHOWN)]
    rows = [[*row.setting, *(getattr(row, key) for key in SHOWN)] for row in cell_rows(atlas)]
    return text_table(header, rows, width, spare=[HEADS["adjusted"]], left=["status", HEADS["best"]])
