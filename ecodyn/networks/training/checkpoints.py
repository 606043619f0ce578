"""Checkpoints of trainings: a folder a run, a safetensors file a step, as `ecodyn extract` reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ecodyn.errors import OutputExistsError
from ecodyn.networks.training.checks import check_whole
from ecodyn.networks.training.network import Batch, NetworkSettings
from ecodyn.runtime.files import write_whole

__all__ = ["Checkpoints", "write_checkpoint"]

STATED = ("p", "dim")  # settings that say how an embedding is read, by the names that logs are searched for


@dataclass(frozen=True)
class Checkpoints:
    """All parameters of every run, each ``every`` steps and at the last: ``run_LABEL/step_STEP.safetensors``."""

    folder: Path
    every: int

    def __post_init__(self) -> None:
        check_whole("checkpoint_every", self.every, 1)

    def check(self, *, begun: bool) -> None:
        """Make the folder; checkpoints in it have to be those of this very training, ``begun`` earlier.

        Raises
        ------
        OutputExistsError
            They are not, or there is a file of this name.
        OSError
            The folder can't be written to.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputExistsError(f"{self.folder} is a file, expected a folder for checkpoints; name another place")
        if not begun and next(self.folder.glob("run_*/step_*.safetensors"), None) is not None:
            raise OutputExistsError(
                f"{self.folder} has checkpoints of another training; name another folder, or delete it"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self.folder, os.W_OK | os.X_OK):
            raise PermissionError(f"cannot write to {self.folder}, which is read-only; choose another place")

    def writer(self, network: NetworkSettings, labels: Sequence[int], last: int) -> Callable[[int, Batch], None]:
        """What writes the checkpoints of a batch of one network when it is called with a step and the batch."""

        def write(step: int, batch: Batch) -> None:
            if step % self.every == 0 or step == last:
                write_checkpoint(self.folder, network, labels, step, batch.tensors)

        return write


def write_checkpoint(
    folder: Path, network: NetworkSettings, labels: Sequence[int], step: int, tensors: Mapping[str, torch.Tensor]
) -> None:
    """Write tensors (run, ...) by name at one step, a file a run: ``run_LABEL/step_STEP.safetensors``.

    The metadata state the number of tokens and of dimensions where the network has them.
    """
    from safetensors.torch import save_file

    # One entry: the library writes several in an order that changes from file to file.
    stated = {"settings": json.dumps({name: getattr(network, name) for name in STATED if hasattr(network, name)})}
    for i, label in enumerate(labels):
        run = folder / f"run_{label}"
        run.mkdir(parents=True, exist_ok=True)
        with write_whole(run / f"step_{step:06d}.safetensors", force=True) as temporary:
            save_file({name: tensor[i].contiguous().cpu() for name, tensor in tensors.items()}, temporary, stated)
