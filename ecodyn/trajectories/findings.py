"""What looks odd in trajectories and is kept: a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ecodyn.trajectories.checks import Checked
from ecodyn.trajectories.inputs import still_at

__all__ = ["findings", "still_inputs"]

SCALE_RATIO = 1e12  # sums of squares of features further apart share no digits in double precision
GAP_RATIO = 20  # an interval this many times the median one is a gap, ...
GAP_NEIGHBOURS = 5  # ... unless one beside it is nearly as long: logarithmic spacing, or a coarser grid from here on


def findings(data: Checked) -> tuple[str, ...]:
    """Sentences on what looks odd and is kept: flat, equal or wildly scaled features, a gap in time."""
    signal = data.observables["signal"]
    odd = (*still_inputs(data), *_flat(data, signal), *_equal(data, signal), *_scales(data, signal), *_gap(data))
    return (*data.remarks, *_missing(data), *odd)


def still_inputs(data: Checked) -> Iterator[str]:
    """Inputs that have one value throughout all runs: a law can't tell what they do."""
    first, last = data.times[:, 0], data.times[np.arange(len(data.times)), data.lengths - 1]
    for name, curves in data.inputs.items():
        if (value := still_at(curves, first, last)) is not None:
            yield f"the input {name} is {value:g} throughout all runs, so that nothing shows what it does"


def _missing(data: Checked) -> Iterator[str]:
    if data.missing is None:
        return
    incomplete = data.missing.any(axis=2).sum()
    yield (
        f"{data.missing.sum()} of {data.lengths.sum() * data.missing.shape[2]} values are missing (the {incomplete} "
        "incomplete steps are left out of fits, the values out of scores)"
    )


def _flat(data: Checked, signal: np.ndarray) -> Iterator[str]:
    largest = np.fmax.reduce(signal, axis=1)  # of the values there are; a part may lack a series altogether
    constant = largest == np.fmin.reduce(signal, axis=1)
    constant &= data.lengths[:, None] > 1  # one step tells nothing
    zero = constant & (largest == 0)
    for which, word in ((zero, "zero"), (constant & ~zero, "constant")):
        if which.any():
            r, k = np.argwhere(which)[0]
            yield (
                f"feature {data.features[k]} is {word} throughout in run {data.runs[r]} "
                f"({which.sum()} of {which.size} series are; such features say nothing of the equation)"
            )


def _equal(data: Checked, signal: np.ndarray) -> Iterator[str]:
    pairs = []
    for r, length in enumerate(data.lengths):
        seen: dict[bytes, int] = {}
        for k in range(signal.shape[2]):
            series = signal[r, :length, k] + 0.0  # -0.0 becomes 0.0, which has other bytes
            first = seen.setdefault(series.tobytes(), k)
            if first != k and np.ptp(series) > 0:  # constant ones have a sentence of their own
                pairs.append((data.features[first], data.features[k], data.runs[r]))
    if pairs:
        a, b, run = pairs[0]
        yield f"features {a} and {b} are identical in run {run} ({len(pairs)} such pairs; drop one of each)"


def _scales(data: Checked, signal: np.ndarray) -> Iterator[str]:
    # Of absolute values, without a copy of them all.
    ends = np.fmax.reduce(signal, axis=(0, 1)), np.fmin.reduce(signal, axis=(0, 1))
    largest = np.nan_to_num(np.fmax(ends[0], -ends[1]))
    if not (largest > 0).any():
        return
    low, high = np.argmin(np.where(largest > 0, largest, np.inf)), np.argmax(largest)
    with np.errstate(over="ignore"):
        apart = largest[high] / largest[low]
    if apart > SCALE_RATIO:
        yield (
            f"features {data.features[low]} and {data.features[high]} are a factor {apart:.1g} apart in size "
            "(rescale the features, or drop the small one)"
        )


def _gap(data: Checked) -> Iterator[str]:
    for run, length, times in zip(data.runs, data.lengths, data.times, strict=True):
        intervals = np.diff(times[:length])
        if len(intervals) < 3:
            continue
        i = int(np.argmax(intervals))
        beside = intervals[max(i - 1, 0) : i + 2]
        largest_beside = np.sort(beside)[-2]
        if intervals[i] > GAP_RATIO * np.median(intervals) and intervals[i] > GAP_NEIGHBOURS * largest_beside:
            yield (
                f"there is a gap in the times of run {run}, {times[i]:g} to {times[i + 1]:g}, while the "
                f"median interval is {np.median(intervals):g} (fit the parts before and after it as windows)"
            )
            return
