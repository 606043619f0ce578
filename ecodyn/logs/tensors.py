"""Tensors in .safetensors and .pt files, opened without executing anything that is in them."""

from __future__ import annotations

import json
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.logs.frames import ArrayFrames, Frames, check_numbers
from ecodyn.logs.npy import ZIP_SIGNATURE, NpyFrames, check_signature, open_npz
from ecodyn.logs.stated import EPOCH_KEYS, STEP_KEYS, settings_in
from ecodyn.logs.torch_ranges import fetched, held_in
from ecodyn.runtime.files import first_bytes, first_line
from ecodyn.runtime.remote_path import RemotePath, opened_in_parts
from ecodyn.runtime.temporary import temporary_folder

__all__ = ["SAFETENSORS", "SUFFIXES", "TensorFile", "flat_tensors", "numbers_at_top", "open_tensors", "tensor_to_numpy"]

SAFETENSORS, TORCH = (".safetensors",), (".pt", ".pth", ".ckpt")
SUFFIXES = (*SAFETENSORS, *TORCH)  # that no one but torch and safetensors uses
# Safetensors' names; BF16 and FP8, which NumPy lacks, are read by torch.
NUMPY_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}


class TensorFile(ABC):
    """The tensors of one file by name.

    Attributes
    ----------
    shapes
        Name to shape of each tensor.
    numbers
        Single numbers at the top of the file, such as the step; never those further in, which may be an optimiser's.
    settings
        Numbers that the training's settings beside them state, such as p.
    held
        What was loaded, for files that are loaded whole.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    numbers: Mapping[str, float]
    settings: Mapping[str, float]
    held: object = None

    @abstractmethod
    def read(self, name: str) -> np.ndarray:
        """One tensor; bfloat16 comes as float32."""

    def frames(self, name: str) -> Frames:
        """One tensor as a stack of frames along its first axis."""
        return ArrayFrames(self.read(name))


def open_tensors(path: Path) -> TensorFile:
    """Open a .safetensors, an .npz or a .pt file.

    Raises
    ------
    UnusableDataError
        It is truncated, or not what its name says, or holds more than tensors and plain containers.
    """
    if path.suffix.lower() == ".npz":
        return _Archive(path)
    return _Safetensors(path) if path.suffix.lower() in SAFETENSORS else _Torch(path)


class _Safetensors(TensorFile):
    def __init__(self, path: Path) -> None:
        self.path = path
        check_signature(path, b"", "a .safetensors file")
        from safetensors import SafetensorError

        try:
            start, metadata = _checked(path)
        except SafetensorError as error:
            raise UnusableDataError(
                f"{path} is damaged or truncated ({first_line(error)}); copy or write it again"
            ) from None
        header = json.loads(start[8:])
        self._start = len(start)
        self._entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
        self.shapes = {name: tuple(entry["shape"]) for name, entry in self._entries.items()}
        self.numbers = _numbers(metadata) | self._scalars()
        self.settings = settings_in(metadata)

    def read(self, name: str) -> np.ndarray:
        entry = self._entries[name]
        first, end = entry["data_offsets"]
        with opened_in_parts(self.path) as stream:
            stream.seek(self._start + first)
            data = stream.read(end - first)
        if entry["dtype"] not in NUMPY_TYPES:  # bfloat16 and the eight-bit ones are torch's to read
            from safetensors.torch import load

            alone = json.dumps({name: {**entry, "data_offsets": [0, end - first]}}).encode()
            tensor = load(len(alone).to_bytes(8, "little") + alone + data)[name]
            return tensor_to_numpy(tensor, f"{self.path}: {name}")
        return np.frombuffer(data, NUMPY_TYPES[entry["dtype"]]).reshape(self.shapes[name])

    def frames(self, name: str) -> Frames:
        entry = self._entries[name]
        if entry["dtype"] not in NUMPY_TYPES:
            return super().frames(name)
        offset = self._start + entry["data_offsets"][0]
        return NpyFrames(self.path, offset, self.shapes[name], np.dtype(NUMPY_TYPES[entry["dtype"]]))

    def _scalars(self) -> dict[str, float]:
        names = [name for name in (*STEP_KEYS, *EPOCH_KEYS) if self.shapes.get(name) in ((), (1,))]
        return {name: float(self.read(name).reshape(())) for name in names}


def _checked(path: Path) -> tuple[bytes, Mapping[str, str]]:
    """What stands before the tensors, checked against the file's size by the library, and the metadata in it."""
    from safetensors import safe_open

    if not isinstance(path, RemotePath):
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
        with path.open("rb") as stream:
            return _header(stream, path.stat().st_size), metadata
    with opened_in_parts(path) as stream:
        start = _header(stream, path.stat().st_size)
    with temporary_folder() as folder:
        stand_in = folder / "checked.safetensors"  # the library wants a file: as long, with nothing in it
        stand_in.write_bytes(start)
        os.truncate(stand_in, path.stat().st_size)
        return _checked(stand_in)


def _header(stream: IO[bytes], size: int) -> bytes:
    """Its length and itself; no more than there is, whatever the length says."""
    length = stream.read(8)
    return length + stream.read(min(int.from_bytes(length, "little"), size))


class _Archive(TensorFile):
    """Arrays of a flattened tree, such as params/embed/embedding."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrays = open_npz(path)
        self.shapes = {name: frames.shape for name, frames in self._arrays.items() if frames.shape}
        single = [name for name, own in self._arrays.items() if own.shape in ((), (1,))]
        self.settings = settings_in({name: self.read(name).reshape(()) for name in single})
        times = [name for name in (*STEP_KEYS, *EPOCH_KEYS) if name in single]
        self.numbers = {name: float(self.read(name).reshape(())) for name in times}

    def read(self, name: str) -> np.ndarray:
        frames = self._arrays[name]
        if not frames.shape:
            with opened_in_parts(self.path) as file, np.load(file, allow_pickle=False) as archive:
                return np.asarray(archive[name])
        return frames.read(np.arange(len(frames)))

    def frames(self, name: str) -> Frames:
        return self._arrays[name]


class _Torch(TensorFile):
    def __init__(self, path: Path) -> None:
        self.path = path
        check_signature(path, b"", "a file written by torch.save")
        try:
            self.held = _ranges_of(path) if isinstance(path, RemotePath) else _load(path)
            tensors, numbers = flat_tensors(self.held), numbers_at_top(self.held)
        except (RecursionError, OverflowError, RuntimeError, TypeError) as error:
            # a list in itself, a number too large
            raise UnusableDataError(
                f"{path} holds what is no tensor or number ({first_line(error)}); write it again"
            ) from None
        self._tensors = tensors
        self.shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
        self.numbers = numbers
        self.settings = settings_in(self.held)

    def read(self, name: str) -> np.ndarray:
        return tensor_to_numpy(self._tensors[name], f"{self.path}: {name}")


def _ranges_of(path: RemotePath) -> Any:
    """The same, data fetched as they are read; the file whole where torch can't do that, or to say what is wrong."""
    try:
        return held_in(path)
    except Exception:
        return _load(path)


def _load(path: Path) -> Any:
    """What torch.save wrote, tensors and plain containers only; never anything that would have to be executed."""
    import pickle

    import torch

    mapped = first_bytes(path, "a file written by torch.save").startswith(ZIP_SIGNATURE)  # others can't be
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
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


def flat_tensors(value: object, prefix: str = "") -> dict[str, Any]:
    """Tensors within containers by dotted name; single numbers are none."""
    import torch

    if isinstance(value, torch.Tensor):
        return {prefix or "tensor": value} if value.ndim else {}
    items: list[tuple[Any, Any]] = []
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    tensors: dict[str, Any] = {}
    for key, part in items:
        tensors |= flat_tensors(part, f"{prefix}.{key}" if prefix else str(key))
    return tensors


def numbers_at_top(value: object) -> dict[str, float]:
    """The single numbers in a mapping by name, not those further in."""
    import torch

    items = value.items() if isinstance(value, Mapping) else ()
    kinds = (int, float, torch.Tensor)
    numbers = {str(k): v for k, v in items if isinstance(v, kinds) and not isinstance(v, bool)}
    return {k: float(v) for k, v in numbers.items() if not isinstance(v, torch.Tensor) or not v.ndim}


def _numbers(metadata: Mapping[str, str]) -> dict[str, float]:
    numbers = {}
    for name, text in metadata.items():
        try:
            numbers[name] = float(text)
        except ValueError:
            continue
    return numbers


def tensor_to_numpy(tensor: Any, where: str) -> np.ndarray:
    """A tensor of real numbers as an array; bfloat16 and eight-bit ones as float32."""
    import torch

    tensor = fetched(tensor)
    if tensor.dtype == torch.bfloat16 or "float8" in str(tensor.dtype):
        tensor = tensor.to(torch.float32)
    if tensor.is_sparse:
        tensor = tensor.to_dense()
    array: np.ndarray = tensor.detach().numpy()
    check_numbers(array.dtype, where)
    return array
