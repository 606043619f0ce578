"""Tensors in .safetensors and .pt files, opened without executing anything that is in them."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.logs.log import ArrayFrames, Frames, check_numbers
from ecodyn.logs.npy import NpyFrames, check_signature
from ecodyn.logs.stated import settings_in
from ecodyn.runtime.files import first_line

__all__ = ["SAFETENSORS", "SUFFIXES", "TensorFile", "open_tensors"]

SAFETENSORS, TORCH = (".safetensors",), (".pt", ".pth", ".ckpt")
SUFFIXES = (*SAFETENSORS, *TORCH)
STEP_NAMES = ("step", "global_step", "iteration", "iter", "steps")
NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}


class TensorFile(ABC):
    """The tensors of one file by name.

    Attributes
    ----------
    shapes
        Name to shape of each tensor.
    numbers
        Single numbers stored beside them, such as the step.
    settings
        Numbers that the training's settings beside them state, such as p.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    numbers: Mapping[str, float]
    settings: Mapping[str, float]

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """One tensor; bfloat16 comes as float32."""

    def frames(self, name: str) -> Frames:
        """One tensor as a stack of frames along its first axis."""
        return ArrayFrames(self.read(name))

    def step(self) -> float | None:
        """The step stored in the file, None if there is none."""
        for name in STEP_NAMES:
            if name in self.numbers:
                return self.numbers[name]
        return None


def open_tensors(path: Path) -> TensorFile:
    """Open a .safetensors or a .pt file.

    Raises
    ------
    UnusableDataError
        It is truncated, or not what its name says, or holds more than tensors and plain containers.
    """
    return _Safetensors(path) if path.suffix.lower() in SAFETENSORS else _Torch(path)


class _Safetensors(TensorFile):
    def __init__(self, path: Path) -> None:
        self.path = path
        check_signature(path, b"", "a .safetensors file")
        from safetensors import SafetensorError, safe_open

        try:  # the library checks the header; its slices are read from the file, so that memory stays small
            with safe_open(path, framework="np") as file:
                metadata = file.metadata() or {}
        except SafetensorError as error:
            raise UnusableDataError(f"{path} is damaged or truncated ({error}); copy or write it again") from None
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = json.loads(stream.read(length))
        self._start = 8 + length
        self._entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        self.shapes = {name: tuple(entry["shape"]) for name, entry in self._entries.items()}
        self.numbers = _numbers(metadata) | self._scalars()
        self.settings = settings_in(metadata)

    def read(self, name: str) -> np.ndarray:
        entry = self._entries[name]
        if entry["dtype"] not in NUMPY_TYPES:  # bfloat16 and the eight-bit ones are torch's to read
            from safetensors import safe_open

            with safe_open(self.path, framework="pt") as file:
                return _to_numpy(file.get_tensor(name), f"{self.path}: {name}")
        first, end = entry["data_offsets"]
        with self.path.open("rb") as stream:
            stream.seek(self._start + first)
            data = np.frombuffer(stream.read(end - first), NUMPY_TYPES[entry["dtype"]])
        return data.reshape(self.shapes[name])

    def frames(self, name: str) -> Frames:
        entry = self._entries[name]
        if entry["dtype"] not in NUMPY_TYPES:
            return super().frames(name)
        offset = self._start + entry["data_offsets"][0]
        return NpyFrames(self.path, offset, self.shapes[name], np.dtype(NUMPY_TYPES[entry["dtype"]]))

    def _scalars(self) -> dict[str, float]:
        names = [name for name in STEP_NAMES if self.shapes.get(name) in ((), (1,))]
        return {name: float(self.read(name).reshape(())) for name in names}


class _Torch(TensorFile):
    def __init__(self, path: Path) -> None:
        self.path = path
        check_signature(path, b"", "a file written by torch.save")
        try:
            held = _load(path)
            tensors, numbers = _flat(held)
        except (RecursionError, OverflowError, RuntimeError, TypeError) as error:
            # a list in itself, a number too large
            raise UnusableDataError(f"{path} holds what is no tensor or number ({error}); write it again") from None
        self._tensors = tensors
        self.shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        self.numbers = numbers
        self.settings = settings_in(held)

    def read(self, name: str) -> np.ndarray:
        return _to_numpy(self._tensors[name], f"{self.path}: {name}")


def _load(path: Path) -> Any:
    """What torch.save wrote, tensors and plain containers only; never anything that would have to be executed."""
    import pickle

    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnusableDataError(_refusal(path, str(error))) from None
    except Exception as error:  # what a damaged pickle raises is anything
        reason = first_line(error)
        if "weights_only" in reason:  # advises to execute what is in the file
            raise UnusableDataError(_refusal(path, reason)) from None
        raise UnusableDataError(f"{path} is damaged or truncated ({reason}); copy or write it again") from None


def _refusal(path: Path, reason: str) -> str:
    named = re.search(r"GLOBAL ([\w.]+)", reason)
    if named is None:
        return (
            f"{path} is not a file of tensors, or is damaged; write it again with torch.save(model.state_dict(), ...)"
        )
    return (
        f"{path} holds an object of {named[1]}, expected tensors and plain containers only, since loading anything "
        "else executes code of the file's choosing; save model.state_dict() alone, or write .safetensors"
    )


def _flat(value: Any, prefix: str = "") -> tuple[dict[str, Any], dict[str, float]]:
    """Tensors by dotted name; and the single numbers, by their last name, of the outermost level that has them."""
    import torch

    if isinstance(value, torch.Tensor) and value.ndim:
        return {prefix or "tensor": value}, {}
    if isinstance(value, torch.Tensor | int | float) and not isinstance(value, bool):
        return {}, {prefix.rpartition(".")[2]: float(value)}
    items: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    tensors: dict[str, Any] = {}
    numbers: dict[str, float] = {}
    for key, part in items:
        inner, deeper = _flat(part, f"{prefix}.{key}" if prefix else str(key))
        tensors |= inner
        own = isinstance(part, int | float | torch.Tensor)
        numbers = numbers | deeper if own else deeper | numbers
    return tensors, numbers


def _numbers(metadata: Mapping[str, str]) -> dict[str, float]:
    numbers = {}
    for name, text in metadata.items():
        try:
            numbers[name] = float(text)
        except ValueError:
            continue
    return numbers


def _to_numpy(tensor: Any, where: str) -> np.ndarray:
    import torch

    if tensor.dtype == torch.bfloat16 or "float8" in str(tensor.dtype):
        tensor = tensor.to(torch.float32)
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    array: np.ndarray = tensor.detach().numpy()
    check_numbers(array.dtype, where)
    return array
