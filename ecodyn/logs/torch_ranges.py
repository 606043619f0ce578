"""Tensors of a file by torch.save at a URL, of which only those are fetched that are read.

torch loads fake tensors that know where in the file their storages lie (its notes on serialization, "loading with
FakeTensorMode"): names, shapes and plain numbers come with the pickle, data when a tensor is asked for.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecodyn.runtime.remote_path import opened_in_parts

if TYPE_CHECKING:
    import torch

__all__ = ["fetched", "held_in"]

SOURCE = "_ecodyn_source"  # attribute of a fake tensor: the file that its numbers are in


def held_in(path: Path) -> Any:
    """What torch.save wrote, tensors and plain containers only, with numbers but without the data of larger tensors.

    Raises
    ------
    Exception
        Whatever torch does with what it can't load so, such as files of another byte order or older than its zips.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode  # torch's documentation has it from there

    with opened_in_parts(path) as file:
        with zipfile.ZipFile(file) as archive:
            orders = [archive.read(name) for name in archive.namelist() if name.endswith("/byteorder")]
        if orders != [b"little"]:
            raise ValueError(f"expected a file of little-endian numbers, got {orders}")
        file.seek(0)
        with FakeTensorMode():
            held = torch.load(file, map_location="cpu", weights_only=True)
    return _with_source(held, path)


def _with_source(held: Any, path: Path) -> Any:
    import torch

    if isinstance(held, torch.Tensor):
        held.untyped_storage()._checkpoint_offset  # noqa: B018 - an AttributeError where torch doesn't say
        setattr(held, SOURCE, path)
        return held if held.ndim else fetched(held)
    if isinstance(held, Mapping):
        return {key: _with_source(value, path) for key, value in held.items()}
    if isinstance(held, list | tuple):
        return [_with_source(value, path) for value in held]
    return held


def fetched(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor with its data; one that has them already is returned as it is."""
    import torch

    path: Path | None = getattr(tensor, SOURCE, None)
    if path is None:
        return tensor
    shape, strides, size = tuple(tensor.shape), tensor.stride(), tensor.element_size()
    if not tensor.numel():
        return torch.empty(shape, dtype=tensor.dtype)
    first = int(tensor.untyped_storage()._checkpoint_offset or 0) + size * int(tensor.storage_offset())
    length = size * (1 + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True)))
    with opened_in_parts(path) as file:
        file.seek(first)
        data = bytearray(file.read(length))
    if len(data) < length:
        raise ValueError(f"{path} is truncated; copy or write it again")
    return torch.frombuffer(data, dtype=tensor.dtype).as_strided(shape, strides)
