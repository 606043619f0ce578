"""The recorder as a callback of trainers; their packages are imported when one is made."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import torch
    from lightning.pytorch import Callback
    from transformers import TrainerCallback

__all__ = ["lightning_callback", "trainer_callback"]


class Records(Protocol):
    """What a callback asks of a recorder."""

    optimizer: torch.optim.Optimizer | None

    @property
    def needs_gradients(self) -> bool:
        """Whether a row needs a gradient."""

    def step(self, model: torch.nn.Module, step: int | None = None) -> None:
        """Measure the model if its step is due."""

    def close(self, model: torch.nn.Module | None = None, step: int | None = None) -> None:
        """Write the file."""

    def let_go(self) -> None:
        """Leave what there is for a later start."""

    def is_trained_by(self, optimizer: torch.optim.Optimizer, model: torch.nn.Module) -> bool:
        """Whether an optimiser has the parameter."""


def lightning_callback(recorder: Records) -> Callback:
    """A `lightning.pytorch.Callback` that records the module; see `Recorder.lightning`."""
    package = _imported("lightning", "lightning.pytorch", "pytorch_lightning")
    known: WeakKeyDictionary[torch.optim.Optimizer, bool] = WeakKeyDictionary()  # whether it trains the parameter

    class RecorderCallback(package.Callback):  # type: ignore[name-defined]
        def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:
            if not trainer.is_global_zero:
                return
            if optimizer not in known:
                known[optimizer] = recorder.is_trained_by(optimizer, pl_module)
            if known[optimizer]:
                _note(recorder, optimizer)
                recorder.step(pl_module, trainer.global_step)

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            if trainer.is_global_zero:
                _close(recorder, pl_module, trainer.global_step)

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
            recorder.let_go()

    callback: Callback = RecorderCallback()
    return callback


def trainer_callback(recorder: Records) -> TrainerCallback:
    """A `transformers.TrainerCallback` that records the model; see `Recorder.transformers`."""
    package = _imported("transformers", "transformers")

    class RecorderCallback(package.TrainerCallback):  # type: ignore[name-defined]
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            if state.is_world_process_zero:
                _note(recorder, others.get("optimizer"))
                recorder.step(others["model"], state.global_step)

        def on_train_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            if state.is_world_process_zero:
                _close(recorder, others["model"], state.global_step)

    callback: TrainerCallback = RecorderCallback()
    return callback


def _note(recorder: Records, optimizer: torch.optim.Optimizer | None) -> None:
    if recorder.optimizer is None:
        recorder.optimizer = optimizer


def _close(recorder: Records, model: torch.nn.Module, step: int) -> None:
    """With the last state, unless a gradient belongs to a row: there is none at the end of a training."""
    if recorder.needs_gradients:
        recorder.close()
    else:
        recorder.close(model, step)


def _imported(install: str, *names: str) -> ModuleType:
    """The first of some modules that is installed."""
    for name in names:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name.split(".")[0]):
                raise  # it is installed and lacks something else
    raise ModuleNotFoundError(
        f"this callback needs the package {install}, which is not installed; python -m pip install {install}",
        name=install,
    )
