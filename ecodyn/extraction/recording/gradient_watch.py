"""Whether a parameter's gradient is that of the values it has now."""

from __future__ import annotations

import weakref
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch.utils.hooks import RemovableHandle

__all__ = ["Gradient", "GradientWatch"]


class Gradient(Enum):
    """What a gradient is of."""

    ABSENT = "none was computed since the last step"
    PRESENT = "the parameter as it is"
    PAST = "the parameter as it was before it changed"


class GradientWatch:
    """Watches one parameter from `start` to `stop`: when its gradient is computed, and when it is changed.

    Changes are noticed by the version that PyTorch counts for every tensor and, since fused optimisers don't count, by
    a hook behind every optimiser's step. Hooks cost a step microseconds: they are there only while a row is about to
    come.

    Attributes
    ----------
    tensor
        The parameter.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor
        self._updates = 0  # optimiser steps that were noticed
        self._computed: tuple[int, int] | None = None  # updates and version when a gradient was computed, since `start`
        self._hooked = False  # whether gradients reach the hook: those that are put there by hand don't
        self._assigned: tuple[weakref.ref[torch.Tensor], int] | None = None  # the gradient at `start`, its version
        self._holding: weakref.WeakKeyDictionary[torch.optim.Optimizer, bool] = weakref.WeakKeyDictionary()
        self._handles: list[RemovableHandle] = []
        self._finalizer = weakref.finalize(self, _remove, self._handles)
        watch = weakref.ref(self)  # PyTorch holds the hooks: they must not hold the watch

        def after_step(optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
            if (own := watch()) is not None:
                own._updated(optimizer)

        def after_gradient(parameter: torch.Tensor) -> None:
            if (own := watch()) is not None:
                own._hooked, own._computed = True, (own._updates, parameter._version)

        self._after_step, self._after_gradient = after_step, after_gradient

    @property
    def gradient(self) -> torch.Tensor | None:
        """The gradient that the parameter has; asked of a tensor that keeps none, PyTorch would warn."""
        return self.tensor.grad if self.tensor.is_leaf or self.tensor.retains_grad else None

    def ask(self) -> Gradient:
        """What the gradient is of, as far as it was watched; unwatched, it is taken for that of what there is now."""
        gradient = self.gradient
        if gradient is None:
            return Gradient.ABSENT
        if not self._handles:
            return Gradient.PRESENT
        if self._computed is not None:
            same = self._computed == (self._updates, self.tensor._version)
            return Gradient.PRESENT if same else Gradient.PAST
        if self._hooked or self._assigned is None:
            return Gradient.ABSENT if self._hooked else Gradient.PRESENT
        old, version = self._assigned
        return Gradient.ABSENT if old() is gradient and version == gradient._version else Gradient.PRESENT

    def start(self) -> None:
        """Watch from now on: only a gradient that is computed from here counts."""
        from torch.optim.optimizer import register_optimizer_step_post_hook

        gradient = self.gradient
        self._computed = None
        self._assigned = None if gradient is None else (weakref.ref(gradient), gradient._version)
        if self._handles:
            return
        self._handles.append(register_optimizer_step_post_hook(self._after_step))
        if self.tensor.requires_grad and self.tensor.is_leaf:
            self._handles.append(self.tensor.register_post_accumulate_grad_hook(self._after_gradient))

    def stop(self) -> None:
        """Take the hooks away."""
        _remove(self._handles)

    def _updated(self, optimizer: torch.optim.Optimizer) -> None:
        known = self._holding.get(optimizer)
        if known is None:
            held = (p for group in optimizer.param_groups for p in group["params"])
            known = self._holding[optimizer] = any(p is self.tensor for p in held)
        self._updates += known


def _remove(handles: list[RemovableHandle]) -> None:
    while handles:
        handles.pop().remove()
