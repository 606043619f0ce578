"""``ecodyn reproduce``: the study's experiments, examined again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.options import ClusterName, Jobs, Json
from ecodyn.cli.output import (
    INTERRUPTED,
    PARTIAL,
    console,
    exits,
    fail,
    listed,
    print_json,
    progress_bar,
    say,
    warnings_said,
)
from ecodyn.cli.workplace import workplace

if TYPE_CHECKING:
    from ecodyn.reproduction import Experiment, Finding, Reproduction

Experiments = Annotated[
    list[str] | None,
    typer.Argument(help="Names or row numbers of the study's checklist, such as dimension or 3; all by default."),
]
ScaleName = Annotated[
    str, typer.Option("--scale", help="small: under 40 minutes on 2 cores; full: the study's own counts.")
]
Folder = Annotated[
    Path | None,
    typer.Option("-o", "--output", help="Folder; one that was begun is gone on with.  \\[default: reproduction-SCALE]"),
]
Device = Annotated[str, typer.Option("--device", help="cpu or cuda.")]
Again = Annotated[bool, typer.Option("--force", help="Examine again what was examined; trainings are kept.")]


def reproduce(
    experiments: Experiments = None,
    scale: ScaleName = "small",
    output: Folder = None,
    device: Device = "cpu",
    jobs: Jobs = None,
    cluster: ClusterName = None,
    force: Again = False,
    as_json: Json = False,
) -> None:
    """Re-examine the study's experiments: train, measure, and say claim by claim whether they agree.

    Each gives a figure, CSV files and a line; index.html has them all. Trainings and findings are kept in the folder,
    so that a set that was stopped goes on where it was.
    """
    with exits(), workplace(jobs, cluster) as processes:
        from ecodyn.networks.training.machine import check_device
        from ecodyn.reproduction import SCALES
        from ecodyn.reproduction import reproduce as run_experiments
        from ecodyn.reproduction.page import claims_table, write_pages

        if scale not in SCALES:
            raise typer.BadParameter(f"expected a scale, {' or '.join(SCALES)}; got {scale!r}")
        check_device(device)
        folder = output or Path(f"reproduction-{scale}")
        if folder.exists() and not folder.is_dir():
            raise typer.BadParameter(f"expected a folder for what is found, {folder} is a file")
        of_device = dataclasses.replace(SCALES[scale], device=device)
        work = partial(run_experiments, folder, of_device, tuple(experiments or ()), jobs=processes, force=force)
        result, interrupted = _reproduced(work)
        if result.findings:
            write_pages(result, folder)
            console().print(claims_table(result))
            say(f"wrote {folder / 'index.html'}, {folder / 'claims.csv'} and {folder / 'reproduction.json'}")
        _hand_over(result, as_json)
        if interrupted:
            fail(f"interrupted; what is finished is in {folder}, and the same command goes on with it", INTERRUPTED)
        if result.failures:
            fail("; ".join(f"{name}: {why}" for name, why in result.failures.items()), PARTIAL)


def _reproduced(work: Callable[..., Reproduction]) -> tuple[Reproduction, bool]:
    """What was examined, and whether that was interrupted."""
    from ecodyn.reproduction import InterruptedReproduction

    with progress_bar("training", None) as advance, warnings_said():
        try:
            return work(progress=advance, announce=_say_finding), False
        except InterruptedReproduction as stop:
            return stop.finished, True


def _say_finding(experiment: Experiment, finding: Finding) -> None:
    say(f"{experiment.row:2d} {experiment.name}: {listed(check.agreement for check in finding.checks)}")


def _hand_over(result: Reproduction, as_json: bool) -> None:
    """A line a claim on stdout, or all of it as JSON."""
    from ecodyn.reproduction.page import claim_lines

    if as_json:
        print_json(result.to_json(), True)
        return
    for line in claim_lines(result):
        print(line)
