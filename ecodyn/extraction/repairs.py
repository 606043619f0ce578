"""What is wrong with the rows of a log, said, and mended where that is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecodyn.arrays import Array, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.extraction.passes import Pass
from ecodyn.logs import Log
from ecodyn.logs.integrity import MOST_RANGES, aliasing_period, is_late, last_wins, ranges

__all__ = ["Repeats", "cut_to_finite", "repeated_frames", "rows_that_count"]

SEVERAL = 2  # identical pairs may be chance, more of them in a pattern are not


def rows_that_count(log: Log, repair: bool) -> tuple[Array, Integers, list[str]]:
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


def cut_to_finite(log: Log, read: Pass, repair: bool, what: str = "frame") -> list[str]:
    """Cut a run before the first row that is not finite, or refuse it."""
    bad = ~np.all([np.isfinite(values).all(axis=1) for values in read.series.values()], axis=0)
    if not bad.any():
        return []
    first = int(np.argmax(bad))
    where = f"the {what} of row {read.rows[first]} (step {read.steps[first]:g}) is not finite ({bad.sum()} such rows)"
    half = log.frames.dtype == np.float16
    why = "; float16 ends at 65504: log float32" if half else ""
    if not repair or not first:
        advice = f"--repair keeps the {first} rows before it" if first else "leave that run out"
        raise UnusableDataError(f"{log.path}: {where}, expected numbers{why}; {advice}")
    read.keep(np.arange(first))
    return [f"{where}{why}: repaired, the {first} rows before it were kept"]


@dataclass(frozen=True)
class Repeats:
    """Identical consecutive frames of a run, and what they mean.

    Attributes
    ----------
    late_rows
        The rows that show the parameters one update late, as text; "none" if there are none.
    remarks
        Sentences on it.
    mendable
        Whether `Request.repair` changes steps or rows.
    """

    late_rows: str
    remarks: tuple[str, ...] = ()
    mendable: bool = False


def repeated_frames(log: Log, main: Pass, repair: bool) -> Repeats:
    """Identical consecutive frames: name them, and with `repair` give late rows their step and drop double ones."""
    if log.late is not None:
        return Repeats(ranges(np.flatnonzero(log.late)), mendable=bool(log.late.any()))
    identical = np.intersect1d(np.array(main.watch.identical, dtype=np.int64), main.rows)
    if not len(identical) or log.features is not None:
        return Repeats("none")
    if len(identical) == len(main.rows) - 1:
        frozen = (
            "all frames are identical: the matrix was frozen, or one array was stored again and again without a copy"
        )
        return Repeats("none", (frozen,))
    period = _period(main, identical)
    if period is None:
        remark = f"{len(identical)} rows are identical to the one before them (rows {ranges(identical, MOST_RANGES)})"
        if repair:
            main.keep(~np.isin(main.rows, identical - 1))
            remark += ": repaired, the earlier of each two was dropped"
        return Repeats("none", (remark,), mendable=True)
    late = is_late(main.rows, period, main.rows[-1])
    late_rows = ranges(main.rows[late])
    remark = (
        f"{late.sum()} of {len(late)} rows seem to show the parameters one update late, logged without a copy: rows "
        f"{ranges(main.rows[late], MOST_RANGES)} (every {period}th row is identical to the one before)"
    )
    if repair:
        main.steps = main.steps + late
        main.keep(last_wins(main.steps))
        remark += ": repaired, they got their true step"
    return Repeats(late_rows, (remark,), mendable=True)


def _period(main: Pass, identical: Integers) -> int | None:
    """The interval of the spared rows, if every step was logged and identical rows lie as views leave them."""
    every_step = len(main.rows) > 2 and main.rows[-1] == len(main.rows) - 1 and np.all(np.diff(main.steps) == 1)
    several = len(identical) > SEVERAL
    return aliasing_period(identical, int(main.rows[-1])) if every_step and several else None
