"""Schedules of rates that fall to a final fraction by the end of a training: `CosineRate` and `LinearRate`."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ecodyn.arrays import Array
from ecodyn.networks.training.checks import check_rate, check_whole
from ecodyn.networks.training.rates import Factor

__all__ = ["CosineRate", "LinearRate"]


@dataclass(frozen=True, kw_only=True)
class _Decay(Factor):
    """From the rate to a final fraction of it, after a warm-up.

    Parameters
    ----------
    final
        The fraction of the rate that is left at the end.
    steps
        The update at which it is reached, by default the length of the training.
    warmup_steps
        Updates of linear warm-up before it.
    """

    final: float = 0.0
    steps: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_rate("final", self.final, zero_allowed=True)
        if self.steps is not None:
            check_whole("steps", self.steps, 1)
            super().check(self.steps)

    def over(self, steps: int) -> Self:
        """With ``steps`` stated."""
        self.check(steps)
        return replace(self, steps=steps if self.steps is None else self.steps)

    def factor(self, t: Array, last: int) -> Array:
        """From 1 to ``final``."""
        end = last if self.steps is None else self.steps
        done = np.clip((t - self.warmup_steps) / (end - self.warmup_steps), 0.0, 1.0)
        return self.final + (1.0 - self.final) * self.left(done)

    @abstractmethod
    def left(self, done: Array) -> Array:
        """What is left of the way to ``final``, from 1 to 0, of the part of the time that is over."""


@dataclass(frozen=True, kw_only=True)
class CosineRate(_Decay):
    """f(t) = final + (1 − final)(1 + cos πs)/2, s the part of the training that is over, after a warm-up.

    Parameters
    ----------
    final
        The fraction of the rate that is left at the end.
    steps
        The update at which it is reached, by default the length of the training.
    warmup_steps
        Updates of linear warm-up before it.

    Examples
    --------
    >>> CosineRate(final=0.1).rates(1.0, 4).round(3).tolist()
    [1.0, 0.868, 0.55, 0.232, 0.1]
    >>> str(CosineRate(final=0.1).over(1000))
    'cosine:final=0.1:steps=1000'
    """

    name = "cosine"

    def left(self, done: Array) -> Array:
        """(1 + cos πs)/2."""
        return (1.0 + np.cos(np.pi * done)) / 2.0


@dataclass(frozen=True, kw_only=True)
class LinearRate(_Decay):
    """f(t) = 1 − (1 − final) s, s the part of the training that is over, after a warm-up.

    Parameters
    ----------
    final
        The fraction of the rate that is left at the end.
    steps
        The update at which it is reached, by default the length of the training.
    warmup_steps
        Updates of linear warm-up before it.

    Examples
    --------
    >>> LinearRate(warmup_steps=2).rates(1.0, 4).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """

    name = "linear"

    def left(self, done: Array) -> Array:
        """1 − s."""
        return 1.0 - done
