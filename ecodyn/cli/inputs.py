"""The trajectories files that commands are given, as data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ecodyn.cli.arguments import assignment, numbers, parse_window
from ecodyn.cli.output import listed, warnings_said

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories


def loaded(path: Path) -> Trajectories:
    """A trajectories file, its warnings said as sentences."""
    from ecodyn.trajectories import load

    with warnings_said():
        return load(path)


def loaded_unless_log(path: Path) -> Trajectories | None:
    """A trajectories file (.nc, or a CSV that can be read as one); None for anything else, which may be a log.

    A file that is still recorded is a log.
    """
    from ecodyn.errors import UnusableDataError
    from ecodyn.extraction.recording.journal import journal_of

    if journal_of(path).is_file():
        return None
    if path.suffix.lower() == ".nc":
        return loaded(path)
    if path.suffix.lower() != ".csv" or not path.is_file():
        return None
    try:
        return loaded(path)
    except UnusableDataError:
        return None


def prepared(path: Path, window: str | None, every: int, runs: str | None, select: list[str] | None) -> Trajectories:
    """A trajectories file with the runs, settings, window and thinning that were asked for."""
    data = loaded(path)
    if runs is not None:
        data = data.select(runs=_labels(runs, data))
    if select:
        data = data.select(**dict(assignment(s, "--select") for s in select))
    if window is not None:
        data = data.window(*parse_window(window))
    return data.every(every) if every > 1 else data


def _labels(text: str, data: Trajectories) -> list[Any]:
    """Labels as the file has them: numbers where its labels are numbers."""
    known = {str(r): r for r in data.runs.tolist()}
    wanted = [str(n) for n in numbers(text, "--runs")] if ":" in text else [t.strip() for t in text.split(",")]
    missing = [w for w in wanted if w not in known]
    if missing:
        raise typer.BadParameter(f"there is no run {listed(missing)}; there are {listed(known)}")
    return [known[w] for w in wanted]
