"""The parameter that is recorded: found by its name, and read as a matrix of numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.logs.choice import with_shapes

if TYPE_CHECKING:
    import torch

    Model = torch.nn.Module | Mapping[str, torch.Tensor]

__all__ = ["Parameter", "as_matrix", "find_parameter"]

WRAPPERS = re.compile(r"^(?:(?:module|_orig_mod)\.)+")  # put before names by DistributedDataParallel, torch.compile


@dataclass(frozen=True)
class Parameter:
    """Where a parameter is in a model.

    Attributes
    ----------
    key
        Its name in the model.
    is_embedding
        Whether it is the weight of a `torch.nn.Embedding`, whose first axis is the tokens.
    """

    key: str
    is_embedding: bool

    @property
    def name(self) -> str:
        """Its name, the same whether the model is wrapped or not."""
        return WRAPPERS.sub("", self.key)

    def of(self, model: Model) -> torch.Tensor:
        """The tensor that the model has under its name now."""
        if isinstance(model, Mapping):
            return model[self.key]
        owner, _, attribute = self.key.rpartition(".")
        tensor: torch.Tensor = getattr(model.get_submodule(owner), attribute)
        return tensor


def find_parameter(model: Model, name: str) -> Parameter:
    """The parameter of that name, or of that module's weight, or whose name ends in it, if there is one only.

    Raises
    ------
    ValueError
        There is none, or there are several; the sentence lists them.
    UnusableDataError
        It is no matrix of real numbers.
    """
    tensors = _tensors(model)
    shapes = {key: tuple(tensor.shape) for key, tensor in tensors.items()}
    for wanted in (name, f"{name}.weight"):
        if wanted in tensors:
            return _checked(model, wanted, tensors[wanted])
    matching = [k for k in tensors if k.endswith((f".{name}", f".{name}.weight"))]
    if len({id(tensors[key]) for key in matching}) == 1:  # tied parameters are one
        return _checked(model, matching[0], tensors[matching[0]])
    if matching:
        several = with_shapes({key: shapes[key] for key in matching})
        raise ValueError(f"several parameters of the model may be meant by {name!r}: {several}; name one in full")
    raise ValueError(f"the model has no parameter {name!r}; it has {with_shapes(shapes)}; name one of them")


def as_matrix(tensor: torch.Tensor) -> np.ndarray:
    """Its numbers in double precision; memory that may be the tensor's own."""
    import torch

    dense = tensor.detach().to_dense() if tensor.is_sparse else tensor.detach()
    numbers: np.ndarray = dense.cpu().to(torch.float64).numpy()
    return numbers


def _tensors(model: Model) -> dict[str, torch.Tensor]:
    if isinstance(model, Mapping):
        return dict(model)
    return dict(model.named_parameters(remove_duplicate=False))


def _checked(model: Model, key: str, tensor: torch.Tensor) -> Parameter:
    import torch

    if tensor.ndim != 2 or 0 in tensor.shape or not tensor.is_floating_point():
        raise UnusableDataError(
            f"the parameter {key} has shape {tuple(tensor.shape)} and numbers {tensor.dtype}, expected a matrix "
            "(tokens, dimensions) of real numbers; name another one"
        )
    owner, _, attribute = key.rpartition(".")
    module = None if isinstance(model, Mapping) else model.get_submodule(owner)
    return Parameter(key, isinstance(module, torch.nn.Embedding) and attribute == "weight")
