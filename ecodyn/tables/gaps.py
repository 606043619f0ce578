"""Missing cells of one run: their steps are dropped, gaps of one step are filled in, or they stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import numpy as np

from ecodyn.arrays import Array, Bools
from ecodyn.observables.features import Label
from ecodyn.tables.entries import Rows
from ecodyn.tables.names import listed
from ecodyn.tables.remarks import Remark

__all__ = ["CHOICES", "LACKING", "Missing", "filled", "none_complete"]

Missing = Literal["drop", "interpolate", "keep"]
CHOICES: tuple[str, ...] = get_args(Missing)

LACKING = "{} steps lack a value of some feature and were left out, {} have all"
FILLED = "{} missing cells, each between two steps that have a value, were filled in linearly"
KEPT = "{} cells are missing and were kept as NaN"


def filled(rows: Rows, missing: Missing, *, noted: bool = False) -> Rows:
    """The rows without missing cells, or with them where they are to stay; NaN is what is missing.

    Cells that were `noted` as missing when the table was written stay without a word: nothing was decided.
    """
    gaps = np.isnan(rows.values)
    if not gaps.any():
        return rows
    if missing == "keep":
        if noted:
            return rows
        return Rows(rows.times, rows.values, (*rows.remarks, Remark(KEPT, (int(gaps.sum()),))))
    remarks, values = list(rows.remarks), rows.values
    if missing == "interpolate":
        values, count = _interpolated(rows.times, values, gaps)
        remarks += [Remark(FILLED, (count,))] * (count > 0)
    whole = ~np.isnan(values).any(axis=1)
    if not whole.all():
        remarks.append(Remark(LACKING, (int((~whole).sum()), int(whole.sum()))))
    return Rows(rows.times[whole], values[whole], tuple(remarks))


def none_complete(features: Iterable[Label], run: str = "") -> str:
    """Why nothing is left, as a sentence goes on; `run` is "of run 3 " where there are several."""
    return (
        f"no step {run}has a value of all of {listed(features)}; choose those that were logged together with --columns "
        "PATTERN"
    )


def _interpolated(times: Array, values: Array, gaps: Bools) -> tuple[Array, int]:
    """Gaps of one step filled in on the line between the steps beside them, and how many."""
    single = np.zeros_like(gaps)
    single[1:-1] = gaps[1:-1] & ~gaps[:-2] & ~gaps[2:]
    t, k = np.nonzero(single)
    share = (times[t] - times[t - 1]) / (times[t + 1] - times[t - 1])
    complete = values.copy()
    complete[t, k] = values[t - 1, k] + share * (values[t + 1, k] - values[t - 1, k])
    return complete, len(t)
