"""Batches of a population in as many processes as are allowed; each writes its own record."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ecodyn.arrays import Integers
from ecodyn.networks.training.checkpoints import Checkpoints
from ecodyn.networks.training.descent import Record, train_batch
from ecodyn.networks.training.design import Run
from ecodyn.networks.training.network import NetworkSettings
from ecodyn.networks.training.partial import write_record
from ecodyn.runtime.processes import is_elsewhere, outcomes
from ecodyn.runtime.temporary import temporary_folder

__all__ = ["Progress", "Task", "work"]

Progress = Callable[[int, int, str], None]
"""Called with the run-steps done, those there are, and what is under way."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One batch, as a worker gets it.

    Attributes
    ----------
    network, runs
        Which networks.
    kept
        Steps that are kept.
    dtype, device
        In what and on what.
    file
        Where the record goes.
    checkpoints
        Where checkpoints go, None for nowhere.
    """

    network: NetworkSettings
    runs: tuple[Run, ...]
    kept: Integers
    dtype: str
    device: str
    file: Path
    checkpoints: Checkpoints | None


def work(
    tasks: Sequence[Task], done: int, total: int, processes: int, progress: Progress | None
) -> Iterator[tuple[Task, Exception | None]]:
    """Do the tasks; yield each with None, or with the reason why there is no record of it, as they finish.

    Parameters
    ----------
    tasks
        Batches ahead.
    done
        Run-steps done before.
    total
        Run-steps there are.
    processes
        How many at once; with one, all is done in this process.
    progress
        Called in this process.
    """
    with temporary_folder() as temporary:
        np.zeros(len(tasks) + 1, dtype=np.int64).tofile(temporary / "steps")  # a full disk shows here
        reached = np.memmap(temporary / "steps", dtype=np.int64, mode="r+", shape=len(tasks) + 1)
        meter = _Meter(tasks, reached, done, total, progress)
        here = min(processes, len(tasks)) <= 1
        function = functools.partial(_do_here, meter) if here else functools.partial(_do, str(reached.filename))
        if is_elsewhere():
            yield from _elsewhere(meter, tasks)
            return
        for i, error in outcomes(function, list(enumerate(tasks)), processes, poll=meter.say):
            meter.say()
            yield tasks[i], error


def _elsewhere(meter: _Meter, tasks: Sequence[Task]) -> Iterator[tuple[Task, Exception | None]]:
    """Tasks of a cluster, which need see no disk of this machine: records are written here."""
    for i, outcome in outcomes(_trained, tasks, len(tasks)):
        if isinstance(outcome, Record):
            write_record(outcome, tasks[i].file)
            meter.reached[i] = tasks[i].kept[-1]
        meter.say()
        yield tasks[i], outcome if isinstance(outcome, Exception) else None


class _Meter:
    """Run-steps done over all batches, from the step that each has reached."""

    def __init__(
        self, tasks: Sequence[Task], reached: Integers, done: int, total: int, progress: Progress | None
    ) -> None:
        self.reached, self.done, self.total, self.progress = reached, done, total, progress
        self.sizes = np.array([len(task.runs) for task in tasks] + [0])
        self.said = done

    def say(self) -> None:
        """Tell how far all is, where that is news."""
        now = self.done + int(self.reached @ self.sizes)
        if self.progress is not None and now > self.said:
            begun = int(np.count_nonzero(self.reached))
            self.progress(now, self.total, f"{begun} of {len(self.sizes) - 1} batches begun")
            self.said = now


def _do_here(meter: _Meter, numbered: tuple[int, Task]) -> None:
    """A task in this process."""
    i, task = numbered

    def reached(step: int) -> None:
        meter.reached[i] = step
        meter.say()

    write_record(_trained(task, reached), task.file)


def _do(file: str, numbered: tuple[int, Task]) -> None:
    """A task in a worker; the step that task i has reached is entry i of a shared file."""
    i, task = numbered
    reached = np.memmap(file, dtype=np.int64, mode="r+")
    write_record(_trained(task, functools.partial(reached.__setitem__, i)), task.file)


def _trained(task: Task, progress: Callable[[int], None] | None = None) -> Record:
    """Train one batch."""
    seeds = [run.seed for run in task.runs]
    visit = None
    if task.checkpoints is not None:
        visit = task.checkpoints.writer(task.network, [run.label for run in task.runs], int(task.kept[-1]))
    try:
        return train_batch(
            task.network, seeds, task.kept, dtype=task.dtype, device=task.device, progress=progress, visit=visit
        )
    except torch.OutOfMemoryError as error:
        raise MemoryError(f"{len(seeds)} networks side by side do not fit there; choose a smaller batch") from error
