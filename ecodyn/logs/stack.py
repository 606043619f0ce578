"""Stacks: all frames of a run in one array, (T, p, d), in a .npy, .npz, .safetensors or .pt file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import numbers_of
from ecodyn.logs.checkpoints.patterns import with_pattern
from ecodyn.logs.checkpoints.state_dicts import StateDictFrames, StateDicts, state_dicts_in
from ecodyn.logs.choice import choose
from ecodyn.logs.frames import Frames
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.npy import open_npy, open_npz, shapes
from ecodyn.logs.stated import stated_shape
from ecodyn.logs.tensors import SUFFIXES, TensorFile, open_tensors

__all__ = ["Stack"]

STEP_ARRAYS = ("steps", "step", "times", "time", "t")  # the first that is there holds the times
EPOCH_ARRAYS = ("epochs", "epoch")  # where none of these is there
GRADIENT_NAMES = ("gradients", "gradient", "grads", "grad")  # of the loss gradient beside the frames


class Stack(Format):
    """One array whose first axis is time.

    An array (T, p, d) is a stack of frames, an array (T, K) holds values of K features. A file of several arrays
    states the steps in one named ``steps`` (or ``epochs``), and may have ``gradients`` beside the frames, and single
    numbers ``p`` and ``dim`` (or ``d_model``). A list of state dicts is a stack of each of their tensors; its times are
    those in ``checkpoint_epochs``, ``steps`` or the like beside it. So is a mapping from steps to state dicts.
    """

    name = "stack"
    description = "an array (T, p, d) in .npy, .npz, .safetensors or .pt"

    def recognises(self, path: Path) -> bool:
        """Any file with one of the suffixes."""
        return path.is_file() and path.suffix.lower() in (".npy", ".npz", *SUFFIXES)

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run."""
        if path.suffix.lower() == ".npy":
            frames = open_npy(path)
            if len(frames.shape) not in (2, 3):
                raise UnusableDataError(
                    f"{path} has shape {frames.shape}, expected (T, p, d) or, for values of features, (T, K)"
                )
            return [self._log(path, {path.stem: frames}, path.stem, options)]
        if path.suffix.lower() == ".npz":
            arrays, settings = self._of_archive(path)
        else:
            tensors = open_tensors(path)
            states = state_dicts_in(tensors)
            if states is not None and _are_meant(states, tensors, options):
                return [self._log_of_states(states, options, tensors.settings)]
            arrays = {name: tensors.frames(name) for name, shape in tensors.shapes.items() if shape}
            settings = tensors.settings
        return [self._log(path, arrays, choose(path, shapes(arrays), options.key, (3, 2)), options, settings)]

    def _of_archive(self, path: Path) -> tuple[dict[str, Frames], Mapping[str, float]]:
        """Arrays by name, and the numbers that state something beside them."""
        arrays = open_npz(path)
        single = {name: frames for name, frames in arrays.items() if frames.shape in ((), (1,))}
        return arrays, {name: float(frames.read(np.zeros(1, np.int64))[0]) for name, frames in single.items()}

    def _log_of_states(self, states: StateDicts, options: LogOptions, settings: Mapping[str, float]) -> Log:
        key = states.key(options)
        steps, remarks = states.steps(options)
        return Log(
            path=states.path,
            format=self.name,
            name=states.path.stem,
            steps=steps,
            frames=StateDictFrames(states, key),
            sources=(states.path,),
            remarks=tuple(remarks),
            arrays=states.shapes,
            key=key,
            stated_shape=stated_shape(settings),
        )

    def _log(
        self,
        path: Path,
        arrays: dict[str, Frames],
        key: str,
        options: LogOptions,
        settings: Mapping[str, float] | None = None,
    ) -> Log:
        frames = arrays[key]
        if 0 in frames.shape:
            raise UnusableDataError(f"{path}: {key} has shape {frames.shape}, expected at least one frame of numbers")
        times, steps = self._steps(path, arrays, frames.shape, options)
        gradients = next((arrays[n] for n in GRADIENT_NAMES if n in arrays and n != key), None)
        if gradients is not None and gradients.shape != frames.shape:
            gradients = None
        return Log(
            path=path,
            format=self.name,
            name=path.stem,
            steps=steps,
            frames=frames,
            sources=(path,),
            features=tuple(range(1, frames.shape[1] + 1)) if len(frames.shape) == 2 else None,
            remarks=(f"times are epochs, those in {times}",) if times in EPOCH_ARRAYS else (),
            gradients=gradients,
            gradient_steps=None if gradients is None else steps,
            arrays=shapes(arrays),
            key=key,
            stated_shape=stated_shape(settings or {}),
        )

    def _steps(
        self, path: Path, arrays: dict[str, Frames], shape: tuple[int, ...], options: LogOptions
    ) -> tuple[str, Array]:
        """The times of rows, and the name of the array that holds them; "" where they are by the interval."""
        rows = shape[0]
        for name in (*STEP_ARRAYS, *EPOCH_ARRAYS):
            if name in arrays and len(arrays[name].shape) == 1:
                held = arrays[name]
                if len(held) != rows:
                    raise UnusableDataError(
                        f"{path}: {name} has {len(held)} entries and there are {rows} frames, expected one each"
                    )
                return name, held.read(np.arange(rows)).astype(np.float64)
        try:
            return "", options.times(path, rows)
        except UnusableDataError as error:
            raise UnusableDataError(f"{error}{_or_one_step(path, shape)}") from None


def _or_one_step(path: Path, shape: tuple[int, ...]) -> str:
    """What else a matrix in a file with a number in its name may be: not values over time, but one step's frame."""
    numbers = numbers_of(path.stem)
    if len(shape) != 2 or not numbers:
        return ""
    return (
        "; or, if each file of the folder is one step, name the folder and say which number is the step with "
        f"--step-pattern '{with_pattern(path.name, numbers[0])}'"
    )


def _are_meant(states: StateDicts, file: TensorFile, options: LogOptions) -> bool:
    """Whether the frames are in the state dicts and not in one array beside them."""
    within = states.has_within
    if options.key is not None:  # a matrix of one state is one frame: which name it has in each is said in a refusal
        return options.key not in file.shapes or (within(options.key) and len(file.shapes[options.key]) != 3)
    return not any(len(shape) == 3 for name, shape in file.shapes.items() if not within(name))
