"""The table that Weights & Biases' pages export of a chart -> a table with a column of runs and a column a feature."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ecodyn.errors import UnusableDataError
from ecodyn.tables.cells import is_missing, numbers_of
from ecodyn.tables.names import STEP_NAMES, listed, matching, named, normal
from ecodyn.tables.own import NOTES
from ecodyn.tables.splits import Split, readings_of
from ecodyn.tables.table import TableOptions
from ecodyn.tables.text import DECIDED

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SEPARATOR", "Chart", "chart_of"]

SEPARATOR, LOW, HIGH = " - ", "__MIN", "__MAX"
AT = re.compile(f"(?={SEPARATOR})")  # each place of a separator, where two overlap as well
MOST_SHOWN = 6  # features in a flag that a sentence proposes


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart as a table.

    Attributes
    ----------
    frame
        The chart's axis, a column that names the run, and a column a feature; what was decided is in its ``attrs``.
    options
        How it is to be interpreted.
    """

    frame: pd.DataFrame
    options: TableOptions


def chart_of(frame: pd.DataFrame, options: TableOptions, where: str) -> Chart | None:
    """A chart's columns ``RUN - FEATURE``, each with ``__MIN`` and ``__MAX``, taken apart; None for other tables.

    Columns that were asked for are features; where none is, but columns are called so in full, the table is any other.

    Raises
    ------
    UnusableDataError
        Names can be split in two ways, and the other columns don't tell in which.
    """
    named_index = frame.columns.nlevels > 1 or frame.index.names != [None] or NOTES in frame.attrs
    names = [str(name).strip() for name in frame.columns]
    known = {*names}
    lines = [name for name in names if SEPARATOR in name and name + LOW in known and name + HIGH in known]
    others = known - {part for name in lines for part in (name, name + LOW, name + HIGH)}
    splits = {name: _splits(name) for name in lines}
    if named_index or options.run is not None or len(others) != 1 or len(known) < len(names):
        return None
    if not all(splits.values()) or not (kept := _asked_for(splits, options)):
        return None
    _check_pairs(where, kept)
    (axis,) = others
    told, remarks = _told(where, kept, options.columns)
    columns = {name: frame.iloc[:, i] for i, name in enumerate(names)}
    return _table(
        frame, columns, axis, told, options, [*_general(told, len(lines)), *remarks, *_on_points(columns, told)]
    )


def _check_pairs(where: str, splits: Mapping[str, tuple[Split, ...]]) -> None:
    """Refuse columns of one run and feature, whose names differ in blanks only."""
    columns: dict[Split, str] = {}
    for name, pairs in splits.items():
        for pair in pairs:
            if columns.setdefault(pair, name) != name:
                raise UnusableDataError(
                    f"{where} has two columns of the feature {pair.feature!r} of the run {pair.run!r}, "
                    f"{columns[pair]!r} and {name!r}; rename one"
                )


def _splits(name: str) -> tuple[Split, ...]:
    """All ways to split a name into a run and a feature."""
    places = [match.start() for match in AT.finditer(name)]
    pairs = [Split(name[:at].strip(), name[at + len(SEPARATOR) :].strip()) for at in places]
    return tuple(pair for pair in pairs if pair.run and pair.feature)


def _asked_for(splits: Mapping[str, tuple[Split, ...]], options: TableOptions) -> dict[str, tuple[Split, ...]]:
    """Those splits whose features were asked for, the time among them, and columns that have any."""
    if options.columns is None:
        return dict(splits)
    features = dict.fromkeys(split.feature for pairs in splits.values() for split in pairs)
    chosen = {*matching(options.columns, features)}
    if not chosen:
        return {}
    chosen.add(options.time or "")
    held = {name: tuple(pair for pair in pairs if pair.feature in chosen) for name, pairs in splits.items()}
    return {name: pairs for name, pairs in held.items() if pairs}


def _told(
    where: str, splits: Mapping[str, tuple[Split, ...]], columns: Sequence[str] | str | None
) -> tuple[dict[str, Split], list[str]]:
    """The split of each column, and what tells it where there are several."""
    if all(len(pairs) == 1 for pairs in splits.values()):
        return {name: pairs[0] for name, pairs in splits.items()}, []
    features = [pair.feature for pairs in splits.values() for pair in pairs]
    wanted = {name for name in named(columns, features) if "*" not in name}
    readings = readings_of(splits, wanted)
    if len(readings) == 1:
        several = sum(len(pairs) > 1 for pairs in splits.values())
        return readings[0], [
            f"{several} names have several {SEPARATOR!r}: they were split in the only way in which every run has every "
            "feature"
        ]
    first, second = readings[:2] or (
        {name: pairs[0] for name, pairs in splits.items()},
        {name: pairs[-1] for name, pairs in splits.items()},
    )
    name = next(name for name in splits if first[name] != second[name])
    a, b = first[name], second[name]
    raise UnusableDataError(
        f"{where} is a chart that Weights & Biases exports, and the column {name!r} may be the feature {a.feature!r} "
        f"of the run {a.run!r} or the feature {b.feature!r} of the run {b.run!r}; say which are the features with "
        f"{_flag(first)} or {_flag(second)} (columns=)"
    )


def _flag(reading: Mapping[str, Split]) -> str:
    features = list(dict.fromkeys(split.feature for split in reading.values()))
    more = ",..." if len(features) > MOST_SHOWN else ""
    return f'--columns "{",".join(features[:MOST_SHOWN])}{more}"'


def _general(told: Mapping[str, Split], lines: int) -> list[str]:
    runs, features = {split.run for split in told.values()}, {split.feature for split in told.values()}
    remarks = [
        f"read as a chart that Weights & Biases exports, columns called RUN{SEPARATOR}FEATURE: {len(runs)} runs and "
        f"{len(features)} features; {2 * lines} columns {LOW} and {HIGH} were left out"
    ]
    return remarks + [f"{lines - len(told)} of {lines} of its lines were not asked for"] * (len(told) < lines)


def _on_points(columns: Mapping[str, pd.Series], told: Mapping[str, Split]) -> list[str]:
    """That points stand for several values, where they do."""
    points = several = outside = 0
    for name in told:
        value, low, high = (numbers_of(columns[name + end]).values for end in ("", LOW, HIGH))
        points += int((~np.isnan(value)).sum())
        several += int((low < high).sum())
        outside += int(((value < low) | (value > high)).sum())
    remarks = [
        f"{several} of {points} points stand for several values ({LOW} and {HIGH} differ), as of long or grouped runs: "
        "run.history() of the API has each value"
    ] * (several > 0)
    return remarks + [f"{outside} of {points} points are not between {LOW} and {HIGH}, as if smoothed"] * (outside > 0)


def _table(
    source: pd.DataFrame,
    columns: Mapping[str, pd.Series],
    axis: str,
    told: Mapping[str, Split],
    options: TableOptions,
    remarks: list[str],
) -> Chart:
    import pandas as pd

    features = list(dict.fromkeys(split.feature for split in told.values()))
    label = "run"
    while label in (axis, *features):
        label += "_"
    parts, empty = [], []
    for run in dict.fromkeys(split.run for split in told.values()):
        own = {split.feature: columns[name] for name, split in told.items() if split.run == run}
        held = ~np.logical_and.reduce([_missing(column) for column in own.values()])  # other runs' steps are none
        cells = {feature: column[held] for feature, column in own.items() if feature != axis}
        empty += [run] * (not held.any())
        parts.append(pd.DataFrame({axis: columns[axis][held], label: run} | cells))
    time = axis if options.time is None else options.time
    further = [f"{len(empty)} runs have no points and were left out: {listed(empty)}"] * (len(empty) > 0)
    if axis in features:
        further.append(f"left out, being called as the chart's axis: {axis}")
    if time != axis:
        further.append(f"left out, being the chart's axis and not the time that was asked for: {axis}")
    elif normal(axis) not in STEP_NAMES:
        further.append(f"the chart's axis {axis} is taken as the time")
    order = [axis] * (time == axis) + [label, *(feature for feature in features if feature != axis)]
    frame = pd.concat(parts, ignore_index=True)[order]
    decided = source.attrs.get(DECIDED)
    frame.attrs = {**source.attrs, DECIDED: [*(decided if isinstance(decided, list) else []), *remarks, *further]}
    return Chart(frame, replace(options, time=time, run=label))


def _missing(column: pd.Series) -> np.ndarray:
    if column.dtype.kind in "iuf":
        return np.asarray(column.isna())
    return np.array([is_missing(cell) for cell in column.astype(object)], dtype=bool)
