"""Folders of checkpoints: a file or a folder a step, whole or in shards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ecodyn.arrays import Integers
from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.folders import holds_checkpoints, members_of
from ecodyn.logs.checkpoints.names import numbers_of
from ecodyn.logs.checkpoints.shards import ARCHIVES, Checkpoint, files_with, holder_of, tensors_of
from ecodyn.logs.checkpoints.state_dicts import state_dicts_in
from ecodyn.logs.checkpoints.steps import Steps, steps_of
from ecodyn.logs.checkpoints.trainer_state import read_state
from ecodyn.logs.choice import choose
from ecodyn.logs.frames import Frames
from ecodyn.logs.log import Format, Log, LogOptions
from ecodyn.logs.stack import Stack
from ecodyn.logs.stated import EPOCH_KEYS, STEP_KEYS, stated_shape
from ecodyn.logs.tensors import TensorFile

__all__ = ["CheckpointFrames", "Checkpoints"]


class CheckpointFrames(Frames):
    """The same tensor of many checkpoints, each opened when it is its turn."""

    def __init__(self, checkpoints: Sequence[Checkpoint], key: str, first: Checkpoint, opened: TensorFile) -> None:
        self.checkpoints, self.key, self.first = tuple(checkpoints), key, first
        self.shape = (len(checkpoints), *opened.shapes[key])
        self.dtype = opened.read(key).dtype

    def read(self, rows: Integers) -> np.ndarray:
        """One tensor a row; all of the first one's shape."""
        if not len(rows):
            return np.empty((0, *self.shape[1:]), self.dtype)
        return np.stack([self._tensor(self.checkpoints[row]) for row in rows])  # of the widest type, where types differ

    def _tensor(self, checkpoint: Checkpoint) -> np.ndarray:
        file = holder_of(checkpoint, self.key)
        key = choose(file.path, file.shapes, self.key, [len(self.shape) - 1])
        if file.shapes[key] != self.shape[1:]:
            raise UnusableDataError(
                f"{key} has shape {self.shape[1:]} in {self.first.path} and {file.shapes[key]} in "
                f"{file.path}; one folder holds the checkpoints of one run"
            )
        return file.read(key)


class Checkpoints(Format):
    """A folder of checkpoints whose steps are in the names of the files or folders, or in the files.

    A checkpoint is a file (``step_500.pt``, ``epoch=3-step=500.ckpt``), its shards, or a folder
    (``checkpoint-500/model.safetensors``, ``global_step500/mp_rank_00_model_states.pt``). Files that are no steps of a
    run by their names (best, last, optimizer, ...) are set aside. ``p`` and ``dim`` may be in the files.
    """

    name = "checkpoints"
    description = "a folder of checkpoints, a file (.safetensors, .pt, .pth, .ckpt, .bin) or a folder a step"

    def recognises(self, path: Path) -> bool:
        """A folder with at least one such file, or a folder named by its step."""
        return path.is_dir() and holds_checkpoints(path)

    def open(self, path: Path, options: LogOptions) -> list[Log]:
        """One run; every checkpoint is opened for its step, tensors are read later."""
        members = members_of(path, options.step_pattern)
        checkpoints = members.checkpoints
        named = options.step_pattern is not None
        likely = [own for own in checkpoints if numbers_of(own.stem)]  # others are set aside, or none has a number
        first = likely[0] if likely else checkpoints[0]
        steps = _steps(path, checkpoints, options.step_pattern) if named else None
        if steps is not None:
            first = checkpoints[steps.kept[0]]
        opened = tensors_of(first) if options.key is None else holder_of(first, options.key)
        if not named and _is_of_states(opened, bool(likely)):
            return _of_state_dicts(checkpoints, options, members.remarks)
        key = choose(opened.path, opened.shapes, options.key, [2])
        steps = steps or _steps(path, checkpoints, None)
        order = np.argsort(steps.values, kind="stable")
        kept = [checkpoints[steps.kept[i]] for i in order]
        frames = CheckpointFrames(kept, key, first, opened)
        unused = options.interval is not None and kept[0].suffix in ARCHIVES  # which might be stacks as well
        ignored = ("the interval was not used: the archives are one step each, by their names",) * unused
        return [
            Log(
                path=path,
                format=self.name,
                name=path.name,
                steps=steps.values[order],
                frames=frames,
                sources=tuple(file for own in kept for file in files_with(own, key)),
                remarks=(*members.remarks, *steps.remarks, *ignored),
                arrays=opened.shapes,
                key=key,
                stated_shape=stated_shape(opened.settings),
            )
        ]


def _steps(path: Path, checkpoints: Sequence[Checkpoint], pattern: str | None) -> Steps:
    names, stems = [own.name for own in checkpoints], [own.stem for own in checkpoints]
    return steps_of(path, names, stems, lambda rows: [_stored(checkpoints[row]) for row in rows], pattern)


def _is_of_states(file: TensorFile, numbered: bool) -> bool:
    """Whether a file has the states of many steps; one with a number in its name only if it has nothing else."""
    states = state_dicts_in(file)
    if states is None:
        return False
    return not numbered or all(name.startswith(f"{states.name}.") for name in file.shapes)  # a bare list may be layers


def _of_state_dicts(checkpoints: Sequence[Checkpoint], options: LogOptions, remarks: tuple[str, ...]) -> list[Log]:
    """One run a file, where each has the states of many steps."""
    logs = [log for own in checkpoints for log in Stack().open(own.path, options)]
    return [replace(log, remarks=(*remarks, *log.remarks)) for log in logs]


def _stored(checkpoint: Checkpoint) -> dict[str, float]:
    """The numbers at the top of a checkpoint, and those that the trainer's state beside it has."""
    numbers: dict[str, float] = {}
    if checkpoint.state is not None:
        state = read_state(checkpoint.state)
        held = {key: state.get(key) for key in (*STEP_KEYS, *EPOCH_KEYS)}
        numbers = {k: float(v) for k, v in held.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return numbers | (dict(tensors_of(checkpoint).numbers) if len(checkpoint.files) == 1 else {})
