"""Whether a parameter's gradient is that of the values it has now."""

from __future__ import annotations

import weakref
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["Gradient", "GradientWatch"]


class Gradient(Enum):
    """What a gradient is of."""

    ABSENT = "none was computed since it was asked last"
    PRESENT = "the parameter as it is"
    PAST = "the parameter as it was before it changed"


class GradientWatch:
    """Watches one parameter from now on: when its gradient is computed, and when it is changed.

    Changes are noticed by the version that PyTorch counts for every tensor and, since fused optimisers don't count, by
    a hook behind every optimiser's step.

    Attributes
    ----------
    tensor
        The parameter.
    """

    def __init__(self, tensor: torch.Tensor) -> None:
        from torch.optim.optimizer import register_optimizer_step_post_hook

        self.tensor = tensor
        self._updates = 0  # optimiser steps since
        self._computed: tuple[int, int] | None = None  # updates and version when a gradient was computed, since asked
        self._hooked = False  # whether gradients reach the hook: those that are put there by hand don't
        self._assigned: tuple[weakref.ref[torch.Tensor], int] | None = None  # the gradient when asked, its version
        self._holding: weakref.WeakKeyDictionary[torch.optim.Optimizer, bool] = weakref.WeakKeyDictionary()
        watch = weakref.ref(self)  # PyTorch holds the hooks: they must not hold the watch

        def after_step(optimizer: torch.optim.Optimizer, _args: Any, _kwargs: Any) -> None:
            if (own := watch()) is not None:
                own._updated(optimizer)

        def after_gradient(parameter: torch.Tensor) -> None:
            if (own := watch()) is not None:
                own._hooked, own._computed = True, (own._updates, parameter._version)

        handles = [register_optimizer_step_post_hook(after_step)]
        if tensor.requires_grad and tensor.is_leaf:
            handles.append(tensor.register_post_accumulate_grad_hook(after_gradient))

        def unhook() -> None:
            for handle in handles:
                handle.remove()

        self._finalizer = weakref.finalize(self, unhook)

    def ask(self) -> Gradient:
        """What the gradient is of; the next time, one that was computed since."""
        gradient, computed, assigned = self.tensor.grad, self._computed, self._assigned
        self._computed = None
        if gradient is None:
            self._assigned = None
            return Gradient.ABSENT
        if computed is not None:
            return Gradient.PRESENT if computed == (self._updates, self.tensor._version) else Gradient.PAST
        if self._hooked:
            return Gradient.ABSENT
        self._assigned = weakref.ref(gradient), gradient._version
        same = assigned is not None and assigned[0]() is gradient and assigned[1] == gradient._version
        return Gradient.ABSENT if same else Gradient.PRESENT

    def stop(self) -> None:
        """Take the hooks away."""
        self._finalizer()

    def _updated(self, optimizer: torch.optim.Optimizer) -> None:
        known = self._holding.get(optimizer)
        if known is None:
            held = (p for group in optimizer.param_groups for p in group["params"])
            known = self._holding[optimizer] = any(p is self.tensor for p in held)
        self._updates += known
