"""The times of trajectories: (run, step), strictly increasing in every run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import EXACT
from ecodyn.trajectories.labels import Label, Labels
from ecodyn.trajectories.values import Numbers, float64

__all__ = ["checked_times", "spaced", "times_or_spacing"]


def checked_times(steps: Numbers, shape: tuple[int, ...], lengths: Integers, given: Integers, runs: Labels) -> Array:
    """Times (run, step), NaN at padding; strictly increasing within each run."""
    if isinstance(steps, (list, tuple)) and any(np.ndim(part) for part in steps):
        times = _list_of_times(steps, shape, lengths, given)
    else:
        times = _time_numbers(steps)
    if times.shape not in (shape, shape[1:]):
        raise UnusableDataError(
            f"steps has shape {times.shape}, expected {shape[1:]} or {shape} as values has; give one time a step"
        )
    times = np.array(np.broadcast_to(times, shape))
    times[np.arange(shape[1]) >= lengths[:, None]] = np.nan
    for label, length, row in zip(runs, lengths, times, strict=True):
        _check_order(row[:length], label)
    return times


def spaced(spacing: float, count: int) -> Array:
    """Times 0, h, 2h, … of a spacing h."""
    if not 0 < spacing < np.inf:
        raise ValueError(f"expected the spacing of the steps as a number above 0, got t={spacing}")
    return np.arange(float(count)) * spacing


def times_or_spacing(t: Any) -> Any:
    """Times as given, or their spacing as a number, that in an array of no dimension as well; True is neither."""
    if hasattr(t, "ndim") and np.ndim(t) == 0 and not isinstance(t, np.generic):
        t = float64(t, "t").item() if np.asarray(t).dtype.kind != "b" else bool(t)
    if isinstance(t, bool | np.bool_):
        raise ValueError(f"expected t as times or the spacing of the steps, a number above 0, got {t}; leave t out")
    return t


def _time_numbers(steps: Numbers) -> Array:
    try:
        return float64(steps, "steps")
    except UnusableDataError as error:
        raise UnusableDataError(
            f"{error}: times must be numbers, such as optimiser steps or days since the start"
        ) from None


def _list_of_times(steps: Sequence[ArrayLike], shape: tuple[int, ...], lengths: Integers, given: Integers) -> Array:
    if len(steps) != shape[0]:
        raise UnusableDataError(f"steps lists times for {len(steps)} runs, values has {shape[0]}; give one array a run")
    padded = np.full(shape, np.nan)
    for r, part in enumerate(steps):
        row = _time_numbers(part)
        if row.shape not in ((lengths[r],), (given[r],)):
            raise UnusableDataError(
                f"steps[{r}] has shape {row.shape}, expected ({lengths[r]},) as values[{r}] has steps"
            )
        padded[r, : len(row)] = row
    return padded


def _check_order(times: Array, run: Label) -> None:
    if not np.isfinite(times).all():
        where = int(np.argmin(np.isfinite(times)))
        raise UnusableDataError(
            f"the time of run {run} at index {where} is {times[where]}; give every step a finite time"
        )
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        i = int(back[0])
        if times[i] == times[i + 1] and abs(times[i]) >= EXACT:
            raise UnusableDataError(
                f"times must increase strictly; those of run {run} at index {i} and {i + 1} are both {times[i]:.0f}: "
                "double precision does not hold each whole number above 2^53; subtract the first step from all, before "
                "they are made floats, or keep one of each"
            )
        what = "repeats" if times[i] == times[i + 1] else "goes back"
        raise UnusableDataError(
            f"times must increase strictly; time of run {run} {what} at index {i + 1} (from {times[i]:g} to "
            f"{times[i + 1]:g}); sort the steps and keep one of each"
        )
