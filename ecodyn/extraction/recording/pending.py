"""Parameters that were due and are not measured yet: measuring many at once costs a training less than one by one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.arrays import Array
from ecodyn.logs.frames import CHUNK_BYTES

if TYPE_CHECKING:
    import torch

__all__ = ["MOST_ROWS", "Pending"]

MOST_ROWS = 16  # wait at once: from there on a row costs hardly less
LONGEST = 1.0  # seconds between rows from which on none waits: then rows are rare, and cost a training nothing


class Pending:
    """Copies of a parameter, and of its gradient, at some steps.

    Parameters
    ----------
    shape
        Of the parameter.
    gradients
        Whether gradients are kept as well.
    """

    def __init__(self, shape: tuple[int, ...], gradients: bool) -> None:
        import torch

        most = max(1, min(MOST_ROWS, CHUNK_BYTES // (8 * int(np.prod(shape)))))
        self.steps: list[int] = []
        self._frames = torch.empty((most, *shape), dtype=torch.float64)
        self._gradients = torch.empty_like(self._frames) if gradients else None
        self._slots = list(self._frames.unbind())
        self._gradient_slots = [] if self._gradients is None else list(self._gradients.unbind())
        self._last = -np.inf

    def add(self, step: int, tensor: torch.Tensor, gradient: torch.Tensor | None) -> bool:
        """Keep a copy of a step; whether the rows are to be measured now."""
        at = len(self.steps)
        self._slots[at].copy_(tensor.detach())
        if self._gradient_slots and gradient is not None:
            self._gradient_slots[at].copy_((gradient.to_dense() if gradient.is_sparse else gradient).detach())
        self.steps.append(step)
        before, self._last = self._last, time.monotonic()
        return len(self.steps) == len(self._slots) or self._last - before > LONGEST

    def taken(self) -> tuple[list[int], Array, Array | None]:
        """Steps, parameters and gradients, (step, ...), which no longer wait; the next steps are written over them."""
        steps, self.steps = self.steps, []
        gradients = None if self._gradients is None else self._gradients[: len(steps)].numpy()
        return steps, self._frames[: len(steps)].numpy(), gradients
