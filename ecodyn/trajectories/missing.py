"""Missing values: cells that a run lacks between its first and last step, stated by a mask.

What is missing is never guessed: a step at which a cell of any feature is missing (an *incomplete* step) takes no part
in fits, and the cell none in scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecodyn.arrays import Array, Bools, Integers
from ecodyn.errors import UnusableDataError
from ecodyn.trajectories.labels import Labels

__all__ = ["checked_missing", "complete_rows", "refuse_never_measured", "refuse_without_values", "run_ends", "spread"]


def checked_missing(missing: Any, values: Any, shape: tuple[int, ...]) -> Bools:
    """The mask (run, step, feature), True where a cell is missing: the one given, and that of masked arrays."""
    masked = _stacked([np.ma.getmaskarray(part) for part in values], shape) if _are_masked(values) else None
    if missing is None:
        return np.zeros(shape, dtype=bool) if masked is None else masked
    parts = missing if isinstance(missing, list | tuple) else list(np.atleast_1d(np.asarray(missing)))
    given = _stacked([np.asarray(part) for part in parts], shape)
    return given if masked is None else given | masked


def _are_masked(values: Any) -> bool:
    if isinstance(values, list | tuple):
        return any(np.ma.is_masked(part) for part in values)
    return bool(np.ma.is_masked(values))


def _stacked(parts: list[np.ndarray], shape: tuple[int, ...]) -> Bools:
    """Masks of single runs as one; after the end of a run nothing is missing."""
    if len(parts) != shape[0]:
        raise UnusableDataError(
            f"missing has {len(parts)} runs, values has {shape[0]}; give a mask of the shape that values has"
        )
    stacked = np.zeros(shape, dtype=bool)
    for r, part in enumerate(parts):
        if part.dtype.kind != "b":
            raise UnusableDataError(
                f"expected missing as booleans, True where a value is missing, got {part.dtype}; "
                "such as np.isnan(values)"
            )
        if part.ndim != 2 or len(part) > shape[1] or part.shape[1] != shape[2]:
            raise UnusableDataError(
                f"missing[{r}] has shape {part.shape}, values[{r}] at most {shape[1:]}; give a mask of that shape"
            )
        stacked[r, : len(part)] = part
    return stacked


def refuse_never_measured(missing: Bools, lengths: Integers, runs: Labels, features: Labels) -> None:
    """Refuse a feature without a single value in a run."""
    never = missing.sum(axis=1) == lengths[:, None]
    if never.any():
        r, k = np.argwhere(never)[0]
        raise UnusableDataError(
            f"feature {features[k]} is missing throughout in run {runs[r]} ({never.sum()} such series); "
            "leave the feature or the run out"
        )


def run_ends(missing: Bools) -> int:
    """Steps of a run, missing (step, feature), up to its last value; 0 where it has none."""
    some = np.flatnonzero(~missing.all(axis=1))
    return int(some[-1]) + 1 if len(some) else 0


def refuse_without_values(missing: Sequence[Bools], runs: Labels) -> None:
    """Refuse to keep steps at which a run lacks every value, missing[r] (step, feature)."""
    without = [str(run) for run, own in zip(runs, missing, strict=True) if run_ends(own) == 0]
    if without:
        raise UnusableDataError(
            "expected a value of each run at the steps that are kept, every one is missing of runs "
            f"{', '.join(without)}; keep more steps or features, or leave these runs out"
        )


def complete_rows(missing: Bools, lengths: Integers, runs: Labels) -> list[Integers]:
    """Places of the steps (step,) of each run at which every feature has a value.

    Raises
    ------
    UnusableDataError
        A run has none.
    """
    rows = [np.flatnonzero(~missing[r, :n].any(axis=1)) for r, n in enumerate(lengths)]
    without = [str(run) for run, own in zip(runs, rows, strict=True) if len(own) == 0]
    if without:
        raise UnusableDataError(
            f"expected steps at which all {missing.shape[2]} features have a value, runs {', '.join(without)} have "
            "none; leave out the features that are missing most, or these runs"
        )
    return rows


def spread(packed: Array, rows: list[Integers], steps: int) -> Array:
    """What belongs to the complete steps (run, complete step, …) at their places, (run, step, …); NaN elsewhere."""
    out = np.full((len(rows), steps, *packed.shape[2:]), np.nan)
    for r, own in enumerate(rows):
        out[r, own] = packed[r, : len(own)]
    return out
