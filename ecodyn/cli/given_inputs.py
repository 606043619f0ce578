"""--input and --no-inputs: curves u(t) that are known, out of files, out of the data's own table, or numbers."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.inputs import Reading
from ecodyn.cli.output import listed, say, warnings_said
from ecodyn.errors import DataWarning

if TYPE_CHECKING:
    import pandas as pd

    from ecodyn.trajectories import Trajectories
    from ecodyn.trajectories.given_inputs import InputSource
    from ecodyn.trajectories.inputs import Kind

__all__ = ["Inputs", "NoInputs", "told_of_logs", "with_given_inputs"]

FLAG = "--input"

Inputs = Annotated[
    list[str] | None,
    typer.Option(
        FLAG,
        help="A known function of time that laws may depend on: NAME=SOURCE:KIND. SOURCE is a table with columns "
        "step (or time), NAME (or value) and perhaps run; a column of the data's own table or log, such as "
        "train/learning_rate; a curve of the data; or a number. KIND is steps (each value holds until the next) or "
        "linear (interpolated). Repeat for more: --input lr=schedule.csv:steps.",
    ),
]
NoInputs = Annotated[
    bool, typer.Option("--no-inputs", help="Leave out the inputs that the data have: laws know nothing of time.")
]


def with_given_inputs(
    data: Trajectories,
    texts: Sequence[str] | None,
    paths: Sequence[Path],
    reading: Reading,
    *,
    none: bool = False,
    rolled_out: bool = False,
) -> Trajectories:
    """The data without the inputs that they have, if ``none``; and with those that are asked for.

    Where these are to be ``rolled_out`` with, it is not said that a number shows nothing of what an input does.

    Raises
    ------
    typer.BadParameter
        A text is none of an input, or can be read in two ways.
    """
    if none and texts:
        raise typer.BadParameter(f"--no-inputs leaves all inputs out, got {FLAG} {texts[0]} as well; give one of them")
    if none and data.inputs:
        say(f"the inputs {listed(data.inputs)} are left out")
        data = data.without_inputs()
    for text in texts or ():
        name, source, kind = _parts(text)
        with warnings_said(), warnings.catch_warnings():
            if rolled_out:
                warnings.simplefilter("ignore", DataWarning)
            data = data.with_inputs(kind=kind, **{name: _source(data, name, source, kind, paths, reading)})
    return data


def _parts(text: str) -> tuple[str, str, Kind | None]:
    """NAME, SOURCE and KIND of a text, the last None where it is not said."""
    from ecodyn.trajectories.inputs import KINDS

    name, equals, rest = text.partition("=")
    if not equals or not name or not rest:
        raise typer.BadParameter(f"{FLAG} is NAME=SOURCE:KIND, such as lr=schedule.csv:steps, got {text!r}")
    source, colon, ending = rest.rpartition(":")
    for kind in KINDS:
        if colon and ending == kind and source:
            return name, source, kind
    if colon and "." not in ending and not Path(rest).exists():
        raise typer.BadParameter(
            f"{FLAG} NAME=SOURCE:KIND has the kinds {' and '.join(KINDS)}, got {ending!r} in {text!r}"
        )
    return name, rest, None


def told_of_logs(texts: Sequence[str] | None) -> tuple[list[str], dict[str, str], dict[str, Kind]]:
    """Those of the texts that name a file or a number; and of the others, which logs have to hold, columns and kinds.

    Raises
    ------
    typer.BadParameter
        A text is none of an input, or two are of one.
    """
    given: list[str] = []
    columns: dict[str, str] = {}
    kinds: dict[str, Kind] = {}
    for text in texts or ():
        name, source, kind = _parts(text)
        if _is_number(source) or Path(source).is_file():
            given.append(text)
            continue
        if name in columns:
            raise typer.BadParameter(f"{FLAG} {name} is given twice, from {columns[name]} and from {source}")
        columns[name] = source
        if kind is not None:
            kinds[name] = kind
    return given, columns, kinds


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _source(
    data: Trajectories, name: str, source: str, kind: Kind | None, paths: Sequence[Path], reading: Reading
) -> InputSource:
    """What a source is: a number, a file, or a column or curve of the data."""
    if _is_number(source):
        return float(source)
    own = _own_column(source, paths, reading) if source not in data.curves else None
    of_data = source in data.curves or own is not None
    if Path(source).is_file():
        if of_data:
            raise typer.BadParameter(
                f"{FLAG} {name}={source} may mean the file or what the data have of that name; write ./{source} "
                "for the file, or rename it"
            )
        return source
    if source in data.curves:
        return data.curves[source]
    if own is None and (logged := _logged(data, name, source, kind, paths, reading)) is not None:
        return logged
    if own is None:
        raise typer.BadParameter(
            f"{FLAG} {name}={source} names no file, no column of the data's table and no curve of the data"
            f"{f' ({listed(data.curves)})' if data.curves else ''}; check the path"
        )
    return own.rename(columns={source: name})


def _own_column(source: str, paths: Sequence[Path], reading: Reading) -> pd.DataFrame | None:
    """Times, runs and one column of the data's own table, if they are of one table that has it."""
    from ecodyn.tables import SUFFIXES, read_table
    from ecodyn.tables.names import RUN_NAMES, STEP_NAMES, TIME_NAMES, normal

    if len(paths) != 1 or paths[0].suffix.lower() not in SUFFIXES or not paths[0].is_file():
        return None
    frame = read_table(paths[0])
    if source not in frame.columns:
        return None
    asked = {column: to for column, to in ((reading.time, "step"), (reading.run, "run")) if column is not None}
    frame = frame.rename(columns=asked)
    known = [c for c in frame.columns if normal(c) in (*STEP_NAMES, *TIME_NAMES, *RUN_NAMES)]
    times = [c for c in known if normal(c) in STEP_NAMES] or [c for c in known if normal(c) in TIME_NAMES]
    runs = [c for c in known if normal(c) in RUN_NAMES]
    return frame[[*times[:1], *runs[:1], source]].dropna()


def _logged(
    data: Trajectories, name: str, column: str, kind: Kind | None, paths: Sequence[Path], reading: Reading
) -> InputSource | None:
    """A curve for each run out of the logs that the data were extracted from; None where they come from none."""
    from ecodyn.extraction.gathering import holds_logs
    from ecodyn.extraction.logged_inputs import inputs_from_logs

    options = reading.of_logs(None, None, step_pattern=None, log_format=None)
    if not holds_logs(paths, options):
        return None
    return inputs_from_logs(data, paths, options, name, column, kind)
