"""``ecodyn train``: populations of networks, and what the questions need of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ecodyn.cli.arguments import numbers, shard_of, typed
from ecodyn.cli.networks import SCHEDULES, network_grid
from ecodyn.cli.options import ClusterName, Force, Jobs, Json, Shard
from ecodyn.cli.output import INTERRUPTED, PARTIAL, UNFITTED, exits, fail, progress_bar, warnings_said
from ecodyn.cli.workplace import workplace
from ecodyn.cli.writing import save_runs

if TYPE_CHECKING:
    from ecodyn.trajectories import Trajectories

Target = Annotated[Path, typer.Option("-o", "--output", help="Trajectories file to write (.nc or .csv).")]
NetworkName = Annotated[str, typer.Option("--network", help="mlp (the study's), transformer or deep_linear.")]
Seeds = Annotated[str, typer.Option("--seeds", help="FIRST:END (END excluded) or a list 0,3,5.")]
Steps = Annotated[int, typer.Option("--steps", help="Optimiser steps.")]
Modulus = Annotated[int | None, typer.Option("--p", help="The modulus, an odd prime.  \\[default: 59]")]
Dim = Annotated[str | None, typer.Option("--dim", help="Embedding dimensions.  \\[default: 128]")]
Width = Annotated[str | None, typer.Option("--width", help="Hidden units.  \\[default: 100]")]
TrainFraction = Annotated[
    str | None, typer.Option("--train-fraction", help="Share of pairs trained on.  \\[default: 0.8]")
]
Optimiser = Annotated[str | None, typer.Option("--optimiser", help="adamw, adam or sgd.  \\[default: adamw]")]
LearningRate = Annotated[str | None, typer.Option("--learning-rate", help="\\[default: 0.01]")]
WeightDecay = Annotated[str | None, typer.Option("--weight-decay", help="\\[default: 0.5]")]
LearningRateSchedule = Annotated[
    str | None,
    typer.Option(
        "--learning-rate-schedule",
        help="How it goes over the training: constant, cosine:final=0.1, linear, step:milestones=300+600:gamma=0.1 or "
        "step:step_size=300, each with :warmup_steps=50 if wanted, or table:FILE.csv, which has columns step and lr.  "
        "\\[default: constant]",
    ),
]
WeightDecaySchedule = Annotated[
    str | None, typer.Option("--weight-decay-schedule", help="The same of the weight decay.  \\[default: constant]")
]
Momentum = Annotated[str | None, typer.Option("--momentum", help="Of sgd.  \\[default: 0]")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", help="Another setting of the network, NAME=VALUE, such as heads=2; repeat for more."),
]
Intervene = Annotated[
    list[str] | None,
    typer.Option(
        "--intervene",
        help="An intervention, NAME:PARAMETER=VALUE,..., such as scale_frequency:k=25,factor=0.9/1.1; repeat to "
        "combine. There are fixed_embedding, fixed_layers, fixed_dataset, frozen_embedding, scale_frequency, "
        "plant_circles, keep_frequencies.",
    ),
]
Dense = Annotated[int, typer.Option("--dense", help="Keep every step up to this one.")]
ThenEvery = Annotated[int, typer.Option("--every", min=1, help="Keep each N-th step after that.")]
Checkpoints = Annotated[
    Path | None, typer.Option("--checkpoints", help="Folder for checkpoints (.safetensors), one folder a run.")
]
CheckpointEvery = Annotated[int, typer.Option("--checkpoint-every", min=1, help="Steps between them.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the same command was interrupted or killed.")]
Dtype = Annotated[str, typer.Option("--dtype", help="float64 or float32.")]
Device = Annotated[str, typer.Option("--device", help="cpu or cuda.")]
Batch = Annotated[
    int | None, typer.Option("--batch", min=1, help="Networks side by side.  \\[default: what cache or memory holds]")
]


def train(
    output: Target,
    network: NetworkName = "mlp",
    seeds: Seeds = "0:16",
    shard: Shard = None,
    steps: Steps = 1000,
    p: Modulus = None,
    dim: Dim = None,
    width: Width = None,
    train_fraction: TrainFraction = None,
    optimiser: Optimiser = None,
    learning_rate: LearningRate = None,
    weight_decay: WeightDecay = None,
    learning_rate_schedule: LearningRateSchedule = None,
    weight_decay_schedule: WeightDecaySchedule = None,
    momentum: Momentum = None,
    setting: Settings = None,
    intervene: Intervene = None,
    dense: Dense = 0,
    every: ThenEvery = 1,
    checkpoints: Checkpoints = None,
    checkpoint_every: CheckpointEvery = 100,
    resume: Resume = False,
    dtype: Dtype = "float64",
    device: Device = "cpu",
    batch: Batch = None,
    jobs: Jobs = None,
    cluster: ClusterName = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Train populations of networks; what the questions need is kept while they train.

    Several values with commas between them (--dim 16,32,64) are a grid: one file, with the varied settings of each run.
    The defaults in brackets are those of the study's network (mlp). With --shard 3/50, the third of fifty shares of the
    seeds is trained, as a job of an array does; ecodyn merge puts them together. What is finished of a training that is
    interrupted or killed is kept in OUTPUT.partial, for --resume.
    """
    with exits(), workplace(jobs, cluster) as processes:
        from ecodyn.networks.training import Schedule
        from ecodyn.networks.training import train as train_population
        from ecodyn.trajectories import check_target

        options = {"p": p, "dim": dim, "width": width, "train_fraction": train_fraction, "optimiser": optimiser}
        options |= {"learning_rate": learning_rate, "weight_decay": weight_decay, "momentum": momentum}
        options |= dict(zip(SCHEDULES, (learning_rate_schedule, weight_decay_schedule), strict=True))
        networks = network_grid(network, options, setting, intervene)
        labels, share = numbers(seeds, "--seeds"), shard_of(shard)
        check_target(output, force=force)
        training = partial(train_population, networks, labels, steps, keep=Schedule(dense, every), jobs=processes)
        training = partial(training, dtype=dtype, device=device, batch=batch, resume=resume, command=typed())
        training = partial(training, shard=share, checkpoints=checkpoints, checkpoint_every=checkpoint_every)
        _trained(training, output, force, as_json)


def _trained(training: Callable[..., Trajectories], output: Path, force: bool, as_json: bool) -> None:
    """Train, write what came of it, and end with what is lacking; finished batches are kept until it is written."""
    from ecodyn.networks.training import IncompleteTrainingError, InterruptedTraining
    from ecodyn.networks.training.partial import remove_partial

    folder = output.with_name(output.name + ".partial")
    again = f"what is finished is kept in {folder}; the same command with --resume goes on with the others"
    runs: Trajectories | None
    problem = ""
    with progress_bar("training", None) as advance, warnings_said():
        try:
            runs = training(folder=folder, progress=advance)
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
