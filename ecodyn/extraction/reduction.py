"""One log -> the series of its features, a chunk of frames at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from ecodyn.arrays import Array
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.layout import Layout, layout
from ecodyn.extraction.passes import Pass, checked, read_both, read_pass
from ecodyn.extraction.repairs import cut_to_finite, repeated_frames, rows_that_count
from ecodyn.extraction.request import Request
from ecodyn.extraction.sources import Source, sources_of
from ecodyn.logs import Log
from ecodyn.logs.integrity import MOST_RANGES, last_wins, ranges, step_remarks
from ecodyn.observables import OBSERVABLES, Observable

__all__ = ["Reduced", "choose_observables", "reduce"]

MOST_STEPS = 4  # that a sentence lists


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """The series of one run.

    Attributes
    ----------
    steps
        Optimiser steps, ascending, (T,).
    series
        Observable name to (T, K), "signal" first.
    dc
        The signal at frequency 0, (T,), None where there is no such thing.
    layout
        How its frames were read; without the features, whose buffers would add up over many runs.
    first_frame
        Checksum of the first frame, equal for runs that start from the same one.
    remarks
        What is wrong with the log, and what was done about it.
    late_rows
        The rows that were logged one update late, as text.
    mendable
        Whether `Request.repair` gives rows other steps, or drops some that are identical.
    sources
        The files it comes from, with sizes and checksums.
    """

    steps: Array
    series: dict[str, Array]
    dc: Array | None
    layout: Layout
    first_frame: str
    remarks: tuple[str, ...]
    late_rows: str
    mendable: bool
    sources: list[Source] = field(default_factory=list)


def _measured_before(logs: Sequence[Log]) -> tuple[tuple[str, ...], list[str]]:
    """What was measured of all runs before it was logged, and a sentence on what was of some."""
    common = [name for name in logs[0].observables if all(name in log.observables for log in logs)]
    some = dict.fromkeys(name for log in logs for name in log.observables if name not in common)
    remarks = [f"{', '.join(some)}: measured of some runs only, and left out"] if some else []
    return ("signal", *(name for name in common if name in OBSERVABLES)), remarks


def choose_observables(logs: Sequence[Log], request: Request) -> tuple[dict[str, Observable], list[str]]:
    """The observables that are computed, by name, and a sentence if a logged gradient is not one of them."""
    names, remarks = _chosen(logs, request)
    return {name: OBSERVABLES.named(name) for name in names}, remarks


def _chosen(logs: Sequence[Log], request: Request) -> tuple[tuple[str, ...], list[str]]:
    if request.series is not None:
        return request.series, []
    if any(log.observables for log in logs):
        return _measured_before(logs)
    for log in logs:
        if log.gradients is None or log.gradient_steps is None:
            return ("signal",), []
    for log in logs:
        steps, _, _ = rows_that_count(log, request.repair)
        steps, gradient_steps = steps[:: request.every], np.asarray(log.gradient_steps, dtype=np.float64)
        without = ~np.isin(steps, gradient_steps)
        if without[:-1].any():
            return ("signal",), [
                f"gradients are logged at other steps than the frames ({_first(gradient_steps)} beside "
                f"{_first(steps)}) and were left out"
            ]
    return ("signal", "gradient"), []


def reduce(log: Log, request: Request, observables: Mapping[str, Observable]) -> Reduced:
    """Read a log once and reduce every frame to the observables of its features.

    Raises
    ------
    UnusableDataError
        The log is damaged, lacks what is asked for, or holds NaN or infinite numbers and
        `Request.repair` is off.
    """
    whole = request.checksums if request.checksums is not None else request.every == 1
    digest = hashlib.sha256() if request.every > 1 and not whole else None
    with ThreadPoolExecutor(1) as thread:  # hashing releases the interpreter, so it goes on beside the reading
        hashing = thread.submit(sources_of, log, whole)
        reduced = _reduce(log, request, observables, digest)
        sources = hashing.result()
    if digest is not None:
        sources[0]["sha256_of_rows_read"] = digest.hexdigest()
    return replace(reduced, sources=sources)


def _reduce(log: Log, request: Request, observables: Mapping[str, Observable], digest: hashlib._Hash | None) -> Reduced:
    how = layout(log, request)
    steps, rows, remarks = rows_that_count(log, request.repair)
    rows, steps = rows[:: request.every], steps[:: request.every]
    measured = {name: log.observables[name] for name in observables if name in log.observables}
    open_ones = {name: seen for name, seen in observables.items() if name not in measured}
    of_frames = {name: seen.of_frames for name, seen in open_ones.items() if seen.of_frames is not None}
    main = read_pass(log.frames, rows, steps, how, of_frames, digest)
    remarks += [*how.remarks, *cut_to_finite(log, main, request.repair)]
    repeats = repeated_frames(log, main, request.repair)
    remarks += repeats.remarks
    series = main.series
    if any(seen.needs_gradients for seen in open_ones.values()):
        series, gradient_remarks = _with_gradients(log, main, how, request.repair, open_ones)
        remarks += gradient_remarks
    series |= {name: frames.read(main.rows) for name, frames in measured.items()}
    for name, seen in open_ones.items():
        if seen.of_series is not None:
            series[name] = checked(name, seen.of_series(series, main.steps), series["signal"].shape)
    remarks += step_remarks(main.steps)
    return Reduced(
        steps=main.steps,
        series={name: series[name] for name in observables},
        dc=main.dc if log.dc is None else log.dc[main.rows],
        layout=replace(how, features=None),
        first_frame=main.watch.first if log.features is None else log.first_frame,
        remarks=tuple(remarks),
        late_rows=repeats.late_rows,
        mendable=repeats.mendable,
    )


def _with_gradients(
    log: Log, main: Pass, how: Layout, repair: bool, observables: Mapping[str, Observable]
) -> tuple[dict[str, Array], list[str]]:
    """The series with those that need gradients; rows whose step has no gradient are dropped."""
    if log.gradients is None or log.gradient_steps is None:
        needing = " and ".join(name for name, seen in observables.items() if seen.needs_gradients)
        raise UnusableDataError(
            f"{log.path} has no gradients, expected them for {needing}; log them, or leave that out"
        )
    kept = last_wins(log.gradient_steps)
    steps, rows = log.gradient_steps[kept], kept
    common = np.isin(main.steps, steps)
    if not common.any():
        raise UnusableDataError(
            f"{log.path} has gradients at steps {_first(steps)} and frames at {_first(main.steps)}, none in "
            "common; leave the observable gradient out"
        )
    remarks = []
    if not common.all():
        remarks.append(
            f"no gradient was logged at {(~common).sum()} of the {len(common)} steps, which were left out ("
            f"{ranges(main.steps[~common], MOST_RANGES)}); --observable signal keeps them"
        )
    main.keep(common)
    rows = rows[np.isin(steps, main.steps)]
    # The gradient's own signal is always read: rows are cut where it is not finite, whatever else was asked for.
    known = {"gradient": OBSERVABLES["gradient"], **observables}
    functions = {name: seen.of_gradients for name, seen in known.items() if seen.of_gradients is not None}
    gradient = read_pass(log.gradients, rows, main.steps, how, functions)
    remarks += cut_to_finite(log, gradient, repair, "gradient")
    main.keep(np.arange(len(gradient.steps)))
    both = read_both(log.frames, main.rows, log.gradients, gradient.rows, how, observables)
    return {**main.series, **gradient.series, **both}, remarks


def _first(steps: Array, most: int = MOST_STEPS) -> str:
    return ", ".join(f"{s:g}" for s in steps[:most]) + (", ..." if len(steps) > most else "")
