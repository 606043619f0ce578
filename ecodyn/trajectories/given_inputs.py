"""Inputs out of what users have in their hands: numbers, arrays on the steps, knots, tables and their files."""

from __future__ import annotations

import numbers
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ecodyn.errors import DataWarning, UnusableDataError
from ecodyn.tables import read_table
from ecodyn.tables.names import RUN_NAMES, STEP_NAMES, TIME_NAMES, VALUE_NAME, listed, normal
from ecodyn.trajectories.contents import Contents
from ecodyn.trajectories.inputs import STEPS, Input, InputLike, Kind
from ecodyn.trajectories.labels import Label
from ecodyn.trajectories.values import Numbers, float64

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["InputSource", "input_curves"]

Knots: TypeAlias = "tuple[Numbers, Numbers]"
One: TypeAlias = "float | Input | Knots | Numbers | pd.DataFrame | str | os.PathLike[str]"
InputSource: TypeAlias = "One | Sequence[Input] | Sequence[Knots] | Mapping[Label, One]"


def input_curves(data: Contents, name: str, given: InputSource, kind: Kind | None) -> InputLike:
    """The curve of an input, for all runs or by run, from whatever holds it: see `Trajectories.with_inputs`."""
    if isinstance(given, Input):
        return _renamed(name, given)
    if isinstance(given, str | os.PathLike):
        return _of_table(data, name, read_table(given), kind, str(given))
    if hasattr(given, "columns"):
        return _of_table(data, name, given, kind, "the table")
    if isinstance(given, Mapping):
        return {run: _of_run(data, name, part, kind, run) for run, part in given.items()}
    if isinstance(given, list) and given and all(isinstance(part, Input | tuple) for part in given):
        return [_of_run(data, name, part, kind, None) for part in given]
    if isinstance(given, tuple) and all(isinstance(part, Input) for part in given):  # as Trajectories.inputs has them
        return [_of_run(data, name, part, kind, None) for part in given]
    if isinstance(given, tuple) or _is_number(given):
        return _of_run(data, name, given, kind, None)
    return _on_steps(data, name, given, kind)


def _is_number(given: Any) -> bool:
    return isinstance(given, numbers.Real) or getattr(given, "ndim", 1) == 0


def _renamed(name: str, given: Input) -> Input:
    return Input(name, given.times, given.values, given.kind)


def _of_run(data: Contents, name: str, given: Any, kind: Kind | None, run: Any) -> Input:
    """A curve that has its own times, or needs none."""
    if isinstance(given, Input):
        return _renamed(name, given)
    if isinstance(given, tuple):
        if len(given) != 2:
            raise UnusableDataError(
                f"expected the input {name} as a pair (times, values), got {len(given)} parts; give a list for runs"
            )
        return _built(name, float64(given[0], f"the times of {name}"), given[1], kind)
    if _is_number(given):
        return Input(name, [float(np.nanmin(data.times))], [float(given)], STEPS)
    times = data.steps if run is None or run not in data.runs.tolist() else _own_times(data, run)
    return _built(name, times, given, kind)


def _own_times(data: Contents, run: Any) -> Any:
    place = data.runs.tolist().index(run)
    return data.times[place, : data.lengths[place]]


def _built(name: str, times: Any, values: Any, kind: Kind | None) -> Input:
    """A curve through knots; asks which of the two kinds is meant where that makes a difference."""
    if kind is not None:
        return Input(name, times, values, kind)
    curve = Input(name, times, values, STEPS)
    if len(curve.breaks):
        raise ValueError(
            f"expected to be told how the input {name} goes between its {len(curve.times)} values, got no kind; "
            "kind='steps' holds each until the next and jumps there, kind='linear' goes straight from one to the next "
            f"(on the command line {name}=SOURCE:steps or {name}=SOURCE:linear)"
        )
    return curve


def _on_steps(data: Contents, name: str, given: Any, kind: Kind | None) -> InputLike:
    """An array (step,) on the steps that all runs share, (run, step), or a list of arrays, one a run."""
    ragged = isinstance(given, list | tuple) and np.ndim(given[0]) == 1
    rows = [float64(row, f"the input {name}") for row in given] if ragged else float64(given, f"the input {name}")
    if not ragged and np.ndim(rows) == 1:
        if np.shape(rows) != data.steps.shape:
            raise UnusableDataError(
                f"expected the input {name} at each of the {len(data.steps)} steps, got {len(rows)} values; give "
                "(times, values) if it has times of its own"
            )
        return _built(name, data.steps, rows, kind)
    if len(rows) != data.n_runs:
        raise UnusableDataError(f"expected the input {name} for each of {data.n_runs} runs, got {len(rows)} of them")
    curves = []
    for r, row in enumerate(rows):
        n = int(data.lengths[r])
        if len(row) < n or not np.isnan(row[n:]).all():
            raise UnusableDataError(
                f"expected the input {name} at each of the {n} steps of run {data.runs[r]}, got {len(row)} values; "
                "give (times, values) if it has times of its own"
            )
        curves.append(_built(name, data.times[r, :n], row[:n], kind))
    return curves


def _of_table(data: Contents, name: str, frame: pd.DataFrame, kind: Kind | None, where: str) -> InputLike:
    """Columns of times and values, and perhaps of runs."""
    frame = frame.reset_index() if any(frame.index.names) else frame
    columns = {str(column): column for column in frame.columns}
    time, run = _column(columns, (*STEP_NAMES, *TIME_NAMES)), _column(columns, RUN_NAMES)
    others = [column for column in columns if column not in (time, run)]
    if time is None:
        raise UnusableDataError(
            f"expected a column step or time in {where} for the input {name}, got {listed(columns)}; rename the one "
            "that has the times"
        )
    own = next((c for c in (name, VALUE_NAME) if c in others), others[0] if len(others) == 1 else None)
    if own is None:
        raise UnusableDataError(
            f"expected one column with the values of the input {name} in {where}, called {name} or value, got "
            f"{listed(others) if others else 'none'} beside {time}; name one of them so"
        )
    if run is None:
        return _built(name, frame[columns[time]].to_numpy(), frame[columns[own]].to_numpy(), kind)
    return _by_run(data, name, frame[[columns[c] for c in (run, time, own)]], kind, where)


def _by_run(data: Contents, name: str, frame: pd.DataFrame, kind: Kind | None, where: str) -> InputLike:
    """Curves of the data's runs; what others the table has is left out, which is said."""
    run, time, own = frame.columns
    parts = {str(label): part for label, part in frame.groupby(run, sort=False)}
    labels = data.runs.tolist()
    if lacking := [label for label in labels if str(label) not in parts]:
        raise UnusableDataError(
            f"expected the input {name} of each of the {len(labels)} runs in the column {run} of {where}, got none for "
            f"{listed(lacking)}; add those, or leave the column out if all runs have one curve"
        )
    if further := [label for label in parts if label not in set(map(str, labels))]:
        warnings.warn(
            f"{where}: the input {name} of {listed(further)} is left out, which the data have no runs of",
            DataWarning,
            stacklevel=5,
        )
    return [_built(name, parts[str(r)][time].to_numpy(), parts[str(r)][own].to_numpy(), kind) for r in labels]


def _column(columns: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The column of the name that comes first among `names`."""
    offered = [column for column in columns if normal(column) in names]
    return min(offered, key=lambda column: names.index(normal(column)), default=None)
