"""Train a population: the same settings under many seeds, in as many processes as are allowed."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ecodyn
from ecodyn.modular_addition.trainer import (
    Progress,
    Schedule,
    Settings,
    Training,
    check_seed,
    check_whole,
    train_with,
)
from ecodyn.processes import outcome, worker_pool
from ecodyn.trajectories import Trajectories

POLL_SECONDS = 0.2  # between two looks at the workers: often enough for a progress bar


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a population.

    Attributes:
        finished: Trajectories of the seeds that had finished, None if none had.
        missing: The other seeds.
    """

    def __init__(self, finished: Trajectories | None, missing: list[int]) -> None:
        super().__init__(f"interrupted; seeds not finished: {_listed(missing)}")
        self.finished = finished
        self.missing = missing


class IncompleteError(RuntimeError):
    """Some seeds of a population failed; the others were trained to the end.

    Attributes:
        finished: Trajectories of the seeds that were trained, None if none was.
        failures: Why each of the other seeds was not.
    """

    def __init__(self, finished: Trajectories | None, failures: dict[int, Exception]) -> None:
        reasons = "; ".join(dict.fromkeys(map(_sentence, failures.values())))
        super().__init__(f"seeds not trained: {_listed(list(failures))}: {reasons}")
        self.finished = finished
        self.failures = failures


def train_population(
    p: int = 59,
    dim: int = 128,
    seeds: Sequence[int] = range(16),
    steps: int = 1000,
    *,
    width: int = 100,
    learning_rate: float = 0.01,
    weight_decay: float = 0.5,
    train_fraction: float = 0.8,
    dtype: str = "float64",
    device: str = "cpu",
    keep: Schedule | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
    command: str | None = None,
) -> Trajectories:
    """Train the study's network (arXiv 2405.17420) under every seed and put the spectra together.

    The numbers of a run depend on its own seed only, not on the other seeds or on ``jobs``.

    Args:
        p, dim, steps, width, learning_rate, weight_decay, train_fraction, dtype, device: See `Settings`.
        seeds: One run each, in this order; 0..2³² − 1.
        keep: The steps whose spectra are kept. Default: all.
        jobs: Processes, each with one thread; -1 for one a core. With 1, all is done in this process.
        progress: Called in this process with a seed and the step it has reached; at every step if ``jobs`` is
            1, else a few times a second.
        command: The command line, for the provenance.

    Returns:
        Trajectories (run, step, feature): signal and ``gradient`` of the frequencies 1..(p-1)/2, in the units
        of the embedding and of its loss gradient; ``dc``; runs are named by their seeds.

    Raises:
        ValueError: A setting that nothing can be trained with, no seeds, or a seed twice; before any work.
        Interrupted: Ctrl-C; carries the finished seeds.
        IncompleteError: A seed diverged or its process was killed; carries the other seeds.
    """
    settings = Settings(
        p, dim, steps, width, learning_rate, weight_decay, train_fraction, dtype, device, keep or Schedule()
    )
    wanted = _checked_seeds(seeds)
    done: dict[int, Training] = {}
    failures: dict[int, Exception] = {}
    try:
        for seed, outcome in _outcomes(settings, wanted, _processes(jobs, len(wanted)), progress):
            if isinstance(outcome, Training):
                done[seed] = outcome
            else:
                failures[seed] = outcome
    except KeyboardInterrupt:
        missing = [seed for seed in wanted if seed not in done]
        raise Interrupted(_gather(settings, wanted, done, command), missing) from None
    trajectories = _gather(settings, wanted, done, command)
    if failures or trajectories is None:
        raise IncompleteError(trajectories, failures) from next(iter(failures.values()))
    return trajectories


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


def _processes(jobs: int, runs: int) -> int:
    import joblib

    if jobs == -1:
        jobs = joblib.cpu_count()
    check_whole("jobs (-1 for one a core)", jobs, 1)
    return min(jobs, runs)


def _outcomes(
    settings: Settings, seeds: list[int], processes: int, progress: Progress | None
) -> Iterator[tuple[int, Training | Exception]]:
    """Each seed with its training, or with the reason why there is none, as they finish."""
    if processes > 1:
        yield from _in_processes(settings, seeds, processes, progress)
        return
    for seed in seeds:
        try:
            yield seed, train_with(settings, seed, progress=progress)
        except Exception as error:  # whatever it is, it must not cost the seeds that are finished
            yield seed, error


def _in_processes(
    settings: Settings, seeds: list[int], processes: int, progress: Progress | None
) -> Iterator[tuple[int, Training | Exception]]:
    with tempfile.TemporaryDirectory() as folder, worker_pool(processes) as pool:
        reached = np.memmap(Path(folder) / "steps", dtype=np.int64, mode="w+", shape=len(seeds))
        reached[:] = -1
        waiting: dict[Future[Training], int] = {
            pool.submit(_train_reporting, settings, seed, str(reached.filename), i): seed
            for i, seed in enumerate(seeds)
        }
        told = reached.copy()
        while waiting:
            finished, _ = wait(waiting, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in finished:
                yield waiting.pop(future), outcome(future)
            _tell(seeds, told, reached, progress)


def _tell(seeds: list[int], told: np.ndarray, reached: np.ndarray, progress: Progress | None) -> None:
    if progress is None:
        return
    for i in np.flatnonzero(told != reached):
        told[i] = reached[i]
        progress(seeds[i], int(told[i]))


def _train_reporting(settings: Settings, seed: int, file: str, index: int) -> Training:
    """Train one seed in a worker; the step it has reached is entry ``index`` of a shared file."""
    reached = np.memmap(file, dtype=np.int64, mode="r+")

    def progress(_: int, step: int) -> None:
        reached[index] = step

    return train_with(settings, seed, progress=progress)


def _gather(
    settings: Settings, seeds: list[int], done: dict[int, Training], command: str | None
) -> Trajectories | None:
    finished = [seed for seed in seeds if seed in done]
    if not finished:
        return None
    runs = [done[seed] for seed in finished]
    return Trajectories(
        np.stack([run.signal for run in runs]),
        runs[0].steps,
        features=range(1, (settings.p + 1) // 2),
        runs=finished,
        provenance=_provenance(settings, finished, command),
        observables={"gradient": np.stack([run.gradient for run in runs])},
        dc=np.stack([run.dc for run in runs]),
        settings={"dim": [settings.dim] * len(runs)},
    )


def _provenance(settings: Settings, seeds: list[int], command: str | None) -> dict[str, Any]:
    return {
        "command": command,
        "versions": {
            "ecodyn": ecodyn.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": ".".join(map(str, sys.version_info[:3])),
        },
        "source": "arXiv 2405.17420",
        "seeds": seeds,
        "p": settings.p,
        "dim": settings.dim,
        "width": settings.width,
        "optimiser": "AdamW",
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "train_fraction": settings.train_fraction,
        "dtype": settings.dtype,
        "device": settings.device,
        "steps": settings.steps,
        "schedule": {"dense": settings.keep.dense, "every": settings.keep.every},
    }


def _sentence(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _listed(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds)) or "none"
