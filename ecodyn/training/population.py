"""Train populations: every network of a grid under every seed, in batches, in as many processes as are allowed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ecodyn
from ecodyn.processes import outcome, worker_pool
from ecodyn.training.checkpoints import Checkpoints
from ecodyn.training.checks import check_choice, check_seed, check_whole
from ecodyn.training.descent import Record, train_batch
from ecodyn.training.grids import varied_settings
from ecodyn.training.network import DTYPES, NetworkSettings
from ecodyn.training.partial import PartialFolder, partial_folder, write_record
from ecodyn.training.schedule import Schedule
from ecodyn.trajectories import Trajectories

__all__ = ["IncompleteTrainingError", "InterruptedTraining", "train"]

POLL_SECONDS = 0.2  # between two looks at the workers: often enough for a progress bar
CPU_BATCH_BYTES = 2e6  # beyond a core's second-level cache, networks side by side only evict each other
GPU_SHARE = 0.8  # of the free memory, that batches may take by their estimate

Progress = Callable[[int, int, str], None]
"""Called with the run-steps done, those there are, and what is under way."""


class InterruptedTraining(KeyboardInterrupt):
    """Ctrl-C during a population.

    Attributes:
        finished: Trajectories of the runs that had finished, None if none had.
        missing: Labels of the other runs.
    """

    def __init__(self, finished: Trajectories | None, missing: list[Any]) -> None:
        super().__init__(f"interrupted; runs not finished: {_listed(missing)}")
        self.finished = finished
        self.missing = missing


class IncompleteTrainingError(RuntimeError):
    """Some runs of a population have no result; the others were trained to the end.

    Attributes:
        finished: Trajectories of the runs that were trained, None if none was.
        failures: Why each of the other runs was not, by label.
        resumable: Whether to train again may help: a process was lost, rather than a training diverged.
    """

    def __init__(self, finished: Trajectories | None, failures: dict[Any, str], *, resumable: bool) -> None:
        reasons = "; ".join(dict.fromkeys(failures.values()))
        super().__init__(f"runs not trained: {_listed(failures)}: {reasons}")
        self.finished = finished
        self.failures = failures
        self.resumable = resumable


@dataclass(frozen=True)
class _Run:
    label: int
    network: int
    seed: int


@dataclass(frozen=True)
class _Task:
    """One batch, as a worker gets it."""

    network: NetworkSettings
    runs: tuple[_Run, ...]
    kept: np.ndarray
    dtype: str
    device: str
    file: Path
    checkpoints: Checkpoints | None


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
    products of matrices, and with it their rounding: within a few units in the last place at each step.

    Args:
        networks: What is trained and how; several are a grid (see `grid`).
        seeds: One run each of each network, in this order; 0..2³² − 1.
        steps: Number of updates; step t holds the parameters after t of them.
        keep: The steps whose observables and curves are kept. Default: all.
        dtype: "float64" or "float32"; initialisations are drawn in float64 and then rounded.
        device: "cpu", "cuda" or "cuda:0".
        batch: Networks trained side by side. Default: on a CPU as many as share a core's cache, on a GPU as many
            as fit its memory.
        jobs: Processes, each with one thread; -1 for one a core. With 1, and on a GPU, all is done in this process.
        checkpoints: Folder for checkpoints, ``run_LABEL/step_STEP.safetensors``. Default: none are written.
        checkpoint_every: Steps between them; the last step has one too.
        folder: Where finished batches are kept until all are; what to do with it afterwards is the caller's.
            Default: a temporary one.
        resume: Go on with what ``folder`` has. Ends in the same numbers as a run that was never stopped.
        progress: Called in this process, a few times a second or at every step.
        command: The command line, for the provenance.

    Returns:
        Trajectories (run, step, feature): signal and the network's other observables, its curves (losses,
        accuracies), and the final embeddings. Runs are named by their seeds, those of a grid by 0, 1, ..., with
        the varied settings and the seed as settings. Runs that share an initialisation share a cluster.

    Raises:
        ValueError: A setting that nothing can be trained with, no seeds, or a seed twice; before any work.
        FileExistsError: ``folder`` holds finished batches and ``resume`` is false.
        InterruptedTraining: Ctrl-C; carries the finished runs.
        IncompleteTrainingError: A run diverged or its process was lost; carries the other runs.
    """
    cells = [networks] if isinstance(networks, NetworkSettings) else list(networks)
    keep = keep or Schedule()
    kept = _checked_steps(steps, keep)
    wanted = _checked_seeds(seeds)
    _check_cells(cells)
    check_choice("dtype", dtype, DTYPES)
    check_device(device)
    processes = 1 if torch.device(device).type == "cuda" else _processes(jobs)
    many = len(cells) > 1
    pairs = [(c, seed) for c in range(len(cells)) for seed in wanted]
    runs = [_Run(label if many else seed, c, seed) for label, (c, seed) in enumerate(pairs)]
    sizes = [batch or _batch_size(cell, dtype, device, len(wanted), processes, many) for cell in cells]
    check_whole("batch", min(sizes), 1)
    plan = {
        "networks": [cell.described() for cell in cells],
        "seeds": wanted,
        "steps": steps,
        "schedule": {"dense": keep.dense, "every": keep.every},
        "dtype": dtype,
        "device": device,
        "versions": _versions(),
        "batches": _cut(runs, sizes),
    }
    writer = None if checkpoints is None else Checkpoints(Path(checkpoints), checkpoint_every)
    if writer is not None:
        writer.check(resume=resume)
    with _folder(folder) as place, partial_folder(place, plan, resume=resume) as store:
        by_label = {run.label: run for run in runs}
        groups = [tuple(by_label[label] for label in labels) for labels in store.batches]
        population = _Population(cells, plan, command, store, groups)
        ahead = [
            _Task(cells[group[0].network], group, kept, dtype, device, store.file(i), writer)
            for i, group in enumerate(groups)
            if not store.file(i).exists()
        ]
        failures: dict[Any, str] = {}
        try:
            for task, error in _outcomes(ahead, steps, len(runs), processes, progress):
                failures |= {run.label: _sentence(error) for run in task.runs if error is not None}
        except KeyboardInterrupt:
            finished, _ = population.gathered()
            done = [] if finished is None else finished.runs.tolist()
            raise InterruptedTraining(finished, [run.label for run in runs if run.label not in done]) from None
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


def _checked_steps(steps: int, keep: Schedule) -> np.ndarray:
    check_whole("steps", steps, 1)
    return keep.steps(steps)


def _checked_seeds(seeds: Sequence[int]) -> list[int]:
    wanted = list(seeds)
    for seed in wanted:
        check_seed(seed)
    if not wanted:
        raise ValueError("seeds must name at least one run, got none")
    twice = sorted(seed for seed, count in Counter(wanted).items() if count > 1)
    if twice:
        raise ValueError(
            f"seeds must differ, since equal seeds give equal runs; given more than once: {_listed(twice)}"
        )
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
    texts = [repr(cell) for cell in cells]
    if len(set(texts)) < len(texts):
        raise ValueError(f"networks must differ from each other, got twice: {max(texts, key=texts.count)}")


def _processes(jobs: int) -> int:
    import joblib

    if jobs == -1:
        jobs = joblib.cpu_count()
    check_whole("jobs (-1 for one a core)", jobs, 1)
    return jobs


def _batch_size(network: NetworkSettings, dtype: str, device: str, seeds: int, processes: int, many: bool) -> int:
    """Networks side by side: what memory allows, and on a CPU no more than leaves work for every process."""
    each = network.bytes_per_network(DTYPES[dtype].itemsize)
    if torch.device(device).type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return max(1, min(seeds, int(GPU_SHARE * free / each)))
    fair = seeds if many else -(-seeds // processes)
    return max(1, min(fair, int(CPU_BATCH_BYTES / each)))


def _cut(runs: Sequence[_Run], sizes: Sequence[int]) -> list[list[int]]:
    """Labels of the runs of each batch: no two networks in one."""
    batches = []
    for network, size in enumerate(sizes):
        labels = [run.label for run in runs if run.network == network]
        batches += [labels[i : i + size] for i in range(0, len(labels), size)]
    return batches


# ----------------------------------------------------------------------------------------------- the work


@contextmanager
def _folder(path: str | os.PathLike[str] | None) -> Iterator[Path]:
    if path is not None:
        yield Path(path)
        return
    with tempfile.TemporaryDirectory(prefix="ecodyn-") as temporary:
        yield Path(temporary)


def _outcomes(
    tasks: Sequence[_Task], steps: int, runs: int, processes: int, progress: Progress | None
) -> Iterator[tuple[_Task, BaseException | None]]:
    """Each batch with None, or with the reason why there is no record of it, as they finish."""
    ahead = sum(len(task.runs) for task in tasks)
    meter = _Meter(tasks, (runs - ahead) * steps, runs * steps, progress)
    if processes == 1 or len(tasks) == 1:
        for i, task in enumerate(tasks):
            try:
                _work(task, lambda step, i=i: meter.reached(i, step))  # type: ignore[misc]
                yield task, None
            except Exception as error:  # whatever it is, it must not cost the batches that are finished
                yield task, error
        return
    with tempfile.TemporaryDirectory(prefix="ecodyn-") as temporary, worker_pool(min(processes, len(tasks))) as pool:
        shared = np.memmap(Path(temporary) / "steps", dtype=np.int64, mode="w+", shape=len(tasks))
        waiting: dict[Future[None], int] = {
            pool.submit(_work_reporting, task, str(shared.filename), i, os.getpid()): i for i, task in enumerate(tasks)
        }
        while waiting:
            finished, _ = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for i, step in enumerate(shared.tolist()):
                meter.reached(i, step)
            for future in finished:
                yield tasks[waiting.pop(future)], outcome(future)


class _Meter:
    """Run-steps done over all batches."""

    def __init__(self, tasks: Sequence[_Task], done: int, total: int, progress: Progress | None) -> None:
        self.tasks, self.done, self.total, self.progress = tasks, done, total, progress
        self.steps = [0] * len(tasks)

    def reached(self, i: int, step: int) -> None:
        """Batch i has come so far; said only where that is news."""
        if self.progress is None or step == self.steps[i]:
            return
        self.done += (step - self.steps[i]) * len(self.tasks[i].runs)
        self.steps[i] = step
        self.progress(self.done, self.total, f"batch {i + 1} of {len(self.tasks)}")


def _work(task: _Task, progress: Callable[[int], None] | None = None) -> None:
    """Train one batch and write its record."""
    visit = None if task.checkpoints is None else task.checkpoints.writer([r.label for r in task.runs], task.kept[-1])
    seeds = [run.seed for run in task.runs]
    try:
        record = train_batch(
            task.network, seeds, task.kept, dtype=task.dtype, device=task.device, progress=progress, visit=visit
        )
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            f"{len(seeds)} networks side by side do not fit the device; choose a smaller batch"
        ) from error
    write_record(record, task.file)


def _work_reporting(task: _Task, file: str, index: int, parent: int) -> None:
    """`_work` in a process of its own; the step it has reached is entry ``index`` of a shared file."""
    reached = np.memmap(file, dtype=np.int64, mode="r+")

    def progress(step: int) -> None:
        reached[index] = step
        if os.getppid() != parent:  # killed, so nobody waits for this any more
            raise SystemExit

    _work(task, progress)


# ---------------------------------------------------------------------------------------------- the result


@dataclass(frozen=True)
class _Population:
    """What the finished batches in a folder are together."""

    cells: Sequence[NetworkSettings]
    plan: dict[str, Any]
    command: str | None
    store: PartialFolder
    groups: Sequence[tuple[_Run, ...]]

    def gathered(self) -> tuple[Trajectories | None, dict[Any, str]]:
        """Trajectories of the finished runs, None if there are none; and why others diverged, by label."""
        parts: list[tuple[_Run, Record, int]] = []
        diverged: dict[Any, str] = {}
        for i, group in enumerate(self.groups):
            if not self.store.file(i).exists():
                continue
            record = self.store.read(i)
            for row, run in enumerate(group):
                if record.diverged[row] < 0:
                    parts.append((run, record, row))
                else:
                    step = record.diverged[row]
                    diverged[run.label] = f"run {run.label}: no longer finite at step {step}; lower the learning rate"
        return (self._together(parts) if parts else None), diverged

    def _together(self, parts: list[tuple[_Run, Record, int]]) -> Trajectories:
        runs = [run for run, _, _ in parts]
        first = parts[0][1]
        observables = {name: np.stack([rec.observables[name][i] for _, rec, i in parts]) for name in first.observables}
        curves = {name: np.stack([rec.curves[name][i] for _, rec, i in parts]) for name in first.curves}
        keys = [self.cells[run.network].initialisation(run.seed) for run in runs]
        same_start = len(runs) > 1 and len(set(keys)) == 1
        return Trajectories(
            observables.pop("signal"),
            first.steps,
            features=self.cells[0].features,
            runs=[run.label for run in runs],
            labels_shared=self.cells[0].labels_shared or same_start,
            provenance=self._provenance([run.seed for run in runs]),
            observables=observables,
            dc=curves.pop("dc", None),
            curves=curves,
            embedding=[rec.embedding[i] for _, rec, i in parts if rec.embedding is not None] or None,
            cluster=_clusters(runs, keys),
            settings=self._settings(runs),
        )

    def _settings(self, runs: Sequence[_Run]) -> dict[str, list[Any]]:
        columns = varied_settings(self.cells)
        if self.cells[0].varied().get("dim"):
            columns = {"dim": [cell.varied()["dim"] for cell in self.cells]} | columns
        per_run = {name: [values[run.network] for run in runs] for name, values in columns.items()}
        return per_run | ({"seed": [run.seed for run in runs]} if len(self.cells) > 1 else {})

    def _provenance(self, seeds: list[int]) -> dict[str, Any]:
        """The settings that all share by name; those that vary are settings of the runs."""
        varied = set(varied_settings(self.cells))
        tables = self.plan["networks"]
        common = {name: value for name, value in tables[0].items() if all(t.get(name) == value for t in tables)}
        return {
            "command": self.command,
            "versions": self.plan["versions"],
            "seeds": list(dict.fromkeys(seeds)),
            **common,
            **({"varied": sorted(varied), "networks": tables} if len(tables) > 1 else {}),
            **{name: self.plan[name] for name in ("dtype", "device", "steps", "schedule")},
        }


def _clusters(runs: Sequence[_Run], keys: Sequence[Hashable]) -> list[int] | None:
    """Runs that begin alike carry the label of the first of them; None where all begin differently."""
    first: dict[Hashable, int] = {}
    for run, key in zip(runs, keys, strict=True):
        first.setdefault(key, run.label)
    return [first[key] for key in keys] if len(first) < len(runs) else None


def _versions() -> dict[str, str]:
    return {
        "ecodyn": ecodyn.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _sentence(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _listed(items: Any) -> str:
    return ", ".join(map(str, items)) or "none"
