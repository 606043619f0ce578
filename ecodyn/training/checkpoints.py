"""Checkpoints of trainings: a folder a run, a safetensors file a step, as `ecodyn extract` reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecodyn.files import OutputExistsError, write_whole
from ecodyn.training.checks import check_whole
from ecodyn.training.network import Batch

__all__ = ["Checkpoints"]


@dataclass(frozen=True)
class Checkpoints:
    """All parameters of every run, each ``every`` steps and at the last: ``run_LABEL/step_STEP.safetensors``."""

    folder: Path
    every: int

    def __post_init__(self) -> None:
        check_whole("checkpoint_every", self.every, 1)

    def check(self, *, begun: bool) -> None:
        """Make the folder; checkpoints in it have to be those of this very training, ``begun`` earlier.

        Raises:
            OutputExistsError: They are not, or there is a file of this name.
            OSError: The folder can't be written to.
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

    def writer(self, labels: Sequence[int], last: int) -> Callable[[int, Batch], None]:
        """What writes the checkpoints of a batch when it is called with a step and the batch."""
        from safetensors.torch import save_file

        def write(step: int, batch: Batch) -> None:
            if step % self.every and step != last:
                return
            for i, label in enumerate(labels):
                run = self.folder / f"run_{label}"
                run.mkdir(parents=True, exist_ok=True)
                tensors = {name: tensor[i].contiguous().cpu() for name, tensor in batch.tensors.items()}
                with write_whole(run / f"step_{step:06d}.safetensors", force=True) as temporary:
                    save_file(tensors, temporary)

        return write
