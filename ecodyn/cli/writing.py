"""Results into their place, or into another one where that is full: nothing that is finished is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ecodyn.cli.output import PARTIAL, print_json, say
from ecodyn.errors import FullDiskError

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories

__all__ = ["end_if_elsewhere", "save_runs", "written"]


def written(save: Callable[[Path], object], output: Path) -> bool:
    """Write a result; where its place has no room, on another disk, which is said.

    Parameters
    ----------
    save
        Given a path, writes the result there, whole or not at all.
    output
        Where it belongs.

    Returns
    -------
    bool
        Whether it is where it belongs.

    Raises
    ------
    FullDiskError
        There is no room anywhere.
    """
    try:
        save(output)
        return True
    except FullDiskError as error:
        for folder in _elsewhere(output):
            with suppress(OSError):
                place = Path(tempfile.mkdtemp(prefix="kept-by-ecodyn-", dir=folder))
                try:
                    save(place / output.name)
                except OSError:
                    place.rmdir()
                    raise
                say(f"{error}: until then it is in {place / output.name}")
                return False
        raise


def save_runs(runs: Trajectories | None, output: Path, force: bool, as_json: bool) -> None:
    """Write trajectories and say so; nothing where there are none."""
    if runs is not None:
        in_place = written(lambda path: runs.save(path, force=force), output)
        if in_place:
            say(f"wrote {output}: {runs}")
        print_json({"output": str(output), "runs": runs.runs, "shape": runs.shape}, as_json)
        end_if_elsewhere(in_place)


def end_if_elsewhere(*in_place: bool) -> None:
    """End as partial work does, unless all results are where they belong."""
    if not all(in_place):
        raise typer.Exit(PARTIAL)


def _elsewhere(output: Path) -> Iterator[Path]:
    """Folders on other disks, those for temporary files first."""
    taken = {_disk(output.absolute().parent)}
    for folder in (Path(tempfile.gettempdir()), Path.cwd(), Path.home()):
        if folder.is_dir() and _disk(folder) not in taken:
            taken.add(_disk(folder))
            yield folder


def _disk(folder: Path) -> int:
    return folder.stat().st_dev if folder.exists() else -1
