"""Schedules of a training's learning rate and weight decay: their values at each update.

The rate η_t of update t, which leads from step t to step t + 1, is η f(t), with η the setting that the schedule is of.
In a training of T updates with W steps of warm-up:

    constant    f(t) = 1
    cosine      f(t) = final + (1 − final)(1 + cos πs)/2 with s = (t − W)/(T − W)
    linear      f(t) = 1 − (1 − final) s
    step        f(t) = gamma^n with n the milestones passed: those with t at or past them
    table       the rates themselves, at some steps (`ecodyn.networks.training.tabulated_rates`)

During warm-up, t < W, all but a table have t/W times that, where s is 0. T is the
length of the training unless ``steps`` states another; from there on the rate stays at its final value. So they are in
PyTorch: ``cosine`` is CosineAnnealingLR with T_max = steps and eta_min = final · η, ``step`` is MultiStepLR, or StepLR
where ``step_size`` is given; and with warm-up in transformers, where ``final`` is called min_lr_rate.

As text, NAME:PARAMETER=VALUE:..., with + between several values: ``cosine:final=0.1:warmup_steps=50``,
``step:milestones=300+600:gamma=0.1``, ``table:rates.csv``.

Examples
--------
>>> StepRate(milestones=(2, 4), gamma=0.1).rates(0.5, 5).round(6).tolist()
[0.5, 0.5, 0.05, 0.05, 0.005, 0.005]
>>> str(StepRate(milestones=(300, 600), gamma=0.1))
'step:milestones=300+600'
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Self

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.networks.training.checks import check_rate, check_whole

__all__ = ["ConstantRate", "Factor", "RateSchedule", "StepRate"]


@dataclass(frozen=True, kw_only=True)
class RateSchedule(ABC):
    """How a rate goes over a training; see `ecodyn.networks.training.rates` for the kinds, and for their equations.

    Examples
    --------
    >>> from ecodyn.training import MLP, RateSchedule
    >>> isinstance(MLP(learning_rate_schedule="step:step_size=100").learning_rate_schedule, RateSchedule)
    True
    """

    name: ClassVar[str]

    @property
    def varies(self) -> bool:
        """Whether it is another than the constant rate."""
        return True

    @property
    def tabulated(self) -> float | None:
        """The largest of the rates that it states itself, None where it is a factor of a rate."""
        return None

    @property
    def piecewise_constant(self) -> bool:
        """Whether it holds each value until the next."""
        return False

    def jumps(self, last: int) -> Integers:
        """Updates up to ``last`` at which it jumps to another value, rather than going there."""
        return np.empty(0, np.int64)

    @abstractmethod
    def rates(self, rate: float, last: int) -> Array:
        """The rates of updates 0..last of a training of ``last`` updates, (last + 1,): the last one is not used."""

    def over(self, steps: int) -> Self:
        """The same for a training of so many updates, with its length stated.

        Raises
        ------
        ValueError
            It does not fit into so many.
        """
        self.check(steps)
        return self

    def check(self, steps: int) -> None:
        """Raise a ValueError unless it fits a training of so many updates."""
        return

    def __str__(self) -> str:
        stated = [(f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) != f.default]
        return ":".join([self.name, *(f"{name}={_text(value)}" for name, value in stated)])


def _text(value: object) -> str:
    return "+".join(map(_text, value)) if isinstance(value, tuple) else f"{value}"


@dataclass(frozen=True, kw_only=True)
class Factor(RateSchedule):
    """A factor f(t) of the rate, after a linear warm-up."""

    warmup_steps: int = 0

    def __post_init__(self) -> None:
        check_whole("warmup_steps", self.warmup_steps, 0)

    def check(self, steps: int) -> None:
        """The warm-up has to end before the training does."""
        if self.warmup_steps >= steps:
            raise ValueError(
                f"warmup_steps is {self.warmup_steps}, expected fewer than the training's {steps} steps; shorten the "
                "warm-up or train longer"
            )

    def rates(self, rate: float, last: int) -> Array:
        """η f(t)."""
        t = np.arange(last + 1.0)
        warm = np.minimum(t / self.warmup_steps, 1.0) if self.warmup_steps else np.ones(last + 1)
        return rate * warm * self.factor(t, last)

    @abstractmethod
    def factor(self, t: Array, last: int) -> Array:
        """f(t) without the warm-up, (T,)."""


@dataclass(frozen=True, kw_only=True)
class ConstantRate(Factor):
    """η, after a linear warm-up over ``warmup_steps``, without by default.

    Examples
    --------
    >>> ConstantRate(warmup_steps=4).rates(1.0, 5).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """

    name = "constant"

    @property
    def varies(self) -> bool:
        """Where there is a warm-up."""
        return self.warmup_steps > 0

    @property
    def piecewise_constant(self) -> bool:
        """But for a warm-up."""
        return self.warmup_steps == 0

    def factor(self, t: Array, last: int) -> Array:
        """1."""
        return np.ones(len(t))


@dataclass(frozen=True, kw_only=True)
class StepRate(Factor):
    """The rate falls to ``gamma`` of itself at each milestone, or at each ``step_size``-th update.

    Parameters
    ----------
    milestones
        Updates, ascending: the first that has the smaller rate.
    gamma
        The factor at each.
    step_size
        The same at each multiple of it; instead of milestones.
    warmup_steps
        Updates of linear warm-up.

    Examples
    --------
    >>> StepRate(step_size=2, gamma=0.5).rates(1.0, 5).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.25, 0.25]
    """

    name = "step"

    milestones: tuple[int, ...] = ()
    gamma: float = 0.1
    step_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        given = (self.milestones,) if isinstance(self.milestones, int) else tuple(self.milestones)
        object.__setattr__(self, "milestones", given)
        check_rate("gamma", self.gamma, zero_allowed=False)
        if (self.step_size is None) == (not given):
            raise ValueError(
                f"a schedule in steps takes milestones or a step_size, got {'both' if given else 'neither'}; such as "
                "step:milestones=300+600:gamma=0.1 or step:step_size=300"
            )
        if self.step_size is not None:
            check_whole("step_size", self.step_size, 1)
        for milestone in given:
            check_whole("milestones", milestone, 1)
        if list(given) != sorted(set(given)):
            raise ValueError(f"milestones must ascend, got {_text(given)}; sort them")

    def check(self, steps: int) -> None:
        """The first milestone has to be passed."""
        super().check(steps)
        first = self.step_size if self.step_size is not None else self.milestones[0]
        if first >= steps:
            raise ValueError(
                f"the rate falls at step {first} first, and the training ends at {steps}; give an earlier "
                f"{'milestone' if self.milestones else 'step_size'} or train longer"
            )

    @property
    def piecewise_constant(self) -> bool:
        """But for a warm-up."""
        return self.warmup_steps == 0

    def jumps(self, last: int) -> Integers:
        """Milestones that are passed."""
        milestones = self.milestones if self.step_size is None else np.arange(self.step_size, last + 1, self.step_size)
        passed = np.array(milestones, np.int64)
        return passed[passed <= last]

    def factor(self, t: Array, last: int) -> Array:
        """gamma^n."""
        if self.step_size is not None:
            return np.asarray(self.gamma ** (t // self.step_size))
        return np.asarray(self.gamma ** np.searchsorted(self.milestones, t, side="right").astype(float))
