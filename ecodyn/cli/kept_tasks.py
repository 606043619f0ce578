"""The output folder of ``ecodyn compare``: its report, and the finished tasks that --resume goes on with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.output import say
from ecodyn.cli.writing import written

if TYPE_CHECKING:
    from ecodyn.comparison import Comparison

__all__ = ["PAGE", "REPORT", "TASKS", "Resume", "check_folder", "check_tasks", "held", "write_report"]

Resume = Annotated[
    bool, typer.Option("--resume", help="Do only what is not kept in the output folder; the report there is replaced.")
]

REPORT, PAGE = "report.json", "report.html"
TASKS = "tasks"  # the folder beside them of what is finished


@contextmanager
def held(folder: Path | None, *, force: bool, resume: bool) -> Iterator[None]:
    """Keep other comparisons out of the folder while this one goes on; what a killed one was writing is removed."""
    from ecodyn.runtime.files import unfinished
    from ecodyn.runtime.folder_lock import folder_lock

    if folder is None:
        if resume:
            raise typer.BadParameter("--resume goes on with what is kept in a folder, got none; name it by -o FOLDER")
        yield
        return
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"expected a folder for the report, {folder} is a file")
    folder.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder, force=force):
        if not force:  # which goes on whoever is writing into it
            reports = [path for path in unfinished(folder) if path.stem.startswith(f".{Path(REPORT).stem}.")]
            for path in [*reports, *unfinished(folder / TASKS)]:
                path.unlink(missing_ok=True)
        yield


def check_folder(folder: Path, further: Iterable[str], *, force: bool, resume: bool = False) -> None:
    """Refuse before the work what could not be written after it, and what would be lost; --force removes it."""
    from ecodyn.runtime.files import check_output

    for name in (REPORT, PAGE, *further):
        check_output(folder / name, force=force or resume)
    check_tasks(folder, force=force, resume=resume)


def check_tasks(folder: Path, *, force: bool, resume: bool) -> None:
    """Refuse to lose finished tasks of an earlier comparison unless they are gone on with; --force removes them."""
    from ecodyn.errors import OutputExistsError
    from ecodyn.runtime.kept_values import kept_files

    if resume:
        return
    kept = kept_files(folder / TASKS)
    if kept and not force:
        raise OutputExistsError(
            f"{folder / TASKS} holds {len(kept)} finished tasks of a comparison; --resume goes on with them, --force "
            "begins anew"
        )
    for file in kept:
        file.unlink(missing_ok=True)


def write_report(result: Comparison, folder: Path) -> bool:
    """Write report.json and the page, and say so; whether both are where they belong."""
    # --force was asked about before the work began.
    numbers = written(lambda path: result.save(path, force=True), folder / REPORT)
    page = written(lambda path: _write_page(result, path, folder / TASKS), folder / PAGE)
    if numbers and page:
        say(f"wrote {folder / REPORT} and {folder / PAGE}")
    return numbers and page


def _write_page(result: Comparison, path: Path, tasks: Path) -> None:
    """Write the page; one that was drawn of the same result is kept among the tasks, since figures take seconds."""
    from importlib.metadata import version

    from ecodyn.runtime.files import write_whole
    from ecodyn.runtime.fingerprints import source_fingerprint
    from ecodyn.runtime.kept_values import KeptValues
    from ecodyn.runtime.temporary import temporary_folder

    def drawn() -> str:
        with temporary_folder() as beside:
            result.to_html(beside / PAGE)
            return (beside / PAGE).read_text(encoding="utf-8")

    kept = KeptValues(tasks, (source_fingerprint(whole=True), version("matplotlib")))
    text = kept.of(kept.key(PAGE, result), drawn)
    with write_whole(path, force=True) as temporary:
        temporary.write_text(text, encoding="utf-8")
