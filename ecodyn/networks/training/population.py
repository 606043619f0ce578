"""Train populations: every network of a grid under every seed, in batches, in as many processes as are allowed."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecodyn.networks.training.checkpoints import Checkpoints
from ecodyn.networks.training.checks import check_choice, check_seed, check_whole
from ecodyn.networks.training.gather import Population, Run
from ecodyn.networks.training.network import DTYPES, NetworkSettings
from ecodyn.networks.training.partial import continues, partial_folder
from ecodyn.networks.training.schedule import Schedule
from ecodyn.networks.training.work import Progress, Task, work
from ecodyn.runtime.files import first_line
from ecodyn.runtime.processes import physical_memory
from ecodyn.runtime.provenance import versions
from ecodyn.trajectories import Trajectories
from ecodyn.trajectories.parts import some

__all__ = ["IncompleteTrainingError", "InterruptedTraining", "train"]

CPU_BATCH_BYTES = 8e6  # several small networks share the cost of calls; larger ones only evict each other (measured)
MOST_REASONS = 3  # that a message gives
GPU_SHARE = 0.8  # of the free memory, that batches may take by their estimate


class InterruptedTraining(KeyboardInterrupt):
    """Ctrl-C during a population.

    Attributes
    ----------
    finished
        Trajectories of the runs that had finished, None if none had.
    missing
        Labels of the other runs.
    """

    def __init__(self, finished: Trajectories | None, missing: list[Any]) -> None:
        super().__init__(f"interrupted; runs not finished: {some(missing)}")
        self.finished = finished
        self.missing = missing


class IncompleteTrainingError(RuntimeError):
    """Some runs of a population have no result; the others were trained to the end.

    Attributes
    ----------
    finished
        Trajectories of the runs that were trained, None if none was.
    failures
        Why each of the other runs was not, by label.
    resumable
        Whether to train again may help: a process was lost, rather than a training diverged.
    """

    def __init__(self, finished: Trajectories | None, failures: dict[Any, str], *, resumable: bool) -> None:
        super().__init__(f"runs not trained: {some(failures)}: {some(dict.fromkeys(failures.values()), MOST_REASONS)}")
        self.finished = finished
        self.failures = failures
        self.resumable = resumable


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
) -> Trajectories:
    """Train every network under every seed and put what was kept of them together.

    The numbers of a run depend on its settings and its own seed. Which others are in its batch changes the shape of
    products of matrices, and with it their rounding: within a few units in the last place at each step. On a GPU sums
    are also taken in an order that varies, so that there even the same training differs from itself in rounding.

    Parameters
    ----------
    networks
        What is trained and how; several are a grid (see `grid`).
    seeds
        One run each of each network, in this order; 0..2³² − 1.
    steps
        Number of updates; step t holds the parameters after t of them.
    keep
        The steps whose observables and curves are kept. Default: all.
    dtype
        "float64" or "float32"; initialisations are drawn in float64 and then rounded.
    device
        "cpu", "cuda" or "cuda:0".
    batch
        Networks trained side by side. Default: on a CPU as many as share a core's cache, on a GPU as many
        as fit its memory.
    jobs
        Processes, each with one thread; -1 for one a core. With 1, and on a GPU, all is done in this process.
    checkpoints
        Folder for checkpoints, ``run_LABEL/step_STEP.safetensors``. Default: none are written.
    checkpoint_every
        Steps between them; the last step has one too.
    folder
        Where finished batches are kept until all are; what to do with it afterwards is the caller's.
        Default: a temporary one.
    resume
        Go on with what ``folder`` has. Ends in the same numbers as a run that was never stopped.
    progress
        Called in this process, a few times a second or at every step.
    command
        The command line, for the provenance.

    Returns
    -------
    Trajectories (run, step, feature): signal and the network's other observables, its curves (losses,
    accuracies), and the final embeddings. Runs are named by their seeds, those of a grid by 0, 1, ..., with
    the varied settings and the seed as settings. Runs that share an initialisation share a cluster.

    Raises
    ------
    ValueError
        A setting that nothing can be trained with, no seeds, or a seed twice; before any work.
    FileExistsError
        ``folder`` holds finished batches and ``resume`` is false.
    InterruptedTraining
        Ctrl-C; carries the finished runs.
    IncompleteTrainingError
        A run diverged or its process was lost; carries the other runs.
    """
    cells = [networks] if isinstance(networks, NetworkSettings) else list(networks)
    keep = keep or Schedule()
    check_whole("steps", steps, 1)
    wanted = _checked_seeds(seeds)
    _check_cells(cells)
    check_choice("dtype", dtype, DTYPES)
    check_device(device)
    check_memory(cells, len(wanted), steps, keep)
    processes = 1 if torch.device(device).type == "cuda" else _processes(jobs)
    many = len(cells) > 1
    pairs = [(c, seed) for c in range(len(cells)) for seed in wanted]
    runs = [Run(label if many else seed, c, seed) for label, (c, seed) in enumerate(pairs)]
    if batch is not None:
        check_whole("batch", batch, 1)
    sizes = [batch or _batch_size(cell, dtype, device, len(wanted), len(runs), processes) for cell in cells]
    kept = keep.steps(steps)
    writer = None if checkpoints is None else Checkpoints(Path(checkpoints), checkpoint_every)
    plan = {
        "runs": len(runs),
        "networks": [cell.described() for cell in cells],
        "seeds": wanted,
        "steps": int(steps),
        "schedule": {"dense": int(keep.dense), "every": int(keep.every)},
        "dtype": dtype,
        "device": device,
        "versions": versions("torch", "numpy"),
        "checkpoints": None if writer is None else {"folder": str(writer.folder.resolve()), "every": int(writer.every)},
        "batches": _cut(runs, sizes),
    }
    recut = None if batch is None else lambda labels: _cut([run for run in runs if run.label in labels], sizes)
    if writer is not None:
        writer.check(begun=folder is not None and continues(Path(folder), plan))
    with _folder(folder) as place, partial_folder(place, plan, resume=resume, recut=recut) as store:
        population = Population(cells, plan, command, store, runs)
        ahead = [
            Task(cells[group[0].network], group, kept, dtype, device, store.file(i), writer)
            for i, group in enumerate(population.groups)
            if group and not store.file(i).exists()
        ]
        done = (len(runs) - sum(len(task.runs) for task in ahead)) * steps
        failures: dict[Any, str] = {}
        try:
            for task, error in work(ahead, done, len(runs) * steps, processes, progress):
                failures |= {run.label: first_line(error) for run in task.runs if error is not None}
        except KeyboardInterrupt:
            finished, diverged = population.gathered()
            trained = {*diverged, *([] if finished is None else finished.runs.tolist())}
            raise InterruptedTraining(finished, [run.label for run in runs if run.label not in trained]) from None
        trajectories, diverged = population.gathered()
    if failures or diverged:
        raise IncompleteTrainingError(trajectories, diverged | failures, resumable=bool(failures))
    assert trajectories is not None
    return trajectories


# --------------------------------------------------------------------------------------- what is asked for


def check_device(name: str) -> None:
    """Raise a ValueError unless torch has the device."""
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device must be cpu, cuda or cuda:0, got {name!r}") from error
    if device.type == "cpu":
        return
    if device.type != "cuda":
        raise ValueError(f"device must be cpu or cuda, got {name!r}")
    present = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= present:
        raise ValueError(f"device {name!r} asked for, but torch sees {present} CUDA devices; use device='cpu'")


def check_memory(cells: Sequence[NetworkSettings], seeds: int, steps: int, keep: Schedule) -> None:
    """What is kept of all runs is in memory at the end, twice while it is put together.

    Raises
    ------
    ValueError
        This machine has less memory.
    """
    rows = keep.count(steps)
    row = 8 * sum(len(cell.features) * len(cell.measured) for cell in cells) * seeds
    if (needed := 2 * rows * row) > (present := physical_memory()):
        raise ValueError(
            f"{rows} kept steps of {len(cells) * seeds} runs take {needed / 2**30:.3g} GiB, this machine has "
            f"{present / 2**30:.3g}; keep fewer with Schedule(dense, every) (--dense, --every), or train fewer at once"
        )


def _checked_seeds(seeds: Sequence[int]) -> list[int]:
    if not isinstance(seeds, Iterable):
        raise ValueError(f"seeds must be several, such as range(16) or [3], got {seeds!r}")
    wanted = list(seeds)
    for seed in wanted:
        check_seed(seed)
    if not wanted:
        raise ValueError("seeds must name at least one run, got none")
    twice = sorted(seed for seed, count in Counter(wanted).items() if count > 1)
    if twice:
        raise ValueError(f"seeds must differ, since equal seeds give equal runs; given more than once: {some(twice)}")
    return [int(seed) for seed in wanted]


def _check_cells(cells: Sequence[NetworkSettings]) -> None:
    if not cells:
        raise ValueError("networks must name at least one, got none")
    different = [cell for cell in cells if not np.array_equal(cell.features, cells[0].features)]
    if different:
        raise ValueError(
            f"one file holds features of one kind, got {len(cells[0].features)} and {len(different[0].features)} of "
            "them in one grid (such as those of different p); train one population for each"
        )
    measured = {cell.measured for cell in cells}
    if len(measured) > 1:
        raise ValueError(
            "one file holds the same observables and curves of all runs, got networks that keep "
            f"{' and '.join(', '.join(names) for names in sorted(measured))}; train one population for each"
        )
    texts = [repr(cell) for cell in cells]
    if len(set(texts)) < len(texts):
        raise ValueError(f"networks must differ from each other, got twice: {max(texts, key=texts.count)}")


def _processes(jobs: int) -> int:
    import joblib

    if jobs == -1:
        jobs = joblib.cpu_count()
    check_whole("jobs (-1 for one a core)", jobs, 1)
    return jobs


def _batch_size(network: NetworkSettings, dtype: str, device: str, seeds: int, runs: int, processes: int) -> int:
    """Networks side by side: what memory allows, and on a CPU no more than leaves work for every process."""
    each = network.bytes_per_network(DTYPES[dtype].itemsize)
    if torch.device(device).type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return max(1, min(seeds, int(GPU_SHARE * free / each)))
    fair = -(-runs // processes)
    return max(1, min(seeds, fair, int(CPU_BATCH_BYTES / each)))


def _cut(runs: Sequence[Run], sizes: Sequence[int]) -> list[list[int]]:
    """Labels of the runs of each batch: no two networks in one."""
    batches = []
    for network, size in enumerate(sizes):
        labels = [run.label for run in runs if run.network == network]
        batches += [labels[i : i + size] for i in range(0, len(labels), size)]
    return batches


@contextmanager
def _folder(path: str | os.PathLike[str] | None) -> Iterator[Path]:
    if path is not None:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="ecodyn-") as temporary:
        yield Path(temporary)
