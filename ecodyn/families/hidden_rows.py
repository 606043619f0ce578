"""Hidden variables beside states that were measured: where they stand as rollouts start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.formulas.hidden_law import HiddenLaw
from ecodyn.formulas.hidden_start import along, warmed_up

__all__ = ["HiddenRows"]


@dataclass(frozen=True, eq=False)
class HiddenRows:
    """What a fitted law says of hidden variables, given the signals up to a start.

    Attributes
    ----------
    law : in the units of the data, with coordinates None
    scaled : the same with the hidden variables in the units of their usual sizes
    parameters : all of them, (parameter,)
    begun : values (hidden,) at each run's first step; None where each run has its own
    warm_up : steps before a start that these are then estimated from
    """

    law: HiddenLaw
    scaled: HiddenLaw
    parameters: Array
    begun: Array | None
    warm_up: int

    def beside(self, states: Array, times: Array, first: Integers, *, following: bool) -> Array:
        """Hidden variables (run, step, feature, hidden) of states (run, step, feature, 1).

        Up to the rows ``first`` where rollouts start they are what the steps there say, solved along the data from
        each run's first step, or estimated from the last few; after them as they are there, or, ``following``, solved
        along the data as well.

        Raises
        ------
        UnusableDataError
            A run has too few steps before its start.
        """
        runs = np.arange(len(states))
        before = [self._rows_before(states[r], int(first[r])) for r in runs]
        if short := sum(len(rows) <= self.warm_up for rows in before if self.warm_up):
            raise UnusableDataError(
                f"expected {self.warm_up} complete steps before the one that rollouts start from, to estimate "
                f"{', '.join(self.law.statement.hidden)} from, got fewer in {short} of {len(before)} runs; begin "
                "later, or set a smaller warm_up"
            )
        signals, own_times, ends = _padded(states[..., 0], times, before)
        if self.begun is None:
            found = warmed_up(self.scaled, self.parameters, signals, own_times)
        else:
            begun = np.broadcast_to(self.begun, (*signals[:, 0].shape, len(self.begun)))
            found = along(self.law, self.parameters, signals, own_times, begun)
        out = np.repeat(found[runs, ends][:, None], states.shape[1], axis=1)
        for r, rows in enumerate(before):
            out[r, : rows[0]], out[r, rows] = found[r, 0], found[r, : len(rows)]
        if following:
            after = [int(first[r]) + _complete(states[r, int(first[r]) :]) for r in runs]
            signals, own_times, _ = _padded(states[..., 0], times, after)
            path = along(self.law, self.parameters, signals, own_times, found[runs, ends])
            for r, rows in enumerate(after):
                out[r, rows] = path[r, : len(rows)]
        return np.asarray(out)

    def _rows_before(self, states: Array, first: int) -> Integers:
        rows = _complete(states[: first + 1])
        return rows[-1 - self.warm_up :] if self.warm_up else rows


def _complete(states: Array) -> Integers:
    """Rows (step, feature, channel) that lack no value."""
    return np.flatnonzero(np.isfinite(states).all(axis=(1, 2)))


def _padded(signals: Array, times: Array, rows: list[Integers]) -> tuple[Array, Array, Integers]:
    """Signals (run, step, feature) and times of each run's own rows, the last one repeated; and where that is."""
    ends = np.array([len(own) - 1 for own in rows])
    places = np.stack([own[np.minimum(np.arange(ends.max() + 1), len(own) - 1)] for own in rows])
    runs = np.arange(len(rows))[:, None]
    return signals[runs, places], times[runs, places], ends
