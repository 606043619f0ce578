"""What trajectories have to satisfy: refused with a sentence (`check`) or remarked upon (`findings`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError

__all__ = ["Checked", "check", "findings"]

DIMENSIONS = ("run", "step", "feature")
SCALE_RATIO = 1e12  # sums of squares of features further apart share no digits in double precision
GAP_RATIO = 20  # an interval this many times the median one is a gap, ...
GAP_NEIGHBOURS = 5  # ... unless one beside it is nearly as long: logarithmic spacing, or a coarser grid from here on
VARIABLES = {"signal", "dc", "time", "length", "cluster", "embedding", "backward_velocity"}
RESERVED = VARIABLES | {"step", "run", "feature", "token", "dimension", "runs", "features"}


@dataclass(frozen=True)
class Checked:
    """Arrays that passed `check`: read-only, padded by NaN after the end of each run."""

    observables: dict[str, np.ndarray]  # (run, step, feature) each, "signal" first
    times: np.ndarray  # (run, step)
    lengths: np.ndarray  # (run,)
    features: np.ndarray  # (feature,)
    runs: np.ndarray  # (run,)
    clusters: np.ndarray  # (run,)
    settings: dict[str, np.ndarray]  # (run,) each
    curves: dict[str, np.ndarray]  # (run, step) each, "dc" among them
    embedding: np.ndarray | None  # (run, token, dimension), padded by NaN after the last dimension of each run
    labels_shared: bool
    provenance: dict[str, Any]
    remarks: tuple[str, ...] = ()  # what `check` had to change
    velocity: np.ndarray | None = None  # (run, step, feature), where steps that tell it were cut away

    def __post_init__(self) -> None:
        for array in self.arrays().values():
            array.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.__post_init__()  # arrays come out of a pickle writeable

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by a name of their own."""
        own = {name: array for name, array in vars(self).items() if isinstance(array, np.ndarray)}
        named = {"observable": self.observables, "curve": self.curves, "setting": self.settings}
        return own | {f"{kind} {name}": array for kind, group in named.items() for name, array in group.items()}


def check(
    values: Any,
    steps: Any,
    features: Any,
    runs: Any,
    labels_shared: bool,
    provenance: Mapping[str, Any] | None,
    observables: Mapping[str, Any],
    curves: Mapping[str, Any],
    dc: Any,
    embedding: Any,
    cluster: Any,
    settings: Mapping[str, Any],
    velocity: Any,
) -> Checked:
    """Turn what a user gave into `Checked`, or raise UnusableDataError: expected, got, and what to do."""
    signal = _padded(values, "values", 3)
    R, _, K = signal.shape
    run_labels = _labels(range(R) if runs is None else runs, R, "runs")
    feature_labels = _labels(range(1, K + 1) if features is None else features, K, "features")
    lengths = _lengths(signal, run_labels)
    given = np.array([len(v) for v in values] if isinstance(values, (list, tuple)) else [len(signal[0])] * R)
    _check_names([*observables, *curves, *settings])
    others = {str(name): _matching(array, signal.shape, name) for name, array in observables.items()}
    measured = {**curves} if dc is None else {**curves, "dc": dc}
    measured = {str(name): _matching(array, signal.shape[:2], name) for name, array in measured.items()}
    for name, array in {"signal": signal, **others, **measured}.items():
        _check_finite(name, array, lengths, run_labels, feature_labels)
    return Checked(
        observables={"signal": signal, **others},
        times=_times(steps, signal.shape[:2], lengths, given, run_labels),
        lengths=lengths,
        features=feature_labels,
        runs=run_labels,
        clusters=_labels(range(R) if cluster is None else cluster, R, "cluster", unique=False),
        settings={str(name): _setting(array, R, str(name)) for name, array in settings.items()},
        curves=measured,
        embedding=None if embedding is None else _embedding(embedding, run_labels),
        labels_shared=bool(labels_shared),
        provenance=_plain(provenance or {}),
        remarks=_cut_short(given, lengths, run_labels, isinstance(values, (list, tuple))),
        velocity=None if velocity is None else _velocity(velocity, signal.shape, lengths, run_labels),
    )


# ------------------------------------------------------------------------------------------------ numbers


def _padded(values: Any, name: str, ndim: int) -> np.ndarray:
    """A float64 copy of shape (run, step, ...), a list of runs of unequal length padded by NaN at the end."""
    if isinstance(values, (list, tuple)):
        parts = [_float64(part, f"{name}[{r}]") for r, part in enumerate(values)]
        array = _pad_list(parts, name, ndim)
    else:
        array = _float64(values, name)
    if array.ndim != ndim:
        raise UnusableDataError(
            f"expected {name} of shape ({', '.join(DIMENSIONS[:ndim])}), got shape {array.shape}; "
            f"give one run as {name}[None]"
        )
    for size, dim in zip(array.shape, DIMENSIONS, strict=False):
        if size == 0:
            raise UnusableDataError(
                f"{name}: found array with 0 {dim}(s) (shape={array.shape}) while a minimum of 1 is "
                "required; check where the data come from"
            )
    return array


def _pad_list(parts: list[np.ndarray], name: str, ndim: int) -> np.ndarray:
    for r, part in enumerate(parts):
        if part.ndim != ndim - 1:
            dims = ", ".join(DIMENSIONS[1:ndim])
            raise UnusableDataError(f"expected {name}[{r}] of shape ({dims}), got shape {part.shape}; reshape it")
        if part.shape[1:] != parts[0].shape[1:]:
            raise UnusableDataError(
                f"{name}[0] has {parts[0].shape[1]} features and {name}[{r}] has {part.shape[1]}; "
                "all runs must have the same features: select them first, or put them in files of their own"
            )
        if len(part) == 0:
            raise UnusableDataError(f"{name}[{r}] has 0 steps, expected at least 1; leave that run out")
    longest = max(map(len, parts), default=0)
    tail = parts[0].shape[1:] if parts else (0,) * (ndim - 2)
    padded = np.full((len(parts), longest, *tail), np.nan)
    for r, part in enumerate(parts):
        padded[r, : len(part)] = part
    return padded


def _float64(values: Any, name: str) -> np.ndarray:
    if hasattr(values, "detach"):  # a torch tensor, recognised without importing torch
        values = values.detach().cpu().numpy()
    if hasattr(values, "toarray"):
        raise UnusableDataError(f"expected {name} as a dense array, got a sparse one; pass its toarray()")
    try:
        array = np.ma.asarray(values).filled(np.nan) if np.ma.is_masked(values) else np.asarray(values)
    except ValueError as error:  # rows of unequal length
        raise UnusableDataError(
            f"{name} is not a rectangular array ({error}); pass a list with an array a run"
        ) from error
    if array.dtype.kind == "c":
        raise UnusableDataError(
            f"Complex data not supported: {name} is {array.dtype}; pass np.abs(...) or the real part"
        )
    if array.dtype.kind == "O" and all(isinstance(x, (int, float, np.number)) for x in array.flat):
        array = array.astype(np.float64)  # numbers from a table of mixed columns
    if array.dtype.kind not in "biuf":
        kind = {"M": "dates", "m": "time differences", "U": "text", "S": "text"}.get(array.dtype.kind, "objects")
        raise UnusableDataError(f"expected {name} as numbers, got {kind} ({array.dtype}); convert them to float64")
    if array.dtype == np.float16 and np.isinf(array).any():
        raise UnusableDataError(f"{name} overflowed: float16 ends at 65504 and holds inf; store it as float32")
    return np.array(array, dtype=np.float64)


def _matching(values: Any, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = _padded(values, name, len(shape))
    if array.shape != shape:
        raise UnusableDataError(f"{name} has shape {array.shape}, expected {shape} as values has; align them")
    return array


def _lengths(signal: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Steps of each run before its trailing padding."""
    some = ~np.isnan(signal).all(axis=2)
    if not some.any(axis=1).all():
        run = runs[~some.any(axis=1)][0]
        raise UnusableDataError(f"values of run {run} are NaN throughout, expected numbers; leave that run out")
    return signal.shape[1] - np.argmax(some[:, ::-1], axis=1)


def _cut_short(given: np.ndarray, lengths: np.ndarray, runs: np.ndarray, listed: bool) -> tuple[str, ...]:
    """Say where NaN at the end can't be padding: in runs given one by one, or in all runs at once."""
    cut = given > lengths
    if not (cut.any() if listed else cut.all()):
        return ()
    r = int(np.argmax(cut))
    return (f"run {runs[r]} ends in {given[r] - lengths[r]} steps of NaN, left out ({cut.sum()} such runs)",)


def _check_finite(name: str, array: np.ndarray, lengths: np.ndarray, runs: np.ndarray, features: np.ndarray) -> None:
    inside = np.arange(array.shape[1]) < lengths[:, None]
    within = inside.reshape(inside.shape + (1,) * (array.ndim - 2))
    bad = np.where(within, ~np.isfinite(array), ~np.isnan(array))
    if not bad.any():
        return
    r, t, *k = place = tuple(np.argwhere(bad)[0])
    feature = f", feature {features[k[0]]}" if k else ""
    what = _written(array[place]) + ("" if inside[r, t] else " after the end of values")
    raise UnusableDataError(
        f"{name} holds {what} at run {runs[r]}, step index {t}{feature} ({bad.sum()} such in all), expected "
        "finite numbers (NaN only as padding after a run's end); cut the run before it, or leave it out"
    )


def _velocity(values: Any, shape: tuple[int, ...], lengths: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """A float64 copy (run, step, feature); a first step may have none (NaN), any later one has steps before it."""
    velocity = _matching(values, shape, "backward_velocity")
    step = np.arange(shape[1])
    missing = np.isnan(velocity).any(axis=2) & (step > 0) & (step < lengths[:, None])
    beyond = ~np.isnan(velocity).all(axis=2) & (step >= lengths[:, None])
    if (missing | beyond).any():
        r, t = np.argwhere(missing | beyond)[0]
        fault = "is NaN" if missing[r, t] else "goes on after the end of values"
        raise UnusableDataError(
            f"backward_velocity {fault} at run {runs[r]}, step index {t}, expected NaN as padding and at the "
            "first step of a run that has none before it; correct it, or leave it out"
        )
    return velocity


def _written(number: float) -> str:
    return "NaN" if np.isnan(number) else f"{number:g}"


def _embedding(values: Any, runs: np.ndarray) -> np.ndarray:
    """A float64 copy (run, token, dimension), embeddings of fewer dimensions padded by NaN at the end."""
    given = values if isinstance(values, (list, tuple)) else np.atleast_1d(_float64(values, "embedding"))
    parts = [_float64(part, f"embedding[{r}]") for r, part in enumerate(given)]
    alike = len({part.shape[:1] for part in parts}) == 1 and all(part.ndim == 2 and part.size for part in parts)
    if len(parts) != len(runs) or not alike:
        shapes = ", ".join(dict.fromkeys(str(part.shape) for part in parts))
        raise UnusableDataError(
            f"expected an embedding (token, dimension) for each of {len(runs)} runs, all of the same tokens, got "
            f"{len(parts)} of shape {shapes or '()'}; give an array (run, token, dimension) or a list with an "
            "array a run"
        )
    padded = np.full((len(parts), len(parts[0]), max(part.shape[1] for part in parts)), np.nan)
    for part, row in zip(parts, padded, strict=True):
        row[:, : part.shape[1]] = part
    return _checked_embedding(padded, runs)


def _checked_embedding(padded: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Refuse NaN before a run's last dimension, and leave out the dimensions that no run has."""
    some = ~np.isnan(padded).all(axis=1)
    widths = some.shape[1] - np.argmax(some[:, ::-1], axis=1)  # all, to be refused, if a run is NaN throughout
    inside = np.arange(some.shape[1]) < widths[:, None]
    bad = inside[:, None] & ~np.isfinite(padded)
    if bad.any():
        r, token, d = place = tuple(np.argwhere(bad)[0])
        raise UnusableDataError(
            f"embedding holds {_written(padded[place])} at run {runs[r]}, token index {token}, dimension index {d} "
            f"({bad.sum()} such in all), expected finite numbers (NaN only as padding after a run's last "
            "dimension); leave that run or the embedding out"
        )
    return padded[..., : widths.max()]


# -------------------------------------------------------------------------------------------------- times


def _times(steps: Any, shape: tuple[int, ...], lengths: np.ndarray, given: np.ndarray, runs: np.ndarray) -> np.ndarray:
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


def _time_numbers(steps: Any) -> np.ndarray:
    try:
        return _float64(steps, "steps")
    except UnusableDataError as error:
        raise UnusableDataError(
            f"{error}: times must be numbers, such as optimiser steps or days since the start"
        ) from None


def _list_of_times(steps: Any, shape: tuple[int, ...], lengths: np.ndarray, given: np.ndarray) -> np.ndarray:
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


def _check_order(times: np.ndarray, run: Any) -> None:
    if not np.isfinite(times).all():
        where = int(np.argmin(np.isfinite(times)))
        raise UnusableDataError(
            f"the time of run {run} at index {where} is {times[where]}; give every step a finite time"
        )
    back = np.flatnonzero(np.diff(times) <= 0)
    if len(back):
        i = int(back[0])
        what = "repeats" if times[i] == times[i + 1] else "goes back"
        raise UnusableDataError(
            f"times must increase strictly; time of run {run} {what} at index {i + 1} (from {times[i]:g} to "
            f"{times[i + 1]:g}); sort the steps and keep one of each"
        )


# ------------------------------------------------------------------------------------------------- labels


def _labels(labels: Any, size: int, name: str, *, unique: bool = True) -> np.ndarray:
    """Labels as int64 if they are whole numbers, else as text without blanks around it."""
    array = np.asarray(labels if hasattr(labels, "dtype") else list(labels))
    if array.shape != (size,):
        raise UnusableDataError(f"{name} has shape {array.shape}, expected {size} labels; give one each")
    if array.dtype.kind in "iuf" or all(isinstance(x, (int, np.integer)) for x in array.tolist()):
        if not np.all(np.mod(array.astype(np.float64), 1) == 0):  # NaN and inf fail as well
            raise UnusableDataError(
                f"{name} holds {array.tolist()}, expected whole numbers or names; write them as text"
            )
        array = array.astype(np.int64)
    else:
        if not all(isinstance(x, (str, int, float)) for x in array.tolist()):
            raise UnusableDataError(f"{name} holds {array.tolist()}, expected whole numbers or names")
        array = np.array([str(x).strip() for x in array.tolist()])
    if unique and len(set(array.tolist())) < size:
        double = next(x for x in array.tolist() if array.tolist().count(x) > 1)
        raise UnusableDataError(
            f"{name} holds {double!r} twice, expected labels that differ; rename one or leave it out"
        )
    return array


def _setting(values: Any, size: int, name: str) -> np.ndarray:
    array = np.asarray(values if hasattr(values, "dtype") else list(values))
    if array.shape != (size,):
        raise UnusableDataError(f"setting {name} has shape {array.shape}, expected one value for each of {size} runs")
    if array.dtype.kind in "biu":
        return array.astype(np.int64)
    return array.astype(np.float64) if array.dtype.kind == "f" else np.array([str(x) for x in array.tolist()])


def _check_names(names: list[Any]) -> None:
    for name in names:
        if not isinstance(name, str) or not name or set(name) & set("/,@") or name in RESERVED or names.count(name) > 1:
            raise UnusableDataError(
                f"{name!r} can't name an observable, a curve or a setting: expected text without / , and @, used once "
                f"and none of {', '.join(sorted(RESERVED))}; rename it"
            )


def _plain(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """A copy that JSON can hold and gives back as it was."""
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(provenance), default=_scalar))
    except (TypeError, ValueError) as error:
        raise UnusableDataError(f"provenance must hold what JSON can ({error}); turn the rest into text") from error
    return plain


def _scalar(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"got {type(value).__name__}")


# ----------------------------------------------------------------------------------------------- findings


def findings(data: Checked) -> tuple[str, ...]:
    """Sentences on what looks odd and is kept: flat, equal or wildly scaled features, a gap in time."""
    signal = data.observables["signal"]
    return (*data.remarks, *_flat(data, signal), *_equal(data, signal), *_scales(data, signal), *_gap(data))


def _flat(data: Checked, signal: np.ndarray) -> Iterator[str]:
    constant = np.nanmax(signal, axis=1) == np.nanmin(signal, axis=1)
    constant &= data.lengths[:, None] > 1  # one step tells nothing
    zero = constant & (signal[:, 0] == 0)
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
    largest = np.nanmax(np.abs(signal), axis=(0, 1))
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
