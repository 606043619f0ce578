"""One log -> the series of its features, a chunk of frames at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.extraction.request import SINGULAR_VALUES, Layout, Request, layout
from ecodyn.logs import Frames, Log
from ecodyn.logs.integrity import MOST_RANGES, Watch, aliasing_period, is_late, last_wins, ranges, step_remarks
from ecodyn.observables import OBSERVABLES
from ecodyn.runtime.files import sha256

MOST_SOURCES = 16  # files of one run that are listed singly; of more, a checksum over their checksums


@dataclass(frozen=True)
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
    sources
        The files it comes from, with sizes and checksums.
    """

    steps: np.ndarray
    series: dict[str, np.ndarray]
    dc: np.ndarray | None
    layout: Layout
    first_frame: str
    remarks: tuple[str, ...]
    late_rows: str
    sources: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class _Pass:
    """What one pass over frames gives: series at steps, and what was seen on the way."""

    steps: np.ndarray
    rows: np.ndarray
    series: dict[str, np.ndarray]
    dc: np.ndarray | None
    watch: Watch

    def keep(self, which: np.ndarray) -> None:
        """Drop all other rows."""
        self.steps, self.rows = self.steps[which], self.rows[which]
        self.series = {name: values[which] for name, values in self.series.items()}
        self.dc = None if self.dc is None else self.dc[which]


def reduce(log: Log, request: Request, observables: Sequence[str]) -> Reduced:
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
        hashing = thread.submit(_sources, log, whole)
        reduced = _reduce(log, request, observables, digest)
        sources = hashing.result()
    if digest is not None:
        sources[0]["sha256_of_rows_read"] = digest.hexdigest()
    return replace(reduced, sources=sources)


def _reduce(log: Log, request: Request, observables: Sequence[str], digest: hashlib._Hash | None) -> Reduced:
    how = layout(log, request)
    steps, rows, remarks = rows_that_count(log, request.repair)
    rows, steps = rows[:: request.every], steps[:: request.every]
    own = [n for n in observables if OBSERVABLES[n].of_components and not OBSERVABLES[n].gradient]
    main = _read(log.frames, rows, steps, how, dict.fromkeys(["signal", *own]), digest)
    remarks += [*how.remarks, *_finite(log, main, request.repair)]
    late, alias_remarks = _repeated(log, main, request)
    remarks += alias_remarks
    series = main.series
    of_gradient = [name for name in observables if OBSERVABLES[name].gradient]
    if of_gradient:
        series, gradient_remarks = _with_gradient(log, main, how, request.repair, of_gradient)
        remarks += gradient_remarks
    for name in observables:
        derived = OBSERVABLES[name].of_series
        if derived is not None:
            series[name] = derived(series, main.steps)
    remarks += step_remarks(main.steps)
    ordered = {name: series[name] for name in dict.fromkeys(["signal", *observables])}
    watched = main.watch.first if log.features is None else ""
    return Reduced(main.steps, ordered, main.dc, replace(how, features=None), watched, tuple(remarks), late)


def rows_that_count(log: Log, repair: bool) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Steps and rows that are kept where steps repeat or go back, the last one winning; and sentences on it.

    With `repair`, late rows get their true step first, and of two rows of one step the last is kept.
    """
    steps, remarks = np.asarray(log.steps, dtype=np.float64), list(log.remarks)
    try:
        kept = last_wins(steps)
    except UnusableDataError as error:
        raise UnusableDataError(f"{log.path}: {error}") from None
    if len(kept) < len(steps):
        dropped = np.setdiff1d(np.arange(len(steps)), kept)
        remarks.append(
            "steps repeat or go back, as after a resume: the last row of a step wins, "
            f"{len(dropped)} rows were dropped ({ranges(dropped, MOST_RANGES)})"
        )
    if repair and log.late is not None:
        steps = steps + log.late
        unique = last_wins(steps[kept])
        remarks.append(
            f"repaired: late rows got their true step; {len(kept) - len(unique)} rows that show the same step as "
            "the next were dropped"
        )
        kept = kept[unique]
    return steps[kept], kept, remarks


def choose_observables(logs: Sequence[Log], request: Request) -> tuple[tuple[str, ...], list[str]]:
    """The observables that are computed, and a sentence if a logged gradient is not one of them."""
    if request.observables is not None:
        named = [name for name in request.observables if name != SINGULAR_VALUES]
        return tuple(dict.fromkeys(["signal", *named])), []
    for log in logs:
        if log.gradients is None or log.gradient_steps is None:
            return ("signal",), []
    for log in logs:
        steps, _, _ = rows_that_count(log, request.repair)
        steps = steps[:: request.every]
        without = ~np.isin(steps, np.asarray(log.gradient_steps))
        if without[:-1].any():
            return ("signal",), [
                f"gradients are logged at other steps than the frames ({_first(log.gradient_steps)} beside "
                f"{_first(steps)}) and were left out"
            ]
    return ("signal", "gradient"), []


# -------------------------------------------------------------------------------------------------------- reading


def _read(
    frames: Frames,
    rows: np.ndarray,
    steps: np.ndarray,
    how: Layout,
    names: Iterable[str],
    digest: hashlib._Hash | None = None,
) -> _Pass:
    """One pass over the frames of some rows, whose bytes go into `digest`."""
    if not len(rows):
        raise UnusableDataError("the log has no rows, expected at least one; check that the training was logged")
    watch = Watch()
    functions = {name: f for name in names if (f := OBSERVABLES[name].of_components) is not None}
    series = {name: np.empty((len(rows), len(how.labels))) for name in functions}
    dc: np.ndarray | None = None
    at = 0
    with np.errstate(all="ignore"):  # what is not finite is found in the series, and named by its row
        for part, chunk in frames.chunks(rows):
            watch.see(part, chunk)
            if digest is not None:
                digest.update(np.ascontiguousarray(chunk).data)
            here = slice(at, at := at + len(part))
            if how.features is None:
                series["signal"][here] = chunk
                continue
            components = how.features.components(how.matrices(chunk))
            for name, values in series.items():
                values[here], zero = how.features.split(functions[name](components))
                if name == "signal" and zero is not None:
                    dc = np.empty(len(rows)) if dc is None else dc
                    dc[here] = zero
    return _Pass(steps, rows, series, dc, watch)


def _with_gradient(
    log: Log, main: _Pass, how: Layout, repair: bool, names: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """The series with the gradient's signal and what else needs it; rows whose step has no gradient are dropped."""
    if log.gradients is None or log.gradient_steps is None or how.features is None:
        raise UnusableDataError(
            f"{log.path} has no gradients, expected them for {' and '.join(names)}; log them, or leave that out"
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
    gradient = _read(log.gradients, rows, main.steps, how, ["signal"])
    remarks += _finite(log, gradient, repair, "gradient")
    main.keep(np.arange(len(gradient.steps)))
    both = _read_both(log.frames, main.rows, log.gradients, gradient.rows, how, names)
    return {**main.series, "gradient": gradient.series["signal"], **both}, remarks


def _read_both(
    frames: Frames, rows: np.ndarray, gradients: Frames, gradient_rows: np.ndarray, how: Layout, names: Sequence[str]
) -> dict[str, np.ndarray]:
    """Those observables that are of frames and of the gradients at them, row by row; nothing is read if none is."""
    functions = {name: f for name in names if (f := OBSERVABLES[name].of_both) is not None}
    series = {name: np.empty((len(rows), len(how.labels))) for name in functions}
    if how.features is None or not functions:
        return series
    at = 0
    for part in frames.parts(rows):
        here = slice(at, at := at + len(part))
        of_frames = how.features.components(how.matrices(frames.read(part))).copy()
        of_gradients = how.features.components(how.matrices(gradients.read(gradient_rows[here])))
        for name, function in functions.items():
            series[name][here], _ = how.features.split(function(of_frames, of_gradients))
    return series


def _finite(log: Log, found: _Pass, repair: bool, what: str = "frame") -> list[str]:
    """Cut a run before the first row that is not finite, or refuse it."""
    bad = ~np.all([np.isfinite(values).all(axis=1) for values in found.series.values()], axis=0)
    if not bad.any():
        return []
    first = int(np.argmax(bad))
    where = f"the {what} of row {found.rows[first]} (step {found.steps[first]:g}) is not finite ({bad.sum()} such rows)"
    half = log.frames.dtype == np.float16
    why = "; float16 ends at 65504: log float32" if half else ""
    if not repair or not first:
        advice = f"--repair keeps the {first} rows before it" if first else "leave that run out"
        raise UnusableDataError(f"{log.path}: {where}, expected numbers{why}; {advice}")
    found.keep(np.arange(first))
    return [f"{where}{why}: repaired, the {first} rows before it were kept"]


# ------------------------------------------------------------------------------------------------------ integrity


def _repeated(log: Log, main: _Pass, request: Request) -> tuple[str, list[str]]:
    """Identical consecutive frames: name them, and with `repair` give late rows their step and drop double ones."""
    late_rows = "none" if log.late is None else ranges(np.flatnonzero(log.late))
    identical = np.intersect1d(np.array(main.watch.identical, dtype=np.int64), main.rows)
    if log.late is not None or not len(identical) or log.features is not None:
        return late_rows, []
    if len(identical) == len(main.rows) - 1:
        return late_rows, [
            "all frames are identical: the matrix was frozen, or one array was stored again and again without a copy"
        ]
    period = _period(main, identical)
    if period is None:
        remark = f"{len(identical)} rows are identical to the one before them (rows {ranges(identical, MOST_RANGES)})"
        if request.repair:
            main.keep(~np.isin(main.rows, identical - 1))
            remark += ": repaired, the earlier of each two was dropped"
        return late_rows, [remark]
    late = is_late(main.rows, period, main.rows[-1])
    late_rows = ranges(main.rows[late])
    remark = (
        f"{late.sum()} of {len(late)} rows seem to show the parameters one update late, logged without a copy: rows "
        f"{ranges(main.rows[late], MOST_RANGES)} (every {period}th row is identical to the one before)"
    )
    if request.repair:
        main.steps = main.steps + late
        main.keep(last_wins(main.steps))
        remark += ": repaired, they got their true step"
    return late_rows, [remark]


def _period(main: _Pass, identical: np.ndarray) -> int | None:
    """The interval of the spared rows, if every step was logged and identical rows lie as views leave them."""
    every_step = len(main.rows) > 2 and main.rows[-1] == len(main.rows) - 1 and np.all(np.diff(main.steps) == 1)
    several = len(identical) > 2  # two may be chance
    return aliasing_period(identical, int(main.rows[-1])) if every_step and several else None


def _sources(log: Log, whole: bool) -> list[dict[str, Any]]:
    if len(log.sources) > MOST_SOURCES:
        lines = [f"{sha256(path)}  {path.name}\n" for path in log.sources] if whole else []
        listing = hashlib.sha256("".join(lines).encode()).hexdigest()
        total = sum(path.stat().st_size for path in log.sources)
        entry: dict[str, Any] = {"path": str(log.path), "files": len(log.sources), "bytes": total}
        return [entry | ({"sha256_of_sha256sum": listing} if whole else {})]
    return [_source(path, whole) for path in log.sources]


def _source(path: Path, whole: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": str(path), "bytes": path.stat().st_size}
    return entry | ({"sha256": sha256(path)} if whole else {})


def _first(steps: np.ndarray | None, most: int = 4) -> str:
    values = np.empty(0) if steps is None else steps
    return ", ".join(f"{s:g}" for s in values[:most]) + (", ..." if len(values) > most else "")
