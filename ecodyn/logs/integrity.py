"""What goes wrong in logs: frames that repeat, rows that are late, steps that go back, intervals that are uneven."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.entries import FEW_RESUMES, MOST_BACKWARD

__all__ = ["MOST_RANGES", "Watch", "aliasing_period", "checksum", "is_late", "last_wins", "ranges", "step_remarks"]

GLANCE = 8  # entries of a frame that are compared before all of it is
REGULAR = 0.5  # share of the intervals that must be equal before a longer one counts as a gap
FEWEST_INTERVALS = 3  # with fewer there is no usual one
MOST_RANGES = 4  # in a sentence; inspect and provenance have them all


class Watch:
    """Looks at frames as they pass: which are identical to the one before, and what the first one is.

    Attributes
    ----------
    identical
        Rows that equal the row read before them, bit for bit.
    first
        SHA-256 of the first frame's numbers in float64, equal for runs that share an initialisation.
    """

    def __init__(self) -> None:
        self.identical: list[int] = []
        self.first = ""
        self._last: np.ndarray | None = None

    def see(self, rows: Integers, frames: np.ndarray) -> None:
        """The next frames, (len(rows), ...); they may be overwritten afterwards."""
        if not len(rows):
            return
        if self._last is None:
            self.first = checksum(frames[0])
        elif np.array_equal(frames[0], self._last):
            self.identical.append(int(rows[0]))
        flat = frames.reshape(len(rows), -1)
        glance = (flat[1:, :GLANCE] == flat[:-1, :GLANCE]).all(axis=1)
        for i in np.flatnonzero(glance):
            if np.array_equal(frames[i + 1], frames[i]):
                self.identical.append(int(rows[i + 1]))
        self._last = frames[-1].copy()


def checksum(array: np.ndarray) -> str:
    """SHA-256 of an array's numbers in float64."""
    return hashlib.sha256(np.ascontiguousarray(array, "<f8").tobytes()).hexdigest()


def aliasing_period(identical: Integers, last: int, *, ended: bool = True) -> int | None:
    """The interval m at which frames logged as views were spared, None if that is not what happened.

    A frame logged without a copy shows the parameters one update late, unless they are moved elsewhere right after, as
    every m-th step, or never updated again, as at the end. So rows m, 2m, ... and the final one are identical to the
    rows before them, and no others are.

    Parameters
    ----------
    identical
        The rows, one a step, that are identical to the row before; ascending.
    last
        The last row looked at.
    ended
        Whether the training ended there.
    """
    final = [last] if ended else []
    between = np.setdiff1d(identical, final)
    m = int(between[0]) if len(between) else last
    spared = np.union1d(np.arange(m, last + 1, m), final) if len(between) or ended else np.empty(0)
    return m if m > 1 and len(identical) and np.array_equal(spared, identical) else None


def is_late(steps: Array | Integers, period: int, last: float) -> Bools:
    """Which rows show the parameters one update after their step, (rows,) bool; see `aliasing_period`."""
    late: Bools = (steps > 0) & (steps % period != 0) & (steps != last)
    return late


def last_wins(steps: Array) -> Integers:
    """Rows that count where a training was resumed: a row drops all rows before it that are at its step or later.

    Raises
    ------
    UnusableDataError
        Steps are missing, or go back so often that they are in no order.
    """
    if not np.isfinite(steps).all():
        row = int(np.argmin(np.isfinite(steps)))
        raise UnusableDataError(f"the step of row {row} is {steps[row]}, expected a number; complete or delete the row")
    backward = int((np.diff(steps) < 0).sum())
    if backward > max(FEW_RESUMES, MOST_BACKWARD * len(steps)):
        raise UnusableDataError(
            f"the steps go back {backward} times in {len(steps)} rows, expected them ascending (but for a few resumes "
            "of the training); sort the rows by step"
        )
    # Row r counts if every row after it has a later step.
    least_after = np.minimum.accumulate(np.append(steps[1:], np.inf)[::-1])[::-1]
    return np.flatnonzero(steps < least_after)


def step_remarks(steps: Array) -> Iterator[str]:
    """Sentences on an uneven first interval and on frames that are missing, for ascending steps."""
    intervals = np.diff(steps)
    if len(intervals) < FEWEST_INTERVALS:
        return
    values, counts = np.unique(intervals, return_counts=True)
    usual = values[np.argmax(counts)]
    if counts.max() < REGULAR * len(intervals):
        return
    if intervals[0] != usual:
        yield f"the first interval is {intervals[0]:g} steps, most others {usual:g}; times are kept as they are"
    long = np.flatnonzero((intervals[1:] > usual) & (intervals[1:] % usual == 0)) + 1
    missing = int((intervals[long] / usual - 1).sum())
    if missing and len(long) < REGULAR * len(intervals):
        places = ", ".join(f"{steps[i]:g} to {steps[i + 1]:g}" for i in long[:MOST_RANGES])
        more = ", ..." if len(long) > MOST_RANGES else ""
        yield f"{missing} frames are missing of one every {usual:g} steps: between {places}{more}"


def ranges(rows: Integers | Array, most: int | None = None) -> str:
    """Rows as text: "1-49, 51-99, 101"; with ``most``, the first so many stretches only."""
    if not len(rows):
        return "none"
    ends = np.flatnonzero(np.diff(rows) != 1)
    firsts, lasts = rows[np.append(0, ends + 1)], rows[np.append(ends, len(rows) - 1)]
    texts = [f"{a:g}" if a == b else f"{a:g}-{b:g}" for a, b in zip(firsts, lasts, strict=True)]
    shown = texts if most is None or len(texts) <= most + 1 else [*texts[:most], "...", texts[-1]]
    return ", ".join(shown)
