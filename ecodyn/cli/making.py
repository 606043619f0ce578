"""The commands that make trajectories: by training networks, and out of training logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.options import (
    Columns,
    Force,
    Interval,
    Jobs,
    Json,
    Key,
    TokenAxis,
    Tokens,
    assignment,
    cores,
    directions,
    network_grid,
    numbers,
    token_range,
    typed,
)
from ecodyn.cli.output import DONE, INTERRUPTED, PARTIAL, UNFITTED, exits, fail, progress_bar, save_runs, warnings_said

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories


def train(
    output: Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")],
    network: Annotated[
        str, typer.Option("--network", help="mlp (the study's), transformer, deep_linear, or an installed one.")
    ] = "mlp",
    seeds: Annotated[str, typer.Option("--seeds", help="FIRST:END (END excluded) or a list 0,3,5.")] = "0:16",
    steps: Annotated[int, typer.Option("--steps", help="Optimiser steps.")] = 1000,
    p: Annotated[int | None, typer.Option("--p", help="The modulus, an odd prime.  [default: 59]")] = None,
    dim: Annotated[str | None, typer.Option("--dim", help="Embedding dimensions.  [default: 128]")] = None,
    width: Annotated[str | None, typer.Option("--width", help="Hidden units.  [default: 100]")] = None,
    train_fraction: Annotated[
        str | None, typer.Option("--train-fraction", help="Share of pairs trained on.  [default: 0.8]")
    ] = None,
    optimiser: Annotated[str | None, typer.Option("--optimiser", help="adamw, adam or sgd.  [default: adamw]")] = None,
    learning_rate: Annotated[str | None, typer.Option("--learning-rate", help="[default: 0.01]")] = None,
    weight_decay: Annotated[str | None, typer.Option("--weight-decay", help="[default: 0.5]")] = None,
    momentum: Annotated[str | None, typer.Option("--momentum", help="Of sgd.  [default: 0]")] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="Another setting of the network, NAME=VALUE, such as heads=2; repeat for more."),
    ] = None,
    intervene: Annotated[
        list[str] | None,
        typer.Option(
            "--intervene",
            help="An intervention, NAME:PARAMETER=VALUE,..., such as scale_frequency:k=25,factor=0.9/1.1; repeat to "
            "combine. There are fixed_embedding, fixed_layers, fixed_dataset, frozen_embedding, scale_frequency, "
            "plant_circles, keep_frequencies.",
        ),
    ] = None,
    dense: Annotated[int, typer.Option("--dense", help="Keep every step up to this one.")] = 0,
    every: Annotated[int, typer.Option("--every", min=1, help="Keep each N-th step after that.")] = 1,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="Folder for checkpoints (.safetensors), one folder a run.")
    ] = None,
    checkpoint_every: Annotated[int, typer.Option("--checkpoint-every", min=1, help="Steps between them.")] = 100,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the same command was interrupted or killed.")
    ] = False,
    dtype: Annotated[str, typer.Option("--dtype", help="float64 or float32.")] = "float64",
    device: Annotated[str, typer.Option("--device", help="cpu or cuda.")] = "cpu",
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Networks side by side.  [default: what cache or memory holds]")
    ] = None,
    jobs: Jobs = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train populations of networks; what the questions need is kept while they train.

    Several values with commas between them (--dim 16,32,64) are a grid: one file, with the varied settings of each run.
    The defaults in brackets are those of the study's network (mlp). What is finished of a training that is interrupted
    or killed is kept in OUTPUT.partial, for --resume.
    """
    with exits():
        from ecodyn.networks.training import IncompleteTrainingError, InterruptedTraining, Schedule
        from ecodyn.networks.training import train as train_population
        from ecodyn.networks.training.partial import remove_partial
        from ecodyn.trajectories import check_target

        options = {
            "p": p,
            "dim": dim,
            "width": width,
            "train_fraction": train_fraction,
            "optimiser": optimiser,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "momentum": momentum,
        }
        networks = network_grid(network, options, setting, intervene)
        labels = numbers(seeds, "--seeds")
        check_target(output, force=force)
        folder = output.with_name(output.name + ".partial")
        again = f"what is finished is kept in {folder}; the same command with --resume goes on with the others"
        problem = ""
        with progress_bar("training", None) as advance, warnings_said():
            try:
                runs: Trajectories | None = train_population(
                    networks,
                    labels,
                    steps,
                    keep=Schedule(dense, every),
                    dtype=dtype,
                    device=device,
                    batch=batch,
                    jobs=cores(jobs),
                    checkpoints=checkpoints,
                    checkpoint_every=checkpoint_every,
                    folder=folder,
                    resume=resume,
                    progress=advance,
                    command=typed(),
                )
            except InterruptedTraining as stop:
                fail(f"interrupted with {len(stop.missing)} runs to go; {again}", INTERRUPTED)
            except IncompleteTrainingError as error:
                if error.resumable:
                    fail(f"{error}; {again}", UNFITTED if error.finished is None else PARTIAL)
                runs, problem = error.finished, str(error)
            save_runs(runs, output, force, as_json)
        remove_partial(folder)
        if problem:
            fail(problem, UNFITTED if runs is None else PARTIAL)


def extract(
    paths: Annotated[list[Path], typer.Argument(help="Training logs: files or folders, one run each or several.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")],
    observable: Annotated[
        list[str] | None,
        typer.Option(
            "--observable",
            help="signal, share, gradient, relative_gradient, circularity, phase_spread, pull, singular_values; repeat "
            "for more. Default: signal, and gradient where it is logged at the same steps.",
        ),
    ] = None,
    project: Annotated[
        Path | None,
        typer.Option("--project", help="Matrix of feature directions, one a row (.npy or .csv), instead of circles."),
    ] = None,
    over: Annotated[str | None, typer.Option("--over", help="What the directions span: tokens or dimensions.")] = None,
    key: Key = None,
    p: Tokens = None,
    token_axis: TokenAxis = None,
    tokens: Annotated[
        str | None, typer.Option("--tokens", help="Tokens that take part, FIRST:END (END excluded).")
    ] = None,
    columns: Columns = None,
    every: Annotated[int, typer.Option("--every", min=1, help="Read each N-th row only.")] = 1,
    interval: Interval = None,
    first_step: Annotated[float, typer.Option("--first-step", help="Step of the first row, with --interval.")] = 0,
    repair: Annotated[
        bool,
        typer.Option("--repair", help="True steps for late rows, no identical ones, and a cut before what is NaN."),
    ] = False,
    labels_shared: Annotated[
        bool | None,
        typer.Option("--labels-shared/--labels-not-shared", help="Whether feature k is the same in all runs."),
    ] = None,
    note: Annotated[
        list[str] | None,
        typer.Option("--note", help="NAME=VALUE for the provenance, such as learning_rate=0.01; repeat for more."),
    ] = None,
    checksums: Annotated[
        bool | None, typer.Option("--checksums/--no-checksums", help="Of whole files; by default unless --every skips.")
    ] = None,
    jobs: Jobs = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Turn training logs into trajectories, in whatever format they are; frames are read in chunks."""
    with exits():
        from ecodyn.extraction import IncompleteExtractionError, InterruptedExtraction, Request
        from ecodyn.extraction import extract as extract_logs
        from ecodyn.logs import LogOptions
        from ecodyn.trajectories import check_target

        check_target(output, force=force)
        request = Request(
            observables=tuple(n for text in observable for n in text.split(",")) if observable else None,
            directions=directions(project),
            over=over,
            p=p,
            token_axis=token_axis,
            tokens=token_range(tokens),
            every=every,
            repair=repair,
            checksums=checksums,
        )
        code, problem = DONE, ""
        with progress_bar("extracting", None) as advance, warnings_said():
            try:
                runs: Trajectories | None = extract_logs(
                    paths,
                    request,
                    options=LogOptions(key, interval, first_step, columns),
                    labels_shared=labels_shared,
                    notes=dict(assignment(n, "--note") for n in note or ()),
                    jobs=cores(jobs),
                    command=typed(),
                    progress=advance,
                )
            except InterruptedExtraction as stop:
                runs, code, problem = stop.finished, INTERRUPTED, str(stop)
            except IncompleteExtractionError as error:
                runs, code, problem = error.finished, PARTIAL, str(error)
            save_runs(runs, output, force, as_json)
        if problem:
            fail(problem, code)
