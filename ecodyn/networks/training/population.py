"""Train populations: every network of a grid under every seed, in batches, in as many processes as are allowed.

How many networks go side by side, and in how many processes, changes no number on a CPU but by rounding: products of
matrices of another size add up in another order. On a GPU sums are also taken in an order that varies, so that there
even the same training differs from itself in rounding.

Finished batches are kept in a folder until all are (`ecodyn.networks.training.partial`), so that a population that was
interrupted or killed goes on where it was, and ends in the same numbers as one that was never stopped.

Runs are named by their seeds, those of a grid by 0, 1, ..., with the varied settings and the seed as settings. Runs
that share an initialisation share a cluster: they are no independent ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ecodyn.networks.training.checkpoints import Checkpoints
from ecodyn.networks.training.design import Design
from ecodyn.networks.training.gather import Population
from ecodyn.networks.training.incomplete import IncompleteTrainingError, InterruptedTraining
from ecodyn.networks.training.machine import Machine
from ecodyn.networks.training.network import NetworkSettings
from ecodyn.networks.training.partial import continues, partial_folder
from ecodyn.networks.training.request import Request
from ecodyn.networks.training.schedule import Schedule
from ecodyn.networks.training.work import Progress, Task, work
from ecodyn.runtime.files import first_line
from ecodyn.runtime.shares import share_of
from ecodyn.runtime.temporary import temporary_folder
from ecodyn.trajectories import Trajectories

__all__ = ["train"]


def train(
    networks: NetworkSettings | Sequence[NetworkSettings],
    seeds: Sequence[int] = range(16),
    steps: int = 1000,
    *,
    keep: Schedule | None = None,
    dtype: str = "float64",
    device: str = "cpu",
    batch: int | None = None,
    jobs: int = 1,
    checkpoints: str | os.PathLike[str] | None = None,
    checkpoint_every: int = 100,
    folder: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    command: str | None = None,
    shard: tuple[int, int] | None = None,
) -> Trajectories:
    """Train every network under every seed: signal, further observables and curves (run, step, feature) of each run.

    Raises a ValueError for what nothing can be trained with, before any work; a FileExistsError where ``folder`` holds
    finished batches and ``resume`` is false; `InterruptedTraining` and `IncompleteTrainingError` carry finished runs.

    Parameters
    ----------
    networks : what is trained and how; several are a grid (see `grid`)
    seeds : one run each of each network, in this order; 0..2³² − 1
    steps : number of updates; step t holds the parameters after t of them
    keep : the steps whose observables and curves are kept; default all
    dtype : "float64" or "float32"; initialisations are drawn in float64 and then rounded
    device, batch : "cpu", "cuda" or "cuda:0"; networks side by side, default what a core's cache or the GPU holds
    jobs : processes of one thread each, -1 for one a core; with 1, and on a GPU, all is done in this one
    checkpoints, checkpoint_every : folder for ``run_LABEL/step_STEP.safetensors``; steps between, the last has one too
    folder, resume : where finished batches are kept, default a temporary folder; whether to go on with what it has
    progress : called in this process with the run-steps done, all there are, and what is under way
    command : the command line, for the provenance
    shard : (i, n) for the i-th of n shares of the seeds, counted from 1; all shares together are the whole (`merge`)

    >>> from ecodyn.training import DeepLinear, Schedule, train
    >>> train(DeepLinear(modes=3), seeds=[0, 1], steps=20, keep=Schedule(every=5)).values.shape
    (2, 5, 3)
    """
    writer = None if checkpoints is None else Checkpoints(Path(checkpoints), checkpoint_every)
    machine = Machine(dtype=dtype, device=device, batch=batch, jobs=jobs)
    request = Request(Design.of(networks, seeds, steps, keep, share_of(shard)), machine, writer, command)
    with _folder(folder) as place:
        return _carry_out(request, place, resume=resume, progress=progress)


def _carry_out(request: Request, place: Path, *, resume: bool, progress: Progress | None) -> Trajectories:
    """Train what has no record in the folder ``place``, and put all records together."""
    if request.checkpoints is not None:
        request.checkpoints.check(begun=continues(place, request.plan))
    recut = None if request.machine.batch is None else request.batches
    with partial_folder(place, request.plan, resume=resume, recut=recut) as store:
        population = Population(request, store)
        failures = _train_batches(population, progress)
        trajectories, diverged = population.gathered()
    if trajectories is None or failures or diverged:
        raise IncompleteTrainingError(trajectories, diverged | failures, resumable=bool(failures))
    return trajectories


def _train_batches(population: Population, progress: Progress | None) -> dict[int, str]:
    """Train the batches that have no record; why runs have none even so, by label."""
    design, machine = population.request.design, population.request.machine
    tasks = _tasks(population)
    total = len(design.runs) * design.steps
    done = total - sum(len(task.runs) for task in tasks) * design.steps
    failures: dict[int, str] = {}
    try:
        for task, error in work(tasks, done, total, machine.processes, progress):
            failures |= {run.label: first_line(error) for run in task.runs if error is not None}
    except KeyboardInterrupt:
        finished, diverged = population.gathered()
        trained = {*diverged, *([] if finished is None else finished.runs.tolist())}
        raise InterruptedTraining(finished, [r.label for r in design.runs if r.label not in trained]) from None
    return failures


def _tasks(population: Population) -> list[Task]:
    """The batches that have no record."""
    request, store = population.request, population.store
    return [
        Task(
            network=request.design.networks[runs[0].network],
            runs=runs,
            kept=request.design.kept,
            dtype=request.machine.dtype,
            device=request.machine.device,
            file=store.file(i),
            checkpoints=request.checkpoints,
        )
        for i, runs in enumerate(population.batches)
        if runs and not store.file(i).exists()
    ]


@contextmanager
def _folder(path: str | os.PathLike[str] | None) -> Iterator[Path]:
    if path is not None:
        yield Path(path)
        return
    with temporary_folder() as temporary:
        yield temporary
