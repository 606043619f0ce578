"""Which steps of a training are kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.networks.training.checks import check_whole

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """Which steps are kept: every one up to ``dense``, then every ``every``-th, and always the last.

    Parameters
    ----------
    dense
        The step up to which all are kept.
    every
        Interval after that, counted from ``dense``. 1 keeps all.

    Examples
    --------
    >>> Schedule(dense=2, every=5).steps(14).tolist()
    [0, 1, 2, 7, 12, 14]
    """

    dense: int = 0
    every: int = 1

    def __post_init__(self) -> None:
        check_whole("dense", self.dense, 0)
        check_whole("every", self.every, 1)

    def count(self, last: int) -> int:
        """How many of the steps 0..last are kept."""
        return 1 + min(self.dense, last) + -(-max(last - self.dense, 0) // self.every)

    def steps(self, last: int) -> np.ndarray:
        """The kept ones of the steps 0..last, ascending."""
        steps = np.arange(last + 1)
        kept = (steps <= self.dense) | ((steps - self.dense) % self.every == 0) | (steps == last)
        return steps[kept]
