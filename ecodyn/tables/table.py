"""A table that was interpreted, and what is asked of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecodyn.arrays import Array
from ecodyn.observables.features import Label
from ecodyn.tables.gaps import CHOICES, Missing

__all__ = ["Columns", "Table", "TableOptions"]


def _check_name(role: str, name: object) -> None:
    if name is None or isinstance(name, str):
        return
    if isinstance(name, list | tuple):
        joined = f"frame['{role}'] = frame[{[*map(str, name)]}].astype(str).agg('/'.join, axis=1)"
        todo = f"make one column of them, such as {joined}" if role == "run" else "choose one of them"
    else:
        todo = f"give its name as text, such as {str(name)!r}"
    raise ValueError(f"{role} (--{role}-column) is the name of one column, got {name!r}; {todo}")


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """What a table does not say about itself.

    Attributes
    ----------
    time
        Column of the times; "index" for an index without a name.
    run
        Column that tells the runs.
    columns
        Features: names of columns, or a pattern such as ``signal_*``; what its ``*`` stands for is the label. In a long
        table, names of features.
    missing
        "drop" leaves a step out that lacks a value, "interpolate" first fills in gaps of one step, "keep" keeps NaN.

    Raises
    ------
    ValueError
        `missing` is another word, or `time` or `run` is no name of a column.

    Examples
    --------
    >>> from ecodyn.tables import TableOptions
    >>> TableOptions(time="epoch").missing
    'drop'
    """

    time: str | None = None
    run: str | None = None
    columns: Sequence[str] | str | None = None
    missing: Missing = "drop"

    def __post_init__(self) -> None:
        for role, name in (("time", self.time), ("run", self.run)):
            _check_name(role, name)
        if self.missing not in CHOICES:
            raise ValueError(f"missing (--missing) is one of {', '.join(CHOICES)}, got {self.missing!r}")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a table were taken for.

    Attributes
    ----------
    time
        The column of the times, "index" for an index without a name, None where rows were counted.
    run
        The one that tells the runs, None where the table is one run.
    feature, value
        Those of a long table, None for a wide one.
    aside
        Columns that are neither, nor features.
    """

    time: str | None
    run: str | None
    feature: str | None = None
    value: str | None = None
    aside: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table, interpreted.

    Attributes
    ----------
    runs
        Labels.
    times
        (T_r,) of each run, ascending.
    values
        (T_r, K) of each run; NaN only where missing cells were to be kept.
    features
        Labels.
    shared
        Whether features have names, so that they mean the same in every run.
    remarks
        What was decided, left out or filled in, in sentences with counts.
    general
        Those of the remarks that are on the whole table.
    of_run
        The others, for each run.
    columns
        What the columns were taken for.
    index_used
        Whether a level of the DataFrame's index is the time or the run.
    own
        Whether it is laid out as ecodyn's notes in it say, so that what else they say is of it.
    """

    runs: tuple[Label, ...]
    times: list[Array]
    values: list[Array]
    features: tuple[Label, ...]
    shared: bool
    remarks: tuple[str, ...]
    general: tuple[str, ...] = ()
    of_run: tuple[tuple[str, ...], ...] = ()
    columns: Columns = field(default_factory=lambda: Columns(time=None, run=None))
    index_used: bool = False
    own: bool = False
