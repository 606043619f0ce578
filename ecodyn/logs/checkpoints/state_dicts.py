"""One file with the state of a network at many times: a list of state dicts, or a mapping from steps to them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.logs.checkpoints.names import put_aside
from ecodyn.logs.choice import choose
from ecodyn.logs.frames import Frames
from ecodyn.logs.log import LogOptions
from ecodyn.logs.stated import EPOCH_KEYS, STEP_KEYS
from ecodyn.logs.tensors import TensorFile, flat_tensors, numbers_at_top, tensor_to_numpy

__all__ = ["StateDictFrames", "StateDicts", "state_dicts_in"]

# Of lists beside the states, the preferred first.
STEP_LISTS = ("checkpoint_steps", "global_steps", "steps", "step", "iterations", "times", "time", "t")
EPOCH_LISTS = ("checkpoint_epochs", "epochs", "epoch")  # the same, counting epochs
STATES = re.compile(r"state|checkpoint|ckpt|snapshot|history", re.IGNORECASE)  # names that are of times, not of layers
OPTIMISER_STATES = "state"  # of torch's optimisers: a mapping from the number of a parameter, not from a step
WHOLE = "state dicts"  # what states are called that are all of a file


@dataclass(frozen=True)
class StateDicts:
    """The states in a file.

    Attributes
    ----------
    path
        The file.
    name
        Of the list.
    states
        Tensors by name, one mapping a time.
    top
        What is beside the list.
    keys
        The whole numbers that the states are filed under, which are their steps; empty for those in a list.
    """

    path: Path
    name: str
    states: Sequence[Mapping[str, Any]]
    top: Mapping[str, Any]
    keys: Sequence[int] = ()

    def has_within(self, name: str) -> bool:
        """Whether a tensor of the file, by its name in that, is one of a state."""
        return self.name == WHOLE or name.startswith(f"{self.name}.")

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name to shape in the first state."""
        return {name: tuple(tensor.shape) for name, tensor in flat_tensors(self.states[0]).items()}

    def key(self, options: LogOptions) -> str:
        """The tensor that is meant, of one shape in all states."""
        key = choose(self.path, self.shapes, options.key, [2])
        for i, state in enumerate(self.states):
            shape = flat_tensors(state)[key].shape
            if tuple(shape) != self.shapes[key]:
                raise UnusableDataError(
                    f"{self.path}: {key} has shape {self.shapes[key]} in the first of {self.name} and {tuple(shape)} "
                    f"in number {i}, expected the states of one run"
                )
        return key

    def steps(self, options: LogOptions) -> tuple[Array, list[str]]:
        """The times of the states: listed beside them, stored in each, or by `LogOptions.interval`; and sentences."""
        count = len(self.states)
        if self.keys:
            return np.array(self.keys, dtype=np.float64), [f"times are the whole numbers that {self.name} are under"]
        lists = {name: numbers for name in (*STEP_LISTS, *EPOCH_LISTS) if (numbers := _numbers(self.top.get(name)))}
        fitting = [name for name, held in lists.items() if len(held) == count]
        if fitting:
            return np.array(lists[fitting[0]]), _remarks(fitting, lists)
        own = [numbers_at_top(state) for state in self.states]
        stored = [key for key in (*STEP_KEYS, *EPOCH_KEYS) if all(key in numbers for numbers in own)]
        if stored:
            remarks = ["times are epochs, as stored"] if stored[0] in EPOCH_KEYS else []
            return np.array([numbers[stored[0]] for numbers in own]), remarks
        if lists and options.interval is None:
            counts = " and ".join(f"{len(held)} {name}" for name, held in lists.items())
            raise UnusableDataError(
                f"{self.path} has {count} {self.name} and {counts}, expected as many; say how many steps lie between "
                "two with --interval N (and --first-step), or write the file again"
            )
        return options.times(self.path, count), []


class StateDictFrames(Frames):
    """The same tensor of all states; the file is opened again where it is read."""

    def __init__(self, held: StateDicts, key: str) -> None:
        self.path, self.name, self.key = held.path, held.name, key
        first = tensor_to_numpy(flat_tensors(held.states[0])[key], f"{held.path}: {key}")
        self.shape, self.dtype = (len(held.states), *first.shape), first.dtype
        self._held: StateDicts | None = held

    def __getstate__(self) -> dict[str, Any]:
        """Without the tensors, for other processes."""
        return {**vars(self), "_held": None}

    def read(self, rows: Integers) -> np.ndarray:
        """One tensor a row."""
        if self._held is None:
            from ecodyn.logs.tensors import open_tensors

            self._held = state_dicts_in(open_tensors(self.path))
        states = self._held.states if self._held is not None else ()
        if not len(rows):
            return np.empty((0, *self.shape[1:]), self.dtype)
        where = f"{self.path}: {self.key}"
        return np.stack([tensor_to_numpy(flat_tensors(states[row])[self.key], where) for row in rows])


def state_dicts_in(file: TensorFile) -> StateDicts | None:
    """The list of state dicts in a file that torch.save wrote, None if there is none.

    A list of mappings with the same tensors may hold the layers of one network as well: it is one of states if it is
    all that the file holds, or is called so, or has times. A mapping from whole numbers to states is one of these from
    their steps.

    Raises
    ------
    UnusableDataError
        There are several.
    """
    if not isinstance(file.held, Mapping) or _steps_under(file.held):  # all that the file is
        return _states(file.path, WHOLE, file.held, {}) if _is_series(file.held) else None
    top = file.held
    series = {str(name): value for name, value in top.items() if not put_aside(str(name)) and _is_series(value)}
    states = {name: value for name, value in series.items() if _are_states(name, value, top)}
    if len(states) > 1:
        raise UnusableDataError(
            f"{file.path} has several lists of state dicts, {', '.join(states)}, expected one; write the one that is "
            "meant to a file of its own"
        )
    return next((_states(file.path, name, value, top) for name, value in states.items()), None)


def _states(path: Path, name: str, value: Any, top: Mapping[str, Any]) -> StateDicts:
    keys = _steps_under(value)
    return StateDicts(path, name, [value[key] for key in keys] if keys else value, top, keys)


def _are_states(name: str, value: Any, top: Mapping[str, Any]) -> bool:
    """Whether mappings with the same tensors are states by their name, or have times."""
    if isinstance(value, Mapping):
        return STATES.search(name) is not None and name != OPTIMISER_STATES
    return STATES.search(name) is not None or _has_times(value, top)


def _steps_under(value: object) -> list[int]:
    """The keys of a mapping in their order, if all are whole numbers; else none."""
    keys = list(value) if isinstance(value, Mapping) else []
    return sorted(keys) if all(isinstance(k, int) and not isinstance(k, bool) and k >= 0 for k in keys) else []


def _has_times(states: Sequence[Mapping[str, Any]], top: Mapping[str, Any]) -> bool:
    beside = any(len(_numbers(top.get(name))) == len(states) for name in (*STEP_LISTS, *EPOCH_LISTS))
    return beside or any(all(key in numbers_at_top(state) for state in states) for key in (*STEP_KEYS, *EPOCH_KEYS))


def _is_series(value: object) -> bool:
    """Whether it is a list of mappings that hold the same tensors, or a mapping from whole numbers to such."""
    if _steps_under(value):
        value = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(value, list | tuple) or len(value) < 2 or not all(isinstance(v, Mapping) for v in value):
        return False
    names = [set(flat_tensors(state)) for state in value]
    return bool(names[0]) and all(own == names[0] for own in names)


def _numbers(value: object) -> list[float]:
    """A list of numbers, or a vector; empty for anything else."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, list | tuple) or not all(isinstance(v, int | float) for v in value):
        return []
    return [float(v) for v in value]


def _remarks(fitting: Sequence[str], lists: Mapping[str, Sequence[float]]) -> list[str]:
    first, *others = fitting
    remarks = [f"times are epochs, those in {first}"] if first in EPOCH_LISTS else []
    other = [name for name in others if lists[name] != lists[first]]
    return [*remarks, f"times are those in {first}, not in {', '.join(other)}"] if other else remarks
