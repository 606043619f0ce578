"""The parameters of trainings at chosen steps: kept while training, or read from checkpoints.

Examples
--------
>>> import tempfile
>>> from ecodyn.training import MLP, read_snapshots, take_snapshots, write_snapshots
>>> kept = take_snapshots(MLP(p=5, dim=2), seeds=[0, 1], steps=[0, 2])
>>> kept.signals.shape  # network, step, feature
(2, 2, 2)
>>> with tempfile.TemporaryDirectory() as folder:
...     write_snapshots(kept, folder)
...     read = read_snapshots(kept.network, folder, seeds=[0, 1])
>>> bool((read.embeddings == kept.embeddings).all())
True
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ecodyn.errors import UnusableDataError
from ecodyn.networks.modular_addition.fourier import spectrum
from ecodyn.networks.modular_addition.modular import ModularSettings
from ecodyn.networks.training.checkpoints import write_checkpoint
from ecodyn.networks.training.checks import check_seed, check_whole
from ecodyn.networks.training.descent import train_batch
from ecodyn.networks.training.network import Batch

__all__ = ["Snapshots", "read_snapshots", "take_snapshots", "write_snapshots"]

STEP = re.compile(r"step_(\d+)")  # of a snapshot's file


@dataclass(frozen=True, eq=False)
class Snapshots:
    """All parameters of S networks at T steps.

    Attributes
    ----------
    network
        What was trained.
    seeds
        One a network, (S,); they say which pairs each was trained on.
    steps
        (T,), ascending; step t holds the parameters after t updates.
    parameters
        For each step, tensors (S, ...) by name, on the CPU.
    """

    network: ModularSettings
    seeds: tuple[int, ...]
    steps: np.ndarray
    parameters: tuple[Mapping[str, torch.Tensor], ...]

    @property
    def embeddings(self) -> np.ndarray:
        """E (network, step, token, dimension), float64."""
        return torch.stack([tensors["embedding"] for tensors in self.parameters], dim=1).double().numpy()

    @property
    def signals(self) -> np.ndarray:
        """Signals (network, step, feature), without DC."""
        return spectrum(torch.from_numpy(self.embeddings))[..., 1:].numpy()

    def strongest(self, count: int, network: int = 0) -> tuple[int, ...]:
        """The ``count`` frequencies of largest signal at the last step, the largest first."""
        order = np.argsort(-self.signals[network, -1], kind="stable")
        return tuple(self.network.features[order[:count]].tolist())


def take_snapshots(
    network: ModularSettings,
    seeds: Sequence[int],
    steps: Iterable[int],
    *,
    dtype: str = "float32",
    device: str = "cpu",
) -> Snapshots:
    """Train one network a seed to the last of ``steps``, and keep all parameters at each of them.

    Parameters
    ----------
    network
        What is trained and how.
    seeds
        One network each, side by side.
    steps
        Which steps are kept, in any order; 0 is the initialisation.
    dtype
        "float32" or "float64".
    device
        "cpu", "cuda" or "cuda:0"; what is kept comes back to the CPU.

    Raises
    ------
    ValueError
        No steps or seeds, or one that can't be meant.
    UnusableDataError
        A training was no longer finite.
    """
    wanted = sorted(set(steps))
    _check(wanted, seeds)
    kept: list[dict[str, torch.Tensor]] = []

    def visit(step: int, batch: Batch) -> None:
        if step in wanted:
            kept.append({name: tensor.to("cpu", copy=True) for name, tensor in batch.tensors.items()})

    record = train_batch(network, seeds, np.unique([0, *wanted]), dtype=dtype, device=device, visit=visit)
    if (record.diverged >= 0).any():
        row = int(np.argmax(record.diverged >= 0))
        raise UnusableDataError(
            f"the network of seed {seeds[row]} was no longer finite at step {record.diverged[row]}, expected it to "
            f"train to step {wanted[-1]}; lower the learning rate"
        )
    return Snapshots(network, tuple(seeds), np.array(wanted), tuple(kept))


def _check(steps: Sequence[int], seeds: Sequence[int]) -> None:
    if not steps or not len(seeds):
        raise ValueError(f"expected at least one step and one seed, got {len(steps)} steps and {len(seeds)} seeds")
    for step in steps:
        check_whole("steps", step, 0)
    for seed in seeds:
        check_seed(seed)


def write_snapshots(snapshots: Snapshots, folder: str | os.PathLike[str]) -> None:
    """Write what `read_snapshots` reads, ``run_SEED/step_STEP.safetensors``, into a folder, made if it is not there."""
    for step, tensors in zip(snapshots.steps.tolist(), snapshots.parameters, strict=True):
        write_checkpoint(Path(folder), snapshots.network, snapshots.seeds, step, tensors)


def read_snapshots(
    network: ModularSettings, folder: str | os.PathLike[str], seeds: Sequence[int], labels: Sequence[int] | None = None
) -> Snapshots:
    """Read what ``ecodyn train --checkpoints`` wrote: ``run_LABEL/step_STEP.safetensors``, at the steps all runs have.

    Parameters
    ----------
    network
        What was trained: the files hold parameters, and not which network or interventions they are of.
    folder
        The folder of checkpoints.
    seeds
        Of the runs.
    labels
        What the runs are called; default: their seeds, as without a grid.

    Raises
    ------
    UnusableDataError
        No checkpoints of a run, no step that all have, or parameters of another network.
    """
    from safetensors.torch import load_file

    runs = [Path(folder) / f"run_{label}" for label in (seeds if labels is None else labels)]
    files = [_by_step(run) for run in runs]
    steps = sorted(set(files[0]).intersection(*files[1:]))
    if not steps:
        raise UnusableDataError(f"the runs in {folder} have no step in common; read them one by one")
    shapes = {name: tensor.shape for name, tensor in network.draw_one(seeds[0]).items()}
    kept = []
    for step in steps:
        read = [load_file(of[step]) for of in files]
        for of, tensors in zip(files, read, strict=True):
            stored = {name: tensor.shape for name, tensor in tensors.items()}
            if stored != shapes:
                raise UnusableDataError(
                    f"{of[step]} has parameters {_shown(stored)}, a {network.name} of these settings has "
                    f"{_shown(shapes)}; give the settings that the checkpoints were trained with"
                )
        kept.append({name: torch.stack([tensors[name] for tensors in read]) for name in shapes})
    return Snapshots(network, tuple(seeds), np.array(steps), tuple(kept))


def _by_step(run: Path) -> dict[int, Path]:
    files = {int(match[1]): path for path in run.glob("step_*.safetensors") if (match := STEP.fullmatch(path.stem))}
    if not files:
        raise UnusableDataError(
            f"{run} has no step_STEP.safetensors; expected the folder given to ecodyn train --checkpoints"
        )
    return files


def _shown(shapes: Mapping[str, torch.Size]) -> str:
    return ", ".join(f"{name} {tuple(shape)}" for name, shape in sorted(shapes.items()))
