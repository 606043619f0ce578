"""A schedule of rates from a table: `TableRate`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.networks.training.checks import check_choice, check_rate, check_whole
from ecodyn.networks.training.rates import RateSchedule

__all__ = ["TableRate"]


@dataclass(frozen=True, kw_only=True)
class TableRate(RateSchedule):
    """Rates at some updates, held until the next one of them or joined by straight lines.

    Parameters
    ----------
    steps
        Updates, ascending from 0.
    values
        The rate from each of them on.
    kind
        "steps" holds each value until the next, the last to the end; "linear" joins them, and has to reach the end.

    Examples
    --------
    >>> TableRate(steps=(0, 2), values=(0.5, 0.25)).rates(1.0, 4).tolist()
    [0.5, 0.5, 0.25, 0.25, 0.25]
    """

    name = "table"

    steps: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    kind: str = "steps"

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", tuple(self.steps))
        object.__setattr__(self, "values", tuple(self.values))
        check_choice("kind of a table of rates", self.kind, ("steps", "linear"))
        if not self.steps or len(self.steps) != len(self.values):
            raise ValueError(
                f"a table of rates takes a value at each of its steps, got {len(self.steps)} steps and "
                f"{len(self.values)} values; such as table:rates.csv with the columns step and lr"
            )
        for step in self.steps:
            check_whole("steps of a table of rates", step, 0)
        for value in self.values:
            check_rate("a rate of a table", value, zero_allowed=True)
        if self.steps[0] != 0 or list(self.steps) != sorted(set(self.steps)):
            raise ValueError(f"steps of a table of rates must ascend from 0, got {_few(self.steps)}; sort them")
        if not max(self.values) > 0:
            raise ValueError("a table of rates must have one that is not 0, got only zeros")

    @property
    def piecewise_constant(self) -> bool:
        """Of kind "steps"."""
        return self.kind == "steps"

    @property
    def tabulated(self) -> float:
        """The largest rate."""
        return max(self.values)

    def jumps(self, last: int) -> Integers:
        """Rows but the first, of kind "steps"."""
        later = np.array(self.steps[1:], np.int64)
        return later[later <= last] if self.kind == "steps" else later[:0]

    def check(self, steps: int) -> None:
        """Straight lines have to reach the end."""
        if self.kind == "linear" and self.steps[-1] < steps:
            raise ValueError(
                f"the table of rates ends at step {self.steps[-1]}, and the training, which straight lines have to "
                f"reach the end of, at {steps}; add a row for the end, or take kind=steps, which holds the last rate"
            )

    def rates(self, rate: float, last: int) -> Array:
        """The table's, whatever the rate."""
        t, values = np.arange(last + 1), np.array(self.values, dtype=float)
        if self.kind == "linear":
            return np.interp(t, self.steps, values)
        return np.asarray(values[np.searchsorted(self.steps, t, side="right") - 1])


def _few(values: tuple[int, ...], most: int = 6) -> str:
    return ", ".join(map(str, values[:most])) + (", ..." if len(values) > most else "")
